//! `activation_histogram`: the distribution of a unit's activations over a data set, alone or beside those of other units or
//! pictures.

mod kind;
mod outcome;
mod params;

pub use kind::{KIND, MARK};
pub use outcome::{Above, Behind, Other, Outcome, Quantile, Shape, sample};
pub use params::{MOST_CURVES, Params};
