//! `feature_vis`: an image optimised until a unit answers to it as strongly as can be.

use serde::{Deserialize, Serialize};

use super::direction::Term;
use super::words::words;

mod kind;
mod recipe;

pub use kind::KIND;

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
    /// The request key of a [`facet`](super::facet) among those that this request uses.
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

/// What came out, beside the outputs that [`picture`], [`web`] and [`film`] name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Side of the pictures, in pixels.
    pub size: u32,
    /// Side of the web-sized variants, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<u32>,
    /// Side of the films, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<u32>,
    /// Each picture; of a ramp of strengths the last is the strongest.
    pub images: Vec<Made>,
    /// The learning rate of the second attempt, where the first ended in numbers that were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_with: Option<f64>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// What is maximised, by itself (no penalty, diversity, facet or sign), on the 8-bit picture without transforms.
    pub activation: f64,
    /// The same on what it began from.
    pub activation_at_start: f64,
    /// The weight that the facet had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Step and activation (with transforms) along the way, at most 64 pairs, first and last among them.
    pub curve: Vec<(u32, f64)>,
}

/// A made-up outcome of so many pictures, the last of which reaches this activation.
pub fn sample(images: u32, activation: f64) -> Outcome {
    let made = |index: u32| {
        let activation = activation - f64::from(images - 1 - index);
        let curve = vec![(0, 0.5), (511, activation)];
        Made { activation, activation_at_start: 0.5, strength: None, curve }
    };
    let images = (0..images).map(made).collect();
    Outcome { size: 6, web: None, film: None, images, restarted_with: None }
}

/// The output with a picture at its full size, 8-bit RGB; its text `neuronotes` is the request's canonical JSON.
pub fn picture(index: usize) -> String {
    format!("image-{index}.png")
}

/// The output with a picture at a size for pages, WebP; only where [`Outcome::web`] says so.
pub fn web(index: usize) -> String {
    format!("web-{index}.webp")
}

/// The output with a film of how a picture came about, an animated WebP; only where [`Outcome::film`] says so.
pub fn film(index: usize) -> String {
    format!("film-{index}.webp")
}

/// What tells one picture of several from the others.
pub fn label(index: usize, made: &Made) -> String {
    match made.strength {
        Some(strength) => format!("strength {}", crate::number::tick(strength, 2)),
        None => (index + 1).to_string(),
    }
}
