//! What a list of images is, once measured.

use serde::{Deserialize, Serialize};

/// The result, without the pictures that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// The unit's or the direction's mean over the data set.
    pub mean: f64,
    /// The unit's or the direction's standard deviation over the data set.
    pub sd: f64,
    /// The images, in order.
    pub top: Vec<Example>,
    /// If near-duplicates are folded: number of images, from the first in order, that were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<u64>,
    /// If images are ordered by relevance: number of images whose relevance was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<u64>,
    /// If there are heat maps: the activation at a position, of either sign, that has the full colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_colour: Option<f64>,
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set: the file name without extension, or the word.
    pub key: String,
    /// Its caption, if there is one; for a list of words, the word.
    pub caption: Option<String>,
    /// Its label, if there is one.
    pub label: Option<String>,
    /// The unit's or the direction's pooled activation.
    pub activation: f64,
    /// Name of the record's output with the image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Its relevance to the logit, in units of the logit, if images are ordered by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevance: Option<f64>,
    /// The quantile at which it stands, from 0 to 1, if images are listed at quantiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
    /// If near-duplicates are folded: number of images that are folded into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alike: Option<u64>,
    /// Name of the output with its heat map, of the same size, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
}

/// A made-up outcome with one image of this activation.
pub fn sample(activation: f64) -> Outcome {
    let example = Example {
        key: "one".to_owned(),
        activation,
        picture: "example-0.png".to_owned(),
        width: 6,
        height: 4,
        ..Example::default()
    };
    Outcome {
        count: 6,
        mean: 0.5,
        sd: 1.0,
        top: vec![example],
        compared: None,
        candidates: None,
        full_colour: None,
    }
}
