//! Draws words. Input: a list of words. Output: a picture of each.
//!
//! Words are drawn black on white in DejaVu Sans Bold, each word of a phrase on its own line, unless the list has styles.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use image::{Rgb, RgbImage};
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{Colour, Drawn, Listing, Sample, Style};
use neuronotes_core::lettering::{Block, Face};

use super::shard::Shard;
use crate::picture::Picture;

/// Makes a shard of a list of words, each drawn as a picture of `side` x `side` pixels.
pub fn reader(listing: Listing, side: u32) -> Box<dyn Shard> {
    Box::new(Words { listing, face: Face::built_in(), side })
}

#[derive(Debug)]
struct Words {
    listing: Listing,
    /// The font of a list that does not say how its words are drawn.
    face: Face,
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
        let (face, style) = match &self.listing.drawn {
            None => (&self.face, Style::PLAIN),
            Some(Drawn { faces, styles }) => {
                let style = *styles.get(row).ok_or("there is no such row")?;
                (faces.get(style.font).ok_or("there is no such font")?, style)
            }
        };
        let word = sample.caption.as_deref().unwrap_or(&sample.key);
        draw(face, word, &style, self.side).map(Picture::from)
    }
}

/// Draws a word in a square of `side` x `side` pixels.
fn draw(face: &Face, text: &str, style: &Style, side: u32) -> Result<RgbImage, String> {
    let block = Block::of(face, text)?;
    let mut ink = vec![0.0f32; (side * side) as usize];
    for glyph in block.glyphs(style.size, style.position, side as f32)? {
        fill(block.font(), glyph, |x, y, coverage| {
            let inside = 0..i64::from(side);
            if inside.contains(&x) && inside.contains(&y) {
                ink[(y * i64::from(side) + x) as usize] += coverage;
            }
        });
    }
    let (Colour(colour), Colour(background)) = (style.colour, style.background);
    Ok(RgbImage::from_fn(side, side, |x, y| {
        let ink = ink[(y * side + x) as usize].clamp(0.0, 1.0);
        let mixed = |channel: usize| {
            let (over, under) = (f32::from(colour[channel]), f32::from(background[channel]));
            (under * (1.0 - ink) + over * ink).round() as u8
        };
        Rgb([mixed(0), mixed(1), mixed(2)])
    }))
}

/// Fills a glyph's outline: calls back with the coordinates of each pixel that it touches, and how much of it is covered.
fn fill(font: &FontRef<'_>, glyph: Glyph, mut pixel: impl FnMut(i64, i64, f32)) {
    let Some(outline) = font.outline_glyph(glyph) else { return };
    let bounds = outline.px_bounds();
    let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
    outline.draw(|x, y, coverage| pixel(i64::from(x) + left, i64::from(y) + top, coverage));
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
    let face = Face::built_in();
    let font = face.font()?;
    let ascent = font.as_scaled(PxScale::from(size)).ascent();
    let (glyphs, width) = face.line(text)?.lay_out(&font, size);
    let (width, height) = (width.ceil() as i64, size.ceil() as i64 + 1);
    let mut covered = vec![0.0f32; (width * height).max(0) as usize];
    for mut glyph in glyphs {
        glyph.position += point(0.0, ascent);
        fill(&font, glyph, |x, y, coverage| {
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

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::{self, Draw, FontFile, Looks, Reading, format};
    use neuronotes_core::lettering::{Position, Size};

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

    #[test]
    fn a_style_is_where_how_large_and_in_which_colours_a_word_is_drawn() {
        let looks = Looks {
            sizes: vec![Size::Part(0.2)],
            colours: vec![Colour([255, 0, 0]), Colour([0, 0, 255])],
            backgrounds: vec![Colour([0, 255, 0])],
            positions: vec![Position::named("bottom right").expect("a position"), Position::CENTRE],
        };
        let draw = Draw { fonts: vec![FontFile::built_in()], looks };
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("words.txt");
        std::fs::write(&path, "ab\nantidisestablishmentarianism\n").expect("written");
        let reading = Reading { draw: Some(draw), ..Reading::default() };
        let listing = dataset::list(&path, &format::words::FORMAT, &reading).expect("drawings");
        assert_eq!(listing.samples.len(), 4, "the long word does not fit");
        let shard = reader(listing, 100);
        let corner = drawn(&*shard, 0);
        assert_eq!(corner.get_pixel(0, 0).0, [0, 255, 0]);
        let inked = |picture: &RgbImage, channel: usize| {
            let all = picture.enumerate_pixels().filter(|(_, _, p)| p.0[channel] > 200);
            all.map(|(x, y, _)| (x, y)).collect::<Vec<_>>()
        };
        let red = inked(&corner, 0);
        assert!(red.len() > 20 && red.iter().all(|&(x, y)| x > 60 && x < 96 && y > 75 && y < 96));
        assert!(inked(&corner, 2).is_empty());
        let middle = inked(&drawn(&*shard, 3), 2);
        assert!(
            middle.len() > 20 && middle.iter().all(|&(x, y)| x > 35 && x < 65 && y > 35 && y < 65)
        );
        let letters = |inked: &[(u32, u32)]| inked.len() as i64;
        assert!((letters(&red) - letters(&middle)).abs() < 60, "as large in both places");
    }

    #[test]
    fn pixels_of_a_plain_list_are_those_of_the_first_version() {
        let words = list(&["banknotes", "New York City", "سلام", "a"]);
        let digests: Vec<String> = (0..4)
            .map(|row| neuronotes_core::digest::Digest::of(drawn(&*words, row).as_raw()).short())
            .collect();
        assert_eq!(digests, ["f9a218219609", "e0d59f41116f", "a45d45b846c4", "cad3eb304eee"]);
    }
}
