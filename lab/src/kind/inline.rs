//! Pictures inside a page: a picture in; a data URI of a smaller one out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::clip::preprocess::shrink;
use crate::encode::png;
use crate::failure::Failure;
use crate::picture::Picture;

/// Quality of a JPEG, from 1 to 100.
const QUALITY: u8 = 88;

/// A picture whose longest side has at most `side` pixels, as a data URI: a PNG, or a JPEG if that has more than `largest` bytes.
///
/// # Errors
/// If it cannot be made smaller or encoded.
pub(super) fn source(picture: Picture, side: u32, largest: usize) -> Result<String, Failure> {
    let cannot = |why: &dyn std::fmt::Display| {
        Failure::new(format!("an image of the page cannot be written ({why})"))
    };
    let picture = shrink(picture, side).map_err(|why| cannot(&why))?;
    let (width, height) = picture.dimensions();
    let (mut kind, mut bytes) = ("png", png(picture.as_raw(), width, height)?);
    if bytes.len() > largest {
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
            let picture = Picture::decode(&bytes).expect("a picture");
            source(picture, 240, 24 << 10).expect("a source")
        };
        assert!(encoded(plain).starts_with("data:image/png;base64,"));
        let noise = encoded(noise);
        assert!(noise.starts_with("data:image/jpeg;base64,") && noise.len() < 120_000);
    }
}
