//! `text_rank`: texts ordered by their likeness to a direction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::direction::Term;
use super::shown::direction;
use super::value::{deviations, named, read};
use super::zero_shot::TRUNCATE;
use super::{About, Data, Default, Fault, Field, Kind, Origin, Role, Scan, Type, Values};
use crate::digest::Digest;
use crate::figure::part::{Bars, Part, bars};
use crate::figure::{DrawContext, Drawing, GridItem, Picture, Table, number};

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

/// Which end of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The greatest cosines first.
    Nearest,
    /// The least cosines first.
    Farthest,
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
    /// The first `top`, with their cosines, in order; equal ones in the list's order.
    pub ranked: Vec<(String, f64)>,
    /// Pictures that the direction is made of, at most [`MOST_SHOWN`].
    pub pictures: Vec<Shown>,
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
    impl_version: 1,
    fields: &[
        Field {
            name: "texts",
            ty: Type::Texts,
            default: Default::Required,
            role: Role::Compute,
            doc: "The texts: a list, or the name of a data set that is a list of words.",
        },
        Field {
            name: "direction",
            ty: Type::Direction,
            default: Default::Required,
            role: Role::Compute,
            doc: "What the texts are compared with: one of `text`, `image`, `images`, `words`, `units`, `dataset`, `use` and \
                  `sum`.",
        },
        Field {
            name: "templates",
            ty: Type::Templates,
            default: Default::Texts(&["{}"]),
            role: Role::Compute,
            doc: "Texts with `{}` where each text goes. Several are averaged.",
        },
        TRUNCATE,
        Field {
            name: "center",
            ty: Type::Flag,
            default: Default::Flag(false),
            role: Role::Compute,
            doc: "Whether the mean of the list's embeddings is subtracted from each text, and from the texts of the \
                  direction. What all texts have in common then counts for nothing, and the cosines spread around zero.",
        },
        Field {
            name: "top",
            ty: Type::Integer { min: 1, max: 500 },
            default: Default::Integer(15),
            role: Role::Compute,
            doc: "How many texts.",
        },
        Field {
            name: "order",
            ty: Type::Choice(&["nearest", "farthest"]),
            default: Default::Text("nearest"),
            role: Role::Compute,
            doc: "Which end of the list comes first.",
        },
    ],
    recipes: &[],
    sweep: false,
    about: About::Nothing,
    text: true,
    data: Data::Never,
    scan: Scan::None,
    captions: false,
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
        of: |result| read(result, values),
    },
    pictures: None,
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
    height: |params| {
        let rows = params.get("top").and_then(serde_json::Value::as_u64).unwrap_or(15);
        let texts = params.get("texts").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        u32::try_from(rows.min(texts as u64)).map_or(0, |rows| rows * 28 + 24)
    },
    draw,
};

fn values(outcome: Outcome) -> Value {
    let ranked = |(text, cosine): &(String, f64)| {
        let deviations = deviations(*cosine, outcome.mean, outcome.sd);
        json!({ "text": text, "cosine": cosine, "deviations": deviations })
    };
    json!({
        "count": outcome.count,
        "mean": outcome.mean,
        "sd": outcome.sd,
        "ranked": outcome.ranked.iter().map(ranked).collect::<Vec<_>>(),
    })
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let items = outcome
        .pictures
        .iter()
        .map(|shown| {
            let digest = shown.digest.map(|digest| context.picture_name(&digest.hex()));
            let origin = shown.origin.as_ref().map(|origin| context.origin_name(origin));
            let caption = shown.word.clone().or(digest).or(origin).unwrap_or_default();
            Ok(GridItem {
                picture: Picture::plain(
                    context.picture(&shown.picture, shown.width, shown.height)?,
                    caption.clone(),
                ),
                caption,
                value: String::new(),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let cosines = outcome.ranked.iter().map(|(_, cosine)| *cosine);
    let least = cosines.clone().fold(f64::INFINITY, f64::min);
    let span = cosines.fold(f64::NEG_INFINITY, f64::max) - least;
    // Neighbours often differ in the third decimal only.
    let digits = number::decimals(span).clamp(3, 5);
    let rows = bars(
        outcome
            .ranked
            .iter()
            .map(|(text, cosine)| (text.clone(), *cosine, number::number(*cosine, digits))),
    );
    let list = Part::Bars(Bars {
        title: String::new(),
        picture: None,
        head: ["text".to_owned(), "cosine".to_owned()],
        rows,
    });
    let mut parts = vec![list];
    if !items.is_empty() {
        parts.insert(0, Part::Pictures { title: String::new(), items });
    }
    let standard = |cosine: f64| match outcome.sd > 0.0 {
        true => number::number((cosine - outcome.mean) / outcome.sd, 2),
        false => String::new(),
    };
    let head = ["text", "cosine", "standard deviations from the mean"].map(str::to_owned).to_vec();
    let row = |(text, cosine): &(String, f64)| {
        vec![text.clone(), number::number(*cosine, 5), standard(*cosine)]
    };
    let table = Table { head, rows: outcome.ranked.iter().map(row).collect() };
    let note = format!(
        "{} of {} texts to {}{}; the mean of all cosines is {}, their standard deviation {}",
        match params.order {
            Order::Nearest => "nearest",
            Order::Farthest => "farthest",
        },
        number::thousands(outcome.count),
        direction(&params.direction, context.inputs),
        if params.center { ", the texts' mean subtracted" } else { "" },
        number::number(outcome.mean, digits),
        number::number(outcome.sd, digits),
    );
    Ok(Drawing::Parts { parts, table, note })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Inputs;
    use crate::store::{Record, Store};

    #[test]
    fn texts_are_bars_from_zero_below_the_directions_pictures() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let params = serde_json::json!({
            "texts": ["fire engine", "leaf", "frog"], "templates": ["{}"], "truncate": false,
            "center": true, "top": 2, "order": "nearest",
            "direction": [
                { "weight": 1.0, "of": { "words": ["red"] } },
                { "weight": -1.0, "of": { "text": "green" } },
            ],
        });
        let request = serde_json::json!({ "params": params });
        let mut record = Record::new(Digest::of(b"key"), KIND.name, 1, request);
        let outcome = Outcome {
            count: 3,
            mean: -0.01,
            sd: 0.2,
            ranked: vec![("fire engine".into(), 0.3), ("leaf".into(), -0.1)],
            pictures: vec![Shown {
                word: Some("red".into()),
                digest: None,
                origin: None,
                picture: "001.png".into(),
                width: 96,
                height: 96,
            }],
        };
        record.set_result(&store, &outcome).expect("stored");
        record.add_output(&store, "001.png", "image/png", b"a picture").expect("stored");
        let context = DrawContext {
            store: &store,
            record: &record,
            presentation: &serde_json::Map::new(),
            layer_shown: "",
            inputs: &Inputs::default(),
            facet: None,
            baseline: None,
        };
        insta::assert_json_snapshot!(draw(&context).expect("a drawing"));
    }
}
