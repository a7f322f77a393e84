//! `attribution`: what each unit of a layer adds to the logit of an image.

mod agreement;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::class::Class;
use super::entry::{About, Data, Fault, Kind, form};
use super::field::{Field, Preset, Type};
use super::logit;
use super::noise::Noise;
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use super::words::words;
use super::zero_shot::TRUNCATE;
use crate::digest::Digest;
use crate::model::{Architecture, Place};

pub use agreement::Agreement;

/// Parameters of the attribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer to whose units the logit is attributed.
    pub layer: Place,
    /// The picture by its digest, unless it is a drawn word or a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Digest>,
    /// The word that is drawn as the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// The key of the picture in the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// The text whose logit is attributed, unless it is that of a class against others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The classes, if one is attributed against the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// The label of that class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Templates for the text, or for the classes' names.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// How contributions are computed.
    pub method: Method,
    /// Number of nodes of integrated gradients.
    pub nodes: u32,
    /// Where integrated gradients begin.
    pub baseline: Baseline,
    /// Number of units that are stored, with a heat map and a check each.
    pub top: u32,
}

words! {
    /// How contributions are computed.
    pub enum Method {
        /// Activation times gradient.
        GradientActivation = "gradient_activation",
        /// Gradients integrated from a baseline.
        IntegratedGradients = "integrated_gradients",
        /// Activation times the gradient on a blank image.
        BlankGradient = "blank_gradient",
        /// The terms of which the embedding is a sum.
        Exact = "exact",
    }
}

words! {
    /// Where integrated gradients begin, and what stands for a unit that is gone.
    pub enum Baseline {
        /// No activation at all.
        Zero = "zero",
        /// The activations on a blank image.
        Blank = "blank",
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Name of the record's output with the picture as the model sees it: a PNG, as are the heat maps, all of one size.
    pub picture: String,
    /// Width and height in pixels.
    pub side: u32,
    /// The caption of a sample of a data set, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The logit: of a text, or of a class less the mean of the others.
    pub logit: f64,
    /// The factor of cosines in it.
    pub logit_scale: f64,
    /// Number of units of the layer.
    pub units: u32,
    /// The sum of all contributions.
    pub sum: f64,
    /// The sum of their absolute values.
    pub size: f64,
    /// What the sum is to be, for methods that promise it: the logit less what does not depend on the units.
    pub promised: Option<f64>,
    /// The units that contribute most, by absolute value.
    pub strongest: Vec<Contribution>,
    /// The terms of the embedding; only of [`Method::Exact`].
    pub terms: Option<Terms>,
}

/// One unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// Channel, from 0.
    pub unit: u32,
    /// What it adds to the logit.
    pub contribution: f64,
    /// Its activation, averaged over positions.
    pub activation: f64,
    /// The change of the logit without it, measured: its activation set to that of the baseline, or to zero, at all positions.
    pub change: f64,
    /// Name of the output with its heat map; none if the layer has no positions.
    pub picture: Option<String>,
}

/// The terms of an embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The greatest difference between a coordinate of the terms' sum and of the embedding, both divided by the embedding's
    /// length.
    pub gap: f64,
    /// All terms, in the order of the network.
    pub all: Vec<Term>,
    /// Name of the output with the heat map of all heads together.
    pub picture: String,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its name: `head 3`, `block 2, head 5`, `block 2, MLP`, `start` or `bias`.
    pub name: String,
    /// What it adds to the logit.
    pub contribution: f64,
    /// Name of the output with its heat map; only of heads that are among the strongest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

impl Outcome {
    /// How far the changes that were measured are those that contributions predict.
    pub fn agreement(&self) -> Option<Agreement> {
        let pairs = self.strongest.iter().map(|unit| (-unit.contribution, unit.change));
        Agreement::of(&pairs.collect::<Vec<_>>())
    }
}

/// A made-up outcome in which the strongest unit contributes this much.
pub fn sample(contribution: f64) -> Outcome {
    let unit = |unit, contribution: f64, name: &str| Contribution {
        unit,
        contribution,
        activation: 1.5,
        change: contribution * -0.875,
        picture: Some(name.to_owned()),
    };
    let term = |name: &str, contribution: f64| Term {
        name: name.to_owned(),
        contribution,
        picture: (name != "bias").then(|| "004.png".to_owned()),
    };
    Outcome {
        picture: "001.png".to_owned(),
        side: 6,
        caption: Some("apple".to_owned()),
        logit: contribution + 0.75,
        logit_scale: 20.0,
        units: 4,
        sum: contribution - 0.25,
        size: contribution.abs() + 0.5,
        promised: Some(contribution - 0.125),
        strongest: vec![unit(3, contribution, "002.png"), unit(1, -0.25, "003.png")],
        terms: Some(Terms {
            gap: 1e-7,
            all: vec![term("head 0", contribution), term("head 1", 0.5), term("bias", 0.25)],
            picture: "005.png".to_owned(),
        }),
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "attribution",
    summary: "what each unit of a layer adds to the logit of a picture",
    doc: "Takes a picture (`image`, `word` or `sample`) and its logit: the cosine of its embedding with that of a `text`, times the model's logit scale; or, with `classes` and `class`, the logit of one class minus the mean of those of the others. Each unit of the layer is given a contribution at each position; the figure shows the units with the largest sums over positions, with their sign, and where in the picture these contributions are.\n\n\
          Methods:\n\n- `gradient_activation`: the activation times the gradient of the logit. A first-order estimate; contributions need not add up to anything.\n- `integrated_gradients`: the gradient is averaged along a straight line from the `baseline` to the activation, by Gauss–Legendre quadrature with so many `nodes`. Contributions add up to the difference of the logits at both ends; the figure prints by how much they miss it. Sundararajan et al., *Axiomatic Attribution for Deep Networks*, 2017, between the activations of a layer.\n- `blank_gradient`: the activation times the gradient on a blank picture of CLIP's mean colour, as in Goh et al., *Multimodal Neurons in Artificial Neural Networks*, 2021: one linear map for all pictures.\n- `exact`: with the attention patterns as they are, and divided by the embedding's length, the embedding is a sum. In a ResNet the layer is the last block (`image_block_4/…/Relu_2` or `Add_6`), and the terms are the heads of the attention pool at each position; in a vision transformer the layer is `visual.ln_post`, and the terms are the heads of all blocks at each token, the MLPs and the class token at the start. The figure shows the terms too, and by how much their sum misses the embedding. Gandelsman et al., *Interpreting CLIP's Image Representation via Text-Based Decomposition*, 2023.\n\n\
          The layer can be a dictionary with a decoder: the logit is then attributed to its features. The layer's activation is the sum of what the decoder makes of them and of a rest, which the dictionary does not explain and which stays as it is; integrated gradients lead from no features (or those of the blank picture) to those of the picture. `exact` is of layers only.\n\n\
          Contributions are estimates of what the logit would lose without a unit. Each unit that is shown is checked: it is set to zero at all positions (to its activation on the blank picture, with `baseline: blank`), the network is run again, and the change of the logit is shown beside the one that its contribution predicts. A logit near its maximum has little to lose, since without a unit the embedding becomes shorter too: `class` against other `classes` is predicted better than a single `text`.",
    example: "id: why\nkind: attribution\nlayer: image_block_4/1/Add_6\nword: apple\ntext: apple\ntop: 6\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "image",
            Type::Picture,
            "The picture: a path in the garden, such as `notes/pictures/cat.png`.",
        ),
        Field::compute("word", Type::Text, "A word or a phrase that is drawn as the picture."),
        Field::compute(
            "sample",
            Type::Text,
            "The key of a picture in the data set, as `dataset_examples` shows it in its table.",
        ),
        Field::compute("text", Type::Prompt, "The text whose logit is attributed."),
        Field::compute(
            "classes",
            Type::Classes,
            "Instead of `text`: at least two classes, as in `zero_shot`.",
        ),
        Field::compute(
            "class",
            Type::Text,
            "The label of the class whose logit, minus the mean of the others', is attributed.",
        ),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for the text or the class's name. Several templates are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "method",
            Type::Choice(Method::WORDS),
            "How contributions are computed.",
        )
        .or(Preset::Text(Method::IntegratedGradients.word())),
        Field::compute(
            "nodes",
            Type::Integer { min: 1, max: 500 },
            "Number of nodes of `integrated_gradients`.",
        )
        .or(Preset::Integer(50)),
        Field::compute(
            "baseline",
            Type::Choice(Baseline::WORDS),
            "Where `integrated_gradients` begin: at `zero` activation, or at the activations on a `blank` picture of CLIP's mean colour.",
        )
        .or(Preset::Text(Baseline::Zero.word())),
        Field::compute(
            "top",
            Type::Integer { min: 1, max: 100 },
            "Number of units that are shown, each with a heat map and a check.",
        )
        .or(Preset::Integer(12)),
    ],
    about: About::Layer,
    features: true,
    text: true,
    data: Data::Unless(&["image", "word"]),
    captions: true,
    noise: Noise { aside: &["gap"], ..Noise::ACTIVATIONS },
    values: Values {
        named: &[
            named("logit", "", "The logit that is attributed."),
            named("logit_scale", "", "The factor of cosines in it."),
            named("caption", "", "The caption of the sample, if there is one."),
            named("units", "units", "The number of units of the layer."),
            named("sum", "", "The sum of all contributions."),
            named("size", "", "The sum of the absolute values of all contributions."),
            named(
                "promised",
                "",
                "For `integrated_gradients` and `exact`: what the sum is to be.",
            ),
            named("gap", "", "`sum` minus `promised`."),
            counted(
                "units_same_sign", "same_sign",
                "units",
                "The number of the units shown without which the logit changes in the predicted direction.",
            ),
            named(
                "correlation",
                "",
                "The correlation of their predicted and measured changes.",
            ),
            named("strongest[n].unit", "", "The unit with the n-th largest contribution."),
            named(
                "strongest[n].contribution",
                "",
                "What it adds; also by the unit, `strongest[unit=7].contribution`.",
            ),
            named("strongest[n].activation", "", "Its activation, averaged over positions."),
            named(
                "strongest[n].predicted",
                "",
                "The change of the logit without it that its contribution predicts.",
            ),
            named("strongest[n].change", "", "The change that was measured."),
            named(
                "terms.gap",
                "",
                "For `exact`: the greatest difference between a coordinate of the terms' sum and of the normalised embedding.",
            ),
            named("terms.all[n].name", "", "The n-th term, such as `head 3`."),
            named(
                "terms.all[n].contribution",
                "",
                "What it adds; also by the name, `terms.all[name=bias].contribution`.",
            ),
        ],
        of: |result| stored(result, derive),
    },
    fault,
    misfit,
    form: form::<Params>,
    work: |params| {
        let number = |name: &str| params.get(name).and_then(Value::as_f64).unwrap_or(1.0);
        let integrates = params.get("method").is_some_and(|m| m == Method::IntegratedGradients.word());
        if integrates { 3.0 * number("nodes") + number("top") } else { 3.0 + number("top") }
    },
    sample: |_, number| {
        let names = (1..=5).map(|n| format!("{n:03}.png"));
        Sample::of(&sample(number), names.map(|name| Painted::png(&name, 6, 6)).collect())
    },
    ..Kind::BASE
};

/// What a contribution says of a unit that is gone, and how far the sum is from what it is to be.
fn derive(outcome: Outcome, tree: &mut Value) {
    tree["gap"] = json!(outcome.promised.map(|promised| outcome.sum - promised));
    let agreement = outcome.agreement();
    tree["same_sign"] = json!(agreement.map(|found| found.same));
    tree["correlation"] = json!(agreement.and_then(|found| found.correlation));
    for (unit, known) in outcome.strongest.iter().enumerate() {
        tree["strongest"][unit]["predicted"] = json!(-known.contribution);
    }
}

/// The terms of an embedding say nothing of features.
fn misfit(params: &Map<String, Value>, _: &Architecture) -> Option<Fault> {
    let exact = params.get("method").is_some_and(|method| method == Method::Exact.word());
    (exact && Place::of(params)?.dictionary().is_some()).then(|| Fault {
        field: "method",
        message: "`exact` attributes to the units of a layer, not to the features of a dictionary"
            .to_owned(),
        hint: "use another `method`, or the layer that the dictionary is over",
    })
}

fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let given = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| fields.contains_key(*name)).collect()
    };
    let fault = |field, message: String, hint| Some(Fault { field, message, hint });
    match given(&["image", "word", "sample"])[..] {
        [] => {
            let hint = "add `image: …`, a path, `word: …`, which is drawn, or `sample: …`, a key in the data set";
            return fault("kind", "`attribution` needs a picture".to_owned(), hint);
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` cannot be combined");
            return fault(second, message, "use a separate block for each picture");
        }
        [field]
            if fields.get(field).and_then(Value::as_str).is_some_and(|s| s.trim().is_empty()) =>
        {
            let hint = "write the path, the word or the key";
            return fault(field, format!("`{field}` is empty"), hint);
        }
        [_] => {}
    }
    if let Some(fault) = logit::fault("attribution", "kind", fields) {
        return Some(fault);
    }
    let integrates = fields.get("method").is_none_or(|m| m == Method::IntegratedGradients.word());
    match given(&["nodes", "baseline"])[..] {
        [field, ..] if !integrates => {
            let message = format!("`{field}` is of `method: integrated_gradients` only");
            fault(field, message, "remove it, or change `method`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
