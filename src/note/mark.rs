//! Marks in a note's plain text, which stand for the values and citations that are filled in later.
//!
//! A mark holds a number. What it stands for is unknown here.

use std::borrow::Cow;

use neuronotes_core::cut::Cut as _;

/// Enclose a value's number in plain text: noncharacters, which Unicode reserves for such uses.
const VALUE: [char; 2] = ['\u{FDD0}', '\u{FDD1}'];
/// Enclose a citation's number.
const CITATION: [char; 2] = ['\u{FDD2}', '\u{FDD3}'];

/// The mark of the value with that number in plain text.
pub(super) fn mark(number: usize) -> String {
    format!("{}{number}{}", VALUE[0], VALUE[1])
}

/// The mark of the citation with that number in plain text.
pub(super) fn citation_mark(number: usize) -> String {
    format!("{}{number}{}", CITATION[0], CITATION[1])
}

/// Text of a note without characters that would be read as marks.
pub(super) fn unmarked(text: &str) -> String {
    if !may_have_marks(text) {
        return text.to_owned();
    }
    text.replace([VALUE[0], VALUE[1], CITATION[0], CITATION[1]], "\u{FFFD}")
}

/// All marks begin with this byte, which is very rare in text.
fn may_have_marks(text: &str) -> bool {
    text.as_bytes().contains(&0xEF)
}

/// Replaces the marks of values in plain text: `shown` returns the text of the n-th.
pub fn fill<'v>(text: &str, shown: impl Fn(usize) -> Option<&'v str>) -> String {
    replaced(text, VALUE, |out, number| {
        out.push_str(number.and_then(&shown).unwrap_or("…"));
        false
    })
}

/// The numbers of the values that a text has marks of, in order.
pub fn marked(text: &str) -> Vec<usize> {
    let found = std::cell::RefCell::new(Vec::new());
    if may_have_marks(text) {
        replaced(text, VALUE, |_, number| {
            found.borrow_mut().extend(number);
            false
        });
    }
    found.into_inner()
}

/// Whether a text contains marks of citations.
pub fn has_citations(text: &str) -> bool {
    may_have_marks(text) && text.contains(CITATION)
}

/// Replaces the marks of citations in plain text: `spoken` returns the text of the n-th. If that is empty, the
/// surrounding gap is closed.
pub fn fill_citations<'v>(text: &str, spoken: impl Fn(usize) -> Option<Cow<'v, str>>) -> String {
    replaced(text, CITATION, |out, number| {
        let text = number.and_then(&spoken).unwrap_or_default();
        out.push_str(&text);
        text.is_empty()
    })
}

/// Replaces marks by what `put` writes; `put` returns whether to close a gap there.
fn replaced(
    text: &str,
    marks: [char; 2],
    put: impl Fn(&mut String, Option<usize>) -> bool,
) -> String {
    if !may_have_marks(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(marks) {
        let (before, from) = rest.split_at(start);
        let opens = from.starts_with(marks[0]);
        let from = from.cut(marks[0].len_utf8()..);
        let digits = from.bytes().take_while(u8::is_ascii_digit).count();
        let closed = from.cut(digits..).starts_with(marks[1]);
        // Text that was cut may have lost one end of a mark.
        out.push_str(if opens {
            before
        } else {
            before.trim_end_matches(|c: char| c.is_ascii_digit())
        });
        rest = from;
        if opens {
            let number = from.cut(..digits).parse().ok().filter(|_| closed);
            let gap = put(&mut out, number);
            rest = from.cut(digits..).strip_prefix(marks[1]).unwrap_or(from.cut(digits..));
            let ends = |c: char| c.is_whitespace() || ".,;:!?)”’…".contains(c);
            if gap && rest.chars().next().is_none_or(ends) {
                out.truncate(out.trim_end_matches(' ').len());
                if out.is_empty() {
                    rest = rest.trim_start_matches(' ');
                }
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_filled_in_and_pieces_of_marks_leave_nothing_behind() {
        let shown = |n: usize| ["12.3", "a"].get(n).copied();
        let text = format!("reaches {}, {} and {}.", mark(0), mark(1), mark(7));
        assert_eq!(fill(&text, shown), "reaches 12.3, a and ….");
        let whole = format!("a{}b", mark(0));
        let ends: Vec<String> =
            whole.char_indices().map(|(at, _)| fill(&whole[at..], shown)).collect();
        assert_eq!(ends, ["a12.3b", "12.3b", "b", "b", "b"]);
        let starts: Vec<String> =
            whole.char_indices().map(|(at, _)| fill(&whole[..at], shown)).collect();
        assert_eq!(starts, ["", "a", "a…", "a…", "a12.3"]);
        assert_eq!(fill(&unmarked("\u{fdd0}0\u{fdd1}"), shown), "\u{fffd}0\u{fffd}");
    }

    #[test]
    fn citations_that_say_nothing_leave_no_gap() {
        let spoken = |n: usize| ["Goh et al.", ""].get(n).map(|text| Cow::Borrowed(*text));
        let (named, silent) = (citation_mark(0), citation_mark(1));
        for (text, said) in [
            (format!("{named} found it {silent}."), "Goh et al. found it."),
            (format!("In CLIP {silent} that answer"), "In CLIP that answer"),
            (format!("{silent} Here"), "Here"),
            (format!("(see {silent}) and {silent}{silent}"), "(see) and"),
            (format!("It is{silent}so"), "It isso"),
            (format!("Lost {}", citation_mark(9)), "Lost"),
        ] {
            assert_eq!(fill_citations(&text, spoken), said, "{text:?}");
        }
        assert_eq!(unmarked("\u{fdd2}0\u{fdd3}"), "\u{fffd}0\u{fffd}");
    }
}
