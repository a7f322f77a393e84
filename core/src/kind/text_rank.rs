//! `text_rank`: texts ordered by their likeness to a direction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::direction::Term;
use super::entry::{Fault, Kind, form};
use super::exhibit::Origin;
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::tuple::tuple;
use super::value::{Values, named, stored};
use super::words::words;
use super::zero_shot::TRUNCATE;
use crate::digest::Digest;
use crate::statistics::deviations;

/// Most pictures of the direction that are kept to be shown.
pub const MOST_SHOWN: usize = 12;

/// What decides the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The texts.
    pub texts: Vec<String>,
    /// The sum that they are compared with.
    pub direction: Vec<Term>,
    /// What texts are put into, those of the direction too.
    pub templates: Vec<String>,
    /// Whether a prompt that is too long is cut.
    pub truncate: bool,
    /// Whether the texts' mean is subtracted from every text.
    pub center: bool,
    /// How many texts.
    pub top: u32,
    /// Which end of the list.
    pub order: Order,
}

words! {
    /// Which end of the list.
    pub enum Order {
        /// The greatest cosines first.
        Nearest = "nearest",
        /// The least cosines first.
        Farthest = "farthest",
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Texts in the list.
    pub count: u64,
    /// Their mean cosine.
    pub mean: f64,
    /// Their cosines' standard deviation (of the population).
    pub sd: f64,
    /// The first `top` in order; texts of equal cosines in the list's order.
    pub ranked: Vec<Ranked>,
    /// Pictures that the direction is made of, at most [`MOST_SHOWN`].
    pub pictures: Vec<Shown>,
}

tuple! {
    /// A text with its likeness to the direction.
    pub struct Ranked {
        /// The text.
        pub text: String,
        /// Its cosine with the direction.
        pub cosine: f64,
    }
}

/// A picture that the direction is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The word that it is a picture of.
    pub word: Option<String>,
    /// The digest that the parameters name it by.
    pub digest: Option<Digest>,
    /// Where it is from, where another figure holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The record's output that shows it: a PNG with sides of at most 256 pixels.
    pub picture: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A made-up outcome in which the first of two texts has this cosine.
pub fn sample(cosine: f64) -> Outcome {
    let shown = Shown {
        word: Some("red".to_owned()),
        digest: None,
        origin: None,
        picture: "001.png".to_owned(),
        width: 6,
        height: 4,
    };
    let ranked = [("red", cosine), ("green", 0.25)];
    Outcome {
        count: 2,
        mean: 0.375,
        sd: 0.125,
        ranked: ranked.map(|(text, cosine)| (text.to_owned(), cosine).into()).to_vec(),
        pictures: vec![shown],
    }
}

/// The registry's entry.
pub static KIND: Kind = Kind {
    name: "text_rank",
    summary: "texts ordered by their likeness to a direction, a picture, or a data set",
    doc: "Each text is put into each template; the normalised embeddings of these prompts are averaged and \
          normalised again, and compared by cosine with the direction. Cosines of texts with pictures are small and \
          alike in CLIP, whose texts and pictures lie apart; the order says more than the size.\n\nA direction is a \
          mapping with one of\n\n- `text: …`, a text, in the same templates,\n- `image: …` or `images: […]`, \
          pictures by their paths in the garden,\n- `words: […]`, words, each drawn as a picture of itself,\n\
          - `units: […]`, coordinates of the embedding, counted from 0; a mapping gives each its weight,\n\
          - `dataset: …`, all images of a data set,\n- `use: …`, the pictures that other figures hold: \
          of a `feature_vis` or a `dataset_examples` by its id, of another note's as `note#id`, or a list of those,\n- `sum: […]`, a list of those, each with an optional `weight` \
          (default 1; −1 subtracts).\n\nOf several pictures, words or images the normalised embeddings are averaged; \
          each term of a sum has length 1 before its weight counts.",
    example: "id: near-red\nkind: text_rank\ntexts: [strawberry, leaf, tomato, frog, heart, cactus, brick]\ndirection:\n  sum:\n    - text: red apple\n    - { text: green apple, weight: -1 }\n",
    fields: &[
        Field::compute(
            "texts",
            Type::Texts,
            "The texts: a list, or the name of a data set that is a list of words.",
        )
        .or(Preset::Required),
        Field::compute(
            "direction",
            Type::Direction,
            "What the texts are compared with: one of `text`, `image`, `images`, `words`, `units`, `dataset`, `use` \
             and `sum`.",
        )
        .or(Preset::Required),
        Field::compute(
            "templates",
            Type::Templates,
            "Texts with `{}` where each text goes. Several are averaged.",
        )
        .or(Preset::Texts(&["{}"])),
        TRUNCATE,
        Field::compute(
            "center",
            Type::Flag,
            "Whether the mean of the list's embeddings is subtracted from each text, and from the texts of the \
             direction. What all texts have in common then counts for nothing, and the cosines spread around zero.",
        )
        .or(Preset::Flag(false)),
        Field::compute(
            "top",
            Type::Integer { min: 1, max: 500 },
            "How many texts.",
        )
        .or(Preset::Integer(15)),
        Field::compute(
            "order",
            Type::Choice(Order::WORDS),
            "Which end of the list comes first.",
        )
        .or(Preset::Text(Order::Nearest.word())),
    ],
    text: true,
    values: Values {
        named: &[
            named("count", "texts", "Texts in the list."),
            named("mean", "", "The mean of all their cosines."),
            named("sd", "", "The standard deviation of all their cosines."),
            named("ranked[n].text", "", "The n-th text in order."),
            named(
                "ranked[n].cosine",
                "",
                "Its cosine; also by the text, `ranked[text=leaf].cosine`.",
            ),
            named(
                "ranked[n].deviations",
                "standard deviations",
                "How far that lies above the mean.",
            ),
        ],
        of: |result| stored(result, derive),
    },
    fault: |fields| {
        let single = fields.get("texts").and_then(serde_json::Value::as_array);
        let single = single.is_some_and(|texts| texts.len() == 1);
        let center = fields.get("center").is_some_and(|center| center == true);
        (single && center).then(|| Fault {
            field: "center",
            message: "of one text, nothing is left when the mean is subtracted".to_owned(),
            hint: "`center` is for lists",
        })
    },
    form: form::<Params>,
    sample: |_, number| Sample::of(&sample(number), vec![Painted::png("001.png", 6, 4)]),
    ..Kind::BASE
};

fn derive(outcome: Outcome, tree: &mut Value) {
    let ranked = |ranked: &Ranked| {
        let mut named = ranked.named();
        named["deviations"] = json!(deviations(ranked.cosine, outcome.mean, outcome.sd));
        named
    };
    tree["ranked"] = outcome.ranked.iter().map(ranked).collect();
}
