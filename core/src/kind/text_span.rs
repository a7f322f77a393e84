//! `text_span`: what attention heads write, in texts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entry::{About, Data, Fault, Kind, form};
use super::field::{Field, Preset, Type};
use super::noise::Noise;
use super::sample::{Painted, Sample};
use super::value::{Values, counted, named, stored};
use super::zero_shot::TRUNCATE;
use crate::model::{Architecture, Place};

/// Draws of each random baseline.
pub const DRAWS: u64 = 20;

/// Parameters of the spans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer at which the heads write into the embedding.
    pub layer: Place,
    /// The heads, from 0.
    pub heads: Vec<u32>,
    /// The texts to choose from.
    pub texts: Vec<String>,
    /// Templates for the texts.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// Number of texts that are chosen for each head.
    pub top: u32,
    /// Maximum number of singular vectors that texts are projected onto.
    pub rank: u32,
    /// Number of pictures that are shown for each chosen text.
    pub examples: u32,
    /// Random seed of the baselines.
    pub seed: u64,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of images in the data set.
    pub count: u64,
    /// Number of images that could not be read.
    pub skipped: u64,
    /// The variance of the images' embeddings, each scaled to length 1: the mean squared distance from their mean.
    pub variance: f64,
    /// The greatest difference between a coordinate of the sum of all terms and of the embedding, both divided by the
    /// embedding's length.
    pub gap: f64,
    /// The heads, in the order of the request.
    pub heads: Vec<Head>,
}

/// One head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The head, from 0.
    pub head: u32,
    /// The variance of what it adds to the embeddings scaled to length 1.
    pub variance: f64,
    /// The number of directions that it writes along, as far as they were kept.
    pub rank: u32,
    /// The chosen texts, in order. Fewer than asked for if nothing is left of the others.
    pub texts: Vec<Chosen>,
    /// The fraction of the head's variance along as many principal components: no directions explain more.
    pub components: f64,
    /// The same for as many texts drawn from the list.
    pub random_texts: Draws,
    /// The same for directions chosen in the same way from as many random ones as there are texts.
    pub random_directions: Draws,
}

/// One chosen text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The text.
    pub text: String,
    /// The fraction of the head's variance along it, without what earlier texts explain.
    pub explained: f64,
    /// The images to which the head adds most along it.
    pub examples: Vec<Example>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its key in the data set.
    pub key: String,
    /// Its caption, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// What the head adds along the text, less the mean over all images, in standard deviations.
    pub deviations: f64,
    /// Name of the record's output with the image: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A fraction of variance over [`DRAWS`] random draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draws {
    /// The mean.
    pub mean: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Head {
    /// The fraction of the head's variance that its texts explain together.
    pub fn explained(&self) -> f64 {
        self.texts.iter().map(|text| text.explained).sum()
    }
}

impl Outcome {
    /// A head's variance as a fraction of that of the embeddings; `None` if all embeddings point the same way.
    pub fn share(&self, head: &Head) -> Option<f64> {
        (self.variance > 0.0).then(|| head.variance / self.variance)
    }

    /// The sum of the shares of all heads.
    pub fn shares(&self) -> Option<f64> {
        self.heads.iter().map(|head| self.share(head)).sum()
    }
}

/// A made-up outcome in which the first head's first text explains this fraction.
pub fn sample(explained: f64) -> Outcome {
    let example = |at: u32| Example {
        key: format!("{at}"),
        caption: (at == 1).then(|| "apple".to_owned()),
        deviations: 3.25 - f64::from(at),
        picture: format!("{at:03}.png"),
        width: 6,
        height: 4,
    };
    let chosen =
        |text: &str, explained, examples| Chosen { text: text.to_owned(), explained, examples };
    let draws = |mean: f64| Draws { mean, low: mean - 0.0625, high: mean + 0.0625 };
    let head = |head, texts| Head {
        head,
        variance: 0.125,
        rank: 65,
        texts,
        components: 0.9375,
        random_texts: draws(0.125),
        random_directions: draws(0.25),
    };
    let first = vec![
        chosen("red", explained, vec![example(1), example(2)]),
        chosen("green", 0.0625, vec![]),
    ];
    let heads = vec![head(0, first), head(3, vec![chosen("red", 0.5, vec![])])];
    Outcome { count: 6, skipped: 1, variance: 0.5, gap: 1e-7, heads }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "text_span",
    summary: "what attention heads write into the embedding, in texts",
    doc: "An embedding is a sum of what attention heads (and MLPs) add to it, as in `attribution` with `method: exact`. This kind takes what one head adds to each image of a data set, divided by the length of the image's embedding, and looks for texts that say along which directions it varies: the greedy algorithm TextSpan. Among all `texts` it chooses the one along which the variance over images is largest, projects that text out of the head's contributions and out of all other texts, and repeats this `top` times. Beforehand the texts are projected onto the singular vectors of the contributions, so that only what the head can write counts.\n\n\
          The figure shows for each head its texts, each with the fraction of the head's variance along it (without what earlier texts explain), and the images to which the head adds most along it, in standard deviations. Beside their sum are three numbers for comparison: what as many *principal components* explain, which no directions surpass; what as many *random texts* of the list explain, a mean over 20 draws; and what *random directions* explain, as many as there are texts, of which the same algorithm chooses. Texts that explain little more than random texts of the same list, or than random directions, say little about the head: where a head varies along everything that the list names, any of its texts explains something.\n\n\
          The layer is `visual.attnpool` in a ResNet, whose heads are those of the attention pool, or the attention of a block in a vision transformer, `visual.transformer.resblocks.11.attn`. Different heads can get the same text: each is described by itself. A text is the best of those listed, not the best that there is, and the variance along it has no sign: it may be what the head adds to some images or takes away from others.\n\n\
          Method: Gandelsman et al., *Interpreting CLIP's Image Representation via Text-Based Decomposition*, ICLR 2024, with the defaults of their code. For a ResNet's attention pool no description has been published; its contributions are exact, without a LayerNorm to divide by.",
    example: "id: heads\nkind: text_span\nlayer: visual.attnpool\ntexts: [hand, fruit, cat, heart, red, smile, word, night]\nheads: [0, 1]\ntop: 3\n",
    impl_version: 2,
    fields: &[
        Field::compute(
            "heads",
            Type::Heads { all: true },
            "The heads at the layer, counted from 0. The default is all.",
        ),
        Field::compute(
            "texts",
            Type::Texts,
            "The texts to choose from: a list, or the name of a data set that is a list of words.",
        )
        .or(Preset::Required),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` as a placeholder for each text. Several templates are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "top",
            Type::Integer { min: 1, max: 100 },
            "Number of texts that are chosen for each head.",
        )
        .or(Preset::Integer(10)),
        Field::compute(
            "rank",
            Type::Integer { min: 1, max: 4096 },
            "Maximum number of singular vectors of a head's contributions that texts are projected onto. A head varies along about as many directions as it is wide (64 in most models), so that the default rarely matters.",
        )
        .or(Preset::Integer(80)),
        Field::compute(
            "examples",
            Type::Integer { min: 0, max: 8 },
            "Number of images that are shown for each chosen text.",
        )
        .or(Preset::Integer(2)),
        Field::compute("seed", Type::Seed, "Random seed of the random texts and directions.")
            .or(Preset::Configured),
    ],
    about: About::Layer,
    text: true,
    data: Data::Always,
    captions: true,
    noise: Noise { aside: &["gap"], ..Noise::ACTIVATIONS },
    values: Values {
        named: &[
            counted("images", "count", "images", "Number of images in the data set."),
            counted("images_skipped", "skipped", "images", "Number of images that could not be read."),
            named("variance", "", "The variance of the images' embeddings, each scaled to length 1."),
            named("gap", "", "The greatest difference between a coordinate of the terms' sum and of the normalised embedding."),
            named("shares", "fraction", "The variances of all heads of the block together, divided by that of the embeddings. Of all heads of an attention pool it is near 1 if each adds something of its own, and smaller the more they add the same."),
            named("heads[n].head", "", "The n-th head of the block."),
            named("heads[n].variance", "", "The variance of what it adds; also by the head, `heads[head=3].variance`."),
            named("heads[n].share", "fraction", "This variance divided by that of the embeddings. Shares of heads need not add up to 1."),
            named("heads[n].rank", "", "The number of directions that it writes along, as far as they were kept."),
            named("heads[n].explained", "fraction", "The fraction of its variance that its texts explain together."),
            named("heads[n].components", "fraction", "The fraction that as many principal components explain."),
            named("heads[n].random_texts.mean", "fraction", "The fraction that random texts explain, on average."),
            named("heads[n].random_texts.low", "fraction", "The smallest of 20 draws."),
            named("heads[n].random_texts.high", "fraction", "The largest of 20 draws."),
            named("heads[n].random_directions.mean", "fraction", "The fraction that chosen random directions explain, on average."),
            named("heads[n].random_directions.low", "fraction", "The smallest of 20 draws."),
            named("heads[n].random_directions.high", "fraction", "The largest of 20 draws."),
            named("heads[n].texts[n].text", "", "The n-th text of a head."),
            named("heads[n].texts[n].explained", "fraction", "The fraction of the head's variance along it; also by the text, `heads[head=3].texts[text=hand].explained`."),
            named("heads[n].texts[n].examples[n].key", "", "The key of the n-th image to which the head adds most along it."),
            named("heads[n].texts[n].examples[n].caption", "", "Its caption, if there is one."),
            named("heads[n].texts[n].examples[n].deviations", "standard deviations", "How far what the head adds is from its mean."),
        ],
        of: |result| stored(result, derive),
    },
    misfit,
    form: form::<Params>,
    work: |_| 3.0,
    sample: |_, number| {
        let pictures = ["001.png", "002.png"].map(|name| Painted::png(name, 6, 4));
        Sample::of(&sample(0.5 / (1.0 + number.abs())), pictures.to_vec())
    },
    ..Kind::BASE
};

/// The heads' shares of the whole variance, and what their texts explain together.
fn derive(outcome: Outcome, tree: &mut Value) {
    for (at, head) in outcome.heads.iter().enumerate() {
        tree["heads"][at]["share"] = json!(outcome.share(head));
        tree["heads"][at]["explained"] = json!(head.explained());
    }
    tree["shares"] = json!(outcome.shares());
}

/// More texts than there are to choose from, or than there are dimensions.
fn misfit(params: &Map<String, Value>, model: &Architecture) -> Option<Fault> {
    let top = params.get("top").and_then(Value::as_u64)?;
    let texts = params.get("texts").and_then(Value::as_array)?.len() as u64;
    if top > texts {
        let message = format!("`top` is {top}, but there are {texts} `texts` to choose from");
        return Some(Fault { field: "top", message, hint: "set a smaller `top`, or add texts" });
    }
    let dimensions = u64::from(model.embedding);
    (top > dimensions).then(|| Fault {
        field: "top",
        message: format!("`top` is {top}, but embeddings have {dimensions} dimensions"),
        hint: "set a smaller `top`: no more directions can be told apart",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResNetSizes, Visual};

    #[test]
    fn more_texts_than_listed_or_than_dimensions_are_refused() {
        let sizes = ResNetSizes { width: 8, blocks: [1; 4], pool_heads: 4 };
        let model = Architecture {
            image_size: 64,
            embedding: 24,
            visual: Visual::ResNet(sizes),
            text: None,
        };
        let wrong = |texts: usize, top: u64| {
            let texts = vec!["a"; texts];
            let Value::Object(params) = json!({ "texts": texts, "top": top }) else { panic!() };
            misfit(&params, &model).map(|fault| (fault.field, fault.message))
        };
        assert_eq!(wrong(9, 9), None);
        let (field, message) = wrong(3, 10).expect("too few texts");
        assert_eq!(field, "top");
        assert!(message.contains("there are 3 `texts`"), "{message}");
        let (field, message) = wrong(30, 25).expect("too many texts");
        assert_eq!(field, "top");
        assert!(message.contains("24 dimensions"), "{message}");
        assert_eq!(wrong(30, 24), None);
    }

    #[test]
    fn texts_explain_together_what_each_adds() {
        let outcome = sample(0.25);
        assert!((outcome.heads[0].explained() - 0.3125).abs() < 1e-12);
        let tree = KIND.values.tree(serde_json::to_value(outcome).expect("JSON")).expect("values");
        assert_eq!((&tree["heads"][0]["share"], &tree["shares"]), (&json!(0.25), &json!(0.5)));
        assert_eq!(tree["heads"][1]["explained"], 0.5);
    }
}
