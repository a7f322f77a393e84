//! Pictures: encoded bytes in; the square of 8-bit RGB that CLIP is shown out.
//!
//! As openai/CLIP does with Pillow and torchvision: convert to RGB (which drops an alpha channel and
//! keeps the colour beneath it), resize the shorter side with an antialiased bicubic filter, cut out the
//! centre. Orientation tags are not followed, there as here. Knows nothing of libtorch.

use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageReader, Limits, RgbImage};

/// Most bytes of an encoded picture.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Most bytes of a decoded picture.
const LARGEST_PICTURE: u64 = 512 << 20;
/// Most pixels across or down.
const LONGEST_SIDE: u32 = 1 << 16;

/// Decodes a picture; the format is told from its first bytes.
///
/// # Errors
/// Where it is damaged, of an unknown format, or larger than 512 MiB when decoded.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(LARGEST_PICTURE);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| error.to_string())?;
    if picture.width() == 0 || picture.height() == 0 {
        return Err("it has no pixels".into());
    }
    Ok(picture.into_rgb8())
}

/// What CLIP is shown of a picture: `side` x `side` pixels.
///
/// # Errors
/// Where resizing fails, which no picture from [`decode`] makes it do.
pub fn prepare(picture: &RgbImage, side: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    let (shorter, longer) = (width.min(height), width.max(height));
    // torchvision rounds the longer side down.
    let long = u32::try_from(u64::from(side) * u64::from(longer) / u64::from(shorter))
        .map_err(|_| "it is too long for its breadth".to_owned())?;
    let (across, down) = if width <= height { (side, long) } else { (long, side) };
    let resized = resize(picture, across, down)?;
    let (left, top) = (centred(across - side), centred(down - side));
    Ok(image::imageops::crop_imm(&resized, left, top, side, side).to_image())
}

/// A picture no larger than `side` in either direction; a smaller one is left as it is.
///
/// # Errors
/// Where resizing fails.
pub fn shrink(picture: RgbImage, side: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= side {
        return Ok(picture);
    }
    let scaled = |size: u32| {
        let size = (f64::from(size) * f64::from(side) / f64::from(longer)).round();
        (size as u32).max(1)
    };
    resize(&picture, scaled(width), scaled(height))
}

/// As Pillow's `resize` with `BICUBIC`: Catmull-Rom (a = -0.5), stretched over all source pixels.
fn resize(picture: &RgbImage, across: u32, down: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    if (across, down) == (width, height) {
        return Ok(picture.clone());
    }
    if u64::from(across) * u64::from(down.max(height)) * 3 > LARGEST_PICTURE {
        return Err("it is too long for its breadth".into());
    }
    // Pillow goes over the rows first and rounds to 8 bits in between; done in one call, the columns
    // would come first, and differ by up to 9 grey levels where an overshoot is cut off.
    let narrowed = one_pass(picture, across, height)?;
    one_pass(&narrowed, across, down)
}

fn one_pass(picture: &RgbImage, across: u32, down: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    let source = ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3)
        .map_err(|error| error.to_string())?;
    let mut target = Image::new(across, down, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| error.to_string())?;
    RgbImage::from_raw(across, down, target.into_vec())
        .ok_or_else(|| "its size does not fit its pixels".to_owned())
}

/// Half of `surplus`; a half pixel goes to the even side, as Python's `round` has it.
fn centred(surplus: u32) -> u32 {
    let half = surplus / 2;
    match surplus % 2 {
        0 => half,
        _ => half + half % 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_rounded_to_even_as_in_python() {
        // round(0.5), round(1.5), round(2.5), round(3.5)
        assert_eq!([1, 3, 5, 7].map(centred), [0, 2, 2, 4]);
        assert_eq!([0, 2, 4].map(centred), [0, 1, 2]);
    }

    #[test]
    fn what_is_no_picture_or_claims_too_much_is_refused() {
        assert!(decode(b"").is_err());
        assert!(decode(b"\x89PNG\r\n\x1a\n and then nothing").is_err());
        // A PNG header that claims 65535 x 65535 pixels.
        let mut huge =
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0".to_vec();
        let mut crc = 0xffff_ffffu32;
        for &byte in &huge[12..] {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        huge.extend_from_slice(&(!crc).to_be_bytes());
        huge.extend_from_slice(b"\0\0\0\0IDAT");
        let error = decode(&huge).expect_err("too large");
        assert!(!error.is_empty());
    }

    #[test]
    fn a_picture_is_shrunk_and_never_blown_up() {
        let picture = RgbImage::new(512, 100);
        assert_eq!(shrink(picture, 256).expect("a picture").dimensions(), (256, 50));
        let picture = RgbImage::new(20, 100);
        assert_eq!(shrink(picture, 256).expect("a picture").dimensions(), (20, 100));
    }
}
