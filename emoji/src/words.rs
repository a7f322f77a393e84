//! Draws lines of text in a font face as a mask: 255 where ink is, cropped to the ink, which fills a given width or
//! height.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{Group, Node, Options, Rect, Tree};

/// Maximum width and height of the ink.
pub const BOUNDS: (u32, u32) = (128, 96);

/// Line height in ems.
const LEADING: f32 = 1.05;

/// A font face.
pub struct Face {
    family: String,
    weight: u16,
    options: Options<'static>,
}

impl Face {
    /// Reads a TrueType file.
    pub fn new(font: Vec<u8>) -> Result<Self> {
        let mut fonts = Database::new();
        fonts.load_font_data(font);
        let face = fonts.faces().next().context("not a font")?;
        let (family, _) = face.families.first().context("the font has no name")?;
        let (family, weight) = (family.clone(), face.weight.0);
        let query = Query { families: &[Family::Name(&family)], ..Query::default() };
        ensure!(fonts.query(&query).is_some(), "the font {family} is not found by its name");
        let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
        Ok(Self { family, weight, options })
    }

    /// Draws centred lines below each other.
    pub fn mask(&self, lines: &[&str]) -> Result<Mask> {
        let tree = Tree::from_str(&self.svg(lines), &self.options)?;
        let ink =
            ink(tree.root()).with_context(|| format!("the font draws nothing for {lines:?}"))?;
        let (wide, high) = (BOUNDS.0 as f32, BOUNDS.1 as f32);
        let scale = (wide / ink.width()).min(high / ink.height());
        // Rounding must not exceed the bounds.
        let width = ((ink.width() * scale).ceil() as u32).clamp(1, BOUNDS.0);
        let height = ((ink.height() * scale).ceil() as u32).clamp(1, BOUNDS.1);
        let mut pixmap = Pixmap::new(width, height).context("a mask has at least one pixel")?;
        let transform = Transform::from_translate(-ink.left(), -ink.top()).post_scale(scale, scale);
        resvg::render(&tree, transform, &mut pixmap.as_mut());
        let pixels = pixmap.pixels().iter().map(|pixel| pixel.alpha()).collect();
        Mask { width, height, pixels }.cropped().context("no pixel is inked")
    }

    fn svg(&self, lines: &[&str]) -> String {
        let Self { family, weight, .. } = self;
        let texts = lines.iter().zip(1u8..).map(|(line, number)| {
            let y = 100.0 * LEADING * f32::from(number);
            format!("<text x=\"1000\" y=\"{y}\">{}</text>", escaped(line))
        });
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2000\" height=\"500\"><g font-family=\"'{family}'\" \
             font-weight=\"{weight}\" font-size=\"100\" text-anchor=\"middle\">{}</g></svg>",
            texts.collect::<String>()
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The bounding box of everything that is drawn in a group; text counts by its outlines, not by its line height.
fn ink(group: &Group) -> Option<Rect> {
    let boxes = group.children().iter().filter_map(|node| match node {
        Node::Group(group) => ink(group),
        Node::Text(text) => ink(text.flattened()),
        Node::Path(path) => Some(path.abs_bounding_box()),
        Node::Image(_) => None,
    });
    boxes.reduce(|a, b| {
        let (left, top) = (a.left().min(b.left()), a.top().min(b.top()));
        let (right, bottom) = (a.right().max(b.right()), a.bottom().max(b.bottom()));
        Rect::from_ltrb(left, top, right, bottom).unwrap_or(a)
    })
}

/// A greyscale picture, 255 where ink is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pixels row by row.
    pub pixels: Vec<u8>,
}

impl Mask {
    /// The mask without empty rows and columns at its edges; `None` if all are empty.
    fn cropped(&self) -> Option<Self> {
        let width = self.width as usize;
        let inked = || self.pixels.iter().enumerate().filter(|(_, ink)| **ink > 0).map(|(i, _)| i);
        let left = inked().map(|i| i % width).min()?;
        let right = inked().map(|i| i % width).max()? + 1;
        let top = inked().next()? / width;
        let bottom = inked().next_back()? / width + 1;
        let rows = self.pixels.chunks_exact(width).take(bottom).skip(top);
        let pixels: Vec<u8> = rows.flat_map(|row| &row[left..right]).copied().collect();
        let (width, height) = ((right - left) as u32, (bottom - top) as u32);
        Some(Self { width, height, pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Face {
        let font = include_bytes!("../../core/fonts/DejaVuSans-Bold.ttf");
        Face::new(font.to_vec()).expect("a font")
    }

    fn touches_every_edge(mask: &Mask) -> bool {
        let (width, height) = (mask.width as usize, mask.height as usize);
        let ink = |x: usize, y: usize| mask.pixels[y * width + x] > 0;
        (0..width).any(|x| ink(x, 0))
            && (0..width).any(|x| ink(x, height - 1))
            && (0..height).any(|y| ink(0, y))
            && (0..height).any(|y| ink(width - 1, y))
    }

    #[test]
    fn a_mask_is_tight_and_fills_a_bound() -> Result<()> {
        for lines in [&["i"][..], &["t-shirt"], &["tanabata tree"], &["water", "buffalo"], &["OX"]]
        {
            let mask = face().mask(lines)?;
            assert!(mask.width <= BOUNDS.0 && mask.height <= BOUNDS.1, "{lines:?}");
            // An edge may fall just short of a pixel.
            assert!(mask.width >= BOUNDS.0 - 1 || mask.height >= BOUNDS.1 - 1, "{lines:?}");
            assert!(touches_every_edge(&mask), "{lines:?}");
            assert_eq!(mask.pixels.len(), (mask.width * mask.height) as usize);
            assert!(mask.pixels.contains(&255), "{lines:?}");
        }
        Ok(())
    }

    #[test]
    fn lines_stand_below_each_other() -> Result<()> {
        let (one, two) = (face().mask(&["red apple"])?, face().mask(&["red", "apple"])?);
        assert!(two.height > 2 * one.height, "{} {}", one.height, two.height);
        Ok(())
    }

    #[test]
    fn pairs_are_kerned() -> Result<()> {
        let ratio = |mask: Mask| f64::from(mask.width) / f64::from(mask.height);
        let pair = ratio(face().mask(&["AV"])?);
        let (a, v) = (ratio(face().mask(&["A"])?), ratio(face().mask(&["V"])?));
        assert!(pair < a + v, "{pair} {a} {v}");
        Ok(())
    }

    #[test]
    fn what_is_no_font_and_what_is_not_in_it_are_errors() {
        assert!(Face::new(b"no font".to_vec()).is_err());
        assert!(face().mask(&[" "]).is_err());
        assert!(face().mask(&["<&"]).is_ok());
    }
}
