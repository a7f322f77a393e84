//! Draws `unit_search`: the units by how well they tell a group of pictures from others, and the image that activates each most.

use serde_json::{Map, Value};

use neuronotes_core::kind::unit_search::{self, Found, Outcome, Params};
use neuronotes_core::number::{chance, decimals, number, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part};
use super::picture::GridItem;
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;
use crate::field::group_line;

/// The drawing of `unit_search`.
pub(super) static FIGURE: Figure = Figure { kind: &unit_search::KIND, height, draw };

/// A bar and a quarter of a row of pictures for each unit.
fn height(params: &Map<String, Value>) -> u32 {
    let top = typed(params).map_or(12, |params: Params| params.top);
    top * 28 + 80 + top.div_ceil(4) * 180
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let mut parts = Vec::new();
    if !outcome.found.is_empty() {
        let title = "AUC, with 95 % intervals: 0.5 is chance, 1 is always higher for the group, 0 always lower";
        let bars = outcome.found.iter().map(|found| bar(context, &params, found)).collect();
        parts.push(Part::bars(title, ["unit", "area under the ROC curve"], bars));
    }
    let mut items = Vec::new();
    for found in &outcome.found {
        let Some(seen) = &found.strongest else { continue };
        items.push(GridItem {
            picture: context.plain(&seen.picture, (seen.width, seen.height), &seen.caption)?,
            caption: format!("{}: {}", UnitRef::plain(&params.layer, found.unit), seen.caption),
            value: number(found.auc, 3),
            unit: context.unit(&params.layer, found.unit),
        });
    }
    if !items.is_empty() {
        let title =
            "The image that activates each of these units most, and the unit's AUC".to_owned();
        parts.push(Part::Pictures { title, items });
    }
    Ok(Drawing::Parts {
        parts,
        table: table(context, &params, &outcome),
        note: note(context, &params, &outcome),
    })
}

/// A bar from chance to the unit's AUC.
fn bar(context: &DrawContext<'_>, params: &Params, found: &Found) -> Bar {
    let range = format!("{} to {}", number(found.low, 3), number(found.high, 3));
    Bar {
        label: UnitRef::plain(&params.layer, found.unit),
        value: format!("{} ({range})", number(found.auc, 3)),
        from: found.auc.min(0.5),
        to: found.auc.max(0.5),
        below: found.auc < 0.5,
        interval: Some((found.low, found.high)),
        dots: vec![],
        unit: context.unit(&params.layer, found.unit),
    }
}

fn table(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Table {
    let head = [
        "unit",
        "AUC",
        "lower end",
        "upper end",
        "Cohen's d",
        "p",
        "q",
        "mean in the group",
        "mean of the others",
        "strongest image",
    ];
    let row = |found: &Found| {
        let digits = decimals((found.inside - found.outside).abs()).clamp(2, 6);
        vec![
            found.unit.to_string(),
            number(found.auc, 4),
            number(found.low, 4),
            number(found.high, 4),
            found.effect.map(|effect| number(effect, 2)).unwrap_or_default(),
            chance(found.p),
            chance(found.q),
            number(found.inside, digits),
            number(found.outside, digits),
            found.strongest.as_ref().map(|seen| seen.caption.clone()).unwrap_or_default(),
        ]
    };
    let units = outcome.found.iter().map(|found| context.unit(&params.layer, found.unit));
    let rows = outcome.found.iter().map(row).collect();
    Table::new(&head, rows).of_units(0, units.collect())
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let noun = params.layer.noun();
    let negative = params.negative.as_ref().map(|group| group_line(group, context.inputs));
    let mut note = format!(
        "{} ({}) against {} ({}); of {} {noun}s that vary, {} are higher and {} lower for the group, with q below 0.05",
        group_line(&params.positive, context.inputs),
        thousands(outcome.positive),
        negative.unwrap_or_else(|| "all other pictures".to_owned()),
        thousands(outcome.negative),
        thousands(outcome.units.saturating_sub(outcome.constant + outcome.spoiled.len() as u64)),
        thousands(outcome.rising),
        thousands(outcome.falling),
    );
    if outcome.constant > 0 {
        let which = match outcome.constant {
            1 => format!("1 {noun} has"),
            count => format!("{} {noun}s have", thousands(count)),
        };
        note += &format!("; {which} the same activation for all of them");
    }
    note += &spoiled::note(&outcome.spoiled, noun);
    match outcome.found.first() {
        Some(first) => {
            note += &format!(
                "; `neuronotes new note --unit {}/{}` starts a note about the first {noun}",
                context.layer_shown, first.unit
            );
        }
        None => note += &format!("; no {noun} goes in that direction"),
    }
    note
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({
            "layer": "visual.layer4.1.add", "positive": { "captions": ["racket"] }, "pool": "mean",
            "order": "both", "top": 12,
        });
        let stored = Stored::new(&unit_search::KIND, params, outcome);
        let mut stored = stored.output("001.png", "image/png", b"a picture");
        stored.layer_shown = "image_block_4/1/Add_6";
        stored.drawn()
    }

    #[test]
    fn a_search_is_bars_from_chance_and_the_strongest_image_of_each_unit() {
        insta::assert_json_snapshot!(drawn(&unit_search::sample(3.25)));
    }

    #[test]
    fn an_empty_list_is_said_to_be_one() {
        let none =
            Outcome { found: vec![], spoiled: vec![], constant: 0, ..unit_search::sample(1.0) };
        let Drawing::Parts { parts, note, .. } = drawn(&none) else { panic!("parts") };
        assert!(parts.is_empty() && note.ends_with("no unit goes in that direction"), "{note}");
    }
}
