//! The events of a note.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event};

use super::cite::Citation;

/// An event of a note.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::note) enum Piece<'e> {
    /// A CommonMark event.
    Plain(Event<'e>),
    /// Highlighted text begins.
    Mark,
    /// Highlighted text ends.
    MarkEnd,
    /// `#tag`, without the sign.
    Tag(CowStr<'e>),
    /// `[@key]` or `@key`.
    Cite(Citation),
    /// `^id`: the name of the block that begins here, or of the previous one.
    Anchor(&'e str),
    /// The sentence begins that the name at the end of its block names: the last one.
    Cited(&'e str),
    /// That sentence ends.
    CitedEnd,
    /// A callout begins, with its title.
    Callout(Callout<'e>),
    /// A callout's title ends.
    CalloutTitleEnd,
    /// A callout ends.
    CalloutEnd,
    /// The state of a task other than done or open: `[/]`.
    Task(char),
    /// An inline footnote begins: `^[`.
    Note,
    /// An inline footnote ends.
    NoteEnd,
    /// Embeds replace a paragraph from here.
    Embeds,
    /// Such embeds end.
    EmbedsEnd,
}

/// The head of a callout: `> [!kind]- title`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::note) struct Callout<'e> {
    /// The kind as written.
    pub(in crate::note) kind: &'e str,
    /// Whether it has a title of its own.
    pub(in crate::note) titled: bool,
    /// Whether it can be folded, and if so, whether it is open initially.
    pub(in crate::note) open: Option<bool>,
}

/// An event with its span.
pub(super) type Placed<'e> = (Event<'e>, Range<usize>);
