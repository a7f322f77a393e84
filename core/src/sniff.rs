//! Recognises a file's real type from its first bytes, if it differs from what the name says: a saved web page, a Git
//! LFS pointer, a picture in an unsupported format.

use std::io::Read as _;
use std::path::Path;

use crate::cut::Cut as _;

/// Number of bytes that identify a file's type.
pub const ENOUGH: usize = 1024;

/// The real type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// A name with its article: `an HTML page`.
    pub what: &'static str,
    /// What to do, if known.
    pub hint: Option<&'static str>,
}

const SAVED: &str = "a server sent it instead of the file; download it again";

/// Placeholders of files that were not fetched; these may replace text files too.
pub fn stand_in(start: &[u8]) -> Option<Found> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let found = |what, hint| Some(Found { what, hint: Some(hint) });
    if start.starts_with(b"version https://git-lfs.github.com/")
        || start.starts_with(b"version https://hawser.github.com/")
    {
        return found("a Git LFS pointer", "`git lfs pull` fetches the file");
    }
    if start.starts_with(b"/annex/objects/") {
        return found("a git-annex pointer", "`git annex get` fetches the file");
    }
    if start.first() != Some(&b'<') {
        return None;
    }
    let text = String::from_utf8_lossy(&start[..start.len().min(ENOUGH)]).to_ascii_lowercase();
    let opens = |tag: &str| {
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        text.match_indices(tag).any(|(at, _)| ends(text.cut(at + tag.len()..)))
    };
    if opens("<svg") {
        return Some(Found { what: "an SVG drawing", hint: Some("save it as a PNG") });
    }
    if ["<!doctype html", "<html", "<head", "<body", "<title"].into_iter().any(opens) {
        return found("an HTML page", SAVED);
    }
    if text.starts_with("<?xml") || opens("<error") {
        return found("an XML text", SAVED);
    }
    None
}

/// The type of a file that was expected to be a picture or archive and is not a supported picture.
pub fn other(start: &[u8]) -> Option<Found> {
    if let Some(found) = stand_in(start) {
        return Some(found);
    }
    let brand = start.get(8..12).filter(|_| start.get(4..8) == Some(b"ftyp"));
    let what = match start {
        _ if matches!(brand, Some(b"avif" | b"avis")) => "an AVIF picture",
        _ if matches!(brand, Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"heim" | b"heis")) => {
            "a HEIF picture"
        }
        _ if brand.is_some() => "a film (MP4 or QuickTime)",
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            "a JPEG 2000 picture"
        }
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => "a JPEG XL picture",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [0, 0, 1, 0, ..] => "an icon (ICO)",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'q', b'o', b'i', b'f', ..] => "a QOI picture",
        [0x76, 0x2f, 0x31, 1, ..] => "an OpenEXR picture",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [0x1f, 0x8b, ..] => "a gzip file",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a Zstandard file",
        [b'B', b'Z', b'h', ..] => "a bzip2 file",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "an xz file",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7z archive",
        [b'R', b'a', b'r', b'!', ..] => "a RAR archive",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        [] => {
            return Some(Found { what: "an empty file", hint: Some("copy or download it again") });
        }
        _ => return None,
    };
    Some(Found { what, hint: None })
}

/// Whether the bytes begin a picture in a supported format.
pub fn is_picture(start: &[u8]) -> bool {
    is_late_picture(start)
        || matches!(
            start,
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..]
                | [0xff, 0xd8, 0xff, ..]
                | [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..]
                | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..]
                | [b'B', b'M', ..]
                | [b'I', b'I', 42 | 43, 0, ..]
                | [b'M', b'M', 0, 42 | 43, ..]
        )
}

/// Whether its format was not supported in earlier versions: PBM, PGM or PPM.
pub fn is_late_picture(start: &[u8]) -> bool {
    matches!(start, [b'P', b'1'..=b'6', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..])
}

/// The first bytes of a regular file; `None` if it is not regular or cannot be read.
pub fn start_of(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    let read =
        crate::file::open(path).and_then(|file| file.take(ENOUGH as u64).read_to_end(&mut start));
    read.map_or_else(|_| Vec::new(), |_| start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_for_a_file_is_named() {
        let cases: [(&[u8], &str); 10] = [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n", "Git LFS"),
            (b"/annex/objects/MD5E-s12--34.png\n", "git-annex"),
            (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML>\n<p>Sign in", "an HTML page"),
            (b"<html lang=en><title>404", "an HTML page"),
            (b"<!-- a comment first --><HTML>", "an HTML page"),
            (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC '-//W3C'><html>", "an HTML page"),
            (b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "an XML text"),
            (b"<?xml version=\"1.0\"?><svg width=\"1\">", "an SVG drawing"),
            (b"\0\0\0\x20ftypavif\0\0\0\0", "an AVIF picture"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        ];
        for (start, expected) in cases {
            let found = other(start).expect(expected);
            assert!(found.what.contains(expected), "{found:?}");
            assert!(!is_picture(start));
        }
        for start in [b"<header> of a caption".as_slice(), b"a < b", b"cat\ndog", b"P6 9 9 255\n"] {
            assert_eq!(stand_in(start), None, "{}", String::from_utf8_lossy(start));
        }
        assert!(is_picture(b"P6 9 9 255\n") && !is_picture(b"Paris"));
        assert!(is_picture(b"\x89PNG\r\n\x1a\n\0"));
    }
}
