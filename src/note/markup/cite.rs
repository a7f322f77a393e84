//! How works are cited: `[@goh2021, p. 3; @olah2017]`, or `@goh2021` in the middle of a sentence.

use std::ops::Range;

/// Works that are cited at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// In order.
    pub keys: Vec<CitedKey>,
    /// Whether it is part of the sentence, `@key`; then it is only one where the bibliography has the key.
    pub bare: bool,
    /// As written.
    pub text: String,
    /// In the source.
    pub span: Range<usize>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitedKey {
    /// In the bibliography.
    pub key: String,
    /// What of it: `p. 3`.
    pub supplement: Option<String>,
    /// Of the key, in the source.
    pub span: Range<usize>,
}

/// The citation that `rest`, which stands at `at`, begins with: `[@…]`.
pub(super) fn group(rest: &str, at: usize) -> Option<(usize, Citation)> {
    let end = rest.find(']')?;
    let inner = &rest[1..end];
    if rest[end + 1..].starts_with('(') || inner.contains(['[', '\n']) {
        return None;
    }
    let mut keys = Vec::new();
    let mut offset = 1;
    for part in inner.split(';') {
        let start = offset + (part.len() - part.trim_start().len());
        offset += part.len() + 1;
        let part = part.trim();
        let name = part.strip_prefix('@')?;
        let key = &name[..key_length(name)];
        if key.is_empty() {
            return None;
        }
        let supplement = name[key.len()..].trim_start_matches(',').trim();
        let span = at + start..at + start + 1 + key.len();
        let supplement = (!supplement.is_empty()).then(|| supplement.to_owned());
        keys.push(CitedKey { key: key.to_owned(), supplement, span });
    }
    let span = at..at + end + 1;
    Some((end + 1, Citation { keys, bare: false, text: rest[..=end].to_owned(), span }))
}

/// The citation that `rest`, which stands at `at`, begins with: `@key`.
pub(super) fn bare(rest: &str, at: usize) -> Option<(usize, Citation)> {
    let name = &rest[1..];
    let key = name[..key_length(name)].trim_end_matches(['.', ':', '-', '_', '/']);
    if key.is_empty() {
        return None;
    }
    let length = 1 + key.len();
    let span = at..at + length;
    let cited = CitedKey { key: key.to_owned(), supplement: None, span: span.clone() };
    Some((
        length,
        Citation { keys: vec![cited], bare: true, text: rest[..length].to_owned(), span },
    ))
}

/// Letters, digits, and the signs that are usual in keys.
fn key_length(name: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '-' | '/' | '+');
    name.find(|c| !is_part(c)).unwrap_or(name.len())
}
