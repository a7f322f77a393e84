//! Recognises texts that look like UTF-8 read in another encoding. Knows nothing of how to mend them.
//!
//! The classes of characters and the sequences of classes that give such a text away are those of
//! ftfy 6.3.1 by Robyn Speer (<https://ftfy.readthedocs.io/en/latest/heuristic.html>, Apache-2.0), as data.

use std::sync::LazyLock;

use super::unicode::{is_letter, is_number, is_space};

const COMMON: u32 = 1;
const C1: u32 = 1 << 1;
const BAD: u32 = 1 << 2;
const LAW: u32 = 1 << 3;
const CURRENCY: u32 = 1 << 4;
const START: u32 = 1 << 5;
const END: u32 = 1 << 6;
const NUMERIC: u32 = 1 << 7;
const KAOMOJI: u32 = 1 << 8;
const UPPER: u32 = 1 << 9;
const LOWER: u32 = 1 << 10;
const UPPER_COMMON: u32 = 1 << 11;
const LOWER_COMMON: u32 = 1 << 12;
const BOX: u32 = 1 << 13;
/// The bytes that open a character of two, three and four bytes, as any encoding shows them.
pub const FIRST_OF_2: u32 = 1 << 14;
/// See [`FIRST_OF_2`].
pub const FIRST_OF_3: u32 = 1 << 15;
/// See [`FIRST_OF_2`].
pub const FIRST_OF_4: u32 = 1 << 16;
/// The bytes that continue a character, as any encoding shows them; [`LOOSE`] adds those that often stand for
/// themselves.
pub const NEXT: u32 = 1 << 17;
/// See [`NEXT`].
pub const LOOSE: u32 = 1 << 18;
const LATIN: u32 = 1 << 19;
const SMALL_LATIN: u32 = 1 << 20;
const NOT_LATIN: u32 = 1 << 21;
const SPACE: u32 = 1 << 22;
const WORD: u32 = 1 << 23;
const NOT_NEWLINE: u32 = 1 << 24;

const ACCENTED: u32 = LOWER | UPPER;
const PUNCTUATION: u32 = START | END;

/// Characters by class; `a-z` is a range.
const CLASSES: &[(u32, &str)] = &[
    (COMMON, "\u{a0}\u{ad}´·–-―’…"),
    (C1, "\u{80}-\u{9f}"),
    (BAD, "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊�"),
    (LAW, "§¶"),
    (CURRENCY, "¢£¥₧€"),
    (START, "¡©«¿΄΅‘‚“„•‹\u{f8ff}"),
    (END, "®»˝”›™"),
    (NUMERIC, "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥"),
    (KAOMOJI, "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ"),
    (UPPER, "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"),
    (LOWER, "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ"),
    (UPPER_COMMON, "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я"),
    (LOWER_COMMON, "ά-ωа-џ"),
    (BOX, "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓"),
    (FIRST_OF_2, "Â-ßĀĂĆČĎĐĒĖĘĚĞĢĪİĶĹĻŁŃŅŇŌŐŘŚŞŠŢŪŮŰŲŹŻŽΒ-ΡΣ-ίВ-Я"),
    (FIRST_OF_3, "à-ïāăąćčďēėęěģīįķĺļŕźΰ-οа-п"),
    (FIRST_OF_4, "ðóđğšπσру"),
    (NEXT, "\u{80}-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†‡‰‹›€№™"),
    (LOOSE, " –-―‘-‚“-„•…"),
];

/// One position of a sequence: a character of one of the classes, or one of those listed.
struct Place(u32, &'static str);

impl Place {
    fn takes(&self, c: char, classes: u32) -> bool {
        self.0 & classes != 0 || (!self.1.is_empty() && self.1.contains(c))
    }
}

const fn of(classes: u32) -> Place {
    Place(classes, "")
}

const fn one(listed: &'static str) -> Place {
    Place(0, listed)
}

const ARABIC: &str = "ŸŠ®°µ»";
const DOUBTFUL: u32 = BAD | PUNCTUATION | CURRENCY;

/// Sequences that are far more likely to be misread UTF-8 than intended.
const SEQUENCES: &[&[Place]] = &[
    &[of(C1)],
    &[of(BAD | ACCENTED | BOX | PUNCTUATION | CURRENCY | NUMERIC | LAW), of(BAD)],
    &[of(LATIN), of(LOWER_COMMON | UPPER_COMMON), of(BAD)],
    &[of(BAD), of(ACCENTED | BOX | PUNCTUATION | CURRENCY | NUMERIC | LAW)],
    &[of(LOWER | LOWER_COMMON | BOX | END | CURRENCY | NUMERIC), of(UPPER)],
    &[of(BOX | END | CURRENCY | NUMERIC), of(LOWER)],
    &[of(LOWER | BOX | END), of(CURRENCY)],
    &[of(SPACE), of(UPPER), of(CURRENCY)],
    &[of(UPPER | BOX), of(NUMERIC | LAW)],
    &[of(ACCENTED | BOX | CURRENCY | END), of(START), of(NUMERIC)],
    &[of(ACCENTED | CURRENCY | NUMERIC | BOX | LAW), of(END), of(START)],
    &[of(CURRENCY | NUMERIC | BOX), of(START)],
    &[of(SMALL_LATIN), of(UPPER), of(START | CURRENCY)],
    &[of(BOX), of(KAOMOJI)],
    &[of(ACCENTED | CURRENCY | NUMERIC | PUNCTUATION | LAW), of(BOX)],
    &[of(BOX), of(END)],
    &[of(ACCENTED), of(PUNCTUATION), of(WORD)],
    &[one("Œœ"), of(NOT_LATIN)],
    &[of(UPPER), one("°")],
    // Windows-1252: pairs, Arabic, and the scripts of South Asia.
    &[one("ÂÃÎÐ"), Place(PUNCTUATION, "€œŠš¢£Ÿž\u{a0}\u{ad}®©°·»–—´")],
    &[one("×"), one("²³")],
    &[
        one("ØÙ"),
        Place(COMMON | CURRENCY | BAD | NUMERIC | START, ARABIC),
        one("ØÙ"),
        Place(COMMON | CURRENCY | BAD | NUMERIC | START, ARABIC),
    ],
    &[one("à"), one("²µ¹¼½¾")],
    // Mac OS Roman.
    &[one("√"), one("±∂†≠®™´≤≥¥µø")],
    &[one("≈"), one("°¢")],
    &[one("‚"), one("Ä"), one("ìîïòôúùû†°¢π")],
    &[one("‚"), one("âó"), one("àä°ê")],
    // Windows-1251.
    &[one("в"), one("Ђ")],
    &[one("ВГРС"), Place(C1 | DOUBTFUL, "°µ"), one("ВГРС")],
    &[one("Г"), one("ў"), one("В"), one("Ђ"), one("В"), of(NOT_NEWLINE), Place(LATIN, " ")],
    // What à, á and the no-break space become.
    &[one("Ã"), one("\u{a0}¡")],
    &[of(SMALL_LATIN), one("ÃÂ"), one(" ")],
    &[of(SMALL_LATIN), of(SPACE), one("ÃÂ"), one(" ")],
    &[Place(SMALL_LATIN | END, ".,?!"), one("Â"), Place(PUNCTUATION, " ")],
    // Windows-1253 and Windows-1257.
    &[one("β"), one("€"), one("™\u{a0}Ά\u{ad}®°")],
    &[one("ΒΓΞΟ"), Place(C1 | DOUBTFUL, "°"), one("ΒΓΞΟ")],
    &[one("ā"), one("€")],
];

/// A sequence that counts only at the beginning of a text.
const OPENING: &[Place] = &[one("ÃÂ"), one(" ")];

/// Characters with their classes of [`CLASSES`], in order.
static TABLE: LazyLock<Vec<(char, u32)>> = LazyLock::new(|| {
    let mut table = std::collections::BTreeMap::new();
    for (class, characters) in CLASSES {
        let mut rest = characters.chars().peekable();
        while let Some(first) = rest.next() {
            let mut last = first;
            if rest.next_if_eq(&'-').is_some() {
                last = rest.next().unwrap_or(first);
            }
            for c in first..=last {
                *table.entry(c).or_default() |= class;
            }
        }
    }
    table.into_iter().collect()
});

/// The classes of a character, as bits.
pub fn classes(c: char) -> u32 {
    let mut classes = if c == '\n' { 0 } else { NOT_NEWLINE };
    if c.is_ascii_alphabetic() {
        let small = if c.is_ascii_lowercase() { SMALL_LATIN } else { 0 };
        return classes | LATIN | small | WORD;
    }
    if let Ok(at) = TABLE.binary_search_by_key(&c, |entry| entry.0) {
        classes |= TABLE[at].1;
    }
    if is_space(c) {
        classes |= SPACE;
    } else if c == '_' || is_letter(c) || is_number(c) {
        classes |= WORD;
    }
    classes | NOT_LATIN
}

/// Whether `text` has a sequence that is probably misread UTF-8.
pub fn is_bad(text: &[char]) -> bool {
    // The classes of the next few characters, so that each is looked up once.
    let mut ahead: [u32; 8] = [0; 8];
    for (slot, &c) in ahead.iter_mut().zip(text) {
        *slot = classes(c);
    }
    let fits = |sequence: &[Place], rest: &[char], ahead: &[u32; 8]| {
        sequence.len() <= rest.len()
            && sequence.iter().zip(rest).zip(ahead).all(|((place, c), of)| place.takes(*c, *of))
    };
    if fits(OPENING, text, &ahead) {
        return true;
    }
    for at in 0..text.len() {
        let rest = &text[at..];
        // No sequence is of ASCII alone, and none has more than two such characters in front.
        let plain = rest.iter().take(3).all(char::is_ascii);
        if !plain && SEQUENCES.iter().any(|sequence| fits(sequence, rest, &ahead)) {
            return true;
        }
        ahead.rotate_left(1);
        ahead[7] = text.get(at + 8).map_or(0, |c| classes(*c));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misread_text_is_bad_and_plain_text_is_not() {
        for bad in ["sÃ³", "â€œ", "voilÃ le", "Ã la", "ÐŸÑ€Ð¸", "Ø¨Ù…", "\u{91}x", "a Â b"]
        {
            assert!(is_bad(&bad.chars().collect::<Vec<_>>()), "{bad}");
        }
        for good in ["", "plain", "Ünïcödé", "Привет", "naïve café", "Å is a word", "½ ± £5"]
        {
            assert!(!is_bad(&good.chars().collect::<Vec<_>>()), "{good}");
        }
    }
}
