//! A list of words in; each, drawn as a picture of itself, out.
//!
//! UTF-8, one word or phrase a line; empty lines and lines that begin with `#` are passed over. Drawn black
//! on white in DejaVu Sans Bold, each word of a phrase on a line of its own.

use std::fs;
use std::path::Path;

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use image::{Rgb, RgbImage};
use neuronotes::analysis::scan::Sample;
use neuronotes::input::words;

use crate::picture::Picture;

use super::{Shard, ShardError};

const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");
/// Most bytes of a list.
const LARGEST: u64 = 64 << 20;
/// Part of the picture's side that the widest line fills, and that all lines together may fill.
const FILL: f32 = 0.8;
/// Part of the picture's side that one line's height may fill.
const TALLEST_LINE: f32 = 0.25;

/// A list of words.
#[derive(Debug)]
pub struct Words {
    font: FontRef<'static>,
    samples: Vec<Sample>,
    side: u32,
}

impl Words {
    /// Reads a list, to be drawn as pictures of `side` x `side` pixels.
    ///
    /// # Errors
    /// Where the file cannot be read, is not UTF-8, or is larger than 64 MiB.
    pub fn open(path: &Path, side: u32) -> Result<Self, ShardError> {
        let io = |source| ShardError::Io { path: path.to_owned(), source };
        let malformed = |why: String| ShardError::Malformed {
            path: path.to_owned(),
            format: "a list of words",
            why,
        };
        let length = fs::metadata(path).map_err(io)?.len();
        if length > LARGEST {
            return Err(malformed(format!("it has {length} bytes, more than 64 MiB")));
        }
        let text = String::from_utf8(fs::read(path).map_err(io)?)
            .map_err(|error| malformed(error.to_string()))?;
        Self::of(words(&text), side).map_err(malformed)
    }

    /// These words, to be drawn as pictures of `side` x `side` pixels.
    ///
    /// # Errors
    /// Where the font cannot be read, which it always can.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>, side: u32) -> Result<Self, String> {
        let sample = |word: &str| Sample {
            key: word.to_owned(),
            caption: Some(word.to_owned()),
            label: None,
        };
        let samples = words.into_iter().map(sample).collect();
        let font = FontRef::try_from_slice(FONT).map_err(|error| error.to_string())?;
        Ok(Self { font, samples, side })
    }
}

impl Shard for Words {
    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        let sample = self.samples.get(row).ok_or("there is no such row")?;
        draw(&self.font, &sample.key, self.side).map(Picture::from)
    }
}

/// Draws a word in the middle of a white square.
fn draw(font: &FontRef<'_>, text: &str, side: u32) -> Result<RgbImage, String> {
    if let Some(unknown) = text.chars().find(|c| !c.is_whitespace() && font.glyph_id(*c).0 == 0) {
        return Err(format!("the font has no `{unknown}`"));
    }
    let lines: Vec<_> = text.split_whitespace().collect();
    // Sizes are proportional, so one measurement at any size gives the one that fits.
    const PROBE: f32 = 100.0;
    let widest =
        lines.iter().map(|line| lay_out(font, line, PROBE).1).fold(f32::MIN_POSITIVE, f32::max);
    let room = side as f32;
    let size = (room * FILL * PROBE / widest)
        .min(room * TALLEST_LINE)
        .min(room * FILL / lines.len() as f32);
    let scaled = font.as_scaled(PxScale::from(size));
    let top = (room - size * lines.len() as f32) / 2.0;
    let mut darkness = vec![0.0f32; (side * side) as usize];
    for (i, line) in lines.iter().enumerate() {
        let (glyphs, width) = lay_out(font, line, size);
        let left = (room - width) / 2.0;
        let baseline = top + size * i as f32 + scaled.ascent();
        for mut glyph in glyphs {
            glyph.position += point(left, baseline);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, coverage| {
                let (x, y) = (x as i64 + bounds.min.x as i64, y as i64 + bounds.min.y as i64);
                let inside = 0..i64::from(side);
                if inside.contains(&x) && inside.contains(&y) {
                    darkness[(y * i64::from(side) + x) as usize] += coverage;
                }
            });
        }
    }
    Ok(RgbImage::from_fn(side, side, |x, y| {
        let dark = darkness[(y * side + x) as usize].clamp(0.0, 1.0);
        Rgb([(255.0 * (1.0 - dark)).round() as u8; 3])
    }))
}

/// Glyphs of a line from (0, 0) rightwards along its baseline, and its width in pixels.
fn lay_out(font: &FontRef<'_>, line: &str, size: f32) -> (Vec<Glyph>, f32) {
    let scale = PxScale::from(size);
    let scaled = font.as_scaled(scale);
    let mut x = 0.0;
    let mut before = None;
    let mut glyphs = Vec::new();
    for c in line.chars() {
        let id = font.glyph_id(c);
        if let Some(before) = before.replace(id) {
            x += scaled.kern(before, id);
        }
        glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
        x += scaled.h_advance(id);
    }
    (glyphs, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &[u8]) -> Result<Words, ShardError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("words.txt");
        fs::write(&path, text).expect("write");
        Words::open(&path, 96)
    }

    fn drawn(words: &Words, row: usize) -> RgbImage {
        words.picture(row).and_then(Picture::into_rgb).expect("a picture")
    }

    /// The smallest rectangle around all dark pixels: left, top, right, bottom.
    fn ink(picture: &RgbImage) -> [u32; 4] {
        let mut ink = [u32::MAX, u32::MAX, 0, 0];
        for (x, y, pixel) in picture.enumerate_pixels() {
            if pixel.0[0] < 128 {
                ink = [ink[0].min(x), ink[1].min(y), ink[2].max(x), ink[3].max(y)];
            }
        }
        ink
    }

    #[test]
    fn a_list_is_read_line_by_line() {
        let words = list("# names\r\n\r\n  bank \nNew York\n#\nétoile".as_bytes()).expect("a list");
        let keys: Vec<_> = words.samples().iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["bank", "New York", "étoile"]);
        assert_eq!(words.samples()[1].caption.as_deref(), Some("New York"));
        assert!(list(b"\xff\xfe").is_err());
    }

    #[test]
    fn a_word_fills_the_width_and_stands_in_the_middle() {
        let words =
            list(b"banknotes\na\nNew York City\nantidisestablishmentarianism\n").expect("a list");
        let [left, top, right, bottom] = ink(&drawn(&words, 0));
        assert!((7..=13).contains(&left) && (82..=89).contains(&right), "{left} {right}");
        assert!(top > 30 && bottom < 66, "{top} {bottom}");
        // One letter is held back by its height.
        let [left, top, right, bottom] = ink(&drawn(&words, 1));
        assert!(right - left < 40 && bottom - top < 38, "{left} {top} {right} {bottom}");
        assert!((40..56).contains(&((left + right) / 2)));
        // Three words make three lines, all within the picture.
        let [left, top, right, bottom] = ink(&drawn(&words, 2));
        assert!(bottom - top > 45 && top > 7 && bottom < 89 && left > 7 && right < 89);
        let [left, _, right, _] = ink(&drawn(&words, 3));
        assert!((7..=13).contains(&left) && (82..=89).contains(&right), "{left} {right}");
    }

    #[test]
    fn what_the_font_lacks_is_an_error_and_edges_are_soft() {
        let words = list("銀行\nbank".as_bytes()).expect("a list");
        assert!(words.picture(0).expect_err("no glyph").contains('銀'));
        let picture = drawn(&words, 1);
        let soft = picture.pixels().filter(|p| (1..255).contains(&p.0[0])).count();
        assert!(soft > 50, "{soft}");
    }
}
