//! Checksums inside JSON files: adds the digest of an object's bytes as its last field, and verifies it.
//!
//! A flipped bit often leaves valid JSON with another number in it. The checksum covers every byte before it,
//! including white space, so that damaged data is never used. The file is still JSON.

use crate::digest::Digest;

const BEFORE: &[u8] = b",\n  \"checksum\": \"";
const AFTER: &[u8] = b"\"\n}\n";
const DIGITS: usize = 64;

/// The result of opening a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The sealed JSON.
    Whole(Vec<u8>),
    /// There is no checksum: the file is from an earlier version, of another kind, or damaged there.
    Bare,
    /// The checksum does not match.
    Broken,
}

impl Opened {
    /// The sealed JSON, if it is intact.
    pub fn whole(self) -> Option<Vec<u8>> {
        match self {
            Self::Whole(json) => Some(json),
            Self::Bare | Self::Broken => None,
        }
    }
}

/// Adds the checksum. `json` is an object with at least one field.
pub fn seal(json: &[u8]) -> Vec<u8> {
    let json = json.trim_ascii_end();
    let body = json.strip_suffix(b"}").unwrap_or(json).trim_ascii_end();
    let digest = Digest::of(body);
    [body, BEFORE, digest.hex().as_bytes(), AFTER].concat()
}

/// Verifies the checksum and removes it.
pub fn open(bytes: &[u8]) -> Opened {
    let digits = bytes.strip_suffix(AFTER).and_then(|rest| rest.split_last_chunk::<DIGITS>());
    let Some((body, digits)) =
        digits.and_then(|(rest, digits)| Some((rest.strip_suffix(BEFORE)?, digits)))
    else {
        return Opened::Bare;
    };
    if Digest::of(body).hex().as_bytes() == digits {
        Opened::Whole([body, b"\n}"].concat())
    } else {
        Opened::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_was_sealed_comes_back_and_is_json_all_along() {
        let value = json!({ "a": 1.5, "b": { "c": ["}", "x"] } });
        for text in [serde_json::to_vec(&value), serde_json::to_vec_pretty(&value)] {
            let sealed = seal(&text.expect("JSON"));
            let read: Value = serde_json::from_slice(&sealed).expect("JSON");
            assert_eq!((&read["a"], &read["b"]), (&value["a"], &value["b"]));
            let back = open(&sealed).whole().expect("whole");
            assert_eq!(serde_json::from_slice::<Value>(&back).expect("JSON"), value);
        }
        assert_eq!(open(b"{\"a\": 1}\n"), Opened::Bare);
    }

    #[test]
    fn no_flipped_bit_and_no_cut_goes_unnoticed() {
        let sealed = seal(br#"{"a": 1.5, "b": "text"}"#);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(open(&damaged).whole(), None, "bit {bit} of byte {at}");
            }
            assert_eq!(open(&sealed[..at]).whole(), None, "cut at {at}");
        }
    }
}
