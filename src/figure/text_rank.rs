//! Draws `text_rank`: the texts' cosines with the direction as bars, below the direction's pictures.

use serde_json::{Map, Value};

use neuronotes_core::kind::text_rank::{self, Outcome, Params, Ranked, Shown};
use neuronotes_core::number::{decimals, number, thousands};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Part, bars};
use super::picture::GridItem;
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `text_rank`.
pub(super) static FIGURE: Figure = Figure { kind: &text_rank::KIND, height, draw };

/// One bar per text.
fn height(params: &Map<String, Value>) -> u32 {
    let rows =
        typed(params).map_or(0, |params: Params| params.texts.len().min(params.top as usize));
    u32::try_from(rows).map_or(0, |rows| rows * 28 + 24)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let pictures = outcome.pictures.iter().map(|shown| picture(context, shown));
    let pictures = pictures.collect::<Result<Vec<_>, String>>()?;
    let digits = digits(&outcome);
    let rows = bars(
        outcome
            .ranked
            .iter()
            .map(|Ranked { text, cosine }| (text.clone(), *cosine, number(*cosine, digits))),
    );
    let mut parts = vec![Part::bars("", ["text", "cosine"], rows)];
    if !pictures.is_empty() {
        parts.insert(0, Part::Pictures { title: String::new(), items: pictures });
    }
    let row = |Ranked { text, cosine }: &Ranked| {
        let away = deviations(*cosine, outcome.mean, outcome.sd);
        let away = away.map(|away| number(away, 2)).unwrap_or_default();
        vec![text.clone(), number(*cosine, 5), away]
    };
    let head = ["text", "cosine", "standard deviations from the mean"];
    let table = Table::new(&head, outcome.ranked.iter().map(row).collect());
    let note = format!(
        "{} of {} texts to {}{}; the mean of all cosines is {}, their standard deviation {}",
        params.order.word(),
        thousands(outcome.count),
        direction_line(&params.direction, context.inputs),
        if params.center { ", the texts' mean subtracted" } else { "" },
        number(outcome.mean, digits),
        number(outcome.sd, digits),
    );
    Ok(Drawing::Parts { parts, table, note })
}

/// A picture of the direction, named by its word, its file or its figure.
fn picture(context: &DrawContext<'_>, shown: &Shown) -> Result<GridItem, String> {
    let digest = shown.digest.map(|digest| context.picture_name(&digest.hex()));
    let origin = shown.origin.as_ref().map(|origin| context.origin_name(origin));
    let caption = shown.word.clone().or(digest).or(origin).unwrap_or_default();
    let picture = context.plain(&shown.picture, (shown.width, shown.height), &caption)?;
    Ok(GridItem { picture, caption, value: String::new(), unit: None })
}

/// Decimals of a cosine: neighbours often differ only in the third.
fn digits(outcome: &Outcome) -> usize {
    let cosines = || outcome.ranked.iter().map(|ranked| ranked.cosine);
    let least = cosines().fold(f64::INFINITY, f64::min);
    decimals(cosines().fold(f64::NEG_INFINITY, f64::max) - least).clamp(3, 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::tests::Stored;

    #[test]
    fn texts_are_bars_from_zero_below_the_directions_pictures() {
        let params = serde_json::json!({
            "texts": ["fire engine", "leaf", "frog"], "templates": ["{}"], "truncate": false,
            "center": true, "top": 2, "order": "nearest",
            "direction": [
                { "weight": 1.0, "of": { "words": ["red"] } },
                { "weight": -1.0, "of": { "text": "green" } },
            ],
        });
        let ranked = [("fire engine", 0.3), ("leaf", -0.1)];
        let ranked = ranked.map(|(text, cosine)| (text.to_owned(), cosine).into()).to_vec();
        let outcome = Outcome { count: 3, mean: -0.01, sd: 0.2, ranked, ..text_rank::sample(0.3) };
        let stored = Stored::new(&text_rank::KIND, params, &outcome);
        let stored = stored.output("001.png", "image/png", b"a picture");
        insta::assert_json_snapshot!(stored.drawn());
    }
}
