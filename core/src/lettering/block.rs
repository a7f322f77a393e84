//! A word or phrase as lines in a square picture, each word of a phrase on a line of its own.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use serde::{Deserialize, Serialize};

use super::face::Face;
use super::line::Line;
use super::position::Position;
use crate::number::tick;

/// Fraction of the picture's side that the widest line fills, and that all lines together may fill, where letters are as
/// large as fits.
const FILL: f32 = 0.8;
/// Fraction of the picture's side that the height of one line may fill there.
const TALLEST_LINE: f32 = 0.25;
/// Fraction of the picture's side that stays free at each edge.
const MARGIN: f32 = 0.05;
/// A size in pixels. Sizes are proportional, so one measurement at any size gives the one that fits.
const PROBE: f32 = 100.0;

/// How large letters are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// As large as fits: the widest line fills 80% of the width, unless its height or the number of lines forbids it.
    #[default]
    Fit,
    /// The height of a line, from ascenders to descenders, as a fraction of the picture's side.
    #[serde(untagged)]
    Part(f64),
}

impl Size {
    /// The least and the greatest fraction.
    pub const BOUNDS: (f64, f64) = (0.02, 0.9);
}

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fit => out.write_str("fit"),
            Self::Part(part) => out.write_str(&tick(*part, 4)),
        }
    }
}

/// A word or phrase in a font.
#[derive(Debug)]
pub struct Block<'f, 't> {
    font: FontRef<'f>,
    lines: Vec<Line<'t>>,
    /// The width of the widest line at the size [`PROBE`].
    widest: f32,
}

impl<'f, 't> Block<'f, 't> {
    /// The lines of a text.
    ///
    /// # Errors
    /// If the font lacks a letter.
    pub fn of(face: &'f Face, text: &'t str) -> Result<Self, String> {
        let font = face.font()?;
        let lines = text.split_whitespace().map(|word| face.line(word));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let widths = lines.iter().map(|line| line.lay_out(&font, PROBE).1);
        let widest = widths.fold(f32::MIN_POSITIVE, f32::max);
        Ok(Self { font, lines, widest })
    }

    /// The font that it is in.
    pub fn font(&self) -> &FontRef<'f> {
        &self.font
    }

    /// Whether anything of it can be seen.
    pub fn is_visible(&self) -> bool {
        self.lines.iter().any(|line| line.is_visible(&self.font))
    }

    /// The height of a line in pixels, in a square picture of `room` x `room` pixels.
    ///
    /// # Errors
    /// If it does not fit at that size.
    pub fn size(&self, size: Size, room: f32) -> Result<f32, String> {
        let count = self.lines.len() as f32;
        let Size::Part(part) = size else {
            return Ok((room * FILL * PROBE / self.widest)
                .min(room * TALLEST_LINE)
                .min(room * FILL / count));
        };
        let size = part as f32;
        let free = 1.0 - 2.0 * MARGIN;
        let (wide, high) = (self.widest / PROBE * size / free, count * size / free);
        match () {
            () if wide > 1.0 => Err(format!("it is too wide at size {}", tick(part, 4))),
            () if high > 1.0 => Err(format!("it has too many lines at size {}", tick(part, 4))),
            () => Ok(size * room),
        }
    }

    /// Its glyphs in a square picture of `room` x `room` pixels, line by line.
    ///
    /// # Errors
    /// If it does not fit at that size.
    pub fn glyphs(&self, size: Size, position: Position, room: f32) -> Result<Vec<Glyph>, String> {
        let size = self.size(size, room)?;
        let scaled = self.font.as_scaled(PxScale::from(size));
        let top = position.top(size * self.lines.len() as f32, room, room * MARGIN);
        let mut all = Vec::new();
        for (i, line) in self.lines.iter().enumerate() {
            let (glyphs, width) = line.lay_out(&self.font, size);
            let left = position.left(width, room, room * MARGIN);
            let baseline = top + size * i as f32 + scaled.ascent();
            all.extend(glyphs.into_iter().map(|mut glyph| {
                glyph.position += point(left, baseline);
                glyph
            }));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_fraction_of_the_side_and_what_does_not_fit_is_said() {
        let face = Face::built_in();
        let block = |text| Block::of(&face, text).expect("letters");
        assert_eq!(block("a").size(Size::Part(0.25), 200.0), Ok(50.0));
        assert_eq!(block("a").size(Size::Fit, 200.0), Ok(50.0));
        let why = block("antidisestablishmentarianism").size(Size::Part(0.2), 96.0);
        assert_eq!(why, Err("it is too wide at size 0.2".to_owned()));
        let why = block("a b c d").size(Size::Part(0.25), 96.0);
        assert_eq!(why, Err("it has too many lines at size 0.25".to_owned()));
        assert!(block("\u{ad}").size(Size::Fit, 96.0).is_ok());
        assert!(!block("\u{ad}").is_visible() && block("a").is_visible());
    }

    #[test]
    fn letters_stand_where_they_should() {
        let face = Face::built_in();
        let block = Block::of(&face, "ab").expect("letters");
        let first = |name: &str| {
            let position = Position::named(name).expect("a position");
            block.glyphs(Size::Part(0.1), position, 100.0).expect("it fits")[0].position
        };
        assert_eq!(first("left").x, 5.0);
        assert!(first("right").x > 70.0 && first("top").y < 16.0 && first("bottom").y > 90.0);
        assert_eq!(first("bottom").y - first("top").y, 80.0);
    }

    #[test]
    fn a_size_is_written_as_in_the_configuration() {
        let json = serde_json::to_string(&[Size::Fit, Size::Part(0.25)]).expect("JSON");
        assert_eq!(json, "[\"fit\",0.25]");
        let read: [Size; 2] = serde_json::from_str(&json).expect("sizes");
        assert_eq!(read, [Size::Fit, Size::Part(0.25)]);
    }
}
