//! Measures `stroop`: words in inks, classified by the inks' names.

use image::{Rgb, RgbImage};
use neuronotes_core::kind::stroop::{Cell, INKS, Outcome, Params};

use crate::dataset::drawn_words;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::picture::Picture;
use crate::vector::{Prompts, dot, pictures, softmax};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[])?;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.inks.iter().map(std::slice::from_ref).collect();
    let directions = prompts.encode(&clip, &groups, bench.monitor)?;
    let scale = clip.logit_scale();
    let shard = drawn_words(&params.words, clip.architecture.image_size);
    let mut drawn = Vec::new();
    for (row, word) in params.words.iter().enumerate() {
        let cannot = |why: String| Failure::undrawn(word, why);
        drawn.push(shard.picture(row).and_then(Picture::into_rgb).map_err(cannot)?);
    }
    let mut named = Vec::new();
    let mut all: Vec<Picture> = Vec::new();
    for (at, ink) in params.inks.iter().enumerate() {
        let colour = INKS.iter().find(|(name, _)| name == ink).map(|(_, colour)| *colour);
        let colour = colour.ok_or_else(|| Failure::new(format!("there is no ink `{ink}`")))?;
        for (word, picture) in params.words.iter().zip(&drawn) {
            named.push((word.clone(), at as u32));
            all.push(inked(picture, colour).into());
        }
    }
    // Alone, so that no picture's answer depends on the others.
    let rows = pictures(&clip, &all, true, bench.monitor)?;
    let mut gallery = Gallery::default();
    let mut cells = Vec::new();
    for ((picture, row), (word, ink)) in all.into_iter().zip(rows).zip(named) {
        let stored = gallery.add(bench, picture)?;
        let similarities: Vec<f64> = directions.iter().map(|ink| dot(ink, &row)).collect();
        cells.push(Cell {
            word,
            ink,
            probabilities: softmax(&similarities, scale),
            picture: stored.picture,
            side: stored.width,
        });
    }
    let outcome = Outcome { inks: params.inks, logit_scale: scale, cells };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// A picture of black on white in an ink on white.
fn inked(picture: &RgbImage, ink: [u8; 3]) -> RgbImage {
    let mut inked = picture.clone();
    for Rgb(pixel) in inked.pixels_mut() {
        let white = u32::from(pixel[0]);
        for (channel, ink) in pixel.iter_mut().zip(ink) {
            let mixed = 255 * white + u32::from(ink) * (255 - white);
            *channel = ((mixed + 127) / 255) as u8;
        }
    }
    inked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_becomes_the_ink_and_white_stays() {
        let greys = [[0u8; 3], [255; 3], [51; 3]];
        let picture = RgbImage::from_fn(3, 1, |x, _| Rgb(greys[x as usize]));
        let found: Vec<[u8; 3]> = inked(&picture, [200, 0, 100]).pixels().map(|p| p.0).collect();
        assert_eq!(found, [[200, 0, 100], [255; 3], [211, 51, 131]]);
    }
}
