//! `feature_vis`: an image optimised to maximise the activation of a unit, a direction or a layer.

mod kind;
mod outcome;
mod params;
mod recipe;

pub use kind::KIND;
pub use outcome::{Made, Outcome, film, label, picture, sample, web};
pub use params::{Objective, Parametrisation, Params, Sign, Start, Transforms};
