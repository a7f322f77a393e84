//! What decides a visualisation.

use serde::{Deserialize, Serialize};

use crate::kind::direction::Term;
use crate::kind::words::words;

/// What decides the picture. What it is about is one of `unit`, `direction`, or, for some objectives, the whole layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Canonical spelling; that of the embedding where only a direction is given.
    pub layer: String,
    /// Channel, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// A direction in the space of the layer's units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Vec<Term>>,
    /// The digest of a picture: what a caricature is of, or what is begun from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The request key of a [`facet`](crate::kind::facet) among those that this request uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// What is maximised.
    pub objective: Objective,
    /// Whether it is to grow or to fall.
    pub sign: Sign,
    /// Pictures made together.
    pub images: u32,
    /// Weight of what tells them apart.
    pub diversity: f64,
    /// Weight of the facet; for several images the last one's, the first having a fiftieth of it.
    pub strength: f64,
    /// Weight of the mean square of the distance from grey.
    pub penalty: f64,
    /// Power of the cosine that the product with a direction is multiplied by.
    pub cosine_power: f64,
    /// What is begun from.
    pub start: Start,
    /// How the picture is held.
    pub parametrisation: Parametrisation,
    /// Side of the square picture, in pixels.
    pub size: u32,
    /// Steps of Adam.
    pub steps: u32,
    /// Adam's learning rate, for the parameters of the picture.
    pub learning_rate: f64,
    /// How the picture is disturbed before each step.
    pub transforms: Transforms,
    /// First steps in which ReLUs that are silent for a whole image pass gradients on.
    pub redirect: u32,
    /// Frames of a film of the way there; none for 0.
    pub frames: u32,
    /// Of the first noise and of the transforms.
    pub seed: u64,
}

/// The strength of the first picture of a ramp, as a fraction of the last one's.
const RAMP: f64 = 0.02;

impl Params {
    /// The facet's weight in each picture: `strength` for one picture, a ramp up to it for several.
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

words! {
    /// What is maximised.
    pub enum Objective {
        /// The unit, or the product with the direction, as a mean over all positions.
        Channel = "channel",
        /// The same at the central position.
        Neuron = "neuron",
        /// The mean square of the whole layer: DeepDream.
        Layer = "layer",
        /// The product of the whole layer with what it is for `image`, position by position.
        Caricature = "caricature",
    }
}

words! {
    /// Whether an objective is to grow or to fall.
    pub enum Sign {
        /// It is to grow.
        Positive = "positive",
        /// It is to fall.
        Negative = "negative",
    }
}

words! {
    /// What is begun from.
    pub enum Start {
        /// Noise of the seed.
        Noise = "noise",
        /// The picture `image`.
        Image = "image",
    }
}

words! {
    /// How a picture is held.
    pub enum Parametrisation {
        /// A Fourier spectrum scaled by 1/frequency, in decorrelated colours.
        Fourier = "fourier",
        /// The phases of a spectrum whose magnitudes are those of natural images.
        Maco = "maco",
        /// Pixels, in decorrelated colours.
        Pixels = "pixels",
    }
}

words! {
    /// How the picture is disturbed before each step.
    pub enum Transforms {
        /// Lucid's: pad 12, jitter 8, scale 0.9 to 1.1, rotate ±10°, jitter 4.
        Lucid = "lucid",
        /// CLIP-featurevis's: pad 2, jitter 4 ten times, scale, rotate ±20°, jitter 2, crop or pad to the size.
        Paper = "paper",
        /// MACO's: a random crop brought to the model's size, and noise.
        Crops = "crops",
        /// Not at all.
        None = "none",
    }
}
