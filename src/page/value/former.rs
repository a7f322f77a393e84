//! Former names of values: they still work, and are reported with the name that says what is counted.

use std::ops::Range;

use neuronotes_core::kind::Kind;

use super::judge::is_own;
use super::tree::COUNT;
use super::{Source, Sources};
use crate::claim::{Expression, Reference, Step};
use crate::diagnostic::fault::Fault;

type At = (Step, Range<usize>);

impl<'a> Sources<'a> {
    /// Warnings about former names in an expression of the note `index`; `own` is the block whose claim it is.
    pub(super) fn former(
        &self,
        index: usize,
        expression: &Expression,
        own: Option<Source<'a>>,
    ) -> Vec<Fault> {
        let all = expression.references().into_iter();
        all.flat_map(|reference| self.former_in(index, reference, own)).collect()
    }

    fn former_in(
        &self,
        index: usize,
        reference: &Reference,
        own: Option<Source<'a>>,
    ) -> Vec<Fault> {
        let own = own.filter(|source| is_own(*source, reference));
        let whole = own.is_some().then(|| {
            let (name, place) = (reference.name.clone(), reference.place.clone());
            let mut whole = reference.clone();
            whole.steps.insert(0, (Step::Field(name), place));
            whole
        });
        let asked = whole.as_ref().unwrap_or(reference);
        // A mistake is reported where the value is looked up.
        let Ok(source) = own.map_or_else(|| self.source_of(index, asked), Ok) else {
            return Vec::new();
        };
        match self.control(source, asked) {
            Ok(Some((control, within))) => of(control.block.kind, within.steps),
            Ok(None) => of(source.block.kind, &asked.steps),
            Err(_) => Vec::new(),
        }
    }
}

/// Warnings about former names in a path into a result of a kind.
fn of(kind: Option<&Kind>, steps: &[At]) -> Vec<Fault> {
    let Some(kind) = kind else { return Vec::new() };
    let (mut path, mut found): (Vec<&str>, Vec<Fault>) = (Vec::new(), Vec::new());
    let mut is_list = false;
    for (step, place) in steps {
        match step {
            // Of a sweep.
            Step::Field(name) if path.is_empty() && name == "cells" => {}
            Step::Field(name) if is_list && COUNT[1] == name => {
                let message = format!("`{name}` of a list is now called `{}`", COUNT[0]);
                found.push(warning(place, message, COUNT[0]));
            }
            Step::Field(name) => {
                let current = kind.values.renamed(&path, name);
                path.push(current.unwrap_or(name));
                is_list = kind.values.is_list(&path);
                let Some(current) = current else { continue };
                let message =
                    format!("`{name}` is now called `{current}`, which says what it counts");
                found.push(warning(place, message, current));
            }
            Step::Where(pairs) => {
                for (name, _) in pairs {
                    let Some(current) = kind.values.renamed(&path, name) else { continue };
                    let message = format!("`{name}` is now called `{current}`");
                    found.push(warning(place, message, current));
                }
                is_list = false;
            }
            Step::At(_) => is_list = false,
            Step::Slice(..) => {}
        }
    }
    found
}

fn warning(place: &Range<usize>, message: String, name: &str) -> Fault {
    Fault::new(place.clone(), message).minor().hint(format!("write `{name}`"))
}
