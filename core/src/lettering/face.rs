//! A font: the built-in one, or the bytes of a file.

use std::borrow::Cow;
use std::path::Path;

use ab_glyph::{Font as _, FontRef};

use super::line::{Letters, Line};
use super::script::needs_shaping;
use super::shaping::{Unshaped, shape};
use crate::digest::Digest;
use crate::file;

/// The name of the font that comes with the program.
pub const BUILT_IN: &str = "DejaVu Sans Bold";
/// Its bytes.
const BYTES: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");
/// Most bytes of a font file.
pub const LARGEST_FONT: u64 = 64 << 20;

/// A font that can be read.
#[derive(Debug, Clone)]
pub struct Face {
    name: String,
    bytes: Cow<'static, [u8]>,
}

impl Face {
    /// The font that comes with the program.
    pub fn built_in() -> Self {
        Self { name: BUILT_IN.to_owned(), bytes: Cow::Borrowed(BYTES) }
    }

    /// The digest of the built-in font's bytes.
    pub fn built_in_digest() -> Digest {
        Digest::of(BYTES)
    }

    /// The font in a file, under a name for messages.
    ///
    /// # Errors
    /// If the file cannot be read, is too large, or is no TrueType or OpenType font.
    pub fn open(name: &str, path: &Path) -> Result<Self, String> {
        let bytes = file::read(path, LARGEST_FONT).map_err(|error| error.to_string())?;
        Self::of(name, bytes)
    }

    /// The font of these bytes, under a name for messages.
    ///
    /// # Errors
    /// If they are no TrueType or OpenType font.
    pub fn of(name: &str, bytes: Vec<u8>) -> Result<Self, String> {
        match bytes.get(..4) {
            Some(b"wOFF" | b"wOF2") => {
                return Err("it is a web font (WOFF); convert it to TrueType or OpenType".into());
            }
            Some(b"ttcf") => {
                return Err("it is a collection of fonts; save one of them as a file".into());
            }
            _ => {}
        }
        let face = Self { name: name.to_owned(), bytes: Cow::Owned(bytes) };
        // A small letter is in every font that could be of use, or the shaper says what is wrong with its tables.
        let readable =
            face.font().is_ok() && !matches!(shape(&face.bytes, "a"), Err(Unshaped::Font(_)));
        if readable { Ok(face) } else { Err("it is not a TrueType or OpenType font".into()) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its outlines and measures.
    ///
    /// # Errors
    /// If it cannot be parsed, which [`Face::of`] has checked.
    pub fn font(&self) -> Result<FontRef<'_>, String> {
        FontRef::try_from_slice(&self.bytes).map_err(|error| error.to_string())
    }

    /// A text as a line. Letters that join, run from right to left or carry marks are shaped; all others are placed one by
    /// one.
    ///
    /// # Errors
    /// If the font lacks one of its letters.
    pub fn line<'t>(&self, text: &'t str) -> Result<Line<'t>, String> {
        let letters = match needs_shaping(text) {
            true => Letters::Shaped(shape(&self.bytes, text).map_err(|why| match why {
                Unshaped::Lacks(letter) => self.lacks(letter),
                Unshaped::Font(why) => why,
            })?),
            false => {
                let font = self.font()?;
                match text.chars().find(|c| font.glyph_id(*c).0 == 0) {
                    Some(unknown) => return Err(self.lacks(unknown)),
                    None => Letters::Plain(text),
                }
            }
        };
        Ok(Line(letters))
    }

    /// The message that it has no such letter.
    fn lacks(&self, letter: char) -> String {
        let which = match self.name == BUILT_IN {
            true => ", in which words are drawn,",
            false => "",
        };
        let shown = if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
        format!("{}{which} has no `{shown}` (U+{:04X})", self.name, letter as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_font_is_refused_with_a_reason() {
        for (bytes, expected) in [
            (&b"wOF2 and so on"[..], "web font"),
            (b"ttcf and so on", "collection"),
            (b"<html>", "not a TrueType or OpenType font"),
            (b"", "not a TrueType or OpenType font"),
            (&BYTES[..1000], "not a TrueType or OpenType font"),
        ] {
            let why = Face::of("Other", bytes.to_vec()).expect_err("no font");
            assert!(why.contains(expected), "{why}");
        }
        let why = Face::open("Other", Path::new("/dev/null")).expect_err("no file");
        assert!(!why.is_empty());
        assert!(Face::of("Other", BYTES.to_vec()).is_ok());
    }

    #[test]
    fn a_letter_that_a_font_lacks_is_named_with_the_font() {
        let lacks = |face: &Face, text: &str| face.line(text).map(drop).expect_err("no glyph");
        assert_eq!(
            lacks(&Face::built_in(), "a銀"),
            "DejaVu Sans Bold, in which words are drawn, has no `銀` (U+9280)"
        );
        let other = Face::of("Other", BYTES.to_vec()).expect("a font");
        assert_eq!(lacks(&other, "नमस्ते"), "Other has no `न` (U+0928)");
        assert_eq!(lacks(&other, "a\u{1}"), "Other has no `\u{fffd}` (U+0001)");
    }
}
