//! Errors at blocks, and what to do about them.

use neuronotes_core::cut::Cut as _;

use crate::diagnostic::{Diagnostic, Severity};
use crate::note::{Block, Note};

/// Hint if frozen results are missing.
pub(super) const FREEZE: &str = "run `neuronotes freeze` again on a machine that has it measured";

/// An error about a whole block, at its first line.
pub(super) fn at(note: &Note, block: &Block, message: String) -> Diagnostic {
    let text = note.source.cut(block.span.clone());
    let length = text.lines().next().unwrap_or("").trim_end().len();
    note.at().error(block.span.start..block.span.start + length, message)
}

/// A warning about a block that a build was told not to measure.
pub(super) fn left_out(note: &Note, block: &Block) -> Diagnostic {
    let problem = at(note, block, "this has not been measured".into());
    let hint = "it was left out by `--only`; `neuronotes build` measures it".to_owned();
    Diagnostic { severity: Severity::Warning, ..problem }.hint(hint)
}
