//! `ablate`: units, directions or heads of a layer changed, and what that does to what the model says, beside the same done to
//! random others.

mod fault;
mod kind;
mod outcome;
mod params;

pub use kind::KIND;
pub use outcome::{ClassChange, Control, Estimate, Flips, Outcome, sample};
pub use params::{By, MOST_CONTROLS, Params, Read};
