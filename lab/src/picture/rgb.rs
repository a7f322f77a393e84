//! Conversions: a picture of any mode in; the same in RGB, or with colour premultiplied by alpha, out.
//!
//! Bit for bit as in Pillow's `Convert.c`. Knows nothing of files.

use image::RgbImage;

use super::pixels::{Mode, Picture, room};

/// Converts like Pillow's `convert("RGB")`: alpha is dropped, 16 bits are clipped at 255.
pub fn convert(picture: Picture) -> Result<RgbImage, String> {
    let Picture { width, height, mode, pixels } = picture;
    let whole = room(width, height, 3)?;
    let by_two = |grey: fn([u8; 2]) -> u8| {
        let mut out = Vec::with_capacity(whole);
        let (pairs, _) = pixels.as_chunks::<2>();
        out.extend(pairs.iter().flat_map(|&pair| [grey(pair); 3]));
        out
    };
    let by_four = |colour: fn([u8; 4]) -> [u8; 3]| {
        let mut out = Vec::with_capacity(whole);
        let (fours, _) = pixels.as_chunks::<4>();
        out.extend(fours.iter().flat_map(|&four| colour(four)));
        out
    };
    let pixels = match mode {
        Mode::Palette | Mode::Rgb => pixels,
        Mode::Bilevel | Mode::Grey => {
            let mut out = Vec::with_capacity(whole);
            out.extend(pixels.iter().flat_map(|&grey| [grey; 3]));
            out
        }
        Mode::GreyAlpha => by_two(|[grey, _]| grey),
        Mode::Grey16 => by_two(|[low, high]| if high == 0 { low } else { 255 }),
        Mode::Rgba => by_four(|[red, green, blue, _]| [red, green, blue]),
        Mode::Cmyk => by_four(|[cyan, magenta, yellow, black]| {
            let light = 255 - black;
            [cyan, magenta, yellow].map(|ink| light.saturating_sub(times(ink, light)))
        }),
    };
    RgbImage::from_raw(width, height, pixels).ok_or_else(|| "its size does not fit".to_owned())
}

/// Multiplies colour by alpha, the last of `N` bytes.
pub fn premultiply<const N: usize>(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<N>().0 {
        let alpha = pixel[N - 1];
        for colour in &mut pixel[..N - 1] {
            *colour = times(*colour, alpha);
        }
    }
}

/// Divides colour by alpha, the last of `N` bytes; if that is 0, colour is left as it is.
pub fn unpremultiply<const N: usize>(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<N>().0 {
        let alpha = u16::from(pixel[N - 1]);
        if alpha == 0 || alpha == 255 {
            continue;
        }
        for colour in &mut pixel[..N - 1] {
            *colour = (u16::from(*colour) * 255 / alpha).min(255) as u8;
        }
    }
}

/// The product of two shares of 255, rounded.
fn times(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    (((product >> 8) + product) >> 8) as u8
}
