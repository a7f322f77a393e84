//! A line of text: its glyphs along a baseline, and its width.

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};

use super::shaping::Shaped;

/// A line of text in a font that has all its letters.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'t>(pub(super) Letters<'t>);

/// How a line's letters are placed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Letters<'t> {
    /// One by one.
    Plain(&'t str),
    Shaped(Shaped),
}

impl Line<'_> {
    /// Its glyphs from (0, 0) rightwards along its baseline, and its width in pixels. `size` is the height of a line, from
    /// ascenders to descenders, in pixels. `font` must be the one that the line was made in.
    pub fn lay_out(&self, font: &FontRef<'_>, size: f32) -> (Vec<Glyph>, f32) {
        let scale = PxScale::from(size);
        let scaled = font.as_scaled(scale);
        let text = match &self.0 {
            Letters::Plain(text) => text,
            Letters::Shaped(shaped) => return shaped.at(size, scaled.h_scale_factor()),
        };
        let mut x = 0.0;
        let mut before = None;
        let mut glyphs = Vec::new();
        for c in text.chars() {
            let id = font.glyph_id(c);
            if let Some(before) = before.replace(id) {
                x += scaled.kern(before, id);
            }
            glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
            x += scaled.h_advance(id);
        }
        (glyphs, x)
    }

    /// Whether anything of it can be seen.
    pub fn is_visible(&self, font: &FontRef<'_>) -> bool {
        let (glyphs, _) = self.lay_out(font, 100.0);
        glyphs.iter().any(|glyph| font.outline(glyph.id).is_some_and(|o| !o.curves.is_empty()))
    }
}
