//! The result of an ablation.

use serde::{Deserialize, Serialize};

use crate::kind::tuple::tuple;
use crate::statistics::part;

tuple! {
    /// A number with its 95 % interval.
    pub struct Estimate {
        /// The number.
        pub value: f64,
        /// The lower end of the interval.
        pub low: f64,
        /// The upper end.
        pub high: f64,
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images that were read.
    pub images: u64,
    /// Number of images that cannot be read.
    pub skipped: u64,
    /// Number of images that were left out because their true class is unknown or not among the classes.
    pub outside: u64,
    /// What is read before the change, averaged over the images.
    pub before: Estimate,
    /// The same after it.
    pub after: Estimate,
    /// After minus before, of the same images.
    pub change: Estimate,
    /// Of an accuracy, how many images are classified otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
    /// The norm of the change of the activation: the root of its sum of squares over units, averaged over positions and images.
    pub norm: f64,
    /// The norm of the activation itself.
    pub whole: f64,
    /// The mean of each unit or direction over the data set, and its standard deviation; empty for heads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<(f64, f64)>,
    /// The same change of others.
    pub controls: Vec<Control>,
    /// Of an accuracy over several classes, each of them that an image has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassChange>,
}

/// Images that are classified otherwise after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flips {
    /// Correctly before, and not after.
    pub lost: u64,
    /// Correctly after, and not before.
    pub gained: u64,
}

/// The same change of other units, directions or heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The units or heads; empty for random directions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<u32>,
    /// What is read after it, minus before.
    pub change: f64,
    /// The norm of its change of the activation.
    pub norm: f64,
}

/// The accuracy over the images of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassChange {
    /// The class.
    pub label: String,
    /// Number of its images.
    pub of: u64,
    /// Number of these that are classified correctly before.
    pub before: u64,
    /// Number of these after.
    pub after: u64,
    /// The change of the accuracy.
    pub change: Estimate,
    /// The same of each control.
    pub controls: Vec<f64>,
}

impl ClassChange {
    /// The accuracy before and after.
    pub fn accuracy(&self) -> [f64; 2] {
        [part(self.before, self.of), part(self.after, self.of)]
    }
}

impl Outcome {
    /// Number of controls whose effect is as large, in either direction.
    pub fn as_large(&self) -> usize {
        self.controls.iter().filter(|one| one.change.abs() >= self.change.value.abs()).count()
    }

    /// The probability of an effect as large if the change were one of the controls: one more than the number of those as
    /// large, divided by one more than all (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 4.2);
    /// `None` without controls.
    pub fn p(&self) -> Option<f64> {
        let all = self.controls.len();
        (all > 0).then(|| (1 + self.as_large()) as f64 / (1 + all) as f64)
    }

    /// The mean, the least and the greatest change of the controls; `None` if there are none.
    pub fn of_controls(&self) -> Option<(f64, f64, f64)> {
        let all = || self.controls.iter().map(|one| one.change);
        let count = self.controls.len();
        let (low, high) =
            (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        (count > 0).then(|| (all().sum::<f64>() / count as f64, low, high))
    }
}

/// A made-up outcome in which an accuracy falls by this much.
pub fn sample(fall: f64) -> Outcome {
    let control = |unit: u32, change: f64| Control { of: vec![unit], change, norm: 1.5 };
    let class = |label: &str, after: u64, change: f64| ClassChange {
        label: label.to_owned(),
        of: 16,
        before: 14,
        after,
        change: (change, change - 0.125, change + 0.125).into(),
        controls: vec![0.0, -0.0625],
    };
    Outcome {
        images: 32,
        skipped: 1,
        outside: 2,
        before: (0.875, 0.75, 0.9375).into(),
        after: (0.875 - fall, 0.5, 0.75).into(),
        change: (-fall, -fall - 0.0625, -fall + 0.0625).into(),
        flips: Some(Flips { lost: 9, gained: 1 }),
        norm: 1.625,
        whole: 12.0,
        spread: vec![(0.5, 0.25)],
        controls: vec![control(1, 0.0), control(2, -0.03125)],
        classes: vec![class("castle", 6, -0.5), class("cat", 14, 0.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_among_the_controls_counts_either_direction() {
        let mut found = sample(0.25);
        assert_eq!((found.as_large(), found.p()), (0, Some(1.0 / 3.0)));
        found.controls[0].change = 0.25;
        assert_eq!((found.as_large(), found.p()), (1, Some(2.0 / 3.0)));
        assert_eq!(found.of_controls(), Some((0.109_375, -0.03125, 0.25)));
        found.controls.clear();
        assert_eq!((found.p(), found.of_controls()), (None, None));
    }
}
