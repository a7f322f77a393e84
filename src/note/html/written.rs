//! The HTML that was written.

use std::ops::Range;

/// A note's HTML and its blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The whole HTML.
    pub html: String,
    /// Inner HTML of the heading that is the note's title, if [`Parts::skip_title`](super::Parts::skip_title) is set.
    pub title: Option<String>,
    /// Its outermost blocks in order, without footnotes.
    pub blocks: Vec<BlockHtml>,
}

/// An outermost block of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHtml {
    /// Its span in the HTML.
    pub place: Range<usize>,
    /// The index of its heading, if it is one.
    pub heading: Option<usize>,
    /// The indices of the figures in it.
    pub figures: Range<usize>,
    /// Its span in the source without front matter.
    pub span: Range<usize>,
}
