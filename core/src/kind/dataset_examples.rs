//! `dataset_examples`: the images of a data set with the strongest or weakest activations of a unit.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::about::about;
use super::entry::{About, Data, Kind, Scan, form};
use super::exhibit::Exhibit;
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::scan::{POOL, Pool};
use super::target;
use super::value::{Values, named, stored};
use super::words::words;
use crate::statistics::deviations;

about! {
    /// Parameters of the list.
    pub struct Params {
        /// Number of images.
        pub top: u32,
        /// Which end of the range comes first.
        pub order: Order,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
    }
}

words! {
    /// Which end of the range comes first.
    pub enum Order {
        /// The strongest activations first.
        Strongest = "strongest",
        /// The weakest first.
        Weakest = "weakest",
    }
}

impl Order {
    /// The order of two activations. -0 equals 0.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        let (a, b) = (a + 0.0, b + 0.0);
        match self {
            Self::Strongest => b.total_cmp(&a),
            Self::Weakest => a.total_cmp(&b),
        }
    }
}

/// The result, without the pictures that `top` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images in the data set.
    pub count: u64,
    /// The unit's or the direction's mean over the data set.
    pub mean: f64,
    /// The unit's or the direction's standard deviation over the data set.
    pub sd: f64,
    /// The images, in order.
    pub top: Vec<Example>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set: the file name without extension, or the word.
    pub key: String,
    /// Its caption, if there is one; for a list of words, the word.
    pub caption: Option<String>,
    /// Its label, if there is one.
    pub label: Option<String>,
    /// The unit's or the direction's pooled activation.
    pub activation: f64,
    /// Name of the record's output with the image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
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
    summary: "the images of a data set that activate a unit or a direction most, or least",
    doc: "Each image of the data set is run through the model once per layer. The pooled activations of all units of the layer are stored in half precision, so that the next unit needs no forward pass. If shown images have the same activation in half precision, they are run through the model again and ordered by their activations in full precision. Images that are still equal, and more than 256 with the same activation, as for a silent unit, stay in the order of the data set.\n\nIf the data set is a list of words, each word is drawn as a picture: the result is the unit's top words, as in Goh et al., *Multimodal Neurons in Artificial Neural \
          Networks*, Distill 2021.\n\nThe activation of a direction (`units`, `direction`, `target`) for an image is the dot product of the layer's activations, averaged over positions, with the direction scaled to length 1; at the embedding it is the cosine of the two. So `direction: { text: … }` without a `layer` searches a data set by a text.",
    example: "id: examples\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 42\ntop: 12\n",
    // 2: images that are equal in half precision are ordered by full precision.
    impl_version: 2,
    fields: &[
        Field::compute("top", Type::Integer { min: 1, max: 100 }, "Number of images.")
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
            named("count", "images", "Number of images in the data set."),
            named("mean", "", "The unit's or the direction's mean over the data set."),
            named("sd", "", "Its standard deviation over the data set."),
            named(
                "top[n].activation",
                "",
                "The unit's or the direction's activation for the n-th image of the list.",
            ),
            named("top[n].deviations", "standard deviations", "Its distance from the mean."),
            named(
                "top[n].key",
                "",
                "The image's key in the data set; for a list of words, the word.",
            ),
            named("top[n].caption", "", "Its caption, if there is one."),
            named("top[n].label", "", "Its label, if there is one."),
        ],
        of: |result| stored(result, derive),
    },
    pictures: Some(pictures),
    fault: target::pooling,
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
