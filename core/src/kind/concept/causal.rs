//! The causal half: whether the model still calls the concept's pictures by its name without the unit, the units or the
//! direction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::area::Auc;
use crate::kind::tuple::tuple;

/// Random units, sets of units or directions beside each that is removed.
pub const CONTROLS: usize = 20;
/// The most pictures of a group that are shown to the model again.
pub const MOST_SHOWN: usize = 150;

tuple! {
    /// The mean change of a logit.
    pub struct Change {
        /// The mean over pictures of the concept.
        pub mean: f64,
        /// The lower end of its 95 % interval.
        pub low: f64,
        /// The upper end.
        pub high: f64,
    }
}

/// The logit of the concept's name for held-out pictures, as it is and without parts of the layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Causal {
    /// Pictures of the concept that were shown to the model again.
    pub positive: u64,
    /// Other pictures.
    pub negative: u64,
    /// How well the logit tells these from one another.
    pub auc: Auc,
    /// The mean logit for the pictures of the concept.
    pub logit: f64,
    /// Without the best unit.
    pub unit: Removed,
    /// Without all units of the smallest sum that is as good as the direction, or of the longest one.
    pub units: Removed,
    /// Without the logistic regression's direction.
    pub direction: Removed,
}

/// What removing something does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// How many units or directions were removed.
    pub count: u32,
    /// How well the logit tells the pictures apart then.
    pub auc: Auc,
    /// How the logit changes.
    pub change: Change,
    /// For changes of the same size at random units or along random directions, the AUC and the mean change.
    pub random: Vec<(f64, f64)>,
}

impl Causal {
    /// Whatever was removed, with its name.
    pub fn all(&self) -> [(&'static str, &Removed); 3] {
        [("unit", &self.unit), ("units", &self.units), ("direction", &self.direction)]
    }

    /// Adds what follows from the stored numbers to the values for prose.
    pub(super) fn derive(&self, tree: &mut Value) {
        tree["auc"] = self.auc.area.into();
        for (name, removed) in self.all() {
            tree[name]["auc"] = removed.auc.area.into();
            tree[name]["change"] = removed.change.named();
            let (mean, lowest, highest) = removed.by_chance();
            tree[name]["random"] = json!({ "mean": mean, "lowest": lowest, "highest": highest });
            tree[name]["as_far"] = removed.as_far().into();
        }
    }
}

impl Removed {
    /// The changes of the logit by chance: their mean, the lowest and the highest; zeros if there are none.
    pub fn by_chance(&self) -> (f64, f64, f64) {
        let changes = || self.random.iter().map(|(_, change)| *change);
        let mean = changes().sum::<f64>() / self.random.len().max(1) as f64;
        let lowest = changes().reduce(f64::min).unwrap_or_default();
        (mean, lowest, changes().reduce(f64::max).unwrap_or_default())
    }

    /// How many of the changes by chance are as large, of either sign.
    pub fn as_far(&self) -> u64 {
        let size = self.change.mean.abs();
        self.random.iter().filter(|(_, change)| change.abs() >= size).count() as u64
    }
}

/// A made-up result in which the AUC is this.
pub(super) fn sample(area: f64) -> Causal {
    let auc = |area: f64| Auc { area, low: area - 0.05, high: area + 0.05 };
    let removed = |count: u32, by: f64| Removed {
        count,
        auc: auc(area - by / 10.0),
        change: (-by, -by - 0.25, -by + 0.25).into(),
        random: vec![(area, 0.25), (area - 0.01, -0.5), (area, -1.0)],
    };
    Causal {
        positive: 15,
        negative: 150,
        auc: auc(area),
        logit: 12.5,
        unit: removed(1, 0.75),
        units: removed(3, 2.0),
        direction: removed(1, 4.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_compared_with_those_by_chance() {
        let all = sample(0.9);
        let (mean, lowest, highest) = all.unit.by_chance();
        assert!((mean + 1.25 / 3.0).abs() < 1e-12);
        assert_eq!((lowest, highest), (-1.0, 0.25));
        assert_eq!((all.unit.as_far(), all.units.as_far()), (1, 0));
        let none = Removed { random: vec![], ..all.unit };
        assert_eq!((none.by_chance(), none.as_far()), ((0.0, 0.0, 0.0), 0));
    }
}
