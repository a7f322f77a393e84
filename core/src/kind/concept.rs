//! `concept`: is a concept a unit, a sum of a few units, a direction, something curved, or absent from a layer?

mod kind;
mod looks;
mod outcome;
mod params;
mod verdict;

pub use kind::KIND;
pub use looks::{Look, Looks, Strongest, Vis};
pub use outcome::{Auc, Chance, Outcome, Single, Sum, Written, sample};
pub use params::{CHANCES, FEWEST, MARGIN, MOST_TERMS, Params};
pub use verdict::{CONTAINED, Verdict};
