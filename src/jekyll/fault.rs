//! Errors in a note's Liquid.

/// An error in a note's Liquid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Span in the note's body.
    pub span: std::ops::Range<usize>,
    /// The message.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
