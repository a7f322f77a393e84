//! `feature_vis`: an image optimised to maximise the activation of a unit, a direction or a layer.

mod kind;
mod outcome;
mod params;
mod recipe;

pub use kind::{KIND, by_recipe};
pub use outcome::{Made, Outcome, film, label, picture, sample, web};
pub use params::{Objective, Parametrisation, Params, Sign, Start, Transforms};
pub use recipe::NAMES as RECIPES;
