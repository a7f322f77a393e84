//! Accented letters: LaTeX's commands and the composed characters.

use unicode_normalization::UnicodeNormalization as _;

use neuronotes_core::cut::Cut as _;

/// Commands of one letter that set an accent, and the accent.
const NAMED: &[(&str, char)] = &[
    ("H", '\u{30b}'),
    ("b", '\u{331}'),
    ("c", '\u{327}'),
    ("d", '\u{323}'),
    ("k", '\u{328}'),
    ("r", '\u{30a}'),
    ("t", '\u{361}'),
    ("u", '\u{306}'),
    ("v", '\u{30c}'),
];
/// Symbols that set an accent, and the character they are without a letter.
const SIGNED: &[(char, char, &str)] = &[
    ('`', '\u{300}', "`"),
    ('\'', '\u{301}', "´"),
    ('´', '\u{301}', "´"),
    ('^', '\u{302}', "^"),
    ('~', '\u{303}', "~"),
    ('=', '\u{304}', "¯"),
    ('.', '\u{307}', "˙"),
    ('"', '\u{308}', "¨"),
];
/// Commands that stand for a letter.
const LETTERS: &[&str] = &[
    "AA", "AE", "DH", "DJ", "L", "NG", "O", "OE", "SS", "TH", "aa", "ae", "dh", "dj", "i", "j",
    "l", "ng", "o", "oe", "ss", "th",
];

/// The accent of a command of letters.
pub(super) fn named(name: &str) -> Option<char> {
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, accent)| *accent)
}

/// The accent of a symbol.
pub(super) fn signed(sign: char) -> Option<char> {
    SIGNED.iter().find(|(known, ..)| *known == sign).map(|(_, accent, _)| *accent)
}

/// An accent without a letter.
pub(super) fn alone(accent: char) -> &'static str {
    SIGNED.iter().find(|(_, known, _)| *known == accent).map_or("", |(.., alone)| alone)
}

/// Whether the text after a brace makes it an accented letter, `{\"o}`, whose case is not protected.
pub(super) fn begins_letter(inner: &str) -> bool {
    let Some(rest) = inner.strip_prefix('\\') else { return false };
    let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    match rest.cut(..length) {
        "" => rest.chars().next().is_some_and(|sign| signed(sign).is_some()),
        name => named(name).is_some() || LETTERS.contains(&name),
    }
}

/// Adds accents to the first character of a text, the innermost last.
pub(super) fn accented(text: &str, accents: &[char]) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    // Dotless letters are written for accents that take the dot's place.
    let above = |accent: &char| !matches!(accent, '\u{323}' | '\u{327}' | '\u{328}' | '\u{331}');
    let first = match first {
        'ı' if accents.iter().any(above) => 'i',
        'ȷ' if accents.iter().any(above) => 'j',
        first => first,
    };
    let composed = std::iter::once(first).chain(accents.iter().rev().copied()).nfc();
    composed.chain(chars).collect()
}
