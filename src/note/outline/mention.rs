//! The sentence around a link, and how a long text is cut.

use std::ops::Range;

use super::super::sentence;

/// The sentence around a link, in plain text. Where a value or a citation stands in it there is a mark, which [`fill`](crate::note::fill) and
/// [`fill_citations`](crate::note::fill_citations) replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mention {
    /// Up to the link.
    pub before: String,
    /// The link's own text.
    pub text: String,
    /// After the link.
    pub after: String,
}

/// The sentence of `text` around `place`, by Unicode's rules, cut at word boundaries where it is long.
pub(super) fn mention(text: &str, place: Range<usize>) -> Mention {
    let Range { start, end } = sentence::around(text, &place);
    let before = text[start..place.start].trim_start();
    let after = text[place.end..end.max(place.end)].trim_end();
    let cut = |text: &str| text.chars().count() > 200;
    Mention {
        before: if cut(before) {
            format!("… {}", last_words(before, 180))
        } else {
            before.into()
        },
        text: text[place].to_owned(),
        after: if cut(after) { shorten(after, 180) } else { after.into() },
    }
}

fn last_words(text: &str, characters: usize) -> &str {
    let skip = text.chars().count().saturating_sub(characters);
    let from = text.char_indices().nth(skip).map_or(0, |(i, _)| i);
    text[from..].find(' ').map_or(&text[from..], |i| &text[from + i + 1..])
}

/// Cut after at most so many characters, at a word's end, with an ellipsis.
pub(super) fn shorten(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else {
        return text.to_owned();
    };
    let end = text[..end].rfind(' ').unwrap_or(end);
    format!("{}…", text[..end].trim_end_matches([',', ';', ':', ' ']))
}
