//! Errors in a bibliography.

use std::ops::Range;

/// An error or warning in a bibliography.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Span in the text, in bytes.
    pub span: Range<usize>,
    /// The message, in lower case.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether everything was read nevertheless.
    pub is_minor: bool,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, message: String, hint: Option<String>) -> Self {
        Self { span, message, hint, is_minor: false }
    }

    pub(super) fn minor(self) -> Self {
        Self { is_minor: true, ..self }
    }
}
