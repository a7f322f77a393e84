//! How deeply a template may be nested: its text in, what is too deep in it out.
//!
//! The library bounds brackets and blocks itself, but not chains: of operators, filters, attributes, and of `elif`. It walks
//! these by recursion, which ends the program where they are long.

use neuronotes_core::cut::Cut as _;

use super::RenderError;

/// A tag or expression may have so many names, numbers and signs.
const WORDS: usize = 1000;
/// A file may have so many `elif`.
const BRANCHES: usize = 200;

/// Looks for what is too deep.
///
/// # Errors
/// What that is, and its line; the file's name is for the caller to say.
pub(super) fn check(template: &str, text: &str) -> Result<(), RenderError> {
    let wrong = |at: usize, message: String| RenderError {
        template: template.to_owned(),
        line: Some(1 + text.cut(..at).matches('\n').count()),
        message,
        hint: Some("make it of several parts, each with a name: `{% set part = … %}`".to_owned()),
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
            let message = format!("this tag has more than {WORDS} names, numbers and signs");
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

/// How many names, numbers and signs there are up to an end mark, a text in quotes being one; and the length of it all.
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
