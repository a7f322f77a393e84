//! The parts of an outline as plain data: headings, links with their sentences, and named blocks.

use std::ops::Range;

/// A heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Level, 1 to 6.
    pub level: u8,
    /// Its anchor, unique in the note.
    pub id: String,
    /// Plain text; values as written, so that no measurement changes an anchor.
    pub text: String,
    /// The same with marks for values, which [`fill`](crate::note::fill) replaces.
    pub shown: String,
    /// The same as HTML with code, mathematics and emphasis, without links.
    pub html: String,
    /// Whether it is in a block quote; then it is quoted from elsewhere and not in the table of contents.
    pub quoted: bool,
    /// Span in the source.
    pub span: Range<usize>,
}

/// A link or an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its syntax.
    pub kind: LinkKind,
    /// Its target without fragment.
    pub target: String,
    /// The fragment after the first `#`.
    pub fragment: Option<String>,
    /// Span in the source, with brackets.
    pub span: Range<usize>,
    /// The sentence that contains it.
    pub mention: Mention,
    /// Anchor of the heading above it.
    pub section: Option<usize>,
}

/// A block that is named by `^id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The id without the sign.
    pub id: String,
    /// Span of the block in the source.
    pub span: Range<usize>,
    /// The sentence that it names if a claim cites it: the last one of the block. `None` if the name stands alone.
    pub sentence: Option<Sentence>,
    /// Whether it is in the caption of a figure, which it names.
    pub in_caption: bool,
}

/// A sentence of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Plain text with marks for values and citations.
    pub text: String,
    /// Span in the source; that of the caption for a sentence in one.
    pub span: Range<usize>,
}

/// A question or a task in a callout: `> [!question]`, `> [!todo]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whether it is a question.
    pub is_question: bool,
    /// Its title, or else its first line, as written.
    pub text: String,
    /// Span of the callout in the source.
    pub span: Range<usize>,
}

/// The syntax of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[[target]]`
    Wiki,
    /// `![[target]]` in a paragraph of its own
    Embed,
    /// `[text](target)` and similar
    Markdown,
    /// `![text](target)`
    Image,
}

/// The sentence around a link, in plain text with marks for values and citations, which [`fill`](crate::note::fill)
/// and [`fill_citations`](crate::note::fill_citations) replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mention {
    /// Text before the link.
    pub before: String,
    /// Text of the link.
    pub text: String,
    /// Text after the link.
    pub after: String,
}
