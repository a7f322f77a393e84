//! The parameters of a concept, and the numbers that do not vary.

use serde::{Deserialize, Serialize};

use crate::kind::direction::{GroupBy, LEAST};
use crate::kind::group::Group;
use crate::kind::term::Term;
use crate::model::Place;

/// The most units in a sum.
pub const MOST_TERMS: usize = 16;
/// Permutations of the labels, and random directions.
pub const CHANCES: usize = 100;
/// How far below the direction's AUC a unit or a sum may be and still be said to be as good.
pub const MARGIN: f64 = 0.01;
/// Pictures of a group that at least must be trained on, and held out.
pub const FEWEST: usize = LEAST + 2;

/// Parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer.
    pub layer: Place,
    /// Pictures of the concept.
    pub positive: Group,
    /// Other pictures; all others of the data set if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<Group>,
    /// Directions that are projected out for comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<Vec<Vec<Term>>>,
    /// Pictures of the concept in another form, which nothing was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Group>,
    /// Other pictures in that form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_others: Option<Group>,
    /// Strength of the L2 penalty of the regressions.
    pub regularisation: f64,
    /// What pictures have in common that are held out together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// The fraction of each group that is held out.
    pub held_out: f64,
    /// What texts call the concept, if the layer's causes are tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Templates for the name; the name alone if they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<String>>,
    /// Number of strongest pictures of the best unit and of the direction; none if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<u32>,
    /// The recipe of `feature_vis` by which these two are visualised; they are not if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visualise: Option<String>,
    /// Random seed.
    pub seed: u64,
}
