//! A sweep's figure for its template: a grid of measurements, each in its own state, and their common facts.

use neuronotes_core::digest::Digest;

use super::scene::Scene;
use super::settled::Settled;
use crate::figure::{Drawing, Picture};
use crate::plan::{Sweep, Wanted};
use crate::view::{FactView, FigureState, ProblemView, StaleView, SweepItemState, SweepItemView};

/// Maximum number of different values of one fact that are listed.
const MOST_VALUES: usize = 12;

impl<'a> Scene<'a> {
    pub(super) fn sweep_state(
        &self,
        page: &str,
        sweep: &Sweep,
        settled: &'a Settled,
        alt: Option<&str>,
    ) -> FigureState<'a> {
        let settled: &'a [Settled] = match settled {
            Settled::Sweep(settled) => settled,
            _ => &[],
        };
        let items: Vec<SweepItemView<'a>> = sweep
            .cells
            .iter()
            .zip(settled)
            .map(|(cell, settled)| SweepItemView {
                key: cell.measurement.key.hex(),
                caption: self.plan.caption(cell),
                href: cell.measurement.named().map(|unit| {
                    let measurement = &cell.measurement;
                    let model = &measurement.request.model.name;
                    self.unit_href(page, &unit, model, measurement.layer_shown())
                }),
                alt: alt.map(|alt| format!("{alt} ({})", self.plan.caption(cell))),
                state: item(settled),
            })
            .collect();
        let done = settled.iter().filter(|one| matches!(one, Settled::Done { .. })).count();
        let status = match items.len() - done {
            0 => String::new(),
            _ => format!("{done} of {} measured", items.len()),
        };
        let (wide, narrow) = columns(&sweep.axes);
        FigureState::Sweep { items, wide, narrow, status }
    }
}

/// Number of columns of the grid: as many as the second of two fields has values, or else the number that leaves the
/// fewest gaps in the last row.
fn columns(axes: &[usize]) -> (usize, usize) {
    match *axes {
        [_, across] => (across.min(8), across.min(8)),
        [count] => {
            let fitting = |least: usize, most: usize, otherwise: usize| match count <= most {
                true => count,
                false => {
                    (least..=most).rev().find(|n| count.is_multiple_of(*n)).unwrap_or(otherwise)
                }
            };
            (fitting(4, 6, 5), fitting(3, 4, 3))
        }
        _ => (4, 3),
    }
}

fn item(settled: &Settled) -> SweepItemState<'_> {
    match settled {
        Settled::Done { drawing, .. } => {
            let (pictures, value, note) = shown(drawing);
            SweepItemState::Done { pictures, value, note }
        }
        Settled::Failed(problem) | Settled::Missing(problem) => {
            SweepItemState::Failed { problem: ProblemView::from(problem) }
        }
        Settled::Waiting { status, stale, so_far } => {
            let stale = stale.as_ref().map(|drawing| {
                let (pictures, value, _) = shown(drawing);
                StaleView { pictures, value }
            });
            SweepItemState::Waiting { status: status.clone(), stale, so_far: so_far.as_deref() }
        }
        Settled::Sweep(_) => {
            SweepItemState::Waiting { status: String::new(), stale: None, so_far: None }
        }
    }
}

/// The content of a cell: a drawing's pictures, a number, and its caption.
fn shown(drawing: &Drawing) -> (Vec<&Picture>, &str, &str) {
    match drawing {
        Drawing::Picture { picture, value, note, .. } => (vec![picture], value, note),
        Drawing::Grid { items, note, .. } => {
            let value = items.last().map_or("", |item| &item.value);
            (items.iter().map(|item| &item.picture).collect(), value, note)
        }
        drawing => (drawing.first_picture().into_iter().collect(), "", ""),
    }
}

/// One key for all measurements of a block; empty if the block has an error.
pub(super) fn key(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Measurement(measurement) => measurement.key.hex(),
        Wanted::Sweep(sweep) => {
            let keys: Vec<String> =
                sweep.cells.iter().map(|cell| cell.measurement.key.hex()).collect();
            Digest::of(keys.join("\n").as_bytes()).hex()
        }
        Wanted::Nothing(_) => String::new(),
    }
}

/// The facts of several measurements as one list: common ones once, the others value by value.
pub(super) fn merged(all: Vec<Vec<FactView>>) -> Vec<FactView> {
    let mut names: Vec<&str> = Vec::new();
    for fact in all.iter().flatten() {
        if !names.contains(&fact.name.as_str()) {
            names.push(&fact.name);
        }
    }
    let fact = |name: &str| {
        let mut values: Vec<&str> = Vec::new();
        for found in all.iter().flatten().filter(|fact| fact.name == name) {
            if !values.contains(&found.value.as_str()) {
                values.push(&found.value);
            }
        }
        let mut value = values[..values.len().min(MOST_VALUES)].join(" · ");
        if values.len() > MOST_VALUES {
            value.push_str(&format!(" … ({} in all)", values.len()));
        }
        let mut same = all.iter().flatten().filter(|fact| fact.name == name);
        let first = same.next().and_then(|fact| fact.href.clone());
        let href = first.filter(|_| values.len() == 1);
        FactView { name: name.to_owned(), value, href }
    };
    let of = |facts: &[FactView], name: &str| -> Vec<FactView> {
        facts.iter().filter(|fact| fact.name == name).cloned().collect()
    };
    let shared = |name: &str| {
        let (first, rest) = all.split_first()?;
        let found = of(first, name);
        rest.iter().all(|facts| of(facts, name) == found).then_some(found)
    };
    names.into_iter().flat_map(|name| shared(name).unwrap_or_else(|| vec![fact(name)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_as_wide_as_its_second_field_or_leaves_no_gap() {
        assert_eq!(columns(&[3, 4]), (4, 4));
        assert_eq!(columns(&[2]), (2, 2));
        assert_eq!(columns(&[16]), (4, 4));
        assert_eq!(columns(&[18]), (6, 3));
        assert_eq!(columns(&[7]), (5, 3));
    }

    #[test]
    fn facts_that_differ_are_listed() {
        let fact = |name: &str, value: &str| FactView {
            name: name.into(),
            value: value.into(),
            href: None,
        };
        let list = |unit| vec![fact("unit", unit), fact("steps", "512")];
        let all: Vec<String> = merged(vec![list("3"), list("4")])
            .into_iter()
            .map(|fact| format!("{}: {}", fact.name, fact.value))
            .collect();
        assert_eq!(all, ["unit: 3 · 4", "steps: 512"]);
    }
}
