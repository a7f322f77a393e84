//! Parameters of a `sparse_code`, with the defaults that depend on what the terms are.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::kind::words::words;
use crate::model::Place;

/// The most texts or pictures of a block.
pub const MOST_ITEMS: usize = 200;
/// Default of the maximum number of terms of an equation.
pub const TERMS: u32 = 6;
/// SpLiCE's λ for single pictures.
pub const PENALTY: f64 = 0.25;

/// Parameters of the codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Texts that are coded; empty if something else is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Pictures that are coded, by digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Digest>,
    /// Words that are drawn as pictures and coded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Request keys of figures whose pictures are coded.
    #[serde(default, rename = "use", skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Digest>,
    /// The layer whose units are the terms; none if words are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Place>,
    /// The words that are the terms; empty if units are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vocabulary: Vec<String>,
    /// Templates for the texts.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// What the sum is fitted to, if the block sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// How the terms are found.
    pub method: Method,
    /// The sign of the coefficients, if the block sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
    /// Maximum number of terms, if the block sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<u32>,
    /// λ, if the block sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Whether means are subtracted.
    pub center: bool,
    /// Units that the cleaned equations leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<u32>,
    /// Number of random dictionaries that sums of as many terms are made of for comparison, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<u32>,
    /// Random seed of these, if the block sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
}

words! {
    /// What a sum is fitted to.
    pub enum Objective {
        /// Which of the listed texts or pictures a prompt or a picture is.
        Contrast = "contrast",
        /// The embedding.
        Rebuild = "rebuild",
    }
}

words! {
    /// How the terms are found.
    pub enum Method {
        /// Least squares with an L1 penalty.
        Lasso = "lasso",
        /// Orthogonal matching pursuit.
        Pursuit = "pursuit",
    }
}

words! {
    /// The sign of coefficients.
    pub enum Sign {
        /// Positive or negative.
        Any = "any",
        /// None is negative.
        Positive = "positive",
    }
}

/// What limits a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// At most so many terms.
    Terms(usize),
    /// λ in `|y − Xw|² + λ |w|₁`.
    Penalty(f64),
}

impl Params {
    /// What a sum is fitted to: by default the article's contrast for units, the embedding for words.
    pub fn objective(&self) -> Objective {
        let default = if self.layer.is_some() { Objective::Contrast } else { Objective::Rebuild };
        self.objective.unwrap_or(default)
    }

    /// The sign of coefficients: by default any for units and for a pursuit, and positive for words, as in SpLiCE.
    pub fn sign(&self) -> Sign {
        let splice = self.layer.is_none() && self.method == Method::Lasso;
        self.sign.unwrap_or(if splice { Sign::Positive } else { Sign::Any })
    }

    /// What limits the sums: by default [`TERMS`] for units and for a pursuit, and [`PENALTY`] for words.
    pub fn limit(&self) -> Limit {
        match (self.terms, self.penalty) {
            (Some(terms), _) => Limit::Terms(terms as usize),
            (None, Some(penalty)) => Limit::Penalty(penalty),
            (None, None) if self.layer.is_none() && self.method == Method::Lasso => {
                Limit::Penalty(PENALTY)
            }
            (None, None) => Limit::Terms(TERMS as usize),
        }
    }
}
