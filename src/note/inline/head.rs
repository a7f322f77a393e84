//! The figure that a value begins with: its note, if the value names one, and its id.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;

/// The figure at the beginning of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The note as in a wikilink; `None` for the same note.
    pub note: Option<String>,
    /// The block's id.
    pub id: String,
    /// Span of both in the text.
    pub place: Range<usize>,
}

/// The figure at the beginning of a text that is one path.
pub(super) fn named(text: &str) -> Option<Head> {
    let main = text.rsplit_once('|').map_or(text, |(main, _)| main);
    let (note, path_at) = match main.rfind('#') {
        None => (None, 0),
        Some(hash) => (Some(main.cut(..hash).trim()).filter(|name| !name.is_empty()), hash + 1),
    };
    let after = main.cut(path_at..);
    let id_at = path_at + after.len() - after.trim_start().len();
    let id = name(main.cut(id_at..));
    let end = id_at + id.len();
    let place = if note.is_some() { 0..end } else { id_at..end };
    let head = Head { note: note.map(str::to_owned), id: id.to_owned(), place };
    id.starts_with(char::is_alphabetic).then_some(head)
}

/// The name at the beginning of a text.
fn name(text: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.cut(..text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// The first name in a text that a path follows.
pub(super) fn pathed(text: &str) -> Option<Head> {
    let mut at = 0;
    while at < text.len() {
        let rest = text.cut(at..);
        let id = name(rest);
        if id.is_empty() {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let next = text.cut(at + id.len()..);
        let has_path = next.starts_with('[')
            || next.strip_prefix('.').is_some_and(|next| next.starts_with(char::is_alphabetic));
        if has_path && id.starts_with(char::is_alphabetic) && !text.cut(..at).ends_with('.') {
            return Some(Head { note: None, id: id.to_owned(), place: at..at + id.len() });
        }
        at += id.len();
    }
    None
}
