//! Texts by their cosine with a direction, as bars from zero, below the pictures that the direction is made of.

use serde_json::{Map, Value};

use neuronotes_core::kind::text_rank::{self, Order, Outcome, Params, Ranked};
use neuronotes_core::number;

use super::part::{Bars, Part, bars};
use super::{DrawContext, Drawing, Figure, GridItem, Picture, Table};
use crate::field::direction_line;

/// How a result of `text_rank` becomes a drawing.
pub(super) static FIGURE: Figure = Figure { kind: &text_rank::KIND, height, draw };

/// A bar a text.
fn height(params: &Map<String, Value>) -> u32 {
    let rows = params.get("top").and_then(Value::as_u64).unwrap_or(15);
    let texts = params.get("texts").and_then(Value::as_array).map_or(0, Vec::len);
    u32::try_from(rows.min(texts as u64)).map_or(0, |rows| rows * 28 + 24)
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
    let cosines = outcome.ranked.iter().map(|ranked| ranked.cosine);
    let least = cosines.clone().fold(f64::INFINITY, f64::min);
    let span = cosines.fold(f64::NEG_INFINITY, f64::max) - least;
    // Neighbours often differ in the third decimal only.
    let digits = number::decimals(span).clamp(3, 5);
    let rows =
        bars(outcome.ranked.iter().map(|Ranked { text, cosine }| {
            (text.clone(), *cosine, number::number(*cosine, digits))
        }));
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
    let row = |Ranked { text, cosine }: &Ranked| {
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
        direction_line(&params.direction, context.inputs),
        if params.center { ", the texts' mean subtracted" } else { "" },
        number::number(outcome.mean, digits),
        number::number(outcome.sd, digits),
    );
    Ok(Drawing::Parts { parts, table, note })
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use neuronotes_core::kind::text_rank::Shown;
    use neuronotes_core::request::Inputs;
    use neuronotes_core::store::{Record, Store};

    use super::*;

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
        let mut record = Record::new(Digest::of(b"key"), text_rank::KIND.name, 1, request);
        let outcome = Outcome {
            count: 3,
            mean: -0.01,
            sd: 0.2,
            ranked: vec![("fire engine".to_owned(), 0.3).into(), ("leaf".to_owned(), -0.1).into()],
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
