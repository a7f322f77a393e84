//! Draws `selectivity`: a bar from chance to the score of each category, with its interval; the curves if they are asked for; and all
//! numbers as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::selectivity::{self, FEWEST, Outcome, Params, Row, Sides, Way};
use neuronotes_core::number::{chance, number, percent, thousands};

use super::axis::Axis;
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::lines::{Chart, Line, MOST, Mark, Point};
use super::part::{Bar, Part};
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;
use crate::field::{direction_line, group_line};

/// The drawing of `selectivity`.
pub(super) static FIGURE: Figure = Figure { kind: &selectivity::KIND, height, draw };

/// A bar for each category and unit, of which about eight are expected where the block does not list them.
fn height(params: &Map<String, Value>) -> u32 {
    let rows = typed(params).map(|params: Params| {
        let units = params.also.as_ref().map_or(0, Vec::len) + 1;
        params.classes().map(|classes| classes.len() * units)
    });
    60 + 28 * rows.flatten().map_or(8, |rows| rows.min(24) as u32)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let most = context.count("most").unwrap_or(24).max(1);
    let is_precise = context.option("score") == Some("precision");
    let shown = &outcome.rows[..outcome.rows.len().min(most)];
    let title = match is_precise {
        false => "AUC, with 95 % intervals: 0.5 is chance, 1 is always higher for the category",
        true => "Average precision, with 95 % intervals; each bar begins at what chance gives",
    };
    let several = params.also.is_some() || is_layer(&params);
    let label = |row: &Row| match row.unit.filter(|_| several) {
        Some(unit) => format!("{} ({})", row.name, UnitRef::plain(&params.layer, unit)),
        None => row.name.clone(),
    };
    let bars = shown.iter().map(|row| bar(label(row), row, is_precise)).collect();
    let head =
        ["category", if is_precise { "average precision" } else { "area under the ROC curve" }];
    let mut parts = vec![Part::bars(title, head, bars)];
    if context.presentation.get("curves") == Some(&Value::Bool(true)) {
        parts.extend(curves(&outcome, label)?);
    }
    let mut note = note(context, &params, &outcome);
    if outcome.rows.len() > shown.len() {
        let hidden = outcome.rows.len() - shown.len();
        note += &format!("; {} more in the table", thousands(hidden as u64));
    }
    Ok(Drawing::Parts { parts, table: table(context, &params, &outcome), note })
}

/// Whether units were chosen from the whole layer.
fn is_layer(params: &Params) -> bool {
    params.unit.is_none() && params.direction.is_none()
}

/// A bar from chance to a row's score.
fn bar(label: String, row: &Row, is_precise: bool) -> Bar {
    let (score, interval, origin) = match is_precise {
        false => (row.auc, row.auc_interval, 0.5),
        true => (row.precision, row.precision_interval, row.chance),
    };
    let mut value = number(score, 3);
    if let Some((low, high)) = interval {
        value += &format!(" ({} to {})", number(low, 3), number(high, 3));
    }
    Bar {
        label,
        value,
        from: score.min(origin),
        to: score.max(origin),
        below: score < origin,
        interval,
        dots: vec![],
        // The label is the category: the table names the units.
        unit: None,
    }
}

/// The ROC curves, and those of precision over recall, of the first rows.
fn curves(outcome: &Outcome, label: impl Fn(&Row) -> String) -> Result<Vec<Part>, String> {
    let of = |points: fn(&Row) -> &[(f64, f64)]| -> Vec<Line> {
        let rows = outcome.rows.iter().filter(|row| !points(row).is_empty()).take(MOST);
        let point = |(x, y): &(f64, f64)| Point { x: *x, y: *y, interval: None };
        let line = |row: &Row| Line {
            name: label(row),
            points: points(row).iter().map(point).collect(),
            markers: false,
        };
        rows.map(line).collect()
    };
    let (roc, precision) = (of(|row| &row.roc), of(|row| &row.curve));
    if roc.is_empty() {
        return Ok(vec![]);
    }
    let chart = |title: &str, [across, up]: [&str; 2], lines, level| Chart {
        title: title.to_owned(),
        across: Axis::linear(across).covering(0.0, 1.0),
        up: Axis::linear(up).covering(0.0, 1.0),
        lines,
        mark: None,
        level,
    };
    let axes = ["fraction of the other images", "fraction of the category's images"];
    let chance = |at: f64| Mark { at, label: "chance".to_owned() };
    let single = outcome.rows.first().filter(|_| precision.len() == 1);
    let level =
        single.map(|row| chance(row.positive as f64 / (row.positive + row.negative) as f64));
    let axes_of_precision = ["recall", "precision"];
    Ok(vec![
        chart("ROC: above a threshold that falls from left to right", axes, roc, None).part()?,
        chart("Precision over recall", axes_of_precision, precision, level).part()?,
    ])
}

fn table(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Table {
    let head = [
        "category",
        params.layer.noun(),
        "images",
        "others",
        "AUC",
        "lower end",
        "upper end",
        "average precision",
        "lower end",
        "upper end",
        "by chance",
        "of the strongest",
        "first other",
        "rank",
        "p (max-T)",
        "p alone",
        "AUC where chosen",
    ];
    let or_none = |value: Option<String>| value.unwrap_or_default();
    let row = |row: &Row| {
        let end = |interval: Option<(f64, f64)>, high: bool| {
            or_none(interval.map(|ends| number(if high { ends.1 } else { ends.0 }, 4)))
        };
        vec![
            row.name.clone(),
            or_none(row.unit.map(|unit| unit.to_string())),
            thousands(row.positive),
            thousands(row.negative),
            number(row.auc, 4),
            end(row.auc_interval, false),
            end(row.auc_interval, true),
            number(row.precision, 4),
            end(row.precision_interval, false),
            end(row.precision_interval, true),
            number(row.chance, 4),
            thousands(row.hits),
            thousands(row.first_other),
            or_none(row.rank.map(thousands)),
            or_none(row.p.map(chance)),
            or_none(row.alone.map(chance)),
            or_none(row.chosen.map(|area| number(area, 4))),
        ]
    };
    let units = outcome.rows.iter().map(|row| context.unit(&params.layer, row.unit?));
    let rows = outcome.rows.iter().map(row).collect();
    Table::new(&head, rows).of_units(1, units.collect())
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let noun = params.layer.noun();
    let direction = params.direction.as_ref();
    let direction = direction.map(|terms| format!("{}: ", direction_line(terms, context.inputs)));
    let mut note = direction.unwrap_or_default();
    note += &match params.sides() {
        Sides::Whole => format!(
            "{} images, none of which were used to choose anything",
            thousands(outcome.images)
        ),
        sides => {
            let how = match sides {
                Sides::Hash(fraction, _) => format!(", {} of all by a hash", percent(fraction)),
                Sides::Groups(_, Some(test)) => format!(" ({})", group_line(test, context.inputs)),
                _ => String::new(),
            };
            let mut said = format!("tested on {} images{how}", thousands(outcome.images));
            if outcome.chosen_on > 0 {
                let what = if is_layer(params) {
                    format!("each {noun} was chosen")
                } else {
                    "the order is".to_owned()
                };
                said += &format!("; {what} by {} others", thousands(outcome.chosen_on));
            }
            said
        }
    };
    if outcome.unused > 0 {
        note += &format!("; {} on neither side", thousands(outcome.unused));
    }
    if let [only] = outcome.rows.as_slice() {
        note += &format!(
            "; {} of the {} strongest are of the category",
            thousands(only.hits),
            thousands(only.positive)
        );
        let way = if params.way == Way::Higher { "" } else { ", in either direction" };
        if let (Some(rank), Some(p)) = (only.rank, only.p) {
            note += &format!(
                "; rank {} of {} {noun}s, p {}{way}",
                thousands(rank),
                thousands(outcome.compared),
                p_said(p)
            );
        }
    }
    note += &format!(
        "; p is adjusted for {} {noun}s by max-T over {} permutations",
        thousands(outcome.compared),
        thousands(outcome.permutations.into())
    );
    let few = outcome.rows.iter().filter(|row| row.auc_interval.is_none()).count();
    if few > 0 {
        let what = if few == 1 { "1 row has".to_owned() } else { format!("{few} rows have") };
        note += &format!("; {what} no interval, with fewer than {FEWEST} images of one kind");
    }
    let constant = outcome.rows.iter().filter(|row| row.rank.is_none()).count();
    if constant > 0 {
        note +=
            &format!("; {constant} without a rank, because the {noun} is the same for all images");
    }
    if let [first, others @ ..] = outcome.untested.as_slice() {
        let also = match others.len() {
            0 => String::new(),
            count => format!(" and {} others", thousands(count as u64)),
        };
        note += &format!("; `{}`{also} cannot be tested: all or none of the images", first.name);
    }
    note + &spoiled::note(&outcome.spoiled, noun)
}

/// A p-value after the letter.
fn p_said(p: f64) -> String {
    let said = chance(p);
    if said.starts_with(['<', '>']) { said } else { format!("= {said}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn stored(outcome: &Outcome, more: Value) -> Stored {
        let mut params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "by": "label", "way": "higher", "permutations": 1000,
            "held_out": 0.5, "pool": "mean", "seed": 0,
        });
        for (name, value) in more.as_object().expect("fields") {
            params[name] = value.clone();
        }
        Stored::new(&selectivity::KIND, params, outcome)
    }

    #[test]
    fn scores_are_bars_from_chance_and_all_numbers_a_table() {
        insta::assert_json_snapshot!(stored(&selectivity::sample(0.875), json!({})).drawn());
    }

    #[test]
    fn precision_and_curves_are_drawn_on_demand() {
        let mut stored = stored(&selectivity::sample(0.875), json!({ "also": [7] }));
        stored.presentation.insert("score".to_owned(), json!("precision"));
        stored.presentation.insert("curves".to_owned(), json!(true));
        let Drawing::Parts { parts, .. } = stored.drawn() else { panic!("parts") };
        let [Part::Bars(bars), Part::Lines(roc), Part::Lines(curve)] = &parts[..] else {
            panic!("{parts:?}")
        };
        assert_eq!((bars.rows[0].from, bars.rows[0].to), (0.0625, 0.75));
        assert_eq!(bars.rows[0].label, "heart (unit 3)");
        assert_eq!(roc.names, ["heart (unit 3)"]);
        assert!(curve.svg.contains("chance"), "one category has one chance level");
    }

    #[test]
    fn one_row_is_said_in_a_sentence() {
        let mut outcome = selectivity::sample(0.875);
        outcome.rows.truncate(1);
        let Drawing::Parts { note, .. } = stored(&outcome, json!({})).drawn() else {
            panic!("parts")
        };
        assert!(
            note.contains("22 of the 27 strongest are of the category; rank 2 of 254 units"),
            "{note}"
        );
    }
}
