//! Removes characters that HTML and XML forbid from text.

use neuronotes_core::cut::Cut as _;

/// Whether HTML or XML forbids a character: control characters other than white space, and noncharacters.
fn is_barred(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || (c as u32) & 0xfffe == 0xfffe
}

/// The text with `U+FFFD` for each forbidden character, and a space for a form feed.
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

/// JSON whose texts have `U+FFFD` for each forbidden character, escaped or not, and a space for a form feed.
pub fn legible_json(json: String) -> String {
    let json = legible(json);
    let escapes = |json: &str| ["\\u00", "\\b", "\\f"].into_iter().any(|sign| json.contains(sign));
    if !escapes(&json) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.cut(..at));
        let code = rest.get(at + 2..at + 6).filter(|_| rest.cut(at + 1..).starts_with('u'));
        let named =
            code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let escape = rest.cut(at + 1..).chars().next();
        let (stand_in, length) = match (escape, named) {
            (Some('f'), _) | (_, Some('\u{c}')) => (" ", if named.is_some() { 6 } else { 2 }),
            (Some('b'), _) => ("\u{fffd}", 2),
            (_, Some(c)) if is_barred(c) => ("\u{fffd}", 6),
            // Any other escape as a whole: its second `\` begins nothing.
            (next, _) => {
                let length = 1 + next.map_or(0, char::len_utf8);
                (rest.cut(at..at + length), length)
            }
        };
        out.push_str(stand_in);
        rest = rest.cut(at + length..);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json_and_its_texts_can_be_shown() {
        let all: String = (0..=0x1_ffff_u32).filter_map(char::from_u32).collect();
        let value = serde_json::json!({ "a": all, "b\\u0001": "\\b\\f\\\u{8}\\\\u0000\u{0}\"" });
        let text = legible_json(value.to_string());
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["a"].as_str(), Some(&*legible(all)));
        assert_eq!(read["b\\u0001"].as_str(), Some("\\b\\f\\\u{fffd}\\\\u0000\u{fffd}\""));
        assert_eq!(
            legible_json("{\"a\":\"\\n\\t\\u00e9\"}".to_owned()),
            "{\"a\":\"\\n\\t\\u00e9\"}"
        );
    }

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
