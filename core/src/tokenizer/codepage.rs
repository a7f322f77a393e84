//! The ten single-byte encodings in which UTF-8 is most often misread. Input: characters. Output: the bytes that they came
//! from. Knows nothing of when a text was misread.
//!
//! The tables are those of the Unicode Consortium's mappings. Bytes that an encoding of Windows leaves open
//! stand for the control character of their number, as the WHATWG's Encoding Standard has it.

use std::sync::LazyLock;

/// How many encodings there are; an encoding is its index, and 0 is Latin-1.
pub const PAGES: usize = 10;

/// Every encoding, by its index.
pub const ALL: u16 = (1 << PAGES) - 1;

const LATIN_1: usize = 0;
const WINDOWS_1252: usize = 1;

/// The encodings in the order in which they are tried. A string holds the characters of the bytes up to 255;
/// the bytes before them stand for the code points of their number.
const HIGH: [&str; PAGES] = [
    // Latin-1
    "",
    // Windows-1252
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\
     \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
     ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
     àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
    // Windows-1251
    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ\
     \u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕї\
     АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ\
     абвгдежзийклмнопрстуфхцчшщъыьэюя",
    // Windows-1250
    "€\u{81}‚\u{83}„…†‡\u{88}‰Š‹ŚŤŽŹ\u{90}‘’“”•–—\u{98}™š›śťžź\
     \u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż\
     ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
     ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    // Windows-1253
    "€\u{81}‚ƒ„…†‡\u{88}‰\u{8a}‹\u{8c}\u{8d}\u{8e}\u{8f}\
     \u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}\u{9d}\u{9e}\u{9f}\
     \u{a0}΅Ά£¤¥¦§¨©ª«¬\u{ad}®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ\
     ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήί\
     ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ",
    // Windows-1254
    "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}\u{8e}\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}\u{9e}Ÿ\
     \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
     ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞß\
     àáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
    // Windows-1257
    "€\u{81}‚\u{83}„…†‡\u{88}‰\u{8a}‹\u{8c}¨ˇ¸\u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}¯˛\u{9f}\
     \u{a0}¡¢£¤¥¦§Ø©Ŗ«¬\u{ad}®Æ°±²³´µ¶·ø¹ŗ»¼½¾æ\
     ĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽß\
     ąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙",
    // ISO-8859-2
    "\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż\
     ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢß\
     ŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    // Mac OS Roman
    "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü\
     †°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø\
     ¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ\
     ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
    // Code page 437
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
     áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
     └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
];

/// Whether an encoding is one of Windows's. In these a replacement character `�` is taken for a byte that was
/// lost, and written as byte 1A.
pub fn is_windows(page: usize) -> bool {
    (WINDOWS_1252..=6).contains(&page)
}

/// Whether an encoding is Mac OS Roman.
pub fn is_macroman(page: usize) -> bool {
    page == 8
}

/// Characters with encoding and byte, in order.
static BYTES: LazyLock<Vec<(char, u8, u8)>> = LazyLock::new(|| {
    let mut bytes = Vec::with_capacity(PAGES * 129);
    for (page, high) in HIGH.iter().enumerate() {
        let given = high.chars().count();
        let open = (0x80..=0xff_u8).take(128 - given).map(|byte| (char::from(byte), byte));
        let given = high.chars().zip(0..).map(|(c, at)| (c, (256 - given + at) as u8));
        let lost = if is_windows(page) { '\u{fffd}' } else { '\u{1a}' };
        let all = open.chain(given).chain([(lost, 0x1a)]);
        bytes.extend(all.map(|(c, byte)| (c, page as u8, byte)));
    }
    bytes.sort_unstable();
    bytes
});

/// Whether a character stands for its own byte in every encoding.
fn is_plain(c: char) -> bool {
    c.is_ascii() && c != '\u{1a}'
}

/// The encodings, as bits, in which every character of `text` has a byte.
pub fn possible(text: &[char]) -> u16 {
    let mut pages = ALL;
    for &c in text.iter().filter(|c| !is_plain(**c)) {
        let from = BYTES.partition_point(|entry| entry.0 < c);
        let own = BYTES[from..].iter().take_while(|entry| entry.0 == c);
        pages &= own.fold(0, |pages, entry| pages | 1 << entry.1);
        if pages == 0 {
            break;
        }
    }
    pages
}

/// The bytes of `text` in an encoding that [`possible`] names for it; a character without one is skipped.
pub fn encode(text: &[char], page: usize) -> Vec<u8> {
    let byte = |c: &char| {
        if is_plain(*c) {
            return Some(*c as u8);
        }
        let at = BYTES.binary_search_by(|entry| (entry.0, entry.1).cmp(&(*c, page as u8))).ok()?;
        Some(BYTES[at].2)
    };
    text.iter().filter_map(byte).collect()
}

/// Whether Latin-1 is among the encodings.
pub fn has_latin_1(pages: u16) -> bool {
    pages & 1 << LATIN_1 != 0
}

/// The character that Windows-1252 has in place of a C1 control character; any other character is returned as it is.
pub fn c1_in_windows_1252(c: char) -> char {
    match u32::from(c) {
        code @ 0x80..=0x9f => HIGH[WINDOWS_1252].chars().nth(code as usize - 0x80).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        for page in 0..PAGES {
            let mut bytes: Vec<u8> =
                BYTES.iter().filter(|e| usize::from(e.1) == page).map(|e| e.2).collect();
            bytes.sort_unstable();
            let expected: Vec<u8> = [0x1a].into_iter().chain(0x80..=0xff).collect();
            assert_eq!(bytes, expected, "encoding {page}");
        }
    }

    #[test]
    fn a_text_goes_back_to_its_bytes() {
        let text: Vec<char> = "smörgås €".chars().collect();
        assert_eq!(possible(&text) & 0b11, 0b10, "Latin-1 has no euro");
        assert_eq!(encode(&text, 1), b"sm\xf6rg\xe5s \x80");
        assert_eq!(possible(&['中']), 0);
        assert_eq!(c1_in_windows_1252('\u{85}'), '…');
        assert_eq!(c1_in_windows_1252('\u{81}'), '\u{81}');
    }
}
