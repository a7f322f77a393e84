//! PNG: a file in; any mode but CMYK out.
//!
//! Text, colour profiles and `tRNS` are ignored. Of 16 bits per channel the upper 8 are kept if there is colour or alpha,
//! as in Pillow.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, Transformations};

use super::pixels::{LARGEST_PICTURE, Mode, Picture, look_up, room, unpack};

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: ::png::DecodingError| format!("the PNG is damaged ({error})");
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    let (kind, depth) = (header.color_type, header.bit_depth);
    room(width, height, header.bytes_per_pixel().max(1))?;
    decoder.set_limits(::png::Limits { bytes: LARGEST_PICTURE as usize });
    let mut reader = decoder.read_info().map_err(damaged)?;
    let packed = reader.output_buffer_size().ok_or("it does not fit into memory")?;
    let mut raw = vec![0; packed];
    reader.next_frame(&mut raw).map_err(damaged)?;
    let (mode, pixels) = match (kind, depth) {
        (ColorType::Indexed, depth) => {
            let indices = bytes_of(raw, width, height, depth)?;
            let palette = reader.info().palette.as_deref().unwrap_or_default();
            room(width, height, 3)?;
            (Mode::Palette, look_up(&indices, palette))
        }
        (ColorType::Grayscale, BitDepth::Sixteen) => {
            raw.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
            (Mode::Grey16, raw)
        }
        (ColorType::Grayscale, depth) => {
            let mut levels = bytes_of(raw, width, height, depth)?;
            let (mode, step) = match depth {
                BitDepth::One => (Mode::Bilevel, 255),
                BitDepth::Two => (Mode::Grey, 85),
                BitDepth::Four => (Mode::Grey, 17),
                _ => (Mode::Grey, 1),
            };
            levels.iter_mut().for_each(|level| *level *= step);
            (mode, levels)
        }
        (kind, depth) => {
            if depth == BitDepth::Sixteen {
                raw = raw.as_chunks::<2>().0.iter().map(|pair| pair[0]).collect();
            }
            let mode = match kind {
                ColorType::GrayscaleAlpha => Mode::GreyAlpha,
                ColorType::Rgba => Mode::Rgba,
                _ => Mode::Rgb,
            };
            (mode, raw)
        }
    };
    Picture::new(width, height, mode, pixels)
}

fn bytes_of(raw: Vec<u8>, width: u32, height: u32, depth: BitDepth) -> Result<Vec<u8>, String> {
    if depth == BitDepth::Eight {
        return Ok(raw);
    }
    let mut out = Vec::with_capacity(room(width, height, 1)?);
    unpack(&raw, width, depth as u8, &mut out);
    Ok(out)
}
