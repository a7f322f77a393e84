//! Parameters of a probe, and what they default to.

use serde::{Deserialize, Serialize};

use crate::kind::scan::Pool;
use crate::kind::words::words;
use crate::model::Place;

/// Parameters of a probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whose units.
    pub layer: Place,
    /// The pooling of an activation map to one number.
    pub pool: Pool,
    /// The source of an image's class.
    pub truth: Truth,
    /// The classes; empty if every label or caption of the data set is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// What is penalised.
    pub penalty: Penalty,
    /// Strength of the penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regularisation: Option<f64>,
    /// Maximum number of weights other than zero for each class, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<f64>,
    /// Whether weights below zero are excluded.
    pub non_negative: bool,
    /// Fraction of the images that is held out.
    pub held_out: f64,
    /// What images have in common that stay on one side of the split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// With groups: whether each class is held out by about the same fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratify: Option<bool>,
    /// Random seed of the split.
    pub seed: u64,
}

words! {
    /// The source of an image's class.
    pub enum Truth {
        /// Its label.
        Label = "label",
        /// Its caption.
        Caption = "caption",
    }
}

words! {
    /// What is penalised.
    pub enum Penalty {
        /// Half the sum of the squared weights: all units take part.
        L2 = "l2",
        /// The sum of the weights' absolute values: most weights are zero.
        L1 = "l1",
    }
}

words! {
    /// What images of a group have in common.
    pub enum GroupBy {
        /// Their caption.
        Caption = "caption",
        /// Their label.
        Label = "label",
        /// The folder that they are in.
        Folder = "folder",
    }
}

/// The strength of a penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// λ.
    Regularisation(f64),
    /// The least λ with at most so many terms for each class, on average.
    Terms(f64),
}

/// The strength of an L2 penalty if none is given.
const REGULARISATION: f64 = 0.01;
/// Terms for each class under an L1 penalty if none are given: as many as in the article.
const TERMS: f64 = 3.0;

impl Params {
    /// The strength of the penalty, defaults filled in.
    pub fn strength(&self) -> Strength {
        match (self.penalty, self.regularisation, self.terms) {
            (_, Some(strength), _) => Strength::Regularisation(strength),
            (Penalty::L2, None, _) => Strength::Regularisation(REGULARISATION),
            (Penalty::L1, None, terms) => Strength::Terms(terms.unwrap_or(TERMS)),
        }
    }
}
