//! The result: the AUC of everything that is compared.

use serde::{Deserialize, Serialize};

use super::area::Auc;
use super::causal::{self, Causal};
use super::looks::{self, Looks};
use crate::kind::spoiled::{self, Spoiled};

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Positive pictures that were trained on, and those held out.
    pub positive: (u64, u64),
    /// Negative pictures that were trained on, and those held out.
    pub negative: (u64, u64),
    /// Number of units of the layer.
    pub units: u32,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// The unit that is best on the pictures trained on.
    pub unit: Single,
    /// Sums of 1, 2, … units.
    pub sums: Vec<Sum>,
    /// The difference of means.
    pub means: Auc,
    /// A logistic regression on all units.
    pub logistic: Auc,
    /// A kernel logistic regression, which can be curved.
    pub curved: Auc,
    /// Pictures that the kernel regression was trained on.
    pub curved_on: u64,
    /// The logistic regression's direction without the controls; none if there are no controls, or if nothing is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controlled: Option<Auc>,
    /// For each control whose pictures are pictures of the concept, too: its place among the controls, from 0, and how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<(u32, u64)>,
    /// Its cosine with each control before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosines: Vec<f64>,
    /// The same unit and the same direction on pictures of another form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
    /// What chance gives.
    pub chance: Chance,
    /// What the unit and the direction respond to, if the block asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Looks>,
    /// What the concept's name loses without the unit, the units and the direction, if the block gives the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causal: Option<Causal>,
}

/// A single unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Single {
    /// The channel, from 0.
    pub unit: u32,
    /// Whether it is low for the concept.
    pub low: bool,
    /// Its AUC on the pictures trained on.
    pub train: f64,
    /// Its AUC.
    pub auc: Auc,
}

/// A sum of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// The unit that was added last.
    pub unit: u32,
    /// The AUC of all up to it.
    pub auc: Auc,
}

/// Pictures in another form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Pictures of the concept.
    pub positive: u64,
    /// Other pictures.
    pub negative: u64,
    /// The unit's AUC.
    pub unit: Auc,
    /// The direction's AUC.
    pub direction: Auc,
}

/// AUCs that 95 % of random attempts do not exceed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// Of the best unit for permuted labels.
    pub unit: f64,
    /// Of the difference of means for permuted labels.
    pub direction: f64,
    /// Of random directions.
    pub random: f64,
}

/// A made-up outcome in which a sum of three units has this AUC.
pub fn sample(area: f64) -> Outcome {
    let auc = |area: f64| Auc { area, low: area - 0.05, high: area + 0.05 };
    let sum = |(unit, area): (u32, f64)| Sum { unit, auc: auc(area) };
    Outcome {
        positive: (33, 15),
        negative: (1012, 434),
        units: 64,
        spoiled: spoiled::sample(9),
        unit: Single { unit: 12, low: false, train: 0.82, auc: auc(area - 0.2) },
        sums: [(12, area - 0.2), (3, area - 0.1), (40, area)].map(sum).to_vec(),
        means: auc(area - 0.02),
        logistic: auc(area + 0.005),
        curved: auc(area - 0.01),
        curved_on: 1045,
        controlled: Some(auc(area - 0.15)),
        shared: vec![(0, 30)],
        cosines: vec![0.4],
        written: Some(Written {
            positive: 16,
            negative: 482,
            unit: auc(area - 0.25),
            direction: auc(area - 0.1),
        }),
        chance: Chance { unit: 0.6, direction: 0.58, random: 0.62 },
        looks: Some(looks::sample(1.5)),
        causal: Some(causal::sample(area)),
    }
}
