//! What a measurement of labels stores: for each unit its labels, with their scores and tests.

use serde::{Deserialize, Serialize};

use crate::kind::spoiled::{self, Spoiled};

/// The rate of false discoveries at which labels are said to hold.
pub const RATE: f64 = 0.05;

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images that labels were chosen by.
    pub train: u64,
    /// Number of images that they are tested on.
    pub held_out: u64,
    /// Number of units of the layer.
    pub units: u64,
    /// Number of units with the same activation for all images, which have no label.
    pub constant: u64,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// Number of words.
    pub texts: u64,
    /// Number of words that an image is said to show.
    pub shown: u64,
    /// Number of units whose first label could be tested.
    pub tested: u64,
    /// Number of units whose first label holds on the images held out.
    pub holding: u64,
    /// The median AUC of the first labels on these images; `None` if none could be tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// The units, in order.
    pub rows: Vec<Row>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Channel, from 0.
    pub unit: u32,
    /// Its labels, the best first.
    pub labels: Vec<Label>,
}

/// A label of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The word, or the formula.
    pub label: String,
    /// The score by which it was chosen.
    pub score: f64,
    /// How it does on images held out; `None` if none of them, or all, are said to show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Test>,
}

/// How a label does on images that it was not chosen by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Number of these images that show what it says.
    pub images: u64,
    /// The AUC of the unit for them, against all others held out.
    pub auc: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The difference of the means, in standard deviations of the others; `None` if these do not vary.
    pub mad: Option<f64>,
    /// The two-sided p-value.
    pub p: f64,
    /// The same adjusted for the number of labels that were tested.
    pub q: f64,
}

impl Test {
    /// Whether the unit is higher for the images that show what the label says.
    pub fn holds(&self) -> bool {
        self.q < RATE && self.auc > 0.5
    }
}

/// A made-up outcome of one unit, or of a layer, in which the first label has this score.
pub fn sample(is_one: bool, score: f64) -> Outcome {
    let test = |auc: f64, q| Test {
        images: 9,
        auc,
        low: auc - 0.125,
        high: auc + 0.0625,
        mad: Some(2.5),
        p: q / 4.0,
        q,
    };
    let label = |label: &str, score, test| Label { label: label.to_owned(), score, test };
    let first = vec![
        label("racket", score, Some(test(0.9375, 1e-6))),
        label("net and not fish", 0.25, None),
    ];
    let mut rows = vec![Row { unit: 3, labels: first }];
    if !is_one {
        rows.insert(0, Row { unit: 1, labels: vec![label("moon", 0.5, Some(test(0.5625, 0.5)))] });
    }
    Outcome {
        train: 70,
        held_out: 30,
        units: 4,
        constant: 1,
        spoiled: spoiled::sample(2),
        texts: 12,
        shown: 9,
        tested: rows.len() as u64,
        holding: 1,
        median: Some(0.75),
        rows,
    }
}
