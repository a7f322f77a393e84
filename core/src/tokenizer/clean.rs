//! Cleans a text as CLIP does before splitting it. Output: lower case with single spaces. Knows nothing of words or
//! tokens.
//!
//! The mending is that of `fix_text` of ftfy 6.3.1 with its defaults, line by line until nothing changes any
//! more; then HTML's references are read twice, as open_clip does.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::budget::Budget;
use super::codepage::c1_in_windows_1252;
use super::mojibake::fix_encoding;
use super::unescape::{unescape, unescape_certain};
use super::unicode::{is_digit, is_space};

use crate::cut::Cut as _;

/// Most characters of a line that are mended at once.
const SEGMENT: usize = 1_000_000;

/// The text that CLIP's tokenizer splits.
pub fn clean(text: &str) -> String {
    let fixed = fix_text(text);
    let once = unescape(&fixed);
    let twice = unescape(&once);
    let mut single = String::with_capacity(twice.len());
    for word in twice.split(is_space).filter(|word| !word.is_empty()) {
        if !single.is_empty() {
            single.push(' ');
        }
        single.push_str(word);
    }
    single.to_lowercase()
}

/// `text` as ftfy mends it.
fn fix_text(text: &str) -> String {
    let mut budget = Budget::new(text.len());
    let mut fixed = String::with_capacity(text.len());
    let mut references = true;
    let mut rest = text;
    while !rest.is_empty() {
        let (segment, after) = rest.split_at(segment(rest));
        // Once a line may contain a tag, references are left as they are: they may be intended.
        references &= !segment.contains('<');
        fixed.push_str(&fix_segment(segment, references, &mut budget));
        rest = after;
    }
    fixed
}

/// The bytes of the first line of `text` with its end, or of as much of it as is mended at once.
fn segment(text: &str) -> usize {
    let line = text.find('\n').map_or(text.len(), |end| end + 1);
    match text.cut(..line).char_indices().nth(SEGMENT) {
        Some((end, _)) => end,
        None => line,
    }
}

fn fix_segment(segment: &str, references: bool, budget: &mut Budget) -> String {
    let mut text = segment.to_owned();
    loop {
        let mut next = Cow::Borrowed(text.as_str());
        if references && let Cow::Owned(changed) = unescape_certain(&next) {
            next = Cow::Owned(changed);
        }
        if let Some(changed) = fix_encoding(&next, budget) {
            next = Cow::Owned(changed);
        }
        if let Some(changed) = plain_forms(&next) {
            next = Cow::Owned(changed);
        }
        if next.contains('\u{1b}') {
            next = Cow::Owned(without_escapes(&next));
        }
        if next.contains(is_control) {
            next = Cow::Owned(next.chars().filter(|c| !is_control(*c)).collect());
        }
        if !next.is_ascii() && !is_nfc(&next) {
            next = Cow::Owned(next.nfc().collect());
        }
        match next {
            Cow::Owned(changed) if changed != text => text = changed,
            _ => return text,
        }
        if !budget.spend(text.len()) {
            return text;
        }
    }
}

/// Every character in its plainest form: C1 control characters as in Windows-1252, ligatures split, full and half width
/// made normal, quotation marks straight, line ends `\n`. `None` if nothing changes.
fn plain_forms(text: &str) -> Option<String> {
    if text.is_ascii() && !text.contains('\r') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c1_in_windows_1252(c) {
            '\r' => {
                rest.next_if_eq(&'\n');
                out.push('\n');
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => out.push('\''),
            '\u{201c}'..='\u{201f}' => out.push('"'),
            '\u{3000}' => out.push(' '),
            c @ '\u{ff01}'..='\u{ffef}' => out.extend(c.nfkc()),
            c => match ligature(c) {
                Some(letters) => out.push_str(letters),
                None => out.push(c),
            },
        }
    }
    Some(out)
}

/// The letters of a Latin ligature that exists only for typography or old encodings.
fn ligature(c: char) -> Option<&'static str> {
    Some(match c {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "'n",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Without the sequences that colour a terminal.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('\u{1b}');
    out.extend(pieces.next());
    for piece in pieces {
        let inner = piece
            .strip_prefix('[')
            .map(|numbers| numbers.trim_start_matches(|c: char| c == ';' || is_digit(c)));
        match inner.and_then(|end| end.strip_prefix(|c: char| c.is_ascii_alphabetic())) {
            Some(after) => out.push_str(after),
            None => {
                out.push('\u{1b}');
                out.push_str(piece);
            }
        }
    }
    out
}

/// Whether a character controls something and shows nothing.
fn is_control(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}'
            | '\u{b}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_mended_as_ftfy_does() {
        for (text, fixed) in [
            ("Broken text&hellip; it&#x2019;s ﬂubberiﬁc!", "Broken text… it's flubberific!"),
            ("ＬＯＵＤ　ＮＯＩＳＥＳ", "LOUD NOISES"),
            ("Ｕﾀｰﾝ ｶﾞ", "Uターン ガ"),
            ("\u{1b}[36;44mblue\u{1b}[0m \u{1b}[x1", "blue 1"),
            ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
            ("e\u{301}\u{7f}\u{feff}", "é"),
            ("&amp;amp;amp; one\n<b> &amp; two\nthree &amp;", "& one\n<b> &amp; two\nthree &amp;"),
        ] {
            assert_eq!(fix_text(text), fixed, "{text}");
        }
    }

    #[test]
    fn a_cleaned_text_is_small_and_has_single_spaces() {
        assert_eq!(clean(" A \t\u{a0}B\n\u{3000} &amp;amp;AMP; ΣΑΣ İ "), "a b & σας i\u{307}");
        assert_eq!(clean(" \n "), "");
    }

    #[test]
    fn a_text_made_to_be_gone_over_for_ever_is_given_up() {
        let text = format!("&{}", "amp;".repeat(250_000));
        assert!(clean(&text).len() < text.len());
    }
}
