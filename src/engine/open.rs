//! A profile and its place in; its engine out.

use neuronotes_core::problem::Problem;

use super::local::Local;
use super::ray::Ray;
use super::slurm::Slurm;
use super::{Engine, Place};
use crate::config::{EngineName, Profile};

/// The engine of a profile, for the workers of a pool. Nothing is started or asked.
///
/// # Errors
/// If this program cannot use it.
pub fn engine(profile: &Profile, place: Place) -> Result<Box<dyn Engine>, Problem> {
    match profile.engine {
        EngineName::Local => Ok(Box::new(Local::new(profile, place))),
        EngineName::Slurm => Ok(Box::new(Slurm::new(profile, place))),
        EngineName::Ray => Ok(Box::new(Ray::new(profile, place))),
    }
}
