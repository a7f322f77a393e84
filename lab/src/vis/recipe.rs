//! What an optimisation makes, and how: its targets and its hyperparameters.

use neuronotes_core::kind::feature_vis::{Parametrisation, Transforms};
use tch::Tensor;

use super::objective::Target;

/// The strength of the first picture of a ramp, as a fraction of the last one's.
const RAMP: f64 = 0.02;

/// The hyperparameters of an optimisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// How pictures are parametrised.
    pub parametrisation: Parametrisation,
    /// Side of the pictures, in pixels.
    pub size: u32,
    /// Steps of Adam.
    pub steps: u32,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Random transforms before each step.
    pub transforms: Transforms,
    /// Number of first steps in which ReLUs that are zero pass gradients on.
    pub redirect: u32,
    /// Pictures per target.
    pub images: u32,
    /// Weight of the diversity between a target's pictures.
    pub diversity: f64,
    /// Weight of the facet.
    pub strength: f64,
    /// Weight of the mean square of the distance from grey.
    pub penalty: f64,
    /// Frames of the animation; 0 for no animation.
    pub frames: u32,
    /// Random seed for the initial noise and the transforms.
    pub seed: u64,
    /// Whether to halve the number of targets in a batch. The pictures are the same.
    pub halve: bool,
}

/// One target of a batch.
#[derive(Debug)]
pub struct Job {
    /// What to increase.
    pub target: Target,
    /// The initial image, `[1, 3, size, size]`, colours in 0…1; noise if absent.
    pub start: Option<Tensor>,
}

impl Recipe {
    /// The facet's weight in each of a target's pictures: `strength` for one picture, a ramp up to it for several.
    pub fn strengths(&self) -> Vec<f64> {
        let last = f64::from(self.images.saturating_sub(1));
        (0..self.images)
            .map(|at| match last {
                0.0 => self.strength,
                last => self.strength * (RAMP + (1.0 - RAMP) * f64::from(at) / last),
            })
            .collect()
    }
}
