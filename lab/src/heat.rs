//! Heat maps: a square picture and a number for each field of a grid over it in; the picture with the numbers as colours over
//! it out.
//!
//! Orange is above zero and blue below; the picture itself is grey, so that colours are the map's alone.

use image::{Rgb, RgbImage};

/// The colour of the greatest number.
const ABOVE: [f64; 3] = [214.0, 84.0, 0.0];
/// The colour of the least, as far below zero.
const BELOW: [f64; 3] = [0.0, 92.0, 200.0];
/// How much of the picture a full colour covers.
const COVER: f64 = 0.85;
/// Contrast of the picture below.
const CONTRAST: f64 = 0.6;
/// The grey that white stays.
const LIGHT: f64 = 255.0;

/// Draws `numbers`, a square grid row by row, over a square picture. A number of `most` or more has the full colour.
pub fn draw(picture: &RgbImage, numbers: &[f64], most: f64) -> RgbImage {
    let side = numbers.len().isqrt();
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let Rgb([r, g, b]) = *picture.get_pixel(x, y);
        let grey = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        let grey = LIGHT - (LIGHT - grey) * CONTRAST;
        let place = |at: u32, of: u32| (f64::from(at) + 0.5) * side as f64 / f64::from(of) - 0.5;
        let number = between(numbers, side, place(x, width), place(y, height)) / most;
        let share = if number.is_finite() { number.abs().min(1.0) * COVER } else { 0.0 };
        let colour = if number > 0.0 { ABOVE } else { BELOW };
        Rgb(colour.map(|colour| (grey + (colour - grey) * share).round() as u8))
    })
}

/// The number at a place between the fields of a grid, whose centres are at whole numbers.
fn between(numbers: &[f64], side: usize, x: f64, y: f64) -> f64 {
    let most = side.saturating_sub(1);
    let near = |at: f64| {
        let at = at.clamp(0.0, most as f64);
        let low = at.floor();
        (low as usize, (low as usize + 1).min(most), at - low)
    };
    let ((left, right, across), (top, bottom, down)) = (near(x), near(y));
    let row = |row: usize| {
        let number = |column: usize| numbers.get(row * side + column).copied().unwrap_or_default();
        number(left) * (1.0 - across) + number(right) * across
    };
    row(top) * (1.0 - down) + row(bottom) * down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_a_colour_and_nothing_is_the_grey_picture() {
        let picture = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50]));
        let drawn = draw(&picture, &[1.0, 0.0, 0.0, -1.0], 1.0);
        let [above, none, below] = [(0, 0), (7, 0), (7, 7)].map(|(x, y)| drawn.get_pixel(x, y).0);
        assert!(above[0] > above[2] + 100, "{above:?}");
        assert!(below[2] > below[0] + 100, "{below:?}");
        assert!(none[0] == none[1] && none[1] == none[2], "{none:?}");
        // Nothing to be seen anywhere, and no division by it.
        let flat = draw(&picture, &[0.0; 4], 0.0);
        assert!(flat.pixels().all(|pixel| pixel.0 == none), "{:?}", flat.get_pixel(3, 3));
    }

    #[test]
    fn between_fields_numbers_change_evenly() {
        let numbers = [0.0, 1.0, 2.0, 3.0];
        for (x, y, expected) in
            [(0.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.5, 0.5, 1.5), (9.0, 9.0, 3.0), (-4.0, 1.0, 2.0)]
        {
            assert!((between(&numbers, 2, x, y) - expected).abs() < 1e-12, "{x} {y}");
        }
        assert_eq!(between(&[7.0], 1, 0.3, -0.2), 7.0);
    }
}
