//! The result of a direction: how well it tells groups apart, its largest units, and its pictures.

use serde::{Deserialize, Serialize};

use crate::kind::dataset_examples::Example;
use crate::kind::spoiled::{self, Spoiled};
use crate::kind::tuple::tuple;

/// The result, without the vector and the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of units of the layer.
    pub units: u32,
    /// Units whose weight is zero since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// Length of the vector before it was scaled to 1 and anything was projected out.
    pub norm: f64,
    /// Length of the unit vector that was left after projecting out, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<f64>,
    /// For each of `without` its cosine with the direction before it was projected out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosines: Vec<f64>,
    /// How well it distinguishes the groups, or the probe's classes, if it is made of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// The units with the largest weights, of either sign, the largest first.
    pub largest: Vec<Weight>,
    /// Its pictures, if there is a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Shown>,
}

tuple! {
    /// A unit's weight in the direction.
    pub struct Weight {
        /// The channel, from 0.
        pub unit: u32,
        /// Its coordinate in the unit vector.
        pub weight: f64,
    }
}

/// How well a direction distinguishes its groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// Positive pictures that it was trained on, and those held out.
    pub positive: (u64, u64),
    /// Negative pictures that it was trained on, and those held out.
    pub negative: (u64, u64),
    /// Area under the ROC curve of the pictures that it was trained on.
    pub auc_train: f64,
    /// The same for the pictures held out, if any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Its bootstrap interval of 95 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
    /// Steps of the logistic regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
}

/// The pictures of a data set at both ends of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Images in the data set.
    pub count: u64,
    /// The mean activation of the direction.
    pub mean: f64,
    /// Its standard deviation (of the population).
    pub sd: f64,
    /// The images with the strongest activations, the strongest first.
    pub strongest: Vec<Example>,
    /// The images with the weakest activations, the weakest first.
    pub weakest: Vec<Example>,
}

/// A made-up outcome with this AUC.
pub fn sample(auc: f64) -> Outcome {
    let example = |key: &str, activation: f64| Example {
        key: key.to_owned(),
        activation,
        picture: format!("{key}.png"),
        width: 6,
        height: 4,
        ..Example::default()
    };
    Outcome {
        units: 64,
        spoiled: spoiled::sample(9),
        norm: 2.5,
        left: Some(0.8),
        cosines: vec![0.6],
        groups: Some(Groups {
            positive: (6, 2),
            negative: (18, 6),
            auc_train: 0.99,
            auc: Some(auc),
            interval: Some((0.5, 1.0)),
            steps: Some(7),
        }),
        largest: vec![(12, 0.75).into(), (3, -0.5).into()],
        data: Some(Shown {
            count: 32,
            mean: 0.5,
            sd: 0.25,
            strongest: vec![example("001", 1.5)],
            weakest: vec![example("002", -0.5)],
        }),
    }
}
