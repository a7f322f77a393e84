//! The excerpt of a text that is shown with a problem: its lines, and only the surrounding part of a very long line.
//!
//! Nothing else is read, so thousands of problems in a line of a megabyte take no longer than in as many short lines.

use std::borrow::Cow;
use std::ops::Range;

use neuronotes_core::cut::Cut as _;

/// Number of bytes of a line that are shown on either side.
const BESIDE: usize = 240;
/// Number of bytes that are underlined at most.
const LONGEST: usize = 2000;

/// An excerpt.
#[derive(Debug, PartialEq, Eq)]
pub struct Window<'t> {
    /// Whole lines, or a part of one between ellipses.
    pub text: Cow<'t, str>,
    /// The span to underline in it.
    pub span: Range<usize>,
    /// Whether the first line is shown from its beginning, so that columns are the same.
    pub whole: bool,
}

/// The excerpt around a span.
pub fn around<'t>(text: &'t str, span: &Range<usize>) -> Window<'t> {
    let end = floor(text, span.end.min(span.start + LONGEST)).max(span.start);
    let (from, to) = (floor(text, span.start.saturating_sub(BESIDE)), floor(text, end + BESIDE));
    let line = text.cut(from..span.start).rfind('\n').map(|at| from + at + 1);
    let next = text.cut(end..to).find('\n').map(|at| end + at);
    let (start, stop) = (line.unwrap_or(from), next.unwrap_or(to));
    let (begins, ends) = (line.is_some() || from == 0, next.is_some() || to == text.len());
    let part = text.cut(start..stop);
    let span = span.start - start..end - start;
    let shown = match (begins, ends) {
        (true, true) => Cow::Borrowed(part),
        (true, false) => format!("{part}…").into(),
        (false, true) => format!("…{part}").into(),
        (false, false) => format!("…{part}…").into(),
    };
    let more = if begins { 0 } else { '…'.len_utf8() };
    Window { text: shown, span: span.start + more..span.end + more, whole: begins }
}

/// The last character boundary at or before this byte.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_short_lines_those_that_are_meant_are_shown() {
        let text = "one\ntwo [[x]] ö\nthree\nfour";
        let at = |what: &str| {
            let start = text.find(what).expect("in it");
            around(text, &(start..start + what.len()))
        };
        let window = |text: &'static str, span| Window { text: text.into(), span, whole: true };
        assert_eq!(at("[[x]]"), window("two [[x]] ö", 4..9));
        assert_eq!(at("one"), window("one", 0..3));
        assert_eq!(at("four"), window("four", 0..4));
        assert_eq!(at("x]] ö\nthr"), window("two [[x]] ö\nthree", 6..16));
    }

    #[test]
    fn of_a_very_long_line_only_what_is_around_the_place_is_looked_at() {
        for count in [1_000, 20_000] {
            let text = format!("first\n{}\nlast", "ö [[none]] ".repeat(count));
            for (start, what) in text.match_indices("[[none]]").step_by(37) {
                let window = around(&text, &(start..start + what.len()));
                assert_eq!(window.text.get(window.span.clone()), Some(what));
                assert!(window.text.len() <= 2 * BESIDE + what.len() + 2 * '…'.len_utf8());
                assert_eq!(window.whole, !window.text.starts_with('…'));
                assert!(!window.text.contains('\n'));
            }
            let all = around(&text, &(6..text.len()));
            assert!(all.text.len() <= LONGEST + 2 * BESIDE + 4 && all.span.len() <= LONGEST);
        }
    }
}
