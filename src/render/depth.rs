//! Limits on the nesting of templates.
//!
//! The template library limits brackets and blocks itself, but not chains of operators, filters, attributes and
//! `elif`. It processes these recursively, which crashes the program if they are long.

use neuronotes_core::cut::Cut as _;

use crate::diagnostic::Diagnostic;

/// Maximum number of names, numbers and symbols in a tag or expression.
const WORDS: usize = 1000;
/// Maximum number of `elif` in a file.
const BRANCHES: usize = 200;

/// Checks the limits.
///
/// # Errors
/// The violation and its line; the caller adds the file's name.
pub(super) fn check(template: &str, text: &str) -> Result<(), Diagnostic> {
    let wrong = |at: usize, message: String| {
        let line = 1 + text.cut(..at).matches('\n').count();
        let hint = "split it into several parts with names: `{% set part = … %}`";
        Diagnostic { line, ..Diagnostic::of_file(template, message) }.hint(hint)
    };
    let mut at = 0;
    let mut branches = 0;
    while let Some(found) = text.cut(at..).find('{').map(|found| at + found) {
        let rest = text.cut(found..);
        if rest.starts_with("{#") {
            at = found + rest.find("#}").map_or(rest.len(), |end| end + 2);
            continue;
        }
        let end = match rest.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            _ => {
                at = found + 1;
                continue;
            }
        };
        let (words, length) = words(rest.cut(2..), end);
        if words > WORDS {
            let message = format!("this tag has more than {WORDS} names, numbers and symbols");
            return Err(wrong(found, message));
        }
        let inside = rest.cut(2..2 + length);
        let name = inside.trim_start_matches(['-', '+']).split_whitespace().next();
        branches += usize::from(matches!(name, Some("elif" | "elseif")));
        if branches > BRANCHES {
            return Err(wrong(found, format!("the template has more than {BRANCHES} `elif`")));
        }
        at = found + 2 + length;
        if name == Some("raw") {
            at += text.cut(at..).find("endraw").unwrap_or(0);
        }
    }
    Ok(())
}

/// Number of names, numbers and symbols up to an end mark, counting a quoted text as one; and the length of all.
fn words(text: &str, end: &str) -> (usize, usize) {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (0, 0);
    let mut in_word = false;
    while let Some(byte) = bytes.get(at).copied() {
        if bytes.get(at..).is_some_and(|rest| rest.starts_with(end.as_bytes())) {
            return (words, at + end.len());
        }
        let is_part = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        let goes_on = byte.is_ascii_whitespace() || is_part && in_word;
        words += usize::from(!goes_on);
        in_word = is_part;
        at += 1;
        if matches!(byte, b'"' | b'\'') {
            while let Some(inner) = bytes.get(at).copied() {
                at += if inner == b'\\' { 2 } else { 1 };
                if inner == byte {
                    break;
                }
            }
        }
    }
    (words, bytes.len())
}
