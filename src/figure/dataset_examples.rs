//! Draws `dataset_examples`: the images as a grid, and their data as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::dataset_examples::{self, By, Example, Order, Outcome, Params};
use neuronotes_core::number::{self, decimals, percent};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::picture::{GridItem, Picture};
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `dataset_examples`.
pub(super) static FIGURE: Figure = Figure { kind: &dataset_examples::KIND, height, draw };

/// Four pictures per row.
fn height(params: &Map<String, Value>) -> u32 {
    let rows = |params: Params| params.top.div_ceil(4) * 180;
    typed::<Params>(params).map_or(0, rows)
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
    let items = |examples: &[Example]| -> Result<Vec<GridItem>, String> {
        examples.iter().map(|example| item(context, example, digits)).collect()
    };
    let mut note = format!(
        "of {} images; {of} is {}, its standard deviation {}",
        number::thousands(outcome.count),
        number::number(outcome.mean, digits),
        number::number(outcome.sd, digits),
    );
    note += &remarks(&outcome, &params, digits);
    let table = tabulate(&outcome, &params);
    let top = items(&outcome.top)?;
    Ok(Drawing::Grid { items: top, note, curve: None, table: Some(table) })
}

/// The logit in words.
fn logit(params: &Params) -> String {
    match (&params.text, &params.class) {
        (Some(text), _) => format!("“{text}”"),
        (None, Some(class)) => {
            let other = |label: &&String| *label != class;
            let others: Vec<&str> =
                params.classes.iter().map(|of| &of.label).filter(other).map(|x| &**x).collect();
            match others[..] {
                [other] => format!("“{class}” against “{other}”"),
                _ => format!("“{class}” against {} other classes", others.len()),
            }
        }
        (None, None) => "a logit".to_owned(),
    }
}

/// A picture with its number, and its map on demand.
fn item(context: &DrawContext<'_>, example: &Example, digits: usize) -> Result<GridItem, String> {
    let caption = example.caption.as_ref().unwrap_or(&example.key).clone();
    let size = (example.width, example.height);
    let map = example.map.as_ref().map(|map| context.picture(map, size.0, size.1));
    let plain = context.plain(&example.picture, size, &caption)?;
    let mut value = match example.relevance {
        Some(relevance) => number::number(relevance, 3),
        None => number::number(example.activation, digits),
    };
    if let Some(quantile) = example.quantile {
        value += &format!(" · {}", percent(quantile));
    }
    if let Some(alike) = example.alike.filter(|alike| *alike > 0) {
        value += &format!(" · +{alike} alike");
    }
    Ok(GridItem {
        picture: Picture { under: map.transpose()?, ..plain },
        caption,
        value,
        unit: None,
    })
}

/// What is to be known of how images were chosen.
fn remarks(outcome: &Outcome, params: &Params, digits: usize) -> String {
    let mut text = String::new();
    let mut add = |more: String| text.push_str(&format!("; {more}"));
    if let Some(candidates) = outcome.candidates {
        let which = match candidates == outcome.count {
            true => "all images".to_owned(),
            false => {
                format!("the {} images with the greatest activation", number::thousands(candidates))
            }
        };
        let logit = logit(params);
        add(format!("numbers are relevances to the logit of {logit}, computed for {which}"));
    }
    if params.order == Order::Quantiles {
        add("percentages are quantiles".to_owned());
    }
    if let Some(compared) = outcome.compared {
        add(format!("near-duplicates among the first {compared} are shown once"));
    }
    if let Some(full) = outcome.full_colour {
        let full = number::number(full, digits);
        add(format!(
            "point at a picture for its map: orange above zero, blue below, full colour at ±{full}"
        ));
    }
    text
}

/// The data of each image, without empty columns.
fn tabulate(outcome: &Outcome, params: &Params) -> Table {
    let all = || outcome.top.iter();
    let has = |text: fn(&Example) -> &Option<String>| all().any(|example| text(example).is_some());
    let (captions, labels) = (has(|example| &example.caption), has(|example| &example.label));
    let relevance = params.by == By::Relevance;
    let (quantiles, alike) = (params.order == Order::Quantiles, params.alike.is_some());
    let columns = [
        (true, "key"),
        (captions, "caption"),
        (labels, "label"),
        (relevance, "relevance"),
        (quantiles, "quantile"),
        (true, "activation"),
        (true, "standard deviations from the mean"),
        (alike, "alike"),
    ];
    let row = |example: &Example| -> Vec<String> {
        let deviations = deviations(example.activation, outcome.mean, outcome.sd);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |value: Option<f64>, digits| {
            value.map(|value| number::number(value, digits)).unwrap_or_default()
        };
        let cells = [
            example.key.clone(),
            text(&example.caption),
            text(&example.label),
            number(example.relevance, 5),
            example.quantile.map(percent).unwrap_or_default(),
            number(Some(example.activation), 5),
            number(deviations, 2),
            example.alike.map(number::thousands).unwrap_or_default(),
        ];
        let shown = cells.into_iter().zip(&columns).filter(|(_, (shown, _))| *shown);
        shown.map(|(cell, _)| cell).collect()
    };
    let head: Vec<&str> =
        columns.iter().filter(|(shown, _)| *shown).map(|(_, name)| *name).collect();
    Table::new(&head, all().map(row).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    /// The drawing of the kind's made-up outcome with these parameters.
    fn drawn(change: Value) -> Drawing {
        let mut params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "top": 1, "order": "strongest", "pool": "mean",
        });
        for (name, value) in change.as_object().expect("a map") {
            params[name] = value.clone();
        }
        let Value::Object(map) = &params else { unreachable!() };
        let sample = (dataset_examples::KIND.sample)(map, 3.5);
        let mut stored = Stored::new(&dataset_examples::KIND, params.clone(), &sample.result);
        for picture in sample.pictures {
            let bytes = picture.output.clone();
            stored = stored.output(&picture.output, picture.media_type, bytes.as_bytes());
        }
        stored.drawn()
    }

    #[test]
    fn what_was_asked_for_stands_beside_what_was_always_there() {
        let plain = drawn(json!({}));
        assert!(matches!(&plain, Drawing::Grid { items, .. } if items[0].value == "3.50"));
        let all = drawn(json!({
            "alike": 6, "maps": true, "by": "relevance", "text": "cat", "templates": ["{}"],
            "truncate": false, "candidates": 6,
        }));
        insta::assert_json_snapshot!(all);
        let quantiles = drawn(json!({ "order": "quantiles" }));
        assert!(
            matches!(&quantiles, Drawing::Grid { items, .. } if items[0].value == "3.50 · 50.0 %")
        );
    }
}
