//! `dataset_examples`: images of a data set by the activation of a unit: the strongest, the weakest, some at each quantile, or
//! those nearest to zero; or by what the unit adds to a logit.

mod fault;
mod kind;
mod outcome;
mod params;

pub use kind::KIND;
pub use outcome::{Example, Outcome, sample};
pub use params::{By, Order, Params};
