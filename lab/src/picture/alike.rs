//! Near-duplicates: a picture in; a perceptual hash, which copies of it share but for a few bits, out.
//!
//! The hash of Zauner (2010) as `phash` of the Python package imagehash has it, but with Pillow's bicubic filter: brightness
//! in 32 x 32 pixels, its discrete cosine transform (type II), and for each of the 8 x 8 lowest frequencies whether it is
//! above their median.

use std::f64::consts::PI;

use image::RgbImage;

use super::{Mode, Picture, Side};

/// Side of the brightness that is transformed, in pixels.
const SIDE: usize = 32;
/// Frequencies along each axis.
const LOW: usize = 8;
/// What is above the median by less is rounding, as in a picture of one colour.
const ROUNDING: f64 = 1e-6;

/// The perceptual hash of a picture.
///
/// # Errors
/// If it cannot be resized.
pub fn hash(picture: &RgbImage) -> Result<u64, String> {
    // As Pillow converts to "L".
    let grey = |rgb: &[u8]| {
        let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
        ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
    };
    let grey = picture.as_raw().chunks_exact(3).map(grey).collect();
    let grey = Picture::new(picture.width(), picture.height(), Mode::Grey, grey)?;
    let side = Side { whole: SIDE as u32, part: 0..SIDE as u32 };
    let small = grey.resize(&side, &side)?;
    let low = lowest(small.pixels());
    let mut sorted = low.clone();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[LOW * LOW / 2 - 1], sorted[LOW * LOW / 2]);
    let bit = |hash: u64, value: &f64| hash << 1 | u64::from(*value > median + ROUNDING);
    Ok(low.iter().fold(0, bit))
}

/// The lowest frequencies of `SIDE` x `SIDE` pixels, row by row.
fn lowest(pixels: &[u8]) -> Vec<f64> {
    let wave = |frequency: usize, at: usize| {
        2.0 * (PI * frequency as f64 * (2 * at + 1) as f64 / (2 * SIDE) as f64).cos()
    };
    let waves: Vec<Vec<f64>> =
        (0..LOW).map(|frequency| (0..SIDE).map(|at| wave(frequency, at)).collect()).collect();
    // Along each row, then down.
    let across: Vec<Vec<f64>> = pixels
        .chunks_exact(SIDE)
        .map(|row| waves.iter().map(|wave| dot(wave, row.iter().map(|&p| p.into()))).collect())
        .collect();
    let down = |v: usize, u: usize| dot(&waves[v], across.iter().map(|row| row[u]));
    (0..LOW).flat_map(|v| (0..LOW).map(move |u| (v, u))).map(|(v, u)| down(v, u)).collect()
}

fn dot(wave: &[f64], numbers: impl Iterator<Item = f64>) -> f64 {
    wave.iter().zip(numbers).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};
    use serde_json::Value;

    use super::*;

    /// The picture that `tests/reference/alike.py` hashes under this number.
    fn drawn(number: u32) -> RgbImage {
        RgbImage::from_fn(60 + number, 48, |x, y| {
            let (x, y) = (x as i64, y as i64);
            let n = i64::from(number);
            let level = |a: i64, b: i64, c: i64| ((x * a + y * b + x * y * c + n * 7) % 256) as u8;
            Rgb([level(3 + n, 5, 1), level(1, 2 + n, 0), level(2, 3, n)])
        })
    }

    #[test]
    fn hashes_are_those_of_pillow_and_scipy() {
        let golden = include_str!("../../tests/golden/alike.json");
        let golden: Value = serde_json::from_str(golden).expect("JSON");
        let golden = golden.as_array().expect("a list");
        assert!(golden.len() > 3);
        for (number, expected) in golden.iter().enumerate() {
            let found = hash(&drawn(number as u32)).expect("a hash");
            assert_eq!(format!("{found:016x}"), expected.as_str().expect("text"), "{number}");
        }
    }

    #[test]
    fn a_copy_is_alike_in_another_size_and_another_picture_is_not() {
        let picture = drawn(0);
        let small = imageops::resize(&picture, 40, 32, imageops::FilterType::Triangle);
        let brighter = imageops::colorops::brighten(&picture, 6);
        let own = hash(&picture).expect("a hash");
        let apart = |other: &RgbImage| (own ^ hash(other).expect("a hash")).count_ones();
        assert_eq!(apart(&picture), 0);
        assert!(apart(&small) <= 6, "{}", apart(&small));
        assert!(apart(&brighter) <= 10, "{}", apart(&brighter));
        assert!(apart(&drawn(3)) > 12, "{}", apart(&drawn(3)));
        // One colour has one frequency.
        let flat = RgbImage::from_pixel(7, 5, Rgb([90, 40, 200]));
        assert_eq!(hash(&flat).expect("a hash"), 1 << 63);
    }
}
