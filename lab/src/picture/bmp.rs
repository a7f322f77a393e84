//! BMP: a file in; black and white, grey, palette, RGB or RGBA out.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ImageDecoder as _, Limits};

use super::pixels::{LARGEST_PICTURE, Mode, Picture, room};

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: image::ImageError| format!("the BMP is damaged ({error})");
    let mut decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    room(width, height, 4)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST_PICTURE);
    decoder.set_limits(limits).map_err(damaged)?;
    let pixels = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let mode = mode(bytes).ok_or("the BMP is cut short")?;
    let mut pixels = match mode {
        Mode::Bilevel | Mode::Grey => pixels.into_luma8().into_raw(),
        Mode::Rgba => pixels.into_rgba8().into_raw(),
        _ => pixels.into_rgb8().into_raw(),
    };
    if let Some(steps) = steps(bytes) {
        // Pillow spreads 5 or 6 bits over 255 by cutting off, the decoder by rounding.
        for pixel in pixels.as_chunks_mut::<3>().0 {
            for (level, steps) in pixel.iter_mut().zip(steps) {
                *level = ((u32::from(*level) * steps + 127) / 255 * 255 / steps) as u8;
            }
        }
    }
    Picture::new(width, height, mode, pixels)
}

/// The highest level of each channel in a file of 16 bits a pixel.
fn steps(bytes: &[u8]) -> Option<[u32; 3]> {
    let masked = bytes.get(30..34)? == [3, 0, 0, 0];
    let six = masked && bytes.get(58..62)? == [0xe0, 7, 0, 0];
    let packed = bytes[14] != 12 && bytes[28..30] == [16, 0];
    packed.then_some([31, if six { 63 } else { 31 }, 31])
}

/// The mode in which Pillow opens it, from its header.
fn mode(bytes: &[u8]) -> Option<Mode> {
    let u16_at = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let header = u32_at(14)?;
    let old = header == 12;
    let bits = u16_at(if old { 24 } else { 28 })?;
    match bits {
        32 => {
            // Four channels are distinguished by masks; the fourth is for alpha.
            let masked = !old && u32_at(30)? == 3 && header >= 56;
            Some(if masked && u32_at(66)? != 0 { Mode::Rgba } else { Mode::Rgb })
        }
        0..=8 => {
            let stated = if old { 0 } else { u32_at(46)? };
            let colours = if stated == 0 { 1 << bits } else { stated };
            let at = 14 + usize::try_from(header).ok()?;
            let step = if old { 3 } else { 4 };
            let ramp = (0..colours).take(257).all(|i| {
                let grey = if colours == 2 { i * 255 } else { i };
                let at = at + i as usize * step;
                bytes.get(at..at + 3).is_some_and(|bgr| bgr.iter().all(|&c| u32::from(c) == grey))
            });
            Some(match ramp {
                true if colours <= 2 => Mode::Bilevel,
                true => Mode::Grey,
                false => Mode::Palette,
            })
        }
        _ => Some(Mode::Rgb),
    }
}
