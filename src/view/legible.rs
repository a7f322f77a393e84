//! Text that HTML and XML can hold: any text in; the same without characters that neither may have, out.

/// Whether HTML or XML may not hold a character: control characters but for blanks and line ends, and noncharacters.
fn is_barred(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// The text with `U+FFFD` for each character that neither HTML nor XML may hold; a form feed is a blank.
pub fn legible(text: String) -> String {
    // Hardly any text has one, and all of them begin with one of these bytes.
    let suspect = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let beyond = |byte: u8| matches!(byte, 0x7f | 0xc2 | 0xef | 0xf0..=0xf4);
    if !text.bytes().any(|byte| suspect(byte) || beyond(byte)) || !text.contains(is_barred) {
        return text;
    }
    let shown = |c: char| match c {
        '\u{c}' => ' ',
        c if is_barred(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_not_be_there_is_replaced() {
        let all: String = (0..=0x10_ffff_u32).filter_map(char::from_u32).collect();
        let shown = legible(all.clone());
        let allowed = |c: char| {
            // https://www.w3.org/TR/xml/#charsets
            matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        };
        assert!(shown.chars().all(allowed));
        assert_eq!(shown.chars().count(), all.chars().count());
        let kept = "größe 末 🐖\u{301}\t\r\n\u{a0}\u{2028}";
        assert_eq!(legible(kept.to_owned()), kept);
        assert_eq!(legible("a\u{fffe}b\u{1}c\u{c}d".to_owned()), "a\u{fffd}b\u{fffd}c d");
    }
}
