//! Shapes words. Input: a word whose letters join, run from right to left, or carry marks. Output: its glyphs, placed
//! along a line from left to right.

use ab_glyph::{Glyph, GlyphId, PxScale, point};
use harfrust::{Direction, FontRef, ShapeOptions, ShaperData, UnicodeBuffer};
use unicode_bidi::BidiInfo;

use crate::cut::Cut as _;

/// A sequence of glyphs, in units of the font.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped {
    /// Each with its position, rightwards and upwards.
    glyphs: Vec<(u16, f32, f32)>,
    width: f32,
}

/// Why a word cannot be shaped.
#[derive(Debug, PartialEq)]
pub enum Unshaped {
    /// The font lacks this letter.
    Lacks(char),
    /// The font cannot be read, for this reason.
    Font(String),
}

/// Shapes a word in a font.
///
/// # Errors
/// If the font cannot be read, or lacks a letter of the word.
pub fn shape(font: &[u8], word: &str) -> Result<Shaped, Unshaped> {
    let font = FontRef::new(font).map_err(|error| Unshaped::Font(error.to_string()))?;
    let data = ShaperData::new(&font);
    let shaper = data.shaper(&font).build();
    let mut shaped = Shaped { glyphs: Vec::new(), width: 0.0 };
    let bidi = BidiInfo::new(word, None);
    for paragraph in &bidi.paragraphs {
        // In the order in which they are seen.
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let text = word.cut(run.clone());
            let mut buffer = UnicodeBuffer::new();
            buffer.push_str(text);
            buffer.set_direction(match levels[run.start].is_rtl() {
                true => Direction::RightToLeft,
                false => Direction::LeftToRight,
            });
            buffer.guess_segment_properties();
            let glyphs = shaper.shape(buffer, ShapeOptions::new());
            for (info, place) in glyphs.glyph_infos().iter().zip(glyphs.glyph_positions()) {
                let id = u16::try_from(info.glyph_id)
                    .map_err(|error| Unshaped::Font(error.to_string()))?;
                if id == 0 {
                    let letter = text.get(info.cluster as usize..).and_then(|t| t.chars().next());
                    return Err(Unshaped::Lacks(letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
                }
                let (x, y) = (shaped.width + place.x_offset as f32, place.y_offset as f32);
                shaped.glyphs.push((id, x, y));
                shaped.width += place.x_advance as f32;
            }
        }
    }
    Ok(shaped)
}

impl Shaped {
    /// The glyphs from (0, 0) rightwards along a baseline, and their width; `scale` is pixels per unit of the font.
    pub fn at(&self, size: f32, scale: f32) -> (Vec<Glyph>, f32) {
        let size = PxScale::from(size);
        let glyph = |(id, x, y): &(u16, f32, f32)| {
            GlyphId(*id).with_scale_and_position(size, point(x * scale, -y * scale))
        };
        (self.glyphs.iter().map(glyph).collect(), self.width * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");

    fn ids(word: &str) -> Vec<u16> {
        shape(FONT, word).expect(word).glyphs.iter().map(|(id, _, _)| *id).collect()
    }

    #[test]
    fn letters_join_and_run_from_right_to_left() {
        let apart: Vec<u16> = "سلام".chars().flat_map(|c| ids(&c.to_string())).collect();
        let together = ids("سلام");
        assert!(
            together.iter().filter(|id| apart.contains(id)).count() <= 1,
            "only the last is apart"
        );
        // Lam and alef are one.
        assert_eq!(together.len(), 3);
        let hebrew = ids("שלום");
        let mut letters: Vec<u16> = "שלום".chars().flat_map(|c| ids(&c.to_string())).collect();
        letters.reverse();
        assert_eq!(hebrew, letters, "the first letter is at the right");
        let mixed = ids("abשל");
        assert_eq!(mixed, [ids("a"), ids("b"), ids("ל"), ids("ש")].concat());
    }

    #[test]
    fn marks_stand_on_their_letters_and_soft_hyphens_are_not_seen() {
        assert_eq!(ids("e\u{301}"), ids("é"));
        let plain = shape(FONT, "coop").expect("a word");
        let soft = shape(FONT, "co\u{ad}op").expect("a word");
        assert_eq!(soft.width, plain.width);
        let pointed = shape(FONT, "שָׁלוֹם").expect("a word");
        assert_eq!(pointed.width, shape(FONT, "שלום").expect("a word").width);
    }

    #[test]
    fn what_the_font_lacks_is_refused_by_name() {
        for (word, letter) in [("銀行", '銀'), ("नमस्ते", 'न'), ("e\u{301}🦊", '🦊')]
        {
            let why = shape(FONT, word).expect_err("no glyph");
            assert_eq!(why, Unshaped::Lacks(letter));
        }
    }
}
