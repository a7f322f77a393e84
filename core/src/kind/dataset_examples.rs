//! `dataset_examples`: the images of a data set that excite a unit most, or least.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{About, Data, Kind, Scan, form};
use super::exhibit::Exhibit;
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::value::{Values, named, stored};
use super::words::words;
use crate::statistics::deviations;

/// What decides which images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Canonical spelling.
    pub layer: String,
    /// Channel, from 0.
    pub unit: u32,
    /// How many images.
    pub top: u32,
    /// Which end of the range.
    pub order: Order,
    /// How an activation map becomes one number.
    pub pool: Pool,
}

words! {
    /// Which end of the range.
    pub enum Order {
        /// The strongest activations first.
        Strongest = "strongest",
        /// The weakest first.
        Weakest = "weakest",
    }
}

impl Order {
    /// How two activations follow each other. -0 equals 0.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        let (a, b) = (a + 0.0, b + 0.0);
        match self {
            Self::Strongest => b.total_cmp(&a),
            Self::Weakest => a.total_cmp(&b),
        }
    }
}

/// What came out, beside the pictures that `top` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// The unit's mean over the data set.
    pub mean: f64,
    /// The unit's standard deviation over the data set.
    pub sd: f64,
    /// In order.
    pub top: Vec<Example>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set: the file name without its ending, or the word.
    pub key: String,
    /// Its caption, where the data set has one; the word, for a list of words.
    pub caption: Option<String>,
    /// Its label, where the data set has one.
    pub label: Option<String>,
    /// The unit's pooled activation.
    pub activation: f64,
    /// The record's output that shows it: a PNG with sides of at most 256 pixels.
    pub picture: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A made-up outcome with one image of this activation.
pub fn sample(activation: f64) -> Outcome {
    let example = Example {
        key: "one".to_owned(),
        caption: None,
        label: None,
        activation,
        picture: "example-0.png".to_owned(),
        width: 6,
        height: 4,
    };
    Outcome { count: 6, mean: 0.5, sd: 1.0, top: vec![example] }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "dataset_examples",
    summary: "the images of a data set that excite a unit most",
    doc: "Every image of the data set goes through the model once a layer; the pooled activations of all the \
          layer's units are kept in half precision, so that the next unit costs no forward pass. Where that \
          leaves shown images equal, they alone go through the model again and are ordered by their activations \
          in full precision. Images that are equal even so, and more than 256 of one activation, as of a unit \
          that is silent, stand in the data set's order.\n\nWith a list of words as the data set, each word is drawn as a \
          picture of itself: the unit's top words, as in Goh et al., *Multimodal Neurons in Artificial Neural \
          Networks*, Distill 2021.",
    example: "id: examples\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 42\ntop: 12\n",
    // 2: images that are equal in half precision are ordered by full precision.
    impl_version: 2,
    fields: &[
        Field::compute("top", Type::Integer { min: 1, max: 100 }, "How many images.")
            .or(Preset::Integer(9)),
        Field::compute(
            "order",
            Type::Choice(Order::WORDS),
            "Which end of the unit's range comes first.",
        )
        .or(Preset::Text(Order::Strongest.word())),
        POOL,
    ],
    about: About::Unit,
    data: Data::Always,
    scan: Scan::Layer,
    captions: true,
    values: Values {
        named: &[
            named("count", "images", "Images in the data set."),
            named("mean", "", "The unit's mean over the data set."),
            named("sd", "", "Its standard deviation over the data set."),
            named("top[n].activation", "", "The unit's activation for the n-th image of the list."),
            named("top[n].deviations", "standard deviations", "How far that lies above the mean."),
            named(
                "top[n].key",
                "",
                "The image's key in the data set; of a list of words, the word.",
            ),
            named("top[n].caption", "", "Its caption, where it has one."),
            named("top[n].label", "", "Its label, where it has one."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![Painted::png("example-0.png", 6, 4)]),
    ..Kind::BASE
};

fn pictures(result: Value) -> serde_json::Result<Vec<Exhibit>> {
    let outcome: Outcome = serde_json::from_value(result)?;
    let one = |example: Example| Exhibit {
        output: example.picture,
        label: example.caption.unwrap_or(example.key),
    };
    Ok(outcome.top.into_iter().map(one).collect())
}

fn derive(outcome: Outcome, tree: &mut Value) {
    for (index, example) in outcome.top.iter().enumerate() {
        let away = deviations(example.activation, outcome.mean, outcome.sd);
        tree["top"][index]["deviations"] = json!(away);
    }
}
