//! Draws the causal half of `concept`: the logit of the concept's name without the unit, the units and the direction.

use neuronotes_core::kind::concept::{Causal, Removed};
use neuronotes_core::number::number;

use super::bars::{bar, row};
use crate::figure::part::{Bar, Part, bars};

/// The AUC of the logit as it is and without each, and how the logit changes, beside changes of the same size by chance.
pub(super) fn parts(causal: &Causal, name: &str, unit: &str) -> [Part; 2] {
    let head = ["removed", "area under the ROC curve"];
    let mut rows = vec![bar("nothing", &causal.auc)];
    rows.extend(
        causal.all().map(|(what, removed)| bar(&removed_name(what, removed, unit), &removed.auc)),
    );
    let title = format!("Held-out pictures by the logit of “{name}” (AUC), without");
    let areas = Part::bars(&title, head, rows);
    let title = format!("Change of the logit of “{name}” for pictures of the concept");
    [areas, Part::bars(&title, ["removed", "change of the logit"], changes(causal, unit))]
}

/// The rows of the table.
pub(super) fn rows(causal: &Causal, unit: &str) -> Vec<Vec<String>> {
    let mut rows = vec![row("the name's logit", &causal.auc)];
    for (what, removed) in causal.all() {
        let name = format!("the name's logit without {}", removed_name(what, removed, unit));
        rows.push(row(&name, &removed.auc));
    }
    rows
}

/// What was removed, and how far the logit moved, in a sentence.
pub(super) fn said(causal: &Causal, name: &str, unit: &str) -> String {
    let change = |what, removed: &Removed| {
        let count = removed.random.len();
        format!(
            "{} without {} ({} of {count} random changes of the same size move it as far)",
            signed(removed.change.mean),
            removed_name(what, removed, unit),
            removed.as_far(),
        )
    };
    let all: Vec<String> =
        causal.all().iter().map(|(what, removed)| change(*what, removed)).collect();
    format!(
        "for {} held-out pictures of the concept, the logit of “{name}” is {} on average, and changes by {}",
        causal.positive,
        number(causal.logit, 2),
        all.join(", ")
    )
}

/// For each removal its change with the interval, and the mean of the random changes with their range, on one scale.
fn changes(causal: &Causal, unit: &str) -> Vec<Bar> {
    let mut all = Vec::new();
    let mut ends = Vec::new();
    for (what, removed) in causal.all() {
        let change = &removed.change;
        let value =
            format!("{} ({} to {})", signed(change.mean), signed(change.low), signed(change.high));
        all.push((removed_name(what, removed, unit), change.mean, value));
        ends.push((change.low, change.high));
        let (mean, lowest, highest) = removed.by_chance();
        let value = format!("{} ({} to {})", signed(mean), signed(lowest), signed(highest));
        let count = removed.random.len();
        all.push((format!("{count} random changes"), mean, value));
        ends.push((lowest, highest));
    }
    let marks = ends.iter().flat_map(|(low, high)| [*low, *high]);
    let marks = marks.map(|end| (String::new(), end, String::new()));
    let count = all.len();
    let mut rows = bars(all.into_iter().chain(marks));
    let marks = rows.split_off(count);
    let place = |mark: &Bar| if mark.below { mark.from } else { mark.to };
    for (row, ends) in rows.iter_mut().zip(marks.chunks_exact(2)) {
        row.interval = Some((place(&ends[0]), place(&ends[1])));
    }
    rows
}

fn removed_name(what: &str, removed: &Removed, unit: &str) -> String {
    match what {
        "unit" => unit.to_owned(),
        "units" if removed.count == 1 => "the sum of 1 unit".to_owned(),
        "units" => format!("the {} units of the sum", removed.count),
        _ => "the direction".to_owned(),
    }
}

/// A number with its sign, in two digits.
fn signed(value: f64) -> String {
    let text = number(value, 2);
    if value > 0.0 { format!("+{text}") } else { text }
}
