//! What is asked of a list of images, and how activations are ordered.

use std::cmp::Ordering;

use crate::kind::about::about;
use crate::kind::class::Class;
use crate::kind::scan::Pool;
use crate::kind::words::words;

about! {
    /// Parameters of the list. What has no effect is left out of a request: see `trim`.
    pub struct Params {
        /// Number of images.
        pub top: u32,
        /// Which images are listed, and in which order.
        pub order: Order,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
        /// The greatest number of different bits, of 64, of the perceptual hashes of two images that count as one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub alike: Option<u32>,
        /// Whether each image has a heat map of the activation at each position.
        #[serde(default, skip_serializing_if = "is_false")]
        pub maps: bool,
        /// By what images are ordered.
        #[serde(default, skip_serializing_if = "By::is_activation")]
        pub by: By,
        /// The text to whose logit images are relevant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub text: Option<String>,
        /// Or the classes of which one is attributed against the others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub classes: Vec<Class>,
        /// The label of that class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub class: Option<String>,
        /// Templates for the text, or for the classes' names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub templates: Vec<String>,
        /// Whether prompts that are too long are truncated.
        #[serde(default, skip_serializing_if = "is_false")]
        pub truncate: bool,
        /// Number of images with the greatest activation whose relevance is computed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub candidates: Option<u32>,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

words! {
    /// Which images are listed, and in which order.
    pub enum Order {
        /// The strongest activations first.
        Strongest = "strongest",
        /// The weakest first.
        Weakest = "weakest",
        /// One at each of some quantiles of equal distance, the greatest first.
        Quantiles = "quantiles",
        /// Those nearest to zero first.
        NearestZero = "nearest_zero",
    }
}

impl Order {
    /// The order of two activations. -0 equals 0.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        let (a, b) = (a + 0.0, b + 0.0);
        match self {
            Self::Strongest | Self::Quantiles => b.total_cmp(&a),
            Self::Weakest => a.total_cmp(&b),
            Self::NearestZero => a.abs().total_cmp(&b.abs()),
        }
    }
}

words! {
    /// By what images are ordered.
    pub enum By {
        /// The pooled activation.
        Activation = "activation",
        /// What the unit or the direction adds to a logit: activation times gradient, summed over positions.
        Relevance = "relevance",
    }
}

impl By {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_activation(&self) -> bool {
        *self == Self::Activation
    }
}

#[expect(clippy::derivable_impls, reason = "the words are declared by a macro")]
impl Default for By {
    fn default() -> Self {
        Self::Activation
    }
}
