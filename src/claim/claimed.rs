//! A claim as it is written in a block.

use std::ops::Range;

use super::expression::Expression;
use crate::diagnostic::Severity;

/// A condition that a block states of measured values.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The condition as written.
    pub text: String,
    /// The condition, parsed.
    pub expression: Expression,
    /// Span of the condition in the note.
    pub span: Range<usize>,
    /// Position of the text in the note, if it is there verbatim.
    pub(super) start: Option<usize>,
    /// The sentence of the note that rests on it, such as `eight` for `claim: ^eight`, with the value's span in the note.
    pub cites: Option<(String, Range<usize>)>,
    /// Why it is expected, or what else is to be known of it.
    pub because: Option<String>,
    /// What it is if it does not hold: by default a warning.
    pub severity: Severity,
}

impl Claim {
    /// Span in the note of a part of the text; the whole condition if unknown.
    pub fn place(&self, part: &Range<usize>) -> Range<usize> {
        match self.start {
            Some(start) if !part.is_empty() => start + part.start..start + part.end,
            _ => self.span.clone(),
        }
    }
}
