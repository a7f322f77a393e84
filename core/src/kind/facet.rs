//! `facet`: a linear probe that tells two data sets apart at some layers, for visualisations to lean on.
//!
//! After Goh et al. 2021 and openai/CLIP-featurevis: at each layer a probe without a bias on all activations, positions
//! told apart.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entry::{Fault, Kind, form};
use super::field::{Field, Kinds, Preset, Takes, Type};
use super::sample::Sample;
use super::tuple::tuple;
use super::value::{Values, named, stored};
use crate::statistics::part;

/// What decides a facet: where its weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Params {
    /// Canonical spellings, in order.
    pub layers: Vec<String>,
    /// What it is of: the digest of a data set's content. With `generic`, the probes are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// What it is told apart from, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<String>,
    /// Digests of NumPy files with published weights, `[C, H, W]` or `[1, C, H, W]`, one a layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<String>>,
    /// Most images of each data set; evenly spaced ones where it has more.
    pub most: u32,
    /// Of the penalty on the weights' squares, relative to the mean square of an image's activations.
    pub regularisation: f64,
}

/// A facet as another block takes it: its probes lead a visualisation from the layers before its own.
pub(super) const TAKEN: Takes =
    Takes { kinds: Kinds::Named(&["facet"]), same_model: true, before: true };

/// The output with a tensor `[C, H, W]` f32 a layer, under its canonical spelling.
pub const WEIGHTS: &str = "facet.safetensors";

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Images of each data set; zeros for published weights.
    pub images: Images,
    /// Each layer, in order.
    pub layers: Vec<Probe>,
}

tuple! {
    /// How many images a facet was trained and tested on.
    pub struct Images {
        /// Of the data set `positive`.
        pub positive: u64,
        /// Of the data set `generic`.
        pub generic: u64,
    }
}

/// A probe at one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Canonical spelling.
    pub layer: String,
    /// Units, rows and columns.
    pub shape: (u32, u32, u32),
    /// Images that were held out (every fifth) and told apart rightly, and how many were held out: positive ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<(u64, u64)>,
    /// The same of generic ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<(u64, u64)>,
}

impl Probe {
    /// Held-out images of both data sets: those that were told apart rightly, and all. `None` for published weights.
    pub fn held_out(&self) -> Option<(u64, u64)> {
        let ((right, of), (more_right, more)) = self.positive.zip(self.generic)?;
        Some((right.saturating_add(more_right), of.saturating_add(more)))
    }
}

/// A made-up outcome of a trained facet at these layers, with so many positive images.
pub fn sample(layers: &[String], positive: u64) -> Outcome {
    let probe = |layer: &String| Probe {
        layer: layer.clone(),
        shape: (384, 6, 6),
        positive: Some((9, 10)),
        generic: Some((290, 299)),
    };
    let layers = layers.iter().map(probe).collect();
    Outcome { images: Images { positive, generic: 1494 }, layers }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "facet",
    summary: "a linear probe that tells two data sets apart, for visualisations to lean on",
    doc: "At each layer a logistic regression without a bias, on all activations of an image with their positions told \
          apart, learns to tell the images of one data set from those of another. A `feature_vis` that names it is pulled \
          towards the side of `positive` on its way, so that of all that a unit answers to it shows the face, the writing \
          or the landscape. Every fifth image is held out, and counted.\n\nInstead of data sets, `weights` may name a \
          folder with published weights.\n\nMethod: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, \
          Distill 2021, and openai/CLIP-featurevis.",
    example: "id: written\nkind: facet\npositive: words\ngeneric: emoji\ncaption: Words against pictures.\n",
    fields: &[
        Field::compute(
            "layers",
            Type::Layers,
            "The layers, from the image on. Left out, they are as in the paper: of a ResNet the outputs of every \
             other block of the third stage, of all where it has fewer than four; of a transformer every other \
             block of the middle third.",
        ),
        Field::compute(
            "positive",
            Type::Content,
            "What it is of: a name out of `datasets:` in `neuronotes.yaml`. Goes with `generic`.",
        ),
        Field::compute(
            "generic",
            Type::Content,
            "What that is told apart from, likewise.",
        ),
        Field::compute(
            "weights",
            Type::Weights,
            "Published weights in place of two data sets: a folder in the garden that has, for each layer, \
             `LAYER/NAME_spatial.npy`, the layer in the article's spelling, such as \
             `image_block_3/0/Relu_2/face_spatial.npy`.",
        ),
        Field::presentation(
            "name",
            Type::Text,
            "What the files of `weights` are called; the block's `id` unless it is given.",
        ),
        Field::compute(
            "most",
            Type::Integer { min: 10, max: 100_000 },
            "Most images of each data set; evenly spaced ones where it has more.",
        )
        .or(Preset::Integer(2000)),
        Field::compute(
            "regularisation",
            Type::Number { min: 0.0, max: 1000.0 },
            "Of the penalty on the weights' squares, relative to the mean square of an image's activations.",
        )
        .or(Preset::Number(1e-3)),
    ],
    values: Values {
        named: &[
            named("images.positive", "images", "Images of the data set `positive`."),
            named("images.generic", "images", "Images of the data set `generic`."),
            named("layers[n].layer", "", "The layer's name."),
            named("layers[n].units", "units", "Units of the layer."),
            named("layers[n].right", "images", "Held-out images that were told apart rightly."),
            named("layers[n].of", "images", "Images that were held out."),
            named("layers[n].accuracy", "part of 1", "One as a part of the other."),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    form: form::<Params>,
    sample: |params, number| {
        let layers = params.get("layers").cloned().unwrap_or_else(|| json!(["visual.layer3.0"]));
        let layers: Vec<String> = serde_json::from_value(layers).unwrap_or_default();
        Sample::of(&sample(&layers, number.abs() as u64), vec![])
    },
    ..Kind::BASE
};

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let has = |name: &str| fields.contains_key(name);
    let wrong =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    let both = "a facet is trained on two data sets, `positive` and `generic`";
    match (has("positive"), has("generic"), has("weights")) {
        (true, true, false) if fields.get("positive") == fields.get("generic") => {
            wrong("generic", "a data set cannot be told apart from itself", both)
        }
        (true, true, false) if has("name") => {
            wrong("name", "only published weights have a `name`", "`id` is the facet's own")
        }
        (true, true, false) | (false, false, true) => None,
        (true, false, false) => wrong("positive", "`positive` needs a `generic`", both),
        (false, true, false) => wrong("generic", "`generic` needs a `positive`", both),
        (false, false, false) => wrong(
            "kind",
            "`facet` needs `positive` and `generic`, or `weights`",
            "name two data sets, or a folder of published weights",
        ),
        (_, _, true) => wrong(
            "weights",
            "published weights are not trained",
            "leave out either `weights`, or `positive` and `generic`",
        ),
    }
}

fn derive(outcome: Outcome, tree: &mut Value) {
    tree["images"] = outcome.images.named();
    for (index, probe) in outcome.layers.iter().enumerate() {
        let layer = &mut tree["layers"][index];
        let counted = probe.held_out();
        layer["units"] = probe.shape.0.into();
        layer["right"] = json!(counted.map(|(right, _)| right));
        layer["of"] = json!(counted.map(|(_, of)| of));
        layer["accuracy"] = json!(counted.map(|(right, of)| part(right, of)));
    }
}
