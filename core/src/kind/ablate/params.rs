//! What is changed, how, and what is read.

use serde::{Deserialize, Serialize};

use crate::kind::class::Class;
use crate::kind::term::Term;
use crate::kind::unit_at::UnitAt;
use crate::kind::words::words;
use crate::kind::zero_shot::Truth;
use crate::model::Place;

/// The most controls of a block.
pub const MOST_CONTROLS: i64 = 200;

/// Parameters of the ablation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer.
    pub layer: Place,
    /// The units that are changed, unless directions or heads are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<u32>,
    /// The directions that are changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Vec<Term>>,
    /// The heads that are changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<u32>,
    /// How they are changed.
    pub by: By,
    /// By how many standard deviations they are shifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// What is read.
    pub read: Read,
    /// The classes; empty if the data set's labels are used, or none are needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// The label of the class that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The text whose logit is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Templates for the text, or for the classes' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<bool>,
    /// The source of an image's true class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// The unit that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_unit: Option<UnitAt>,
    /// Number of images, evenly spread over the data set; all if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u32>,
    /// Number of controls.
    pub controls: u32,
    /// Random seed.
    pub seed: u64,
}

words! {
    /// How units, directions or heads are changed.
    pub enum By {
        /// Set to zero; of a direction the same as projected out.
        Zero = "zero",
        /// Set to the mean over the data set.
        Mean = "mean",
        /// Shifted by standard deviations.
        Shift = "shift",
        /// Projected out, of directions.
        ProjectOut = "project_out",
    }
}

words! {
    /// What is read.
    pub enum Read {
        /// Zero-shot accuracy.
        Accuracy = "accuracy",
        /// The logit of a text or of a class.
        Logit = "logit",
        /// The activation of a unit.
        Unit = "unit",
    }
}
