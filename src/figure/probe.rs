//! Draws `probe`: accuracy, accuracy against the number of terms, calibration, and the terms of each class.

use serde_json::{Map, Value};

use neuronotes_core::kind::probe::{self, Bin, Line, Outcome, Params, Penalty, Score, Step};
use neuronotes_core::number::{decimals, number, percent, thousands, tick};
use neuronotes_core::statistics::{part, wilson};

use super::axis::Axis;
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::lines::{Chart, Line as Curve, Mark, Point};
use super::part::{Bar, Part, accuracy, bars};
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;

/// Maximum number of rows of the data table.
const MOST_ROWS: usize = 2_000;
/// Maximum number of classes with an accuracy of their own, or whose terms are shown.
const MOST_CLASSES: usize = 24;

/// The drawing of `probe`.
pub(super) static FIGURE: Figure = Figure { kind: &probe::KIND, height, draw };

/// Accuracies, a curve, a calibration, and a few terms for each class.
fn height(params: &Map<String, Value>) -> u32 {
    let classes = typed(params).map_or(0, |params: Params| params.classes.len());
    let classes = if classes == 0 { 8 } else { classes.min(MOST_CLASSES) };
    u32::try_from(classes).map_or(0, |classes| 700 + classes * 140)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let top = context.count("top").unwrap_or(probe::MOST_WEIGHTS);
    let weights = outcome.classes.iter().flat_map(|line| &line.weights);
    let digits = decimals(weights.fold(0.0, |most, term| term.weight.abs().max(most)));
    let mut parts = vec![whole(&outcome)];
    parts.extend(by_class(&outcome));
    parts.extend(path(&outcome)?);
    parts.extend(calibration(&outcome));
    parts.extend(
        outcome
            .classes
            .iter()
            .take(MOST_CLASSES)
            .filter_map(|line| terms(context, &params, line, (top, digits))),
    );
    let mut rows = Vec::new();
    let mut units = Vec::new();
    for line in &outcome.classes {
        for term in &line.weights {
            rows.push(vec![
                line.label.clone(),
                term.unit.to_string(),
                number(term.weight, digits.max(4)),
            ]);
            units.push(context.unit(&params.layer, term.unit));
        }
    }
    rows.truncate(MOST_ROWS);
    units.truncate(MOST_ROWS);
    let head = ["class", "unit", "weight for each standard deviation"];
    let table = Table::new(&head, rows).of_units(1, units);
    let note = sentence(context, &params, &outcome);
    Ok(Drawing::Parts { parts, table, note })
}

/// Accuracy on both sides, beside that of always the same answer.
fn whole(outcome: &Outcome) -> Part {
    let Score { right, of, top5, .. } = outcome.held_out;
    let mut rows = vec![accuracy("held-out images", right, of)];
    if outcome.classes.len() > 5 {
        rows.push(accuracy("held-out images, top 5", top5, of));
    }
    rows.push(accuracy("images learnt from", outcome.train.right, outcome.train.of));
    rows.push(accuracy("always the most common class", outcome.commonest, of));
    Part::bars("Accuracy, with 95 % intervals", ["images", "accuracy"], rows)
}

/// Accuracy of each class on held-out images.
fn by_class(outcome: &Outcome) -> Option<Part> {
    let judged = || outcome.classes.iter().filter(|line| line.of > 0);
    let row = |line: &Line| accuracy(&line.label, line.right, line.of);
    let rows: Vec<Bar> = judged().take(MOST_CLASSES).map(row).collect();
    let which = match judged().count() {
        all if all > MOST_CLASSES => {
            format!("each of the first {MOST_CLASSES} of {} classes", thousands(all as u64))
        }
        _ => "each class".to_owned(),
    };
    let title = format!("Accuracy of {which} on held-out images, with 95 % intervals");
    (!rows.is_empty()).then(|| Part::bars(&title, ["class", "accuracy"], rows))
}

/// Accuracy against the number of terms; `None` where there is no path.
fn path(outcome: &Outcome) -> Result<Option<Part>, String> {
    if outcome.path.is_empty() {
        return Ok(None);
    }
    let (held_out, train) = (outcome.held_out.of, outcome.train.of);
    let point = |step: &Step, right: u64, of: u64| Point {
        x: step.terms,
        y: part(right, of),
        interval: Some(wilson(right, of)),
    };
    let points = outcome.path.iter().map(|step| point(step, step.held_out, held_out)).collect();
    let learnt =
        outcome.path.iter().map(|step| Point { interval: None, ..point(step, step.train, train) });
    let lines = vec![
        Curve { name: "held-out images".to_owned(), points, markers: true },
        Curve { name: "images learnt from".to_owned(), points: learnt.collect(), markers: false },
    ];
    let chosen = outcome.terms();
    let chart = Chart {
        title: "Accuracy by terms for each class".to_owned(),
        across: Axis::linear("terms for each class, on average"),
        up: Axis::linear("accuracy").in_percent().covering(0.0, 1.0),
        lines,
        mark: Some(Mark { at: chosen, label: format!("{} terms", tick(chosen, 1)) }),
        level: Some(Mark {
            at: part(outcome.commonest, held_out),
            label: "always the most common class".to_owned(),
        }),
    };
    chart.part().map(Some)
}

/// Accuracy of held-out images by the probability of their prediction.
fn calibration(outcome: &Outcome) -> Option<Part> {
    let row = |bin: &Bin| {
        let label = format!("{} to {}", percent(bin.low), percent(bin.high));
        accuracy(&label, bin.right, bin.of)
    };
    let rows: Vec<Bar> = outcome.calibration.iter().map(row).collect();
    let title = "Calibration: accuracy of predictions by their probability, with 95 % intervals";
    (!rows.is_empty()).then(|| Part::bars(title, ["probability", "accuracy"], rows))
}

/// The strongest terms of a class, at most `top` with so many decimals; `None` if it has none.
fn terms(
    context: &DrawContext<'_>,
    params: &Params,
    line: &Line,
    (top, digits): (usize, usize),
) -> Option<Part> {
    let shown = || line.weights.iter().take(top);
    let mut rows = bars(shown().map(|term| {
        (UnitRef::plain(&params.layer, term.unit), term.weight, number(term.weight, digits))
    }));
    for (row, term) in rows.iter_mut().zip(shown()) {
        row.unit = context.unit(&params.layer, term.unit);
    }
    let title = match line.terms.saturating_sub(rows.len() as u64) {
        0 => line.label.clone(),
        1 => format!("{} (1 more term)", line.label),
        more => format!("{} ({} more terms)", line.label, thousands(more)),
    };
    (!rows.is_empty()).then(|| Part::bars(&title, ["unit", "weight"], rows))
}

fn sentence(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let Score { right, of, .. } = outcome.held_out;
    let (low, high) = wilson(right, of);
    let mut note = format!(
        "{} classes from {} units of {}: {} of {} held-out images are right ({}; 95 % interval {} to {}), by always the most common class {}",
        outcome.classes.len(),
        thousands(outcome.units.saturating_sub(outcome.constant + outcome.spoiled.len() as u64)),
        context.layer_shown,
        thousands(right),
        thousands(of),
        percent(part(right, of)),
        percent(low),
        percent(high),
        percent(part(outcome.commonest, of)),
    );
    note += &format!("; calibration error {}", percent(outcome.calibration_error()));
    if params.penalty == Penalty::L1 {
        note += &format!("; {} terms for each class", tick(outcome.terms(), 1));
    }
    let lambda = outcome.regularisation;
    note += &format!("; λ = {}", tick(lambda, decimals(lambda)));
    note += &match outcome.converged {
        true => format!("; converged to within {:.0e} of the minimum", outcome.gap),
        false => format!("; not converged: up to {:.0e} above the minimum", outcome.gap),
    };
    note += ", as a part of the loss without weights";
    if outcome.classes.len() > MOST_CLASSES {
        note += &format!("; weights of the first {MOST_CLASSES} classes are drawn");
    }
    let alone = outcome.classes.iter().filter(|line| line.of == 0).count();
    if alone > 0 {
        note += &match alone {
            1 => "; one class has no held-out image".to_owned(),
            count => format!("; {count} classes have no held-out image"),
        };
    }
    let word = params.truth.word();
    for (count, one, many) in [
        (outcome.outside, "image is of another class", "images are of other classes"),
        (outcome.unlabelled, &*format!("image has no {word}"), &*format!("images have no {word}")),
        (
            outcome.constant,
            "unit never varies and is left out",
            "units never vary and are left out",
        ),
    ] {
        match count {
            0 => {}
            1 => note += &format!("; 1 {one}"),
            count => note += &format!("; {} {many}", thousands(count)),
        }
    }
    note + &spoiled::note(&outcome.spoiled, params.layer.noun())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        let mut stored = Stored::new(&probe::KIND, params, outcome);
        stored.presentation.insert("top".to_owned(), json!(1));
        stored.layer_shown = "image_block_4/1/Add_6";
        stored.drawn()
    }

    fn params(penalty: &str) -> Value {
        json!({
            "layer": "a", "pool": "mean", "truth": "label", "penalty": penalty, "non_negative": false,
            "held_out": 0.25, "seed": 0,
        })
    }

    #[test]
    fn a_sparse_probe_is_accuracies_a_path_a_calibration_and_terms() {
        insta::assert_json_snapshot!(drawn(params("l1"), &probe::sample(2.5)));
    }

    #[test]
    fn what_is_left_out_or_not_exact_is_said() {
        let mut outcome = Outcome { path: vec![], converged: false, ..probe::sample(1.0) };
        outcome.classes[0].of = 0;
        outcome.classes[1].weights.clear();
        let Drawing::Parts { parts, note, .. } = drawn(params("l2"), &outcome) else {
            panic!("parts");
        };
        assert!(
            note.contains("; not converged: up to") && note.contains("; one class has no held-out")
        );
        assert!(note.contains("3 images are of other classes; 2 images have no label; 1 unit never varies and is left out"));
        assert!(!note.contains("are drawn"), "{note}");
        // Accuracy, by class, calibration, and the terms of the one class that has some.
        assert_eq!(parts.len(), 4);
    }

    #[test]
    fn small_weights_keep_three_digits_and_more_classes_than_are_drawn_are_counted() {
        let mut outcome = probe::sample(0.0123);
        outcome.regularisation = 0.0795;
        let line = Line {
            weights: outcome.classes[0].weights[..1].to_vec(),
            of: 2,
            ..outcome.classes[0].clone()
        };
        outcome.classes = vec![line; 30];
        let Drawing::Parts { parts, note, .. } = drawn(params("l2"), &outcome) else {
            panic!("parts");
        };
        assert!(
            note.contains("; λ = 0.0795; ") && note.contains("first 24 classes are drawn"),
            "{note}"
        );
        let titles: Vec<&str> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Bars(bars) => Some(bars.title.as_str()),
                _ => None,
            })
            .collect();
        assert!(
            titles.iter().any(|title| title.contains("each of the first 24 of 30 classes")),
            "{titles:?}"
        );
        let Some(Part::Bars(last)) = parts.last() else { panic!("terms") };
        assert_eq!(last.rows[0].value, "0.0123");
    }
}
