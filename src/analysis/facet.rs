//! `facet`: a linear probe that tells two data sets apart at some layers, for visualisations to lean on.
//!
//! After Goh et al. 2021 and openai/CLIP-featurevis: at each layer a probe without a bias on all activations, positions
//! told apart.

use serde::{Deserialize, Serialize};

/// The name in blocks, requests and records.
pub const NAME: &str = "facet";
/// Raised when the same parameters give another result.
pub const IMPL_VERSION: u32 = 1;

/// What decides a facet: where its weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Params {
    /// Canonical spellings, in order.
    pub layers: Vec<String>,
    /// What it is of: the digest of a data set's content. With `generic`, the probes are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// What it is told apart from, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<String>,
    /// Digests of NumPy files with published weights, `[C, H, W]` or `[1, C, H, W]`, one a layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<String>>,
    /// Most images of each data set; evenly spaced ones where it has more.
    pub most: u32,
    /// Of the penalty on the weights' squares, relative to the mean square of an image's activations.
    pub regularisation: f64,
}

/// The output with a tensor `[C, H, W]` f32 a layer, under its canonical spelling.
pub const WEIGHTS: &str = "facet.safetensors";

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images of each data set, positive first; zeros for published weights.
    pub images: (u64, u64),
    /// Each layer, in order.
    pub layers: Vec<Probe>,
}

/// A probe at one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Canonical spelling.
    pub layer: String,
    /// Units, rows and columns.
    pub shape: (u32, u32, u32),
    /// Images that were held out (every fifth) and told apart rightly, and how many were held out: positive ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<(u64, u64)>,
    /// The same of generic ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<(u64, u64)>,
}
