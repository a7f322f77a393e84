//! The result, and a made-up one for tests.

use serde::{Deserialize, Serialize};

use crate::kind::spoiled::{self, Spoiled};

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images that are tested on.
    pub images: u64,
    /// Number of other images, by which a unit or a category is chosen; 0 if nothing is.
    pub chosen_on: u64,
    /// Number of images on neither side.
    pub unused: u64,
    /// Number of units of the layer.
    pub units: u64,
    /// Number of units, and the direction if there is one, that vary over the images tested on: p-values are adjusted for so many.
    pub compared: u64,
    /// Number of resamples of the bootstrap.
    pub resamples: u32,
    /// Number of permutations.
    pub permutations: u32,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// Categories that cannot be tested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untested: Vec<Untested>,
    /// A row for each category and unit, the best first: by the AUC on the images that are chosen by, or else on those tested on.
    pub rows: Vec<Row>,
}

/// A category that cannot be tested, since it has all or none of the images that are tested on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untested {
    /// Its name.
    pub name: String,
    /// Number of its images among those tested on.
    pub positive: u64,
}

/// A category and a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The category.
    pub name: String,
    /// Channel, from 0; `None` for a direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<u32>,
    /// The AUC on the images that are chosen by; `None` if there are none, or none of them can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<f64>,
    /// Number of images of the category among those tested on.
    pub positive: u64,
    /// Number of others among them.
    pub negative: u64,
    /// The area under the ROC curve.
    pub auc: f64,
    /// The interval of the AUC, lower and upper end; `None` if there are fewer than [`FEWEST`](super::FEWEST) images of either kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_interval: Option<(f64, f64)>,
    /// The average precision.
    pub precision: f64,
    /// Its interval in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_interval: Option<(f64, f64)>,
    /// The mean average precision of all orders of the images.
    pub chance: f64,
    /// How many of the strongest images are of the category, of as many as it has images.
    pub hits: u64,
    /// The rank, from 1, of the strongest image that is not.
    pub first_other: u64,
    /// The rank, from 1, of the unit among all by its standardised statistic; equal ones share the better rank. `None` if the unit is
    /// constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
    /// The p-value adjusted for all units by max-T. `None` if the unit is constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The p-value of the unit alone, by the same permutations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<f64>,
    /// Points of the ROC curve: false and true positive rate. Only the first rows have curves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roc: Vec<(f64, f64)>,
    /// Points of the curve of precision over recall: recall and precision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<(f64, f64)>,
}

/// A made-up outcome in which the first row has this AUC.
pub fn sample(auc: f64) -> Outcome {
    let row = |name: &str, unit, auc: f64, precision: f64| Row {
        name: name.to_owned(),
        unit,
        chosen: Some(auc - 0.0625),
        positive: 27,
        negative: 473,
        auc,
        auc_interval: Some((auc - 0.125, auc + 0.0625)),
        precision,
        precision_interval: Some((precision - 0.25, precision + 0.125)),
        chance: 0.0625,
        hits: 22,
        first_other: 11,
        rank: Some(2),
        p: Some(0.001),
        alone: Some(0.001),
        roc: vec![(0.0, 0.0), (0.0, 0.5), (0.25, 0.875), (1.0, 1.0)],
        curve: vec![(0.25, 1.0), (0.5, 0.875), (1.0, 0.0625)],
    };
    let few = Row {
        positive: 3,
        auc_interval: None,
        precision_interval: None,
        hits: 0,
        first_other: 1,
        rank: Some(300),
        p: Some(1.0),
        alone: Some(0.5),
        roc: vec![],
        curve: vec![],
        ..row("moon", Some(3), 0.5, 0.0625)
    };
    Outcome {
        images: 500,
        chosen_on: 400,
        unused: 1,
        units: 256,
        compared: 254,
        resamples: 2000,
        permutations: 1000,
        spoiled: spoiled::sample(5),
        untested: vec![Untested { name: "sun".to_owned(), positive: 0 }],
        rows: vec![row("heart", Some(3), auc, 0.75), few],
    }
}
