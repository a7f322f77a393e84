//! Paths as text, unambiguous even if they are not UTF-8.

use std::fmt::Write as _;
use std::path::Path;

/// Whether a path is UTF-8, which some systems do not require.
pub fn is_text(path: &Path) -> bool {
    path.to_str().is_some()
}

/// A path as text, with `/`. Invalid bytes are written as `\\xe9`, so that different names stay different.
pub fn name(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return text.replace('\\', "/");
    }
    named(path.as_os_str().as_encoded_bytes())
}

/// The same for a name in an archive.
pub fn named(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "/"));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_stay_two() {
        assert_eq!(named(b"caf\xe9.png"), "caf\\xe9.png");
        assert_eq!(named(b"caf\xe8/\xff"), "caf\\xe8/\\xff");
        assert_eq!(
            (named("é\\b".as_bytes()), name(Path::new("é/b"))),
            ("é/b".into(), "é/b".into())
        );
    }
}
