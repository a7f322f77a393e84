//! Draws words. Input: a list of words. Output: a picture of each.
//!
//! Words are drawn black on white in DejaVu Sans Bold, each word of a phrase on its own line. Words whose letters join, run
//! from right to left or carry marks are shaped; all others are drawn letter by letter.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use image::{Rgb, RgbImage};
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{Listing, Sample, needs_shaping};

use super::shaping::{self, FONT, Shaped, lacks};
use super::shard::Shard;
use crate::picture::Picture;

/// Fraction of the picture's side that the widest line fills, and that all lines together may fill.
const FILL: f32 = 0.8;
/// Fraction of the picture's side that the height of one line may fill.
const TALLEST_LINE: f32 = 0.25;

/// Makes a shard of a list of words, each drawn as a picture of `side` x `side` pixels.
pub fn reader(listing: Listing, side: u32) -> Box<dyn Shard> {
    Box::new(Words { listing, side })
}

#[derive(Debug)]
struct Words {
    listing: Listing,
    side: u32,
}

impl Shard for Words {
    fn samples(&self) -> &[Sample] {
        &self.listing.samples
    }

    fn ledger(&self) -> &Ledger {
        &self.listing.ledger
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        let sample = self.listing.samples.get(row).ok_or("there is no such row")?;
        draw(&sample.key, self.side).map(Picture::from)
    }
}

/// Draws a word in the middle of a white square of `side` x `side` pixels.
fn draw(text: &str, side: u32) -> Result<RgbImage, String> {
    let font = &FontRef::try_from_slice(FONT).map_err(|error| error.to_string())?;
    let lines = text.split_whitespace().map(|word| line(font, word));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
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

/// How much of each pixel of a rectangle is covered by letters, row by row.
pub struct Mask {
    /// Width in pixels.
    pub width: i64,
    /// Height in pixels.
    pub height: i64,
    /// From 0 to 1.
    pub covered: Vec<f32>,
}

/// One line of text with letters of a size, in pixels: from its left edge to its right, and from ascenders to descenders.
pub fn mask(text: &str, size: f32) -> Result<Mask, String> {
    let font = &FontRef::try_from_slice(FONT).map_err(|error| error.to_string())?;
    let scaled = font.as_scaled(PxScale::from(size));
    let (glyphs, width) = lay_out(font, &line(font, text)?, size);
    let (width, height) = (width.ceil() as i64, size.ceil() as i64 + 1);
    let mut covered = vec![0.0f32; (width * height).max(0) as usize];
    for mut glyph in glyphs {
        glyph.position += point(0.0, scaled.ascent());
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let bounds = outline.px_bounds();
        outline.draw(|x, y, coverage| {
            let (x, y) = (x as i64 + bounds.min.x as i64, y as i64 + bounds.min.y as i64);
            if (0..width).contains(&x) && (0..height).contains(&y) {
                let pixel = &mut covered[(y * width + x) as usize];
                *pixel = (*pixel + coverage).min(1.0);
            }
        });
    }
    if covered.iter().all(|part| *part == 0.0) {
        return Err("it has no letters".to_owned());
    }
    Ok(Mask { width, height, covered })
}

/// A text as a line, if the font has all its letters.
fn line<'t>(font: &FontRef<'_>, text: &'t str) -> Result<Line<'t>, String> {
    match needs_shaping(text) {
        true => shaping::shape(FONT, text).map(Line::Shaped),
        false => match text.chars().find(|c| font.glyph_id(*c).0 == 0) {
            Some(unknown) => Err(lacks(unknown)),
            None => Ok(Line::Plain(text)),
        },
    }
}

/// A line of a picture.
enum Line<'t> {
    /// Drawn letter by letter.
    Plain(&'t str),
    Shaped(Shaped),
}

/// Glyphs of a line from (0, 0) rightwards along its baseline, and its width in pixels.
fn lay_out(font: &FontRef<'_>, line: &Line<'_>, size: f32) -> (Vec<Glyph>, f32) {
    let scale = PxScale::from(size);
    let scaled = font.as_scaled(scale);
    let line = match line {
        Line::Plain(line) => line,
        Line::Shaped(shaped) => return shaped.at(size, scaled.h_scale_factor()),
    };
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

    fn list(words: &[&str]) -> Box<dyn Shard> {
        reader(neuronotes_core::dataset::of_words(words.iter().copied()), 96)
    }

    fn drawn(words: &dyn Shard, row: usize) -> RgbImage {
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
    fn a_word_fills_the_width_and_stands_in_the_middle() {
        let words = list(&["banknotes", "a", "New York City", "antidisestablishmentarianism"]);
        let [left, top, right, bottom] = ink(&drawn(&*words, 0));
        assert!((7..=13).contains(&left) && (82..=89).contains(&right), "{left} {right}");
        assert!(top > 30 && bottom < 66, "{top} {bottom}");
        // One letter is held back by its height.
        let [left, top, right, bottom] = ink(&drawn(&*words, 1));
        assert!(right - left < 40 && bottom - top < 38, "{left} {top} {right} {bottom}");
        assert!((40..56).contains(&((left + right) / 2)));
        // Three words make three lines, all within the picture.
        let [left, top, right, bottom] = ink(&drawn(&*words, 2));
        assert!(bottom - top > 45 && top > 7 && bottom < 89 && left > 7 && right < 89);
        let [left, _, right, _] = ink(&drawn(&*words, 3));
        assert!((7..=13).contains(&left) && (82..=89).contains(&right), "{left} {right}");
    }

    #[test]
    fn what_the_font_lacks_is_an_error_and_edges_are_soft() {
        let words = list(&["銀行", "bank", "سلام", "fox🦊"]);
        assert!(words.picture(0).expect_err("no glyph").contains("no `銀` (U+9280)"));
        assert!(words.picture(3).expect_err("no glyph").contains('🦊'));
        let [left, top, right, bottom] = ink(&drawn(&*words, 2));
        assert!((40..56).contains(&((left + right) / 2)), "{left} {right}");
        assert!(right - left > 20 && top > 20 && bottom < 80, "{left} {top} {right} {bottom}");
        let picture = drawn(&*words, 1);
        let soft = picture.pixels().filter(|p| (1..255).contains(&p.0[0])).count();
        assert!(soft > 50, "{soft}");
    }
}
