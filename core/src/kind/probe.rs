//! `probe`: a linear classifier of a data set's images on the units of a layer.

mod classes;
mod kind;
mod outcome;
mod params;

pub use classes::{class_named, classes, classes_used};
pub use kind::KIND;
pub use outcome::{Bin, Line, MOST_WEIGHTS, Outcome, Score, Step, WEIGHTS, Weight, sample};
pub use params::{GroupBy, Params, Penalty, Strength, Truth};
