//! What comes out of a visualisation, and what its outputs are called.

use serde::{Deserialize, Serialize};

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
