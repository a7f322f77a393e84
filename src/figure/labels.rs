//! Draws `labels`: the labels of a unit with their tests, or those of a layer that hold best and all of them as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::labels::{self, Label, Method, Outcome, Params, RATE, Row, Test, Truth};
use neuronotes_core::number::{chance, number, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part, bars};
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;

/// The drawing of `labels`.
pub(super) static FIGURE: Figure = Figure { kind: &labels::KIND, height, draw };

/// Units of a layer whose labels are drawn.
const SHOWN: usize = 20;
/// Maximum number of rows of the table.
const MOST_ROWS: usize = 3_000;
/// Up to so many rows, the table has all labels of a unit; otherwise the first.
const ALL: usize = 1_000;

/// Two bars a label of a unit, or one a unit of a layer.
fn height(params: &Map<String, Value>) -> u32 {
    match typed::<Params>(params) {
        Some(Params { unit: Some(_), top, .. }) => 120 + top * 56,
        _ => 80 + SHOWN as u32 * 28,
    }
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let parts = match (params.unit, outcome.rows.as_slice()) {
        (Some(_), [row]) => of_unit(&params, row),
        _ => of_layer(&params, &outcome).into_iter().collect(),
    };
    Ok(Drawing::Parts {
        parts,
        table: table(context, &params, &outcome),
        note: note(context, &params, &outcome),
    })
}

/// What labels were chosen by.
fn score(params: &Params) -> &'static str {
    match params.method {
        Method::SoftWpmi => "SoftWPMI",
        Method::Invert => "AUC",
    }
}

/// The labels of one unit: the scores by which they were chosen, and their tests.
fn of_unit(params: &Params, row: &Row) -> Vec<Part> {
    let mut parts = Vec::new();
    let scores = row.labels.iter().map(|label| {
        let digits = if params.method == Method::Invert { 3 } else { 2 };
        (label.label.clone(), label.score, number(label.score, digits))
    });
    let title = format!("{} on the images that labels were chosen by", score(params));
    parts.push(Part::bars(&title, ["label", score(params)], bars(scores)));
    let tests: Vec<Bar> = row.labels.iter().filter_map(|label| bar(label, &label.label)).collect();
    if !tests.is_empty() {
        parts.push(Part::bars(TESTED, ["label", "area under the ROC curve"], tests));
    }
    parts
}

/// The title of bars from chance to the AUC of images held out.
const TESTED: &str =
    "AUC of the unit for held-out images that show the label, with 95 % intervals (0.5 is chance)";

fn bar(label: &Label, shown: &str) -> Option<Bar> {
    let test = label.test.as_ref()?;
    let range = format!("{} to {}", number(test.low, 3), number(test.high, 3));
    Some(Bar {
        label: shown.to_owned(),
        value: format!("{} ({range})", number(test.auc, 3)),
        from: test.auc.min(0.5),
        to: test.auc.max(0.5),
        below: test.auc < 0.5,
        interval: Some((test.low, test.high)),
        dots: vec![],
        unit: None,
    })
}

/// The units whose first labels do best on images held out, by the lower end of the interval.
fn of_layer(params: &Params, outcome: &Outcome) -> Option<Part> {
    let first = |row: &'_ Row| Some((row.unit, row.labels.first()?.clone()));
    let mut tested: Vec<(u32, Label)> = outcome.rows.iter().filter_map(first).collect();
    tested.retain(|(_, label)| label.test.is_some());
    let low = |label: &Label| label.test.as_ref().map_or(0.0, |test| test.low);
    tested.sort_by(|(_, a), (_, b)| low(b).total_cmp(&low(a)));
    let title = match tested.len() {
        many if many > SHOWN => {
            format!("{TESTED}: the {SHOWN} units whose first labels do best")
        }
        _ => TESTED.to_owned(),
    };
    let rows = tested.iter().take(SHOWN).filter_map(|(unit, label)| {
        let shown = format!("{}: {}", UnitRef::plain(&params.layer, *unit), label.label);
        bar(label, &shown)
    });
    let rows: Vec<Bar> = rows.collect();
    (!rows.is_empty())
        .then(|| Part::bars(&title, ["unit and label", "area under the ROC curve"], rows))
}

fn table(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Table {
    let head = [
        "unit",
        "rank",
        "label",
        score(params),
        "held-out images",
        "AUC",
        "lower end",
        "upper end",
        "MAD",
        "p",
        "q",
    ];
    let mut rows = Vec::new();
    let mut units = Vec::new();
    let each = |row: &'_ Row| row.labels.len();
    // All labels if there is room, or else the first ones.
    let all = outcome.rows.iter().map(each).sum::<usize>() <= ALL;
    for row in &outcome.rows {
        let labels = row.labels.iter().take(if all { usize::MAX } else { 1 });
        for (rank, label) in labels.enumerate() {
            let mut cells = vec![
                row.unit.to_string(),
                (rank + 1).to_string(),
                label.label.clone(),
                number(label.score, 4),
            ];
            cells.extend(tested(label.test.as_ref()));
            rows.push(cells);
            units.push(context.unit(&params.layer, row.unit));
        }
    }
    rows.truncate(MOST_ROWS);
    units.truncate(MOST_ROWS);
    Table::new(&head, rows).of_units(0, units)
}

fn tested(test: Option<&Test>) -> [String; 7] {
    let Some(test) = test else { return Default::default() };
    [
        test.images.to_string(),
        number(test.auc, 4),
        number(test.low, 4),
        number(test.high, 4),
        test.mad.map(|mad| number(mad, 2)).unwrap_or_default(),
        chance(test.p),
        chance(test.q),
    ]
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let noun = params.layer.noun();
    let what = match (params.truth(), &params.texts) {
        (Truth::Label, _) => "labels",
        (Truth::Caption, None) => "captions",
        (Truth::Caption, Some(_)) => "words",
    };
    let mut note = format!(
        "{} {what}, chosen by {} over {} images and tested on {} others",
        thousands(outcome.texts),
        score(params),
        thousands(outcome.train),
        thousands(outcome.held_out),
    );
    if outcome.shown < outcome.texts {
        note += &format!(
            "; {} of the words are in no {} and could not be tested",
            thousands(outcome.texts - outcome.shown),
            params.truth().word()
        );
    }
    if params.unit.is_some() {
        if outcome.rows.is_empty() {
            note +=
                &format!("; the {noun} has the same activation for all images, and so no label");
        }
        return note + &spoiled::note(&outcome.spoiled, noun);
    }
    note += &format!(
        "; of {} {noun}s, the first labels of {} could be tested and those of {} hold (AUC above 0.5, q below {RATE})",
        thousands(outcome.units),
        thousands(outcome.tested),
        thousands(outcome.holding),
    );
    if let Some(median) = outcome.median {
        note += &format!("; median AUC {}", number(median, 3));
    }
    if outcome.constant > 0 {
        let which = match outcome.constant {
            1 => format!("1 {noun} has"),
            count => format!("{} {noun}s have", thousands(count)),
        };
        note += &format!("; {which} the same activation for all images, and so no label");
    }
    note += &spoiled::note(&outcome.spoiled, noun);
    if let Some(first) = outcome.rows.first() {
        note += &format!(
            "; `neuronotes new note --unit {}/{}` starts a note about a {noun} of the table",
            context.layer_shown, first.unit
        );
    }
    note
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(mut params: Value, outcome: &Outcome) -> Drawing {
        for (name, value) in [
            ("layer", json!("visual.layer4.1.add")),
            ("pool", json!("mean")),
            ("top", json!(3)),
            ("held_out", json!(0.3)),
            ("seed", json!(0)),
        ] {
            params[name] = value;
        }
        let mut stored = Stored::new(&labels::KIND, params, outcome);
        stored.layer_shown = "image_block_4/1/Add_6";
        stored.drawn()
    }

    #[test]
    fn a_layer_is_the_labels_that_hold_best_and_a_table_of_all() {
        let params = json!({ "method": "soft_wpmi", "texts": ["racket", "moon"] });
        insta::assert_json_snapshot!(drawn(params, &labels::sample(false, 4.5)));
    }

    #[test]
    fn a_unit_is_the_scores_of_its_labels_and_their_tests() {
        let params = json!({ "method": "invert", "unit": 3 });
        insta::assert_json_snapshot!(drawn(params.clone(), &labels::sample(true, 0.875)));
        let none = Outcome { rows: vec![], spoiled: vec![], ..labels::sample(true, 1.0) };
        let Drawing::Parts { parts, note, .. } = drawn(params, &none) else { panic!("parts") };
        assert!(parts.is_empty() && note.ends_with("for all images, and so no label"), "{note}");
    }

    #[test]
    fn of_many_units_the_best_are_drawn_and_first_labels_are_listed() {
        let mut outcome = labels::sample(false, 4.5);
        outcome.rows = (0..1_600).map(|unit| Row { unit, ..outcome.rows[1].clone() }).collect();
        let params = json!({ "method": "soft_wpmi" });
        let Drawing::Parts { parts, table, .. } = drawn(params, &outcome) else { panic!("parts") };
        assert_eq!(table.rows.len(), 1_600, "the first label of each");
        let [Part::Bars(bars)] = &parts[..] else { panic!("bars") };
        assert_eq!(bars.rows.len(), SHOWN);
        assert!(bars.title.ends_with("the 20 units whose first labels do best"), "{}", bars.title);
    }
}
