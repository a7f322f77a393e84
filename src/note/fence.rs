//! Fenced blocks, as they stand in a note.

use std::ops::Range;

/// A fenced block as the outline finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBlock {
    /// Span of the whole block in the source, with its fences.
    pub span: Range<usize>,
    /// The text between the fences.
    pub text: String,
    /// Positions of pieces of `text`: offset in `text`, offset in the source.
    pub pieces: Vec<(usize, usize)>,
}

/// The info string of an analysis block.
pub(super) fn is_analysis(info: &str) -> bool {
    let mut words = info.split_whitespace();
    matches!(words.next(), Some("yaml" | "yml"))
        && words.next() == Some("analysis")
        && words.next().is_none()
}
