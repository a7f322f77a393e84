//! `facet`: linear probes at some layers that distinguish two data sets, used as part of the objective of
//! visualisations.
//!
//! After Goh et al. 2021 and openai/CLIP-featurevis: at each layer a probe without bias on all activations, with
//! separate weights for each position.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entry::{Fault, Kind, form};
use super::field::{Field, Kinds, Preset, Takes, Type};
use super::noise::Noise;
use super::sample::Sample;
use super::tuple::tuple;
use super::value::{Values, counted, named, stored};
use crate::statistics::part;

/// Parameters of a facet: the source of its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Params {
    /// Canonical spellings, in order.
    pub layers: Vec<String>,
    /// The positive examples: the digest of a data set's content. With `generic`, the probes are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// The negative examples: the digest of a data set's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<String>,
    /// Digests of NumPy files with published weights, `[C, H, W]` or `[1, C, H, W]`, one per layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<String>>,
    /// Maximum number of images of each data set; if it has more, evenly spaced ones are used.
    pub most: u32,
    /// Strength of the L2 penalty, relative to the mean square of an image's activations.
    pub regularisation: f64,
}

/// A facet as another block takes it: its probes lead a visualisation from the layers before its own.
pub(super) const TAKEN: Takes =
    Takes { kinds: Kinds::Named(&["facet"]), same_model: true, before: true, here: false };

/// The output with an f32 tensor `[C, H, W]` for each layer, named by its canonical spelling.
pub const WEIGHTS: &str = "facet.safetensors";

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images of each data set; zeros for published weights.
    pub images: Images,
    /// The probes, in the order of the layers.
    pub layers: Vec<Probe>,
}

tuple! {
    /// Number of images that a facet was trained and tested on.
    pub struct Images {
        /// Number from the data set `positive`.
        pub positive: u64,
        /// Number from the data set `generic`.
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
    /// Held-out positive images (every fifth): correctly classified, and total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<(u64, u64)>,
    /// Held-out generic images: correctly classified, and total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<(u64, u64)>,
}

impl Probe {
    /// Held-out images of both data sets: correctly classified, and total. `None` for published weights.
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
    summary: "linear probes that distinguish two data sets, for `feature_vis` to follow",
    doc: "At each layer, a logistic regression without bias on all activations of an image, with separate weights for each position, learns to distinguish the images of two data sets. A `feature_vis` with this facet adds the probes to its objective and is pulled towards `positive`: of everything that a unit responds to, it shows the faces, the writing or the landscapes. Every fifth image is held out to measure the accuracy.\n\nInstead of training on data sets, `weights` can name a folder with published weights.\n\nMethod: Goh et al., *Multimodal Neurons in Artificial Neural Networks*, \
          Distill 2021, and openai/CLIP-featurevis.",
    example: "id: written\nkind: facet\npositive: words\ngeneric: emoji\ncaption: Words against pictures.\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "layers",
            Type::Layers,
            "The layers, in the order of the forward pass. The default is as in the paper: for a ResNet, the outputs of every other block of the third stage, or of all blocks if it has fewer than four; for a transformer, every other block of the middle third.",
        ),
        Field::compute(
            "positive",
            Type::Content,
            "The positive examples: a data set's name from `datasets:` in `neuronotes.yaml`. Requires `generic`.",
        ),
        Field::compute(
            "generic",
            Type::Content,
            "The negative examples: a data set's name from `datasets:` in `neuronotes.yaml`.",
        ),
        Field::compute(
            "weights",
            Type::Weights,
            "Published weights instead of two data sets: a folder in the garden with a file `LAYER/NAME_spatial.npy` for each layer, in the article's spelling, such as `image_block_3/0/Relu_2/face_spatial.npy`.",
        ),
        Field::presentation(
            "name",
            Type::Text,
            "NAME in the files of `weights`; the default is the block's `id`.",
        ),
        Field::compute(
            "most",
            Type::Integer { min: 10, max: 100_000 },
            "Maximum number of images of each data set; if it has more, evenly spaced ones are used.",
        )
        .or(Preset::Integer(2000)),
        Field::compute(
            "regularisation",
            Type::Number { min: 0.0, max: 1000.0 },
            "Strength of the L2 penalty on the weights, relative to the mean square of an image's activations.",
        )
        .or(Preset::Number(1e-3)),
    ],
    noise: Noise {
        counts: &["layers[n].positive[n]", "layers[n].generic[n]"],
        ..Noise::FITTED
    },
    values: Values {
        named: &[
            named("images.positive", "images", "Number of images from the data set `positive`."),
            named("images.generic", "images", "Number of images from the data set `generic`."),
            named("layers[n].layer", "", "The layer's name."),
            named("layers[n].units", "units", "Number of units of the layer."),
            counted("layers[n].images_right", "right", "images", "Number of held-out images that were classified correctly."),
            counted("layers[n].images_held_out", "of", "images", "Number of held-out images."),
            named("layers[n].accuracy", "fraction", "Accuracy on held-out images: `images_right` divided by `images_held_out`."),
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
            wrong("generic", "`positive` and `generic` must be different data sets", both)
        }
        (true, true, false) if has("name") => {
            wrong("name", "only published weights have a `name`", "`id` is the facet's own name")
        }
        (true, true, false) | (false, false, true) => None,
        (true, false, false) => wrong("positive", "`positive` needs a `generic`", both),
        (false, true, false) => wrong("generic", "`generic` needs a `positive`", both),
        (false, false, false) => wrong(
            "kind",
            "`facet` needs `positive` and `generic`, or `weights`",
            "give two data sets, or a folder of published weights",
        ),
        (_, _, true) => wrong(
            "weights",
            "published weights are not trained",
            "remove either `weights`, or `positive` and `generic`",
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
