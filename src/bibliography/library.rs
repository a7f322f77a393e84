//! A garden's bibliography: reads the file and the citation style that the configuration names, and reports errors.
//!
//! Incremental: the file is read each time, and parsed only if its text or the style has changed.

use std::sync::OnceLock;

use neuronotes_core::file;
use neuronotes_core::suggest;

use crate::bibliography::{Bibliography, CitationStyle, DEFAULT_STYLE, style, styles};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::guard;

/// Maximum size of a bibliography in bytes.
const LARGEST: u64 = 64 << 20;

/// The works that a garden cites.
#[derive(Debug, Default)]
pub struct Library {
    /// The works; `None` if the garden has no bibliography.
    pub works: Option<Works>,
    /// The file's text, for diagnostics.
    pub text: String,
    /// Errors and warnings about the file.
    pub problems: Vec<Diagnostic>,
    written: Option<(String, String)>,
}

/// A bibliography and the style of its lists.
#[derive(Debug)]
pub struct Works {
    /// The works.
    pub bibliography: Bibliography,
    /// The citation style.
    pub style: CitationStyle,
    /// The works' keys, for hints; collected on first use.
    near: OnceLock<suggest::Index>,
}

impl Works {
    /// Keys similar to an unknown one.
    pub fn near(&self, key: &str) -> Vec<String> {
        const NAMED: usize = 3;
        match self.bibliography.keys().nth(FEW) {
            None => suggest::nearest(key, self.bibliography.keys(), NAMED),
            Some(_) => {
                let near = || suggest::Index::of(self.bibliography.keys());
                self.near.get_or_init(near).nearest(key, NAMED)
            }
        }
    }
}

/// Maximum number of keys of which all are compared.
const FEW: usize = 64;

impl Library {
    /// Reads the files that the configuration names. Returns whether anything has changed.
    pub fn read(&mut self, config: &Config) -> bool {
        let named = config.bibliography.as_ref();
        let name = config.citation_style.clone().unwrap_or_else(|| DEFAULT_STYLE.to_owned());
        let written = named.map(|source| (source.written.clone(), name.clone()));
        let Some(source) = named else {
            let changed = self.written.is_some();
            *self = Self::default();
            return changed;
        };
        let (text, foreign) = match source.read(LARGEST) {
            Ok(bytes) => decoded(bytes),
            Err(error) => {
                let message = format!("the bibliography cannot be read ({error})");
                let problem = Diagnostic::of_file(&*source.written, message);
                let problems = vec![problem.hint(file::read_hint(&error).map(str::to_owned))];
                let changed = self.written != written || self.problems != problems;
                *self = Self { problems, written, ..Self::default() };
                return changed;
            }
        };
        if self.written == written && self.text == text && self.works.is_some() {
            return false;
        }
        let lines = Lines::of(&text);
        let at = SourceFile { file: &source.written, text: &text, lines: &lines };
        let read =
            guard::run("reading the bibliography", &source.written, || Bibliography::parse(&text));
        let panicked =
            read.as_ref().err().map(|found| Diagnostic::of_panic(&*source.written, found));
        let (bibliography, faults) = read.unwrap_or_default();
        let mut problems: Vec<Diagnostic> =
            faults.into_iter().map(|fault| fault.at(at, 0)).collect();
        problems.extend(panicked);
        if let Some(place) = foreign {
            let message = "the bibliography is not UTF-8 and was read as Windows-1252";
            let hint = "save it as UTF-8 to keep all characters as written";
            problems.push(at.warning(place..place, message).hint(hint.to_owned()));
        }
        let found = style(&name).or_else(|| {
            let message = format!("unknown citation style `{name}`");
            let hint = suggest::hint(&name, styles());
            problems.push(Diagnostic::of_file(crate::config::FILE, message).hint(hint));
            style(DEFAULT_STYLE)
        });
        self.works = found.map(|style| Works { bibliography, style, near: OnceLock::new() });
        self.text = text;
        self.problems = problems;
        self.written = written;
        true
    }
}

/// A file's text without a byte order mark, and the position of the first character that is not UTF-8. Such a file is
/// usually in Windows-1252, a superset of Latin-1.
fn decoded(bytes: Vec<u8>) -> (String, Option<usize>) {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        (String::from_utf16_lossy(&units), None)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix('\u{feff}') {
            Some(text) => (text.to_owned(), None),
            None => (text, None),
        },
        Err(error) => {
            let first = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let text = |bytes: &[u8]| bytes.iter().copied().map(windows_1252).collect::<String>();
            (text(bytes), Some(text(&bytes[..first]).len()))
        }
    }
}

/// A character of Windows-1252; undefined bytes become control characters, as in the WHATWG standard.
fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.chars().nth(usize::from(at)));
    high.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_whatever_encoding_it_is_in() {
        let text = |bytes: &[u8]| decoded(bytes.to_vec());
        assert_eq!(text("Zoë".as_bytes()), ("Zoë".to_owned(), None));
        assert_eq!(text("\u{feff}Zoë".as_bytes()), ("Zoë".to_owned(), None));
        assert_eq!(text(b"\x80 Zo\xeb"), ("€ Zoë".to_owned(), Some(0)));
        assert_eq!(text(b"Zo\xeb \x93a\x94"), ("Zoë “a”".to_owned(), Some(2)));
        assert_eq!(text(b"\xff\xfeZ\0\xeb\0"), ("Zë".to_owned(), None));
        assert_eq!(text(b"\xfe\xff\0Z\0\xeb"), ("Zë".to_owned(), None));
    }
}
