//! Parameters of labels: which words are compared with which units, and how.

use serde::{Deserialize, Serialize};

pub use crate::kind::probe::{GroupBy, Truth};
use crate::kind::scan::Pool;
use crate::kind::words::words;
use crate::model::Place;

/// The fewest images, on either side of the split.
pub const LEAST: usize = 4;

/// Parameters of the labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whose units.
    pub layer: Place,
    /// The unit, if only one is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// The pooling of an activation map to one number.
    pub pool: Pool,
    /// How words are chosen.
    pub method: Method,
    /// The words; all labels or captions of the data set if they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Vec<String>>,
    /// What says which images show what a word says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// Templates for the words, where they are compared with images by the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<String>>,
    /// Whether prompts that are too long are truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<bool>,
    /// Number of a unit's strongest images that words are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest: Option<u32>,
    /// Maximum number of words in a formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Number of formulas that are kept from one length to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beam: Option<u32>,
    /// Maximum fraction of the images for which a formula holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widest: Option<f64>,
    /// Number of labels for each unit.
    pub top: u32,
    /// Fraction of the images that is held out.
    pub held_out: f64,
    /// What images have in common that stay on one side of the split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// Random seed of the split.
    pub seed: u64,
}

words! {
    /// How words are chosen.
    pub enum Method {
        /// By the model's similarity of a word to the images that activate the unit most.
        SoftWpmi = "soft_wpmi",
        /// By the AUC of the unit for the images that a word, or a formula of words, holds for.
        Invert = "invert",
    }
}

impl Params {
    /// What says which images show what a word says: captions where words are listed, and otherwise labels, which then are the
    /// words.
    pub fn truth(&self) -> Truth {
        let default = if self.texts.is_some() { Truth::Caption } else { Truth::Label };
        self.truth.unwrap_or(default)
    }
}
