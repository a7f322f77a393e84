//! Decodes text files, without a byte order mark.

/// The text of a file in UTF-8, or in UTF-16 if a byte order mark says so. The mark is removed.
///
/// # Errors
/// If the bytes are not valid text.
pub fn text(bytes: &[u8]) -> Result<String, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("it is UTF-16 that ends within a character".to_owned());
        }
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16(&units).map_err(|_| "it is not valid UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        bytes => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|error| {
        format!("it is not UTF-8: the byte {} is {:#04x}", error.valid_up_to() + 1, {
            bytes.get(error.valid_up_to()).copied().unwrap_or_default()
        })
    })
}

/// Whether a text begins with a byte order mark.
pub fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0xef, 0xbb, 0xbf, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_tells_the_encoding_and_is_no_text() {
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}a café 🦊".encode_utf16().flat_map(order).collect()
        };
        let marked = "\u{feff}a café 🦊".as_bytes().to_vec();
        for bytes in [marked, utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
            assert!(is_marked(&bytes));
            assert_eq!(text(&bytes).as_deref(), Ok("a café 🦊"));
        }
        assert_eq!(text(b"plain").as_deref(), Ok("plain"));
        assert!(!is_marked(b"plain"));
        assert!(text(b"caf\xe9").expect_err("Latin-1").contains("the byte 4 is 0xe9"));
        assert!(text(b"\xff\xfea").expect_err("odd").contains("UTF-16"));
    }
}
