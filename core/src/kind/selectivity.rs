//! `selectivity`: how well a unit finds the images of a category, tested on images by which neither was chosen.

mod fault;
mod kind;
mod outcome;
mod params;

pub use fault::overlap;
pub use kind::KIND;
pub use outcome::{Outcome, Row, Untested, sample};
pub use params::{By, FEWEST, GroupBy, Params, Sides, Way};
