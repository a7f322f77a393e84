//! The sentence around a place in a text, by Unicode's rules (UAX 29, SB4 to SB11).
//!
//! Near links, most prose is ASCII, for which the rules are few and are applied byte by byte. Other text is handled
//! by `unicode_segmentation`; a test compares the two.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use unicode_segmentation::UnicodeSegmentation as _;

#[cfg(test)]
thread_local! {
    /// Number of bytes examined.
    static WORK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Number of bytes examined so far on this thread.
#[cfg(test)]
pub(super) fn work() -> usize {
    WORK.get()
}

/// The ends of the sentences of `text`, except the last.
pub(super) fn bounds(text: &str) -> Vec<usize> {
    #[cfg(test)]
    WORK.set(WORK.get() + text.len());
    let mut bounds = if text.is_ascii() { ascii(text.as_bytes()) } else { in_any_script(text) };
    bounds.retain(|bound| !continues(text, *bound));
    bounds
}

/// Whether a small letter follows a question or an exclamation in the same line: then it is a title or something said, and
/// the sentence goes on, which is more than Unicode's rules say.
fn continues(text: &str, bound: usize) -> bool {
    let (before, after) = (text.cut(..bound), text.cut(bound..));
    let ended = before.trim_end();
    let said = ended.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    said.ends_with(['?', '!'])
        && after.starts_with(char::is_lowercase)
        && !before.cut(ended.len()..).contains(['\n', '\r'])
}

/// The sentences of `text`, each with what separates it from the next.
pub fn sentences(text: &str) -> Vec<&str> {
    let bounds = bounds(text);
    let starts = std::iter::once(0).chain(bounds.iter().copied());
    let ends = bounds.iter().copied().chain([text.len()]);
    starts.zip(ends).map(|(start, end)| text.cut(start..end)).collect()
}

/// The sentence around `place`, in a text of `length` bytes whose sentences end at `bounds`.
pub(super) fn between(bounds: &[usize], length: usize, place: &Range<usize>) -> Range<usize> {
    // A bound within the place does not count.
    let next = bounds.partition_point(|bound| *bound < place.end);
    let end = bounds.get(next).copied().unwrap_or(length);
    let first = bounds[..next].partition_point(|bound| *bound <= place.start);
    let start = first.checked_sub(1).map_or(0, |at| bounds[at]);
    start..end.max(start)
}

fn in_any_script(text: &str) -> Vec<usize> {
    text.split_sentence_bound_indices().map(|(offset, _)| offset).skip(1).collect()
}

fn ascii(text: &[u8]) -> Vec<usize> {
    let mut bounds = Vec::new();
    let mut at = 0;
    while let Some(bound) = next_bound(text, at) {
        bounds.push(bound);
        at = bound;
    }
    bounds
}

/// End of the sentence that begins at `from`; `None` for the last one.
fn next_bound(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < text.len() {
        match text[at] {
            // SB4: a line's end is a sentence's, and `\r\n` is one.
            b'\r' if text.get(at + 1) == Some(&b'\n') => return inside(text, at + 2),
            b'\n' | b'\r' => return inside(text, at + 1),
            b'.' | b'!' | b'?' => match terminated(text, at) {
                Ok(bound) => return inside(text, bound),
                Err(next) => at = next,
            },
            _ => at += 1,
        }
    }
    None
}

fn inside(text: &[u8], bound: usize) -> Option<usize> {
    (bound < text.len()).then_some(bound)
}

/// The boundary after the terminator at `at`; an error with the position to continue from if there is none.
fn terminated(text: &[u8], at: usize) -> Result<usize, usize> {
    let dot = text[at] == b'.';
    let next = text.get(at + 1).copied();
    if dot {
        // SB6 and SB7: a number, or an abbreviation in capitals.
        let letter = at.checked_sub(1).is_some_and(|before| text[before].is_ascii_alphabetic());
        let capital = next.is_some_and(|c| c.is_ascii_uppercase());
        if next.is_some_and(|c| c.is_ascii_digit()) || (letter && capital) {
            return Err(at + 1);
        }
    }
    let mut to = at + 1;
    while text.get(to).is_some_and(|c| is_close(*c)) {
        to += 1;
    }
    while text.get(to).is_some_and(|c| is_space(*c)) {
        to += 1;
    }
    let Some(follows) = text.get(to).copied() else { return Ok(to) };
    // SB8: a small letter follows a dot; only other characters than letters may be between them.
    if dot {
        let rest = text[to..].iter();
        let first = rest
            .copied()
            .find(|c| c.is_ascii_alphabetic() || matches!(c, b'\r' | b'\n' | b'.' | b'!' | b'?'));
        if first.is_some_and(|c| c.is_ascii_lowercase()) {
            return Err(to.max(at + 1));
        }
    }
    // SB8a: a sign that continues the sentence, or another terminator.
    if matches!(follows, b',' | b'-' | b':' | b';' | b'.' | b'!' | b'?') {
        return Err(to);
    }
    // SB9 and SB10: closing signs, spaces and one line's end belong to the sentence.
    match follows {
        b'\r' if text.get(to + 1) == Some(&b'\n') => Ok(to + 2),
        b'\r' | b'\n' => Ok(to + 1),
        _ => Ok(to),
    }
}

fn is_close(c: u8) -> bool {
    matches!(c, b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}')
}

fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | 0x0b | 0x0c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn ascii_is_cut_as_unicode_says(
            text in "[aBcD1 .!?,;:'\"()\\-\n\r\t]{0,40}",
            a in 0usize..41,
            b in 0usize..41,
        ) {
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            let place = a.min(b)..a.max(b);
            prop_assert_eq!(ascii(text.as_bytes()), in_any_script(&text), "{:?}", text);
            let bounds = bounds(&text);
            // As if each sentence were looked at in turn.
            let mut starts = vec![0];
            starts.extend(&bounds);
            let start = starts.iter().copied().filter(|start| *start <= place.start && (*start < place.end || *start == 0)).max();
            let end = bounds.iter().copied().find(|bound| *bound >= place.end).unwrap_or(text.len());
            let start = start.unwrap_or(0);
            prop_assert_eq!(between(&bounds, text.len(), &place), start..end.max(start), "{:?} {:?}", text, place);
        }
    }

    #[test]
    fn a_sentence_is_found_in_any_script() {
        let text = "Größe. Das [Haus] steht. Ende.";
        let place = text.find('[').expect("a place")..text.find(']').expect("a place");
        assert_eq!(&text[between(&bounds(text), text.len(), &place)], "Das [Haus] steht. ");
        let text = "As Goh et al. say, 3.5 of [it] e.g. here. Next.";
        let place = text.find('[').expect("a place")..text.find(']').expect("a place");
        assert_eq!(
            &text[between(&bounds(text), text.len(), &place)],
            "As Goh et al. say, 3.5 of [it] e.g. here. "
        );
        assert_eq!(
            sentences("Which unit? says so. “Größe!” said he. Why? Because.\nWhy?\nso"),
            ["Which unit? says so. ", "“Größe!” said he. ", "Why? ", "Because.\n", "Why?\n", "so"]
        );
    }
}
