//! Mends UTF-8 that was read in another encoding. [`super::badness`] recognises misread text; [`super::codepage`] has
//! the encodings.
//!
//! This behaves like `fix_encoding` of ftfy 6.3.1 for every text, after its published description
//! (<https://ftfy.readthedocs.io/en/latest/explain.html>).

use super::badness::{self, FIRST_OF_2, FIRST_OF_3, FIRST_OF_4, LOOSE, NEXT};
use super::budget::Budget;
use super::codepage;

/// `text` with its mojibake mended, layer by layer, while the budget lasts.
pub fn fix_encoding(text: &str, budget: &mut Budget) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let before: Vec<char> = text.chars().collect();
    let after = fix(before.clone(), budget);
    (after != before).then(|| after.into_iter().collect())
}

fn fix(mut text: Vec<char>, budget: &mut Budget) -> Vec<char> {
    // The first layer is always removed, whatever the rest of the text has cost.
    loop {
        match step(&text, budget) {
            Some(fixed) if fixed != text => text = fixed,
            _ => return text,
        }
        if !budget.spend(text.len()) {
            return text;
        }
    }
}

/// `text` with one layer less, or `None` if there is nothing to mend.
fn step(text: &[char], budget: &mut Budget) -> Option<Vec<char>> {
    if text.iter().all(char::is_ascii) || !badness::is_bad(text) {
        return None;
    }
    let pages = codepage::possible(text);
    let possible = (0..codepage::PAGES).filter(|page| pages & 1 << page != 0);
    if let Some(fixed) = possible.into_iter().find_map(|page| reread(text, page)) {
        return Some(fixed);
    }
    // Only parts of the text were misread.
    if let Some(fixed) = fix_parts(text, budget) {
        return Some(fixed);
    }
    // Latin-1 that was meant for Windows-1252: all of it, or else what can be.
    let fixed: Vec<char> = text.iter().map(|c| codepage::c1_in_windows_1252(*c)).collect();
    let whole = codepage::has_latin_1(pages) && !fixed.iter().any(is_c1);
    (whole || text.iter().any(is_c1)).then_some(fixed)
}

fn is_c1(c: &char) -> bool {
    ('\u{80}'..='\u{9f}').contains(c)
}

/// The bytes of `text` in an encoding, read as UTF-8.
fn reread(text: &[char], page: usize) -> Option<Vec<char>> {
    let mut bytes = codepage::encode(text, page);
    // In Mac OS Roman a dash before a space would be taken for a damaged character.
    if !codepage::is_macroman(page) && (0..bytes.len()).any(|at| spaced(&bytes[at..]).is_some()) {
        bytes = restore_spaces(&bytes);
    }
    if codepage::is_windows(page) {
        bytes = replace_lost(&bytes);
    }
    if bytes.contains(&0xed) || bytes.contains(&0xc0) {
        return decode_variants(&bytes);
    }
    Some(String::from_utf8(bytes).ok()?.chars().collect())
}

/// Where `bytes` open with a character of UTF-8 in which a space stands for byte A0: the place of the space,
/// and the length of the character.
fn spaced(bytes: &[u8]) -> Option<(usize, usize)> {
    let next = |byte: u8| matches!(byte, 0x80..=0x84 | 0x86..=0x9f | 0xa1..=0xbf);
    let any = |byte: u8| matches!(byte, 0x80..=0xbf);
    match *bytes {
        [0xc2 | 0xc3 | 0xc5 | 0xce | 0xd0 | 0xd9, b' ', ..] => Some((1, 2)),
        [0xe2 | 0xe3, b' ', c, ..] if next(c) => Some((1, 3)),
        [0xe0..=0xe3, b, b' ', ..] if next(b) => Some((2, 3)),
        [0xf0, b' ', c, d, ..] if any(c) && any(d) => Some((1, 4)),
        [0xf0, b, b' ', d, ..] if any(b) && any(d) => Some((2, 4)),
        [0xf0, b, c, b' ', ..] if any(b) && any(c) => Some((3, 4)),
        _ => None,
    }
}

/// Puts back the bytes A0 that became spaces. A single `Ã` before a space is the word `à`, whose space stays,
/// but for the Portuguese words that begin with it.
fn restore_spaces(bytes: &[u8]) -> Vec<u8> {
    const ONE_WORD: [&[u8]; 5] = [b" ", b"quele", b"quela", b"quilo", b"s "];
    let mut words = Vec::with_capacity(bytes.len() + 8);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"\xc3 ") && !ONE_WORD.iter().any(|word| rest[2..].starts_with(word)) {
            words.extend_from_slice(b"\xc3\xa0 ");
            at += 2;
        } else {
            words.push(bytes[at]);
            at += 1;
        }
    }
    let mut at = 0;
    while at < words.len() {
        match spaced(&words[at..]) {
            Some((space, length)) => {
                words[at + space] = 0xa0;
                at += length;
            }
            None => at += 1,
        }
    }
    words
}

/// The length of a UTF-8 character at the beginning of `bytes` in which a byte was lost (now 1A, or at most one `?`).
fn lost(bytes: &[u8]) -> Option<usize> {
    let gone = |byte: u8| matches!(byte, 0x1a | b'?');
    let next = |byte: u8| matches!(byte, 0x1a | 0x80..=0xbf);
    let either = |byte: u8| gone(byte) || next(byte);
    match *bytes {
        [0xc2..=0xdf, 0x1a, ..] | [0xc2 | 0xc3, b'?', ..] => Some(2),
        [0xed, 0xa0..=0xaf, c, 0xed, 0xb0..=0xbf, f, ..]
            if (gone(c) && either(f)) || (either(c) && gone(f)) =>
        {
            Some(6)
        }
        [0xe0..=0xef, b, c, ..] if (gone(b) && next(c)) || (next(b) && gone(c)) => Some(3),
        [0xf0..=0xf4, b, c, d, ..]
            if (gone(b) && next(c) && next(d))
                || (next(b) && gone(c) && next(d))
                || (next(b) && next(c) && gone(d)) =>
        {
            Some(4)
        }
        [0x1a, ..] => Some(1),
        _ => None,
    }
}

/// Puts a replacement character where bytes of a character were lost.
fn replace_lost(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match lost(&bytes[at..]) {
            Some(length) => {
                whole.extend_from_slice("\u{fffd}".as_bytes());
                at += length;
            }
            None => {
                whole.push(bytes[at]);
                at += 1;
            }
        }
    }
    whole
}

/// Reads UTF-8 in which characters beyond U+FFFF may be written as two surrogates of three bytes each
/// (CESU-8), and NUL as C0 80 (as in Java). ftfy's reader takes a newline at the end for a missing byte of
/// both; so does this.
fn decode_variants(bytes: &[u8]) -> Option<Vec<char>> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [0xc0, 0x80, ..] | [0xc0, b'\n'] => {
                text.push('\0');
                at += 2;
            }
            [0xed, b @ 0xa0..=0xaf, c @ 0x80..=0xbf, 0xed, e @ 0xb0..=0xbf, f, ..]
                if matches!(f, 0x80..=0xbf) || (f == b'\n' && at + 6 == bytes.len()) =>
            {
                let high = u32::from(b & 0x0f) << 16 | u32::from(c & 0x3f) << 10;
                let low = u32::from(e & 0x0f) << 6 | u32::from(f & 0x3f);
                text.push(char::from_u32(0x10000 + high + low)?);
                at += 6;
            }
            _ => {
                // One character in plain UTF-8; surrogates and anything else are rejected.
                let length = match bytes[at] {
                    0..=0x7f => 1,
                    0xc2..=0xdf => 2,
                    0xe0..=0xef => 3,
                    _ => 4,
                };
                let character = std::str::from_utf8(bytes.get(at..at + length)?).ok()?;
                text.extend(character.chars());
                at += length;
            }
        }
    }
    Some(text)
}

/// Repairs the parts of a text that look like UTF-8 bytes and look misread by themselves; `None` if there are none.
fn fix_parts(text: &[char], budget: &mut Budget) -> Option<Vec<char>> {
    let classes: Vec<u32> = text.iter().map(|c| badness::classes(*c)).collect();
    let mut fixed = Vec::new();
    let mut done = 0;
    let mut at = 0;
    let mut changed = false;
    while at < text.len() {
        let inside = at > 0 && classes[at - 1] & NEXT != 0;
        let length = if inside { 0 } else { bytes_run(&classes[at..]) };
        let part = &text[at..at + length];
        if length > 0 && length < text.len() && badness::is_bad(part) {
            let mended = budget.deeper(|budget| fix(part.to_vec(), budget));
            if let Some(mended) = mended.filter(|mended| mended != part) {
                fixed.extend_from_slice(&text[done..at]);
                fixed.extend(mended);
                done = at + length;
                changed = true;
            }
        }
        at += length.max(1);
    }
    fixed.extend_from_slice(&text[done..]);
    changed.then_some(fixed)
}

/// How many characters from the first on look like the bytes of whole UTF-8 characters.
fn bytes_run(classes: &[u32]) -> usize {
    let next = |at: usize| classes.get(at).is_some_and(|class| class & (NEXT | LOOSE) != 0);
    let mut at = 0;
    loop {
        let first = classes.get(at).copied().unwrap_or(0);
        let of = |class: u32, more: usize| first & class != 0 && (1..=more).all(|n| next(at + n));
        at += match () {
            () if of(FIRST_OF_2, 1) => 2,
            () if of(FIRST_OF_3, 2) => 3,
            () if of(FIRST_OF_4, 3) => 4,
            () => return at,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(misread: &str, meant: &str) {
        let fixed = fix_encoding(misread, &mut Budget::new(misread.len()));
        assert_eq!(fixed.as_deref().unwrap_or(misread), meant, "{misread:?}");
    }

    #[test]
    fn misread_text_is_read_again() {
        check("âœ” No problems", "✔ No problems");
        check("sÃ³", "só");
        check("voilÃ le travail", "voilà le travail");
        check("Ã la mode", "à la mode");
        check("â€œ like this â€�", "“ like this �");
        check("Ã\u{83}Â³", "ó");
        check(
            "The Mona Lisa doesnÃ¢â‚¬â„¢t have eyebrows.",
            "The Mona Lisa doesn’t have eyebrows.",
        );
        check("日本語 sÃ³ 中文", "日本語 só 中文");
        check("Ünïcödé", "Ünïcödé");
        check("\u{91}quoted\u{92}", "‘quoted’");
    }

    #[test]
    fn variants_of_utf_8_are_read() {
        let read = |bytes: &[u8]| decode_variants(bytes).map(|c| c.iter().collect::<String>());
        assert_eq!(read(b"a\xed\xa0\xbd\xed\xb8\x8db").as_deref(), Some("a😍b"));
        assert_eq!(read(b"a\xc0\x80b").as_deref(), Some("a\0b"));
        assert_eq!(read(b"\xed\x95\x9c").as_deref(), Some("한"));
        assert_eq!(read(b"\xed\xa0\xbd"), None);
        assert_eq!(read(b"\xc0"), None);
    }
}
