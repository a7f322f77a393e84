//! The result of a visualisation, and the names of its outputs.

use serde::{Deserialize, Serialize};

/// The result, without the outputs that [`picture`], [`web`] and [`film`] name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Width and height of the pictures in pixels.
    pub size: u32,
    /// Width and height of the web-sized variants, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<u32>,
    /// Width and height of the films, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<u32>,
    /// The pictures; in a series of strengths the last is the strongest.
    pub images: Vec<Made>,
    /// The learning rate of the second attempt, if the first diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_with: Option<f64>,
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The objective alone (without penalty, diversity, facet or sign) for the 8-bit picture without transforms.
    pub activation: f64,
    /// The same for the initial picture.
    pub activation_at_start: f64,
    /// The weight of the facet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Steps and activations (with transforms) during the optimisation: at most 64 pairs, including the first and the
    /// last.
    pub curve: Vec<(u32, f64)>,
    /// The model's embedding of the picture, scaled to length 1, with four decimals: 1 minus the product of two is the distance
    /// of two pictures. Empty if the model has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
}

/// A made-up outcome of so many pictures, the last of which reaches this activation.
pub fn sample(images: u32, activation: f64) -> Outcome {
    let made = |index: u32| {
        let activation = activation - f64::from(images - 1 - index);
        let curve = vec![(0, 0.5), (511, activation)];
        Made {
            activation,
            activation_at_start: 0.5,
            strength: None,
            curve,
            embedding: vec![0.6, 0.8],
        }
    };
    let images = (0..images).map(made).collect();
    Outcome { size: 6, web: None, film: None, images, restarted_with: None }
}

/// The output with a picture at its full size, 8-bit RGB; its text `neuronotes` is the request's canonical JSON.
pub fn picture(index: usize) -> String {
    format!("image-{index}.png")
}

/// The output with a web-sized picture, WebP; only if [`Outcome::web`] is set.
pub fn web(index: usize) -> String {
    format!("web-{index}.webp")
}

/// The output with a film of the optimisation, an animated WebP; only if [`Outcome::film`] is set.
pub fn film(index: usize) -> String {
    format!("film-{index}.webp")
}

/// The description of one picture among several.
pub fn label(index: usize, made: &Made) -> String {
    match made.strength {
        Some(strength) => format!("strength {}", crate::number::tick(strength, 2)),
        None => (index + 1).to_string(),
    }
}
