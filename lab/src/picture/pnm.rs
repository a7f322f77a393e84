//! PBM, PGM and PPM: a file in; black and white, grey or RGB out.

use std::io::Cursor;

use image::codecs::pnm::PnmDecoder;
use image::{DynamicImage, ImageDecoder as _};

use super::pixels::{Mode, Picture, room};

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: image::ImageError| format!("the PNM is damaged ({error})");
    let decoder = PnmDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    room(width, height, 6)?;
    // A pixel takes at least a bit, and in text a whole byte.
    let least = u64::from(width).div_ceil(8) * u64::from(height);
    if least > bytes.len() as u64 {
        return Err("the PNM is cut short".into());
    }
    let bilevel = matches!(bytes, [b'P', b'1' | b'4', ..]);
    // As in Pillow, which reduces 16-bit colour to 8 bits and keeps 16-bit grey.
    let eight = |level: &u16| ((u32::from(*level) * 255 + 32767) / 65535) as u8;
    let (mode, pixels) = match DynamicImage::from_decoder(decoder).map_err(damaged)? {
        DynamicImage::ImageLuma8(grey) if bilevel => (Mode::Bilevel, grey.into_raw()),
        DynamicImage::ImageLuma8(grey) => (Mode::Grey, grey.into_raw()),
        DynamicImage::ImageLuma16(grey) => {
            (Mode::Grey16, grey.as_raw().iter().flat_map(|level| level.to_le_bytes()).collect())
        }
        DynamicImage::ImageRgb16(rgb) => (Mode::Rgb, rgb.as_raw().iter().map(eight).collect()),
        other => (Mode::Rgb, other.into_rgb8().into_raw()),
    };
    Picture::new(width, height, mode, pixels)
}
