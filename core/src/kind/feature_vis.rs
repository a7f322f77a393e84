//! `feature_vis`: an image optimised until a unit answers to it as strongly as can be.

mod kind;
mod outcome;
mod params;
mod recipe;

pub use kind::KIND;
pub use outcome::{Made, Outcome, film, label, picture, sample, web};
pub use params::{Objective, Parametrisation, Params, Sign, Start, Transforms};
