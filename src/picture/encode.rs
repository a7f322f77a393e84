//! Encoding of smaller copies: levels and a colour profile in, the bytes of a file out.

use fast_image_resize::PixelType;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::pixels::Pixels;

/// JPEG quality, of 100; the loss is invisible beside the original.
const QUALITY: u8 = 85;

/// As JPEG.
///
/// # Errors
/// If the picture cannot be written.
pub(super) fn lossy(picture: &Pixels, profile: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let failed =
        |cause: &dyn std::fmt::Display| format!("the smaller picture cannot be written ({cause})");
    let side = |side: u32| u16::try_from(side).map_err(|cause| failed(&cause));
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    // Chroma subsampling would add coloured edges to letters in screenshots.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    if let Some(profile) = profile {
        // A profile that is too long for the format is left out; the picture looks about the same.
        let _ = encoder.add_icc_profile(profile);
    }
    let colours = if picture.kind == PixelType::U8 { ColorType::Luma } else { ColorType::Rgb };
    encoder
        .encode(&picture.levels, side(picture.width)?, side(picture.height)?, colours)
        .map_err(|cause| failed(&cause))?;
    Ok(jpeg)
}

/// As PNG or WebP, whichever is smaller, and the ending of that.
///
/// # Errors
/// If the picture cannot be written.
pub(super) fn lossless(
    picture: &Pixels,
    profile: Option<&[u8]>,
) -> Result<(Vec<u8>, &'static str), String> {
    let (mut png, mut webp) = (Vec::new(), Vec::new());
    let encoder =
        PngEncoder::new_with_quality(&mut png, CompressionType::Default, PngFilter::Adaptive);
    written(encoder, picture, profile)?;
    // The largest side that the format has.
    if picture.width.max(picture.height) <= 16_383 {
        written(WebPEncoder::new_lossless(&mut webp), picture, profile)?;
    }
    let smaller = !webp.is_empty() && webp.len() < png.len();
    Ok(if smaller { (webp, "webp") } else { (png, "png") })
}

fn written(
    mut encoder: impl ImageEncoder,
    picture: &Pixels,
    profile: Option<&[u8]>,
) -> Result<(), String> {
    // Without a profile, the picture looks about the same.
    let _ = profile.map(|profile| encoder.set_icc_profile(profile.to_vec()));
    let colours = match picture.kind {
        PixelType::U8 => ExtendedColorType::L8,
        PixelType::U8x4 => ExtendedColorType::Rgba8,
        _ => ExtendedColorType::Rgb8,
    };
    encoder
        .write_image(&picture.levels, picture.width, picture.height, colours)
        .map_err(|cause| format!("the smaller picture cannot be written ({cause})"))
}
