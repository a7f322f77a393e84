//! The labelling sheet: images of a data set in; what its page shows out, which says nothing of their activations.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use neuronotes_core::labelling::{Sheet, Shown};

use crate::clip::preprocess::shrink;
use crate::encode::png;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::kind::category::Names;
use crate::monitor::Progress;
use crate::picture::Picture;
use crate::workbench::Workbench;

/// Longest side of an image on the sheet, in pixels.
const SIDE: u32 = 240;
/// A PNG of more bytes becomes a JPEG.
const LARGEST_PNG: usize = 24 << 10;
/// Quality of such a JPEG, from 1 to 100.
const QUALITY: u8 = 88;

/// The sheet of these images, in an order by lot. `answers` are the labels to choose from.
///
/// # Errors
/// If an image cannot be read or encoded.
pub(super) fn of(
    bench: &mut Workbench<'_>,
    names: &Names<'_>,
    drawn: &BTreeSet<(usize, usize)>,
    seed: u64,
    answers: Vec<String>,
) -> Result<Sheet, Failure> {
    let mut places: Vec<(usize, usize)> = drawn.iter().copied().collect();
    places.sort_by_cached_key(|place| names.lot(*place, seed, "shown"));
    let mut gallery = Gallery::default();
    let mut shown = Vec::new();
    for (step, place) in places.iter().enumerate() {
        bench.monitor.check()?;
        let stage = "making the labelling sheet";
        let (step, total) = (step as u64, places.len() as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "image", picture: None });
        let key = names.key(*place);
        let [(shard, row)] = gallery.find(bench, &[(place.0, key)])?[..] else {
            return Err(Failure::new(format!("`{key}` is not in the data set")));
        };
        let cannot = |why: String| Failure::new(format!("`{key}` cannot be shown ({why})"));
        let picture = shard.picture(row).map_err(cannot)?;
        let name = names.name(*place).into_owned();
        shown.push(Shown { name, source: source(picture)? });
    }
    Ok(Sheet::new(answers, shown))
}

/// An image as a data URI.
fn source(picture: Picture) -> Result<String, Failure> {
    let cannot = |why: &dyn std::fmt::Display| {
        Failure::new(format!("an image of the labelling sheet cannot be written ({why})"))
    };
    let picture = shrink(picture, SIDE).map_err(|why| cannot(&why))?;
    let (width, height) = picture.dimensions();
    let (mut kind, mut bytes) = ("png", png(picture.as_raw(), width, height)?);
    if bytes.len() > LARGEST_PNG {
        bytes.clear();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
            .map_err(|error| cannot(&error))?;
        kind = "jpeg";
    }
    Ok(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_drawings_stay_exact_and_photographs_become_small() {
        let plain = image::RgbImage::from_pixel(96, 96, image::Rgb([255, 0, 0]));
        let noise = image::RgbImage::from_fn(500, 375, |x, y| {
            let value = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) as u8;
            image::Rgb([value, value.wrapping_mul(7), value.wrapping_mul(31)])
        });
        let encoded = |image: image::RgbImage| {
            let mut bytes = Vec::new();
            let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
            image.write_with_encoder(encoder).expect("a PNG");
            source(Picture::decode(&bytes).expect("a picture")).expect("a source")
        };
        assert!(encoded(plain).starts_with("data:image/png;base64,"));
        let noise = encoded(noise);
        assert!(noise.starts_with("data:image/jpeg;base64,") && noise.len() < 120_000);
    }
}
