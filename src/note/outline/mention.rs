//! The sentence around a link, truncated if it is long.

use std::ops::Range;

use super::super::sentence;
use super::part::Mention;

use neuronotes_core::cut::Cut as _;

/// The sentences of `text`, by Unicode's rules, around given spans, truncated at word boundaries.
pub(super) struct Sentences<'t> {
    text: &'t str,
    bounds: Vec<usize>,
}

impl<'t> Sentences<'t> {
    /// Reads the text once, whatever the number of spans.
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, bounds: sentence::bounds(text) }
    }

    pub(super) fn around(&self, place: Range<usize>) -> Mention {
        let Range { start, end } = sentence::between(&self.bounds, self.text.len(), &place);
        let before = self.text.cut(start..place.start).trim_start();
        let after = self.text.cut(place.end..end.max(place.end)).trim_end();
        let cut = |text: &str| text.char_indices().nth(200).is_some();
        Mention {
            before: if cut(before) {
                format!("… {}", last_words(before, 180))
            } else {
                before.into()
            },
            text: self.text.cut(place).to_owned(),
            after: if cut(after) { shorten(after, 180) } else { after.into() },
        }
    }
}

fn last_words(text: &str, characters: usize) -> &str {
    let from = text.char_indices().rev().nth(characters - 1).map_or(0, |(i, _)| i);
    text.cut(from..).find(' ').map_or(text.cut(from..), |i| text.cut(from + i + 1..))
}

/// Truncates at the end of a word after so many characters, with an ellipsis.
pub(super) fn shorten(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else {
        return text.to_owned();
    };
    let end = text.cut(..end).rfind(' ').unwrap_or(end);
    format!("{}…", text.cut(..end).trim_end_matches([',', ';', ':', ' ']))
}
