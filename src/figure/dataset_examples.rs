//! The images that excite a unit, as a grid, with all that is known of each as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::dataset_examples::{self, Example, Outcome};
use neuronotes_core::number;
use neuronotes_core::statistics::deviations;

use super::{DrawContext, Drawing, Figure, GridItem, Picture, Table};

/// How a result of `dataset_examples` becomes a drawing.
pub(super) static FIGURE: Figure = Figure { kind: &dataset_examples::KIND, height, draw };

/// Four pictures a row.
fn height(params: &Map<String, Value>) -> u32 {
    let items = params.get("top").and_then(Value::as_u64).unwrap_or(9);
    u32::try_from(items.div_ceil(4)).map_or(0, |rows| rows * 180)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let items = outcome
        .top
        .iter()
        .map(|example| {
            let caption = example.caption.clone().unwrap_or_else(|| example.key.clone());
            Ok(GridItem {
                picture: Picture::plain(
                    context.picture(&example.picture, example.width, example.height)?,
                    caption.clone(),
                ),
                caption,
                value: number::number(example.activation, 2),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Drawing::Grid {
        items,
        note: format!(
            "of {} images; the unit's mean is {}, its standard deviation {}",
            number::thousands(outcome.count),
            number::number(outcome.mean, 2),
            number::number(outcome.sd, 2),
        ),
        curve: None,
        table: Some(tabulate(&outcome)),
    })
}

/// What is known of each image; a column that would be empty is left out.
fn tabulate(outcome: &Outcome) -> Table {
    let has = |text: fn(&Example) -> &Option<String>| {
        outcome.top.iter().any(|example| text(example).is_some())
    };
    let (captions, labels) = (has(|example| &example.caption), has(|example| &example.label));
    let row = |example: &Example| {
        let deviations = deviations(example.activation, outcome.mean, outcome.sd);
        let texts = [(captions, &example.caption), (labels, &example.label)];
        let texts = texts.into_iter().filter(|(shown, _)| *shown);
        std::iter::once(example.key.clone())
            .chain(texts.map(|(_, text)| text.clone().unwrap_or_default()))
            .chain([
                number::number(example.activation, 5),
                deviations.map(|n| number::number(n, 2)).unwrap_or_default(),
            ])
            .collect()
    };
    let head = [
        (true, "key"),
        (captions, "caption"),
        (labels, "label"),
        (true, "activation"),
        (true, "standard deviations from the mean"),
    ];
    let head = head.into_iter().filter(|(shown, _)| *shown).map(|(_, name)| name.to_owned());
    Table { head: head.collect(), rows: outcome.top.iter().map(row).collect() }
}
