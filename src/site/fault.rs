//! Errors at blocks, and what to do about them.

use neuronotes_core::cut::Cut as _;

use crate::diagnostic::Diagnostic;
use crate::note::{Block, Note};

/// Hint if frozen results are missing.
pub(super) const FREEZE: &str = "run `neuronotes freeze` again on a machine that has it measured";

/// An error about a whole block, at its first line.
pub(super) fn at(note: &Note, block: &Block, message: String) -> Diagnostic {
    let text = note.source.cut(block.span.clone());
    let length = text.lines().next().unwrap_or("").trim_end().len();
    note.at().error(block.span.start..block.span.start + length, message)
}
