//! Citations in pandoc's syntax: `[see @goh2021, p. 3; -@olah2017]`, `@goh2021` in a sentence, and `@goh2021 [p. 3]`.
//!
//! A group contains no brackets and is in one text, so parsing takes linear time.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;

/// Works cited at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The works, in order.
    pub keys: Vec<CitedKey>,
    /// Whether it may be ordinary text with an at sign, `@key` or `[see @key]`; it is a citation only if the
    /// bibliography has a key.
    pub bare: bool,
    /// The citation as written.
    pub text: String,
    /// Its span in the source.
    pub span: Range<usize>,
}

/// A cited work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CitedKey {
    /// Its key in the bibliography.
    pub key: String,
    /// Words before it: `see`.
    pub prefix: Option<String>,
    /// The locator: `p. 3`.
    pub supplement: Option<String>,
    /// Whether the authors are part of the sentence.
    pub narrative: bool,
    /// Whether the authors are omitted: `-@key`.
    pub authorless: bool,
    /// Span of the key in the source.
    pub span: Range<usize>,
}

/// Parses the citation at the start of `rest`, at position `at`: `[@…]`, `[-@…]` or `[see @…]`.
pub(super) fn group(rest: &str, at: usize) -> Option<(usize, Citation)> {
    let end = bracketed(rest)?;
    if rest.cut(end + 1..).starts_with('(') {
        return None;
    }
    let keys = keys(rest.cut(1..end), at + 1)?;
    let bare = keys.iter().any(|cited| cited.prefix.is_some());
    let span = at..at + end + 1;
    Some((end + 1, Citation { keys, bare, text: rest.cut(..=end).to_owned(), span }))
}

/// End of the bracket at the start of a text, if it contains no other bracket.
fn bracketed(rest: &str) -> Option<usize> {
    let end = 1 + rest.get(1..)?.find(['[', ']'])?;
    (rest.as_bytes()[end] == b']').then_some(end)
}

/// The works of a group, one per part.
fn keys(inner: &str, at: usize) -> Option<Vec<CitedKey>> {
    let mut keys = Vec::new();
    let mut offset = at;
    for part in parts(inner) {
        keys.push(cited(part, offset)?);
        offset += part.len() + 1;
    }
    Some(keys)
}

/// Splits at semicolons, except in braces, which enclose a key.
fn parts(inner: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    inner.split(move |c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ';' && depth == 0
    })
}

/// Parses `see -@key, p. 3`.
fn cited(part: &str, at: usize) -> Option<CitedKey> {
    let mut from = 0;
    let (sign, key, length) = loop {
        let sign = from + part.cut(from..).find('@')?;
        match key(part.cut(sign + 1..)).filter(|_| is_apart(part.cut(..sign))) {
            Some((key, length)) => break (sign, key, length),
            None => from = sign + 1,
        }
    };
    let before = part.cut(..sign);
    let prefix = before.strip_suffix('-').unwrap_or(before);
    let after = part.cut(sign + 1 + length..).trim();
    let supplement = after.strip_prefix(',').unwrap_or(after).trim();
    let words = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    Some(CitedKey {
        key: key.to_owned(),
        prefix: words(prefix),
        supplement: words(supplement),
        narrative: false,
        authorless: before.len() > prefix.len(),
        span: at + sign..at + sign + 1 + length,
    })
}

/// Parses the citation at the start of `rest`, at position `at` after `before`: `@key`, `-@key`, `@key [p. 3]`.
pub(super) fn bare(rest: &str, at: usize) -> Option<(usize, Citation)> {
    let authorless = rest.starts_with('-');
    let sign = usize::from(authorless);
    let (key, length) = key(rest.get(sign..)?.strip_prefix('@')?)?;
    let mut end = sign + 1 + length;
    let mut cited = CitedKey {
        key: key.to_owned(),
        prefix: None,
        supplement: None,
        narrative: !authorless,
        authorless,
        span: at + sign..at + end,
    };
    // Brackets after it are a locator, unless they are a link or contain a citation.
    let behind = rest.cut(end..);
    let gap = behind.len() - behind.trim_start_matches(' ').len();
    if let Some(close) = behind.get(gap..).filter(|text| text.starts_with('[')).and_then(bracketed)
    {
        let inner = behind.cut(gap + 1..gap + close).trim();
        let follows = behind.cut(gap + close + 1..).chars().next();
        let is_place =
            !inner.is_empty() && !inner.contains(['@', ';', '^']) && follows != Some('(');
        if gap <= 1 && is_place {
            cited.supplement = Some(inner.split_whitespace().collect::<Vec<_>>().join(" "));
            end += gap + close + 1;
        }
    }
    let span = at..at + end;
    Some((end, Citation { keys: vec![cited], bare: true, text: rest.cut(..end).to_owned(), span }))
}

/// Whether a key may follow this text; excludes e-mail addresses, paths and `\@`.
pub(super) fn is_apart(before: &str) -> bool {
    let before = before.strip_suffix('-').unwrap_or(before);
    let last = before.chars().next_back();
    last.is_none_or(|c| {
        !c.is_alphanumeric() && !matches!(c, '.' | '/' | '@' | '\\' | '+' | '%' | '_' | '=')
    })
}

/// The key at the start of a text after the at sign, and its length as written: letters, digits and `_` with single
/// punctuation marks between them, or anything in braces.
fn key(text: &str) -> Option<(&str, usize)> {
    if let Some(inner) = text.strip_prefix('{') {
        let end = inner.find(['{', '}', '\n'])?;
        let key = inner.cut(..end).trim();
        return (inner.as_bytes()[end] == b'}' && !key.is_empty()).then_some((key, end + 2));
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_sign = |c: char| ":.#$%&-+?<>~/".contains(c);
    let mut length = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let goes_on = match chars.peek() {
            Some((_, next)) => is_part(*next),
            None => false,
        };
        if !(is_part(c) || (at > 0 && is_sign(c) && goes_on)) {
            break;
        }
        length = at + c.len_utf8();
    }
    (length > 0).then(|| (text.cut(..length), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let found = match text.starts_with('[') {
            true => group(text, 0),
            false => bare(text, 0),
        };
        let Some((length, citation)) = found else { return "none".to_owned() };
        let keys = citation.keys.iter().map(|cited| {
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            let sign = if cited.authorless { "-" } else { "" };
            format!("{}|{sign}{}|{}", word(&cited.prefix), cited.key, word(&cited.supplement))
        });
        let keys: Vec<String> = keys.collect();
        format!("{} +{}", keys.join(" & "), text.len() - length)
    }

    #[test]
    fn citations_are_written_as_for_pandoc() {
        for (text, found) in [
            ("[@a]", "|a| +0"),
            ("[-@a]", "|-a| +0"),
            ("[see @a, p. 3]", "see|a|p. 3 +0"),
            (
                "[see @a; also -@b-c, pp. 3–5, and passim]",
                "see|a| & also|-b-c|pp. 3–5, and passim +0",
            ),
            ("[@a: see]", "|a|: see +0"),
            ("[@a.]", "|a|. +0"),
            ("[@{a b; c}, p. 1]", "|a b; c|p. 1 +0"),
            ("[@DBLP:conf/cvpr/He16]", "|DBLP:conf/cvpr/He16| +0"),
            ("[@a--p. 3]", "|a|--p. 3 +0"),
            ("[@a\np. 3]", "|a|p. 3 +0"),
            ("[@a](x)", "none"),
            ("[@a; see]", "none"),
            ("[mail me@x.org]", "none"),
            ("[a [@b]", "none"),
            ("[@]", "none"),
            ("@a [p. 33] x", "|a|p. 33 +2"),
            ("@a [see](x)", "|a| +9"),
            ("@a [@b]", "|a| +5"),
            ("@a. B", "|a| +3"),
            ("-@a", "|-a| +0"),
            ("@{a b}", "|a b| +0"),
            ("@_x:1", "|_x:1| +0"),
        ] {
            assert_eq!(read(text), found, "{text}");
        }
    }
}
