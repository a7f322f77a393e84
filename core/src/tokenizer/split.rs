//! Splits a cleaned text into words. Knows nothing of the vocabulary.

use super::unicode::{is_letter, is_number};

/// A piece of a text that is encoded by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The mark `<start_of_text>`, written out in the text.
    Start,
    /// The mark `<end_of_text>`, written out in the text.
    End,
    /// Letters, one number, an English ending such as `'s`, or a run of other characters.
    Word(&'a str),
}

/// The pieces of a cleaned text, in order.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_gap);
        let length = length(rest)?;
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(match piece {
            START => Piece::Start,
            END => Piece::End,
            word => Piece::Word(word),
        })
    })
}

const START: &str = "<start_of_text>";
const END: &str = "<end_of_text>";
const ENDINGS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// Whether a character is in no piece: spaces, and a combining iota subscript on its own. That is not a letter but its
/// capital is, and open_clip's expression, which tests both, skips it.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '\u{345}'
}

/// The bytes of the first piece, or `None` at the end. The first kind that matches is taken.
fn length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if matches!(first, '<' | '\'') {
        let fixed = [START, END].into_iter().chain(ENDINGS);
        if let Some(length) = fixed.into_iter().find_map(|fixed| begins(text, fixed)) {
            return Some(length);
        }
    }
    let run = |within: fn(char) -> bool| text.find(|c| !within(c)).unwrap_or(text.len());
    Some(match first {
        c if is_letter(c) => run(is_letter),
        c if is_number(c) => c.len_utf8(),
        _ => run(|c| !is_gap(c) && !is_letter(c) && !is_number(c)),
    })
}

/// The bytes of `fixed` at the beginning of `text`. Case does not matter, and the long `ſ` is a lower-case
/// letter whose capital is that of `s`.
fn begins(text: &str, fixed: &str) -> Option<usize> {
    let mut own = text.char_indices();
    for expected in fixed.chars() {
        let (_, c) = own.next()?;
        if c != expected && !(c == 'ſ' && expected == 's') {
            return None;
        }
    }
    Some(own.next().map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_kind_that_fits_is_taken() {
        let words = |text| {
            let words = pieces(text).map(|piece| match piece {
                Piece::Word(word) => word,
                Piece::Start => "(start)",
                Piece::End => "(end)",
            });
            words.collect::<Vec<_>>()
        };
        assert_eq!(words("it's 'ſhip' 10½"), ["it", "'s", "'ſ", "hip", "'", "1", "0", "½"]);
        assert_eq!(
            words("a<start_of_text>b !<end_of_text>"),
            ["a", "(start)", "b", "!<", "end", "_", "of", "_", "text", ">"]
        );
        assert_eq!(words("<ſtart_of_text>"), ["<ſtart_of_text>"]);
        assert_eq!(words("!\u{345}! a\u{345}"), ["!", "!", "a"]);
        assert_eq!(words("  "), [""; 0]);
    }
}
