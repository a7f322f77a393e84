//! Replaces HTML's character references, in the two ways of open_clip's cleaning. Knows nothing of tags.

use std::borrow::Cow;

use super::codepage::c1_in_windows_1252;

use crate::cut::Cut as _;

/// The characters of a named reference, given as `&amp;` or, for the 106 oldest names, as `&amp`.
fn named(reference: &str) -> Option<&'static str> {
    let characters = htmlize::ENTITIES.get(reference.as_bytes())?;
    std::str::from_utf8(characters).ok()
}

/// The character of a numeric reference as browsers read it, and as Python does: characters that are not
/// text are skipped.
fn numbered(number: u32) -> Option<char> {
    match number {
        0 => Some('\u{fffd}'),
        0x0d => Some('\r'),
        0x80..=0x9f => char::from_u32(number).map(c1_in_windows_1252),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if number <= 0x10ffff && number & 0xfffe == 0xfffe => None,
        _ => Some(char::from_u32(number).unwrap_or('\u{fffd}')),
    }
}

/// What follows `&#` as a number, in decimals or after an `x`, and the bytes that it takes with its
/// semicolon, if there is one.
fn number(text: &str) -> Option<(u32, usize)> {
    let (radix, from) = if text.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = text.cut(from..).bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    if digits == 0 {
        return None;
    }
    let value = text.cut(from..from + digits).chars().fold(0_u32, |value, digit| {
        value.saturating_mul(radix).saturating_add(digit.to_digit(radix).unwrap_or(0))
    });
    let end = from + digits;
    Some((value, end + usize::from(text.cut(end..).starts_with(';'))))
}

/// Replaces all references as Python's `html.unescape` does: with or without a semicolon. Of an unknown name, it
/// replaces the longest beginning that is one of the oldest names.
pub fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(text.cut(..first));
    let mut rest = text.cut(first..);
    while let Some(after) = rest.strip_prefix('&') {
        let taken = if let Some(digits) = after.strip_prefix('#') {
            number(digits).map(|(value, bytes)| {
                out.extend(numbered(value));
                2 + bytes
            })
        } else {
            let stop = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
            let name = after.char_indices().take(32).take_while(|(_, c)| !stop(*c));
            let end = name.last().map_or(0, |(at, c)| at + c.len_utf8());
            (end > 0).then(|| {
                let end = 1 + end + usize::from(after.cut(end..).starts_with(';'));
                longest(rest.cut(..end), &mut out);
                end
            })
        };
        let taken = taken.unwrap_or_else(|| {
            out.push('&');
            1
        });
        rest = rest.cut(taken..);
        let next = rest.find('&').unwrap_or(rest.len());
        out.push_str(rest.cut(..next));
        rest = rest.cut(next..);
    }
    Cow::Owned(out)
}

/// Writes a reference by the longest beginning that has a meaning, and what is left of it as it is.
fn longest(reference: &str, out: &mut String) {
    let ends = reference.char_indices().skip(3).map(|(at, _)| at);
    let ends: Vec<usize> = ends.chain([reference.len()]).collect();
    for end in ends.into_iter().rev() {
        if let Some(characters) = named(reference.cut(..end)) {
            out.push_str(characters);
            out.push_str(reference.cut(end..));
            return;
        }
    }
    out.push_str(reference);
}

/// Replaces only unambiguous references, as ftfy does: those with a semicolon, and names of small letters also in
/// capitals, which then stand for the capital.
pub fn unescape_certain(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(text.cut(..first));
    let mut rest = text.cut(first..);
    while let Some(after) = rest.strip_prefix('&') {
        let sign = usize::from(after.starts_with('#'));
        let name = after.bytes().skip(sign).take(25).take_while(u8::is_ascii_alphanumeric).count();
        let end = 1 + sign + name;
        let taken = if (1..=24).contains(&name) && rest.cut(end..).starts_with(';') {
            let reference = rest.cut(..=end);
            match certain(reference) {
                Some(characters) => out.push_str(&characters),
                None => out.push_str(reference),
            }
            end + 1
        } else {
            out.push('&');
            1
        };
        rest = rest.cut(taken..);
        let next = rest.find('&').unwrap_or(rest.len());
        out.push_str(rest.cut(..next));
        rest = rest.cut(next..);
    }
    Cow::Owned(out)
}

/// The characters of a reference with its semicolon, if it means one thing only.
fn certain(reference: &str) -> Option<String> {
    if let Some(digits) = reference.strip_prefix("&#") {
        let (value, taken) = number(digits)?;
        // A semicolon in the result is taken for a reference that was not understood, even if it is `&#59;`.
        return (taken == digits.len() && value != u32::from(';'))
            .then(|| numbered(value).into_iter().collect());
    }
    if let Some(characters) = named(reference) {
        return Some(characters.to_owned());
    }
    let small = reference.to_ascii_lowercase();
    if reference.contains(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let capital = named(&small)?.to_uppercase();
    // Not if the capitals have a meaning without the semicolon, as `&AMPERE;` would.
    (unescape(reference) == reference).then_some(capital)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_python_does() {
        for (text, plain) in [
            ("a &lt; b &amp; c", "a < b & c"),
            ("&notit; &notin; &amp", "¬it; ∉ &"),
            ("&#39;&#x27;&#X27&#39", "''''"),
            ("&#x80;&#0;&#xd800;&#x110000;&#99999999999;", "€\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("&#1;&#xfffe;&#x1ffff;&#13;", "\r"),
            ("&; &# &#x; &é &éamp;", "&; &# &#x; &é &éamp;"),
            ("&CounterClockwiseContourIntegral;", "∳"),
            ("&ampé", "&é"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }

    #[test]
    fn certain_references_are_read_as_ftfy_does() {
        for (text, plain) in [
            ("&lt;tag&gt; &amp this&not that", "<tag> &amp this&not that"),
            ("P&EACUTE;REZ &nTILDE; STRA&SZLIG;E", "PÉREZ &nTILDE; STRASSE"),
            ("&#59; &#58; &#12ab; &#xzz;", "&#59; : &#12ab; &#xzz;"),
            ("&HYPHEN; &AMP; &COPYSR;", "‐ & &COPYSR;"),
        ] {
            assert_eq!(unescape_certain(text), plain, "{text}");
        }
    }

    #[test]
    fn the_names_are_those_of_html_5() {
        assert_eq!(htmlize::ENTITIES.len(), 2231);
    }
}
