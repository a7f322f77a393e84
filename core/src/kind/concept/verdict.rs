//! The verdict: the AUCs in; what the concept is, by the rule that the kind documents, and whether its controls contain it, out.

use super::area::Auc;
use super::outcome::Outcome;
use super::params::MARGIN;
use crate::kind::words::words;

/// Controls contain the concept if at least this part of its pictures are pictures of one of them.
pub const CONTAINED: f64 = 0.5;

words! {
    /// What a concept is at a layer.
    pub enum Verdict {
        /// Nothing tells its pictures apart better than chance.
        Absent = "absent",
        /// One unit is as good as the direction.
        Unit = "unit",
        /// A sum of a few units is.
        Sum = "sum",
        /// Only all units together are.
        Direction = "direction",
        /// A curved boundary is better than any direction.
        NotLinear = "not linear",
    }
}

impl Outcome {
    /// The verdict by the rule that the kind documents.
    pub fn verdict(&self) -> Verdict {
        let linear = self.linear();
        let chance = self.chance.unit.max(self.chance.direction).max(self.chance.random);
        let best = if self.curved.area > linear.area { &self.curved } else { linear };
        if best.low <= 0.5 || best.area <= chance {
            return Verdict::Absent;
        }
        if self.curved.low > linear.area && self.curved.area > linear.high {
            return Verdict::NotLinear;
        }
        match self.terms() {
            Some(1) => Verdict::Unit,
            Some(_) => Verdict::Sum,
            None => Verdict::Direction,
        }
    }

    /// The better of the two directions.
    pub fn linear(&self) -> &Auc {
        if self.means.area > self.logistic.area { &self.means } else { &self.logistic }
    }

    /// The smallest number of units whose AUC is within [`MARGIN`] of the direction's.
    pub fn terms(&self) -> Option<usize> {
        let enough = self.linear().area - MARGIN;
        self.sums.iter().position(|sum| sum.auc.area >= enough).map(|at| at + 1)
    }

    /// The first control that contains the concept: its place, and how many of the concept's pictures are its own.
    pub fn contained(&self) -> Option<(usize, u64)> {
        let all = self.positive.0 + self.positive.1;
        let most = self.shared.iter().find(|(_, own)| *own as f64 >= CONTAINED * all as f64)?;
        Some((most.0 as usize, most.1))
    }

    /// Whether nothing is left of the direction without the controls.
    pub fn exhausted(&self) -> bool {
        !self.cosines.is_empty() && self.controlled.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::concept::{Chance, sample};

    #[test]
    fn each_verdict_follows_from_the_numbers() {
        let auc = |area: f64| Auc { area, low: area - 0.05, high: (area + 0.05).min(1.0) };
        let sum = sample(0.9);
        assert_eq!((sum.verdict(), sum.terms()), (Verdict::Sum, Some(3)));
        let mut unit = sum.clone();
        unit.sums[0].auc = auc(0.9);
        assert_eq!((unit.verdict(), unit.terms()), (Verdict::Unit, Some(1)));
        let direction = Outcome { logistic: auc(0.93), ..sum.clone() };
        assert_eq!((direction.verdict(), direction.terms()), (Verdict::Direction, None));
        let curved = Outcome { curved: auc(0.99), ..sum.clone() };
        assert_eq!(curved.verdict(), Verdict::NotLinear);
        // Better, but not by more than the interval.
        let near = Outcome { curved: auc(0.93), ..sum.clone() };
        assert_eq!(near.verdict(), Verdict::Sum);
        let absent =
            Outcome { means: auc(0.54), logistic: auc(0.53), curved: auc(0.52), ..sum.clone() };
        assert_eq!(absent.verdict(), Verdict::Absent);
        let lucky = Chance { unit: 0.95, ..sum.chance.clone() };
        assert_eq!(Outcome { chance: lucky, ..sum }.verdict(), Verdict::Absent);
    }

    #[test]
    fn controls_contain_a_concept_if_half_of_its_pictures_are_theirs() {
        let all = sample(0.9); // 48 pictures, of which 30 are the control's
        assert_eq!(all.contained(), Some((0, 30)));
        let few = Outcome { shared: vec![(0, 23), (2, 24)], ..all.clone() };
        assert_eq!(few.contained(), Some((2, 24)));
        assert_eq!(Outcome { shared: vec![(0, 23)], ..all.clone() }.contained(), None);
        let gone = Outcome { controlled: None, ..all.clone() };
        assert!(gone.exhausted() && !all.exhausted());
        assert!(!Outcome { cosines: vec![], ..gone }.exhausted(), "there are no controls");
    }
}
