//! Draws `dataset_examples`: the images as a grid, with their data as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::dataset_examples::{self, Example, Outcome, Params};
use neuronotes_core::number::{self, decimals};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::picture::GridItem;
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `dataset_examples`.
pub(super) static FIGURE: Figure = Figure { kind: &dataset_examples::KIND, height, draw };

/// Four pictures per row.
fn height(params: &Map<String, Value>) -> u32 {
    typed::<Params>(params).map_or(0, |params| params.top.div_ceil(4) * 180)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let (of, digits) = match &params.direction {
        None => (format!("the {}'s mean", params.layer.noun()), 2),
        Some(terms) => {
            let direction = direction_line(terms, context.inputs);
            (format!("the mean of {direction}"), decimals(outcome.sd).clamp(2, 5))
        }
    };
    let item = |example: &Example| {
        let caption = example.caption.as_ref().unwrap_or(&example.key).clone();
        let size = (example.width, example.height);
        Ok(GridItem {
            picture: context.plain(&example.picture, size, &caption)?,
            caption,
            value: number::number(example.activation, digits),
            unit: None,
        })
    };
    Ok(Drawing::Grid {
        items: outcome.top.iter().map(item).collect::<Result<_, String>>()?,
        note: format!(
            "of {} images; {of} is {}, its standard deviation {}",
            number::thousands(outcome.count),
            number::number(outcome.mean, digits),
            number::number(outcome.sd, digits),
        ),
        curve: None,
        table: Some(tabulate(&outcome)),
    })
}

/// The data of each image, without empty columns.
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
    let head: Vec<&str> =
        head.into_iter().filter(|(shown, _)| *shown).map(|(_, name)| name).collect();
    Table::new(&head, outcome.top.iter().map(row).collect())
}
