//! `text_rank`: texts ranked by their similarity to a direction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entry::{Fault, Kind, form};
use super::exhibit::Origin;
use super::field::{Field, Preset, Type};
use super::sample::{Painted, Sample};
use super::term::Term;
use super::tuple::tuple;
use super::value::{Values, counted, named, stored};
use super::words::words;
use super::zero_shot::TRUNCATE;
use crate::digest::Digest;
use crate::statistics::deviations;

/// Maximum number of the direction's pictures that are stored for display.
pub const MOST_SHOWN: usize = 12;

/// Parameters of the ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The texts.
    pub texts: Vec<String>,
    /// The direction that they are compared with.
    pub direction: Vec<Term>,
    /// Templates for the texts and for those of the direction.
    pub templates: Vec<String>,
    /// Whether prompts that are too long are truncated.
    pub truncate: bool,
    /// Whether the texts' mean is subtracted from every text.
    pub center: bool,
    /// Number of texts.
    pub top: u32,
    /// Which end of the list comes first.
    pub order: Order,
}

words! {
    /// Which end of the list comes first.
    pub enum Order {
        /// The largest cosines first.
        Nearest = "nearest",
        /// The smallest cosines first.
        Farthest = "farthest",
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of texts in the list.
    pub count: u64,
    /// Their mean cosine.
    pub mean: f64,
    /// The standard deviation of their cosines (of the population).
    pub sd: f64,
    /// The first `top` texts; those with equal cosines in the order of the list.
    pub ranked: Vec<Ranked>,
    /// The direction's pictures, at most [`MOST_SHOWN`].
    pub pictures: Vec<Shown>,
}

tuple! {
    /// A text with its similarity to the direction.
    pub struct Ranked {
        /// The text.
        pub text: String,
        /// Its cosine with the direction.
        pub cosine: f64,
    }
}

/// A picture of the direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The word that it shows, if it is a word.
    pub word: Option<String>,
    /// Its digest in the parameters.
    pub digest: Option<Digest>,
    /// Its origin, if it comes from another figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Name of the record's output with the picture: a PNG of at most 256 × 256 pixels.
    pub picture: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
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
    summary: "texts ranked by their similarity to a text, a picture, a data set or another direction",
    doc: "Each text is inserted into each template; the normalised embeddings of these prompts are averaged, normalised again, and compared with the direction by cosine. In CLIP, cosines between texts and pictures are small and similar, because texts and pictures are in different regions; the order means more than the values.\n\nA direction is a \
          mapping with one of\n\n- `text: …`, a text, inserted into the same templates,\n- `image: …` or `images: […]`, \
          pictures by their paths in the garden,\n- `words: […]`, words, each drawn as a picture,\n\
          - `units: […]`, coordinates of the embedding, counted from 0; a mapping gives each its weight,\n\
          - `dataset: …`, all images of a data set,\n- `use: …`, the pictures of other figures: the id of a `feature_vis` or `dataset_examples`, `note#id` for another note's, or a list of those,\n- `target: …`, the direction of a block of the kind `direction`,\n- `sum: […]`, a list of those, each with an optional `weight` \
          (default 1; −1 subtracts).\n\nThe normalised embeddings of several pictures, words or images are averaged; each term of a sum is normalised before it is multiplied by its weight.",
    example: "id: near-red\nkind: text_rank\ntexts: [strawberry, leaf, tomato, frog, heart, cactus, brick]\ndirection:\n  sum:\n    - text: red apple\n    - { text: green apple, weight: -1 }\n",
    impl_version: 2,
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
            "What the texts are compared with: one of `text`, `image`, `images`, `words`, `units`, `dataset`, `use`, \
             `target` and `sum`.",
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
            "center",
            Type::Flag,
            "Whether the mean of the list's embeddings is subtracted from each text, and from the texts of the direction. This removes what all texts have in common, and the cosines spread around zero.",
        )
        .or(Preset::Flag(false)),
        Field::compute(
            "top",
            Type::Integer { min: 1, max: 500 },
            "Number of texts.",
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
            counted("texts_ranked", "count", "texts", "Number of texts in the list."),
            named("mean", "", "The mean of all their cosines."),
            named("sd", "", "The standard deviation of all their cosines."),
            named("ranked[n].text", "", "The n-th text."),
            named(
                "ranked[n].cosine",
                "",
                "Its cosine; also by the text, `ranked[text=leaf].cosine`.",
            ),
            named(
                "ranked[n].deviations",
                "standard deviations",
                "Its distance from the mean.",
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
            message: "with a single text, nothing is left after the mean is subtracted".to_owned(),
            hint: "remove `center`, or use more texts",
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
