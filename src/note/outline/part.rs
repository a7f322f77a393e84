//! What the outline of a note is made of: headings, links with their sentences, and named blocks, as plain data.

use std::ops::Range;

/// A heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its anchor, unique in the note.
    pub id: String,
    /// Plain text; a value as it is asked for, so that no measurement moves an anchor.
    pub text: String,
    /// The same with marks for values, which [`fill`](crate::note::fill) replaces.
    pub shown: String,
    /// The same as HTML: code, mathematics and emphasis, no links.
    pub html: String,
    /// Whether it stands in a block quote: then it is what somebody else wrote, and no part of the note's contents.
    pub quoted: bool,
    /// In the source.
    pub span: Range<usize>,
}

/// A link or an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// How it is written.
    pub kind: LinkKind,
    /// What it points to, without the fragment.
    pub target: String,
    /// What follows the first `#`.
    pub fragment: Option<String>,
    /// In the source, brackets included.
    pub span: Range<usize>,
    /// The sentence it stands in.
    pub mention: Mention,
    /// The anchor of the heading that it stands under.
    pub section: Option<usize>,
}

/// A block that is named by `^id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Without the sign.
    pub id: String,
    /// The block in the source.
    pub span: Range<usize>,
}

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[[target]]`
    Wiki,
    /// `![[target]]` that stands by itself.
    Embed,
    /// `[text](target)` and its kin.
    Markdown,
    /// `![text](target)`
    Image,
}

/// The sentence around a link, in plain text. Where a value or a citation stands in it there is a mark, which
/// [`fill`](crate::note::fill) and [`fill_citations`](crate::note::fill_citations) replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mention {
    /// Up to the link.
    pub before: String,
    /// The link's own text.
    pub text: String,
    /// After the link.
    pub after: String,
}
