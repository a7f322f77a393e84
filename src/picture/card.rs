//! Social cards: a note's first picture as a PNG of 1200 × 630 pixels, shown where other sites link to the page.
//!
//! It contains no text: fonts differ between machines, and sites show the title beside it.

use image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use image::imageops::{self, FilterType};
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, Rgb, RgbImage};

/// Width and height in pixels, as social networks recommend.
pub const SIZE: (u32, u32) = (1200, 630);
/// Minimum margin around the picture in pixels.
const MARGIN: u32 = 40;
/// The theme's panel colour, its border, and the picture's border.
const GROUND: Rgb<u8> = Rgb([0xf5, 0xf5, 0xf2]);
const EDGE: Rgb<u8> = Rgb([0xe2, 0xe2, 0xdd]);
const FRAME: Rgb<u8> = Rgb([0xd2, 0xd2, 0xcd]);

/// Draws the card of a picture. A computed picture (`synthetic`) is enlarged by integer factors, so that its pixels
/// stay sharp; any other is scaled to fit.
pub fn card(picture: &DynamicImage, synthetic: bool) -> Vec<u8> {
    let picture = fitted(&flattened(picture), synthetic);
    let mut card = RgbImage::from_pixel(SIZE.0, SIZE.1, GROUND);
    outline(&mut card, (0, 0), SIZE, EDGE);
    let (width, height) = picture.dimensions();
    let at = ((SIZE.0 - width) / 2, (SIZE.1 - height) / 2);
    outline(&mut card, (at.0 - 1, at.1 - 1), (width + 2, height + 2), FRAME);
    imageops::replace(&mut card, &picture, at.0.into(), at.1.into());
    let mut png = Vec::new();
    // Repetitive pictures compress quickly; photographs take long and hardly become smaller.
    let effort = if synthetic { CompressionType::Best } else { CompressionType::Default };
    let encoder = PngEncoder::new_with_quality(&mut png, effort, PngFilter::Adaptive);
    // Writing into memory does not fail.
    let _ = encoder.write_image(card.as_raw(), SIZE.0, SIZE.1, ExtendedColorType::Rgb8);
    png
}

/// Removes transparency in front of the background.
fn flattened(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, alpha] = picture.get_pixel(x, y).0;
        let mixed = |own: u8, ground: u8| {
            let sum =
                u32::from(own) * u32::from(alpha) + u32::from(ground) * u32::from(255 - alpha);
            ((sum + 127) / 255) as u8
        };
        Rgb([mixed(r, GROUND.0[0]), mixed(g, GROUND.0[1]), mixed(b, GROUND.0[2])])
    })
}

fn fitted(picture: &RgbImage, synthetic: bool) -> RgbImage {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return RgbImage::from_pixel(1, 1, GROUND);
    }
    let room = (SIZE.0 - 2 * MARGIN, SIZE.1 - 2 * MARGIN);
    let times = (room.0 / width).min(room.1 / height);
    if synthetic && times >= 1 {
        return imageops::resize(picture, times * width, times * height, FilterType::Nearest);
    }
    // In whole numbers: which side is the tighter one, and what the other then is.
    let wide = u64::from(width) * u64::from(room.1) > u64::from(height) * u64::from(room.0);
    let part = |of: u32, own: u32, other: u32| {
        let rounded = (u64::from(of) * u64::from(own) + u64::from(other) / 2) / u64::from(other);
        u32::try_from(rounded).unwrap_or(of).max(1)
    };
    let (across, down) = if wide {
        (room.0, part(room.0, height, width))
    } else {
        (part(room.1, width, height), room.1)
    };
    imageops::resize(picture, across, down, FilterType::Lanczos3)
}

/// Draws the outline of a rectangle.
fn outline(card: &mut RgbImage, at: (u32, u32), size: (u32, u32), colour: Rgb<u8>) {
    let (right, bottom) = (at.0 + size.0 - 1, at.1 + size.1 - 1);
    for x in at.0..=right {
        card.put_pixel(x, at.1, colour);
        card.put_pixel(x, bottom, colour);
    }
    for y in at.1..=bottom {
        card.put_pixel(at.0, y, colour);
        card.put_pixel(right, y, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(picture: &DynamicImage, synthetic: bool) -> RgbImage {
        let png = card(picture, synthetic);
        assert_eq!(png, card(picture, synthetic));
        image::load_from_memory(&png).expect("a PNG").to_rgb8()
    }

    fn chequered(width: u32, height: u32) -> DynamicImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([((x + y) % 2 * 255) as u8, 0, 0])).into()
    }

    #[test]
    fn a_computed_picture_keeps_its_pixels() {
        let card = opened(&chequered(64, 64), true);
        assert_eq!(card.dimensions(), SIZE);
        // 550 / 64 is 8: 512 pixels in the middle.
        let pixels: Vec<[u8; 3]> = (344..856).map(|x| card.get_pixel(x, 59).0).collect();
        assert!(pixels.chunks(8).all(|one| one.iter().all(|pixel| *pixel == one[0])));
        assert!(pixels[0] != pixels[8] && pixels[0] == pixels[16]);
        assert_eq!((card.get_pixel(343, 100), card.get_pixel(342, 100)), (&FRAME, &GROUND));
        assert_eq!(card.get_pixel(0, 0), &EDGE);
    }

    #[test]
    fn pictures_of_all_shapes_fit() {
        for (width, height) in [(1, 1), (1, 5000), (5000, 1), (1120, 550), (1121, 550), (300, 900)]
        {
            for synthetic in [true, false] {
                let card = opened(&chequered(width, height), synthetic);
                assert_eq!(card.get_pixel(20, 20), &GROUND, "{width} {height}");
                let middle = card.get_pixel(SIZE.0 / 2, SIZE.1 / 2);
                assert!(middle != &GROUND, "{width} {height}");
            }
        }
        opened(&RgbImage::new(0, 0).into(), false);
    }

    #[test]
    fn the_ground_shows_through() {
        let clear: DynamicImage = image::RgbaImage::new(20, 20).into();
        assert_eq!(opened(&clear, false).get_pixel(600, 315), &GROUND);
    }
}
