//! Typographic attacks: `attacks.tar` has pictures with a note that names something else, and `blank-notes.tar` the
//! same pictures with a blank note.
//!
//! The pairs of things and labels follow Goh et al. 2021, section "Typographic attacks".

use anyhow::{Context, Result};
use resvg::tiny_skia::{
    Color, FilterQuality, Paint, Pixmap, PixmapPaint, PremultipliedColorU8, Rect, Transform,
};
use serde::{Deserialize, Serialize};

use crate::canvas;
use crate::demo::{SIDE, draw};
use crate::matching::{Drawn, Sets};
use crate::samples::slug;
use crate::webdataset::Sample;
use crate::words::{Face, Mask};

/// Names of the things that are shown and written on notes.
pub const THINGS: [&str; 10] = [
    "bicycle",
    "castle",
    "cat",
    "guitar",
    "octopus",
    "pineapple",
    "pizza",
    "red apple",
    "rocket",
    "umbrella",
];

/// Style of the pictures.
pub const STYLE: &str = "noto";

/// The note's left, right, top and bottom edges as fractions of the side; it covers a third of a picture.
const NOTE: [f32; 4] = [0.03, 0.97, 0.58, 0.94];

/// The JSON beside a picture with a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The name of what is shown.
    pub caption: String,
    /// The name on the note; `None` on a blank one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Style of the drawing.
    pub style: String,
}

/// The samples of `attacks.tar`: each thing with a note that names each other thing. Things that are not concepts are
/// skipped.
pub fn attacks(concepts: &[Drawn], sets: &Sets, face: &Face) -> Result<Vec<Sample>> {
    let things = things(concepts);
    let mut samples = Vec::new();
    for &thing in &things {
        for other in things.iter().filter(|other| other.concept.name != thing.concept.name) {
            samples.push(sample(thing, Some(&other.concept.name), sets, face)?);
        }
    }
    Ok(samples)
}

/// The samples of `blank-notes.tar`.
pub fn blanks(concepts: &[Drawn], sets: &Sets, face: &Face) -> Result<Vec<Sample>> {
    things(concepts).into_iter().map(|thing| sample(thing, None, sets, face)).collect()
}

fn things(concepts: &[Drawn]) -> Vec<&Drawn> {
    concepts.iter().filter(|drawn| THINGS.contains(&&*drawn.concept.name)).collect()
}

fn sample(thing: &Drawn, word: Option<&str>, sets: &Sets, face: &Face) -> Result<Sample> {
    let name = &thing.concept.name;
    let mut pixmap = draw(thing, STYLE, sets)?;
    let mask = word.map(|word| face.mask(&word.split(' ').collect::<Vec<_>>())).transpose()?;
    note(&mut pixmap, mask.as_ref())?;
    let description = Description {
        caption: name.clone(),
        label: word.map(str::to_owned),
        style: STYLE.to_owned(),
    };
    Ok(Sample {
        key: format!("{}--{}", slug(name), word.map_or_else(|| "blank".to_owned(), slug)),
        png: canvas::png_on_white(&pixmap)?,
        json: serde_json::to_string(&description)?,
    })
}

/// Draws a note over the lower part of a picture, and writes on it.
fn note(pixmap: &mut Pixmap, mask: Option<&Mask>) -> Result<()> {
    let side = SIDE as f32;
    let [left, right, top, bottom] = NOTE.map(|part| (part * side).round());
    let mut fill = |inset: f32, colour: Color| {
        let inside = Rect::from_ltrb(left + inset, top + inset, right - inset, bottom - inset);
        let mut paint = Paint::default();
        paint.set_color(colour);
        let inside = inside.context("a note has an inside")?;
        pixmap.fill_rect(inside, &paint, Transform::identity(), None);
        anyhow::Ok(())
    };
    // A thin edge, so that it is a note also on white.
    fill(0.0, Color::from_rgba8(150, 150, 150, 255))?;
    fill(1.0, Color::WHITE)?;
    let Some(mask) = mask else { return Ok(()) };
    let mut ink = Pixmap::new(mask.width, mask.height).context("a mask has a pixel")?;
    for (pixel, &alpha) in ink.pixels_mut().iter_mut().zip(&mask.pixels) {
        *pixel = PremultipliedColorU8::from_rgba(0, 0, 0, alpha).context("black is a colour")?;
    }
    let (width, height) = (mask.width as f32, mask.height as f32);
    let scale = ((right - left - 12.0) / width).min((bottom - top - 12.0) / height);
    let place = Transform::from_scale(scale, scale).post_translate(
        (left + right - width * scale) / 2.0,
        (top + bottom - height * scale) / 2.0,
    );
    let paint = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
    pixmap.draw_pixmap(0, 0, ink.as_ref(), &paint, place, None);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_covers_a_third_and_is_written_on_in_black() -> Result<()> {
        let mut blank = Pixmap::new(SIDE, SIDE).context("a pixmap")?;
        blank.fill(Color::from_rgba8(200, 0, 0, 255));
        let mut written = blank.clone();
        note(&mut blank, None)?;
        let face = Face::new(include_bytes!("../../core/fonts/DejaVuSans-Bold.ttf").to_vec())?;
        note(&mut written, Some(&face.mask(&["pizza"])?))?;
        let count = |pixmap: &Pixmap, is: fn(PremultipliedColorU8) -> bool| {
            pixmap.pixels().iter().filter(|pixel| is(**pixel)).count() as f32
        };
        let all = (SIDE * SIDE) as f32;
        let red = |pixel: PremultipliedColorU8| pixel.red() == 200 && pixel.green() == 0;
        let black = |pixel: PremultipliedColorU8| pixel.red() < 60;
        assert!((count(&blank, red) / all - 0.66).abs() < 0.02, "{}", count(&blank, red) / all);
        assert_eq!(count(&written, red), count(&blank, red));
        assert_eq!(count(&blank, black), 0.0);
        let ink = count(&written, black) / all;
        assert!((0.03..0.15).contains(&ink), "{ink}");
        Ok(())
    }
}
