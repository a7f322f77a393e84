//! `concept`: is a concept a unit, a sum of a few units, a direction, something curved, or absent from a layer?

mod area;
mod causal;
mod kind;
mod looks;
mod outcome;
mod params;
mod verdict;

pub use area::Auc;
pub use causal::{CONTROLS, Causal, Change, MOST_SHOWN, Removed};
pub use kind::KIND;
pub use looks::{Look, Looks, Strongest, Vis};
pub use outcome::{Chance, Outcome, Single, Sum, Written, sample};
pub use params::{CHANCES, FEWEST, MARGIN, MOST_TERMS, Params};
pub use verdict::{CONTAINED, Verdict};
