//! Letters to be written over pictures: a line of text and a size in; white letters with a black edge, on a picture, out.

use image::{Rgb, RgbImage};

use super::words::{Mask, mask};

/// Width of the black edge, as a fraction of the letters' height.
const EDGE: f32 = 0.1;

/// A line of text in a size.
#[derive(Debug, Clone, PartialEq)]
pub struct Letters {
    /// The height of a line, in pixels.
    pub size: f32,
    /// Width of the rectangle around letters and edge, in pixels.
    width: i64,
    /// Width of the edge, rounded up.
    room: i64,
    /// How much of each pixel is letter, and how much letter or edge, row by row.
    inks: Vec<(f32, f32)>,
}

/// Letters of a text in a size, in pixels.
///
/// # Errors
/// If the font lacks a letter, or the text has none.
pub fn letters(text: &str, size: f32) -> Result<Letters, String> {
    let Mask { width: inner, height, covered } = mask(text, size)?;
    let edge = (size * EDGE).max(1.0);
    let room = edge.ceil() as i64;
    let at = |x: i64, y: i64| match (0..inner).contains(&x) && (0..height).contains(&y) {
        true => covered[(y * inner + x) as usize],
        false => 0.0,
    };
    let mut inks = Vec::new();
    for y in -room..height + room {
        for x in -room..inner + room {
            let mut widest = 0.0f32;
            for dy in -room..=room {
                for dx in -room..=room {
                    let far = ((dx * dx + dy * dy) as f32).sqrt();
                    // The edge's own border is soft.
                    let within = (edge + 0.5 - far).clamp(0.0, 1.0);
                    widest = widest.max(within * at(x + dx, y + dy));
                }
            }
            inks.push((at(x, y), widest));
        }
    }
    Ok(Letters { size, width: inner + 2 * room, room, inks })
}

impl Letters {
    /// Writes them on a picture, from a left edge and a top in pixels on; what is outside is cut off.
    pub fn write(&self, picture: &mut RgbImage, left: f32, top: f32) {
        let (left, top) = (left.round() as i64 - self.room, top.round() as i64 - self.room);
        let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
        for (at, &(letter, all)) in (0i64..).zip(&self.inks) {
            let (x, y) = (left + at % self.width, top + at / self.width);
            if all <= 0.0 || !(0..width).contains(&x) || !(0..height).contains(&y) {
                continue;
            }
            let Rgb(pixel) = picture.get_pixel_mut(x as u32, y as u32);
            for channel in pixel {
                let under = f32::from(*channel) * (1.0 - all);
                *channel = (under + 255.0 * letter).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_white_with_a_black_edge_and_the_rest_stays() {
        let letters = letters("pizza", 20.0).expect("letters");
        let mut picture = RgbImage::from_pixel(100, 40, Rgb([120, 130, 140]));
        letters.write(&mut picture, 20.0, 8.0);
        let count = |is: fn(&[u8; 3]) -> bool| picture.pixels().filter(|p| is(&p.0)).count();
        let (white, black) = (count(|p| p[0] > 240), count(|p| p[2] < 60));
        let same = count(|p| *p == [120, 130, 140]);
        assert!(white > 100 && black > 100, "{white} {black}");
        assert!(same > 2500, "{same}");
        // Nothing to the left of the edge.
        assert!((0..18).all(|x| picture.get_pixel(x, 20).0 == [120, 130, 140]));
    }

    #[test]
    fn letters_beyond_the_picture_are_cut_off_and_unknown_ones_are_errors() {
        let mut picture = RgbImage::new(8, 8);
        letters("wide text", 20.0).expect("letters").write(&mut picture, -30.0, -3.0);
        assert!(letters("銀", 20.0).is_err());
        assert!(letters(" ", 20.0).is_err());
    }
}
