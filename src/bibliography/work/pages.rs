//! Parses pages such as `34, 37--39` into a list of pages and ranges.

use std::str::FromStr as _;

use hayagriva::types::{MaybeTyped, Numeric, PageRanges, PageRangesPart};

/// The pages in a text; the text itself if it is something else.
pub(super) fn ranges(text: &str) -> MaybeTyped<PageRanges> {
    let text = text.trim();
    let mut parts = Vec::new();
    for piece in text.split_inclusive([',', ';', '&']) {
        let pages = piece.trim_end_matches([',', ';', '&']).trim();
        if let Some(part) = part(pages) {
            parts.push(part);
        } else if !pages.is_empty() {
            return MaybeTyped::String(dashed(text));
        }
        match piece.chars().next_back() {
            Some(',' | ';') => parts.push(PageRangesPart::Comma),
            Some('&') => parts.push(PageRangesPart::Ampersand),
            _ => {}
        }
    }
    while matches!(parts.last(), Some(PageRangesPart::Comma | PageRangesPart::Ampersand)) {
        parts.pop();
    }
    match parts.is_empty() {
        true => MaybeTyped::String(dashed(text)),
        false => MaybeTyped::Typed(PageRanges::new(parts)),
    }
}

fn part(pages: &str) -> Option<PageRangesPart> {
    let mut ends = pages.split(['-', '–', '—']).map(str::trim).filter(|end| !end.is_empty());
    let is_closed = !pages.ends_with(['-', '–', '—']) && !pages.starts_with(['-', '–', '—']);
    let (first, last) = (ends.next()?, ends.next());
    if ends.next().is_some() || !is_closed {
        return None;
    }
    let first = number(first)?;
    Some(match last {
        None => PageRangesPart::SinglePage(first),
        Some(last) => PageRangesPart::Range(first, number(last)?),
    })
}

/// A page number, optionally with a letter: `37`, `S3`.
fn number(text: &str) -> Option<Numeric> {
    let is_page = text.chars().all(|c| c.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    is_page.then(|| Numeric::from_str(text).ok()).flatten()
}

/// Numbers joined by a hyphen are a range.
fn dashed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let apart = |c: char| c.is_alphanumeric();
        let joins = c == '-' && apart(before) && chars.peek().is_some_and(|next| apart(*next));
        out.push(if joins { '–' } else { c });
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_lists_and_ranges_or_words() {
        for (text, shown, typed) in [
            ("34,37–39", "34, 37-39", true),
            ("1102–1107", "1102-1107", true),
            ("5", "5", true),
            ("1 - 4 ; 9&11", "1-4, 9&11", true),
            ("S1–S10", "S1-S10", true),
            ("12:1–12:20", "12:1–12:20", false),
            ("iv-x", "iv–x", false),
            ("33ff.", "33ff.", false),
            ("99999999999999999999", "99999999999999999999", false),
            ("7–", "7–", false),
            ("5,", "5", true),
        ] {
            let pages = ranges(text);
            assert_eq!(matches!(pages, MaybeTyped::Typed(_)), typed, "{text}");
            assert_eq!(pages.to_string(), shown, "{text}");
        }
    }
}
