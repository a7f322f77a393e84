//! Preprocessing: a picture in; the square of 8-bit RGB that a CLIP takes out.
//!
//! As openai/CLIP and open_clip do with Pillow and torchvision: resize the shorter side with an antialiased
//! bicubic filter, cut out the centre, and only then turn it to RGB. What that order means for palettes and
//! alpha is described in [`crate::picture`]. Orientation tags are ignored, there as here, except in TIFF.
//! Knows nothing of libtorch.

use image::RgbImage;

use crate::picture::{Picture, Side};

/// Prepares a picture for a CLIP: `side` x `side` pixels.
///
/// # Errors
/// If resizing would need more than 512 MiB.
pub fn prepare(picture: Picture, side: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    let (shorter, longer) = (width.min(height), width.max(height));
    // torchvision rounds the longer side down.
    let long = u32::try_from(u64::from(side) * u64::from(longer) / u64::from(shorter))
        .map_err(|_| "it is too long for its breadth".to_owned())?;
    let (across, down) = if width <= height { (side, long) } else { (long, side) };
    let middle = |whole: u32| {
        let start = centred(whole - side);
        Side { whole, part: start..start + side }
    };
    picture.resize(&middle(across), &middle(down))?.into_rgb()
}

/// Scales a picture down for people to look at, to at most `side` in either direction, with the same filter as [`prepare`];
/// a smaller one keeps its size.
///
/// # Errors
/// If resizing would need more than 512 MiB.
pub fn shrink(picture: Picture, side: u32) -> Result<RgbImage, String> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= side {
        return picture.into_rgb();
    }
    let scaled = |size: u32| {
        let size = (f64::from(size) * f64::from(side) / f64::from(longer)).round();
        let whole = (size as u32).max(1);
        Side { whole, part: 0..whole }
    };
    picture.resize(&scaled(width), &scaled(height))?.into_rgb()
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
    fn a_picture_is_shrunk_and_never_blown_up() {
        let picture = RgbImage::new(512, 100).into();
        assert_eq!(shrink(picture, 256).expect("a picture").dimensions(), (256, 50));
        let picture = RgbImage::new(20, 100).into();
        assert_eq!(shrink(picture, 256).expect("a picture").dimensions(), (20, 100));
    }
}
