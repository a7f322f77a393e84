//! A block that is being planned, and its errors.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::Kind;
use neuronotes_core::problem::Problem;

use crate::diagnostic::Diagnostic;
use crate::field::Wrong;
use crate::note::{Block, Note};
use crate::resource::Model;

/// The state of a block that is being planned.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) note: &'a Note,
    pub(super) block: &'a Block,
    pub(super) kind: &'static Kind,
    pub(super) model: &'a Model,
}

impl Asking<'_> {
    /// An error at a position of a field, or at the block's first line if the block does not have the field.
    pub(super) fn at(self, field: &str, pointer: &str, message: String) -> Diagnostic {
        match self.block.fields.get(field) {
            Some(value) => self.note.at().error(value.place(pointer), message),
            None => at_field(self.note, self.block, field, message),
        }
    }

    pub(super) fn unusable(self, field: &str, pointer: &str, problem: Problem) -> Diagnostic {
        self.at(field, pointer, problem.message).hint(problem.hint)
    }

    /// Errors in parts of a field's value, at their positions.
    pub(super) fn diagnostics(self, field: &str, wrong: Vec<Wrong>) -> Vec<Diagnostic> {
        let one = |Wrong { field: other, pointer, problem }| {
            self.unusable(other.unwrap_or(field), &pointer, problem)
        };
        wrong.into_iter().map(one).collect()
    }
}

/// An error at a field, or at the block's first line if the field is missing.
fn at_field(note: &Note, block: &Block, field: &str, message: String) -> Diagnostic {
    let span = match block.fields.get(field) {
        Some(value) => value.span.clone(),
        None => {
            let text = note.source.cut(block.span.clone());
            block.span.start..block.span.start + text.lines().next().unwrap_or("").trim_end().len()
        }
    };
    note.at().error(span, message)
}

/// The error that a block names no model or data set and there is no default.
pub(super) fn unnamed(note: &Note, block: &Block, what: &str, none: bool) -> Diagnostic {
    let file = crate::config::FILE;
    let set = format!("add one, or set `defaults: {{ {what}: … }}` in {file}");
    let (message, hint) = match (none, what) {
        (true, "model") => (
            format!("the block has no `{what}`, and the garden has no models"),
            format!(
                "`model: emoji` is a small CLIP that comes with the program; `neuronotes model list` lists others; {set}"
            ),
        ),
        (true, _) => (
            format!("the block has no `{what}`, and the garden has no data sets"),
            format!(
                "`dataset: emoji` are pictures that come with the program; your own go under `datasets:`; {set}"
            ),
        ),
        (false, _) => (format!("the block has no `{what}`"), set),
    };
    at_field(note, block, what, message).hint(hint)
}

pub(super) fn unusable(note: &Note, block: &Block, field: &str, error: Problem) -> Diagnostic {
    at_field(note, block, field, error.message).hint(error.hint)
}
