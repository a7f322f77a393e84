//! Selects the measurement of a sweep that a value refers to.

use std::ops::Range;

use neuronotes_core::model::Place;

use super::control::Asked;
use super::place::{beyond, place as place_in};
use super::tree::COUNT;
use crate::claim::Step;
use crate::diagnostic::fault::Fault;
use crate::plan::Cell;

/// The selected measurement of a sweep.
pub(super) enum Choice<'q> {
    /// None: their number is meant.
    Count,
    /// This one, with the remaining steps.
    Cell(usize, &'q [(Step, Range<usize>)]),
}

/// Selects a measurement.
pub(super) fn choose<'q>(cells: &[Cell], asked: &Asked<'q>) -> Result<Choice<'q>, Fault> {
    let fields = || cells.first().into_iter().flat_map(|cell| &cell.values);
    let example = || {
        let one = |(field, value): &(&str, String)| format!("{field}={}", plain(value));
        let all: Vec<String> = fields().map(one).collect();
        format!("select one, as in `{0}[{1}]` or `{0}.cells[0]`", asked.name, all.join(", "))
    };
    let wrong = |place: Range<usize>, message: String, hint: String| {
        Err(Fault::new(place, message).hint(hint))
    };
    let steps = match asked.steps {
        [(Step::Field(name), _), rest @ ..] if name == "cells" => rest,
        [(Step::Where(_) | Step::At(_), _), ..] => asked.steps,
        _ => {
            let message = format!("`{}` is a sweep of {} measurements", asked.name, cells.len());
            return wrong(asked.place.clone(), message, example());
        }
    };
    match steps {
        [(Step::Field(name), _)] if COUNT.contains(&name.as_str()) => Ok(Choice::Count),
        [(Step::At(at), place), rest @ ..] => match place_in(*at, cells.len()) {
            Some(at) => Ok(Choice::Cell(at, rest)),
            None => {
                let (message, hint) = beyond(&asked.name, *at, cells.len());
                wrong(place.clone(), message, hint)
            }
        },
        [(Step::Where(pairs), place), rest @ ..] => {
            let holds = |cell: &Cell| pairs.iter().all(|(field, value)| is(cell, field, value));
            let found: Vec<usize> = (0..cells.len()).filter(|at| holds(&cells[*at])).collect();
            match found.as_slice() {
                [one] => Ok(Choice::Cell(*one, rest)),
                [] => {
                    let known = |name: &str| fields().any(|(field, _)| *field == name);
                    let odd = pairs.iter().find(|(name, _)| !known(name));
                    match odd {
                        Some((name, _)) => {
                            let message = format!("`{}` does not sweep over `{name}`", asked.name);
                            wrong(place.clone(), message, example())
                        }
                        None => {
                            let message =
                                format!("no measurement of `{}` has these values", asked.name);
                            let mut all: Vec<String> = cells
                                .iter()
                                .map(|cell| format!("`[{}]`", selector(cell)))
                                .collect();
                            let more = all.len().saturating_sub(8);
                            all.truncate(8);
                            let more =
                                if more > 0 { format!(" and {more} more") } else { String::new() };
                            wrong(
                                place.clone(),
                                message,
                                format!("known: {}{more}", all.join(", ")),
                            )
                        }
                    }
                }
                [first, ..] => {
                    let message = format!(
                        "{} measurements of `{}` have these values",
                        found.len(),
                        asked.name
                    );
                    let hint = format!("give all of them, as in `[{}]`", selector(&cells[*first]));
                    wrong(place.clone(), message, hint)
                }
            }
        }
        _ => wrong(asked.place.clone(), format!("`{}.cells` is a list", asked.name), example()),
    }
}

/// How to select a measurement of a sweep by its values.
fn selector(cell: &Cell) -> String {
    let one = |(field, value): &(&str, String)| format!("{field}={}", plain(value));
    cell.values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A swept value without a unit's name from the note.
fn plain(value: &str) -> &str {
    value.split(" · ").next().unwrap_or(value)
}

fn is(cell: &Cell, field: &str, value: &str) -> bool {
    let target = cell.measurement.target.as_ref();
    let layer = target.is_some_and(|t| {
        field == "layer" && (t.shown == value || t.place == Place::Layer(value.to_owned()))
    });
    layer || cell.values.iter().any(|(name, own)| *name == field && plain(own) == value)
}
