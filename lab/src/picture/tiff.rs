//! TIFF: a file in; its first picture, of any mode, oriented as its tag says, out.

use std::io::Cursor;

use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};

use super::pixels::{LARGEST_PICTURE, Mode, Picture, look_up, room, unpack};
use super::rgb;

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: TiffError| format!("the TIFF is damaged ({error})");
    let mut limits = Limits::default();
    limits.decoding_buffer_size = LARGEST_PICTURE as usize;
    let grey = palette_as_grey(bytes);
    let source = Cursor::new(grey.as_deref().unwrap_or(bytes));
    let mut decoder = Decoder::new(source).map_err(damaged)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    let kind = decoder.colortype().map_err(damaged)?;
    room(width, height, 8)?;
    let number = |tag, decoder: &mut Decoder<_>| decoder.find_tag_unsigned::<u16>(tag);
    let upright = number(Tag::Orientation, &mut decoder).map_err(damaged)?.unwrap_or(1);
    if number(Tag::FillOrder, &mut decoder).map_err(damaged)? == Some(2) {
        return Err("a TIFF whose bits are in reverse order is not supported".into());
    }
    let white = number(Tag::PhotometricInterpretation, &mut decoder).map_err(damaged)? == Some(0);
    let packed = number(Tag::Compression, &mut decoder).map_err(damaged)?;
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(damaged)?;
    let map = match grey {
        Some(_) => Some(decoder.get_tag_u16_vec(Tag::ColorMap).map_err(damaged)?),
        None => None,
    };
    let mut read = DecodingResult::U8(Vec::new());
    let planes = decoder.read_image_to_buffer(&mut read).map_err(damaged)?.planes;
    let mut raw: Vec<u8> = match read {
        DecodingResult::U8(raw) => raw,
        // Grey keeps 16 bits; of colours the upper 8 are kept.
        DecodingResult::U16(raw) if kind == ColorType::Gray(16) => {
            raw.into_iter().flat_map(u16::to_le_bytes).collect()
        }
        DecodingResult::U16(raw) => raw.into_iter().map(|level| (level >> 8) as u8).collect(),
        _ => return Err("a TIFF with numbers of this type is not supported".into()),
    };
    if planes > 1 {
        // Channels are stored separately.
        let each = raw.len() / planes;
        let channel = |at: usize| raw[at % planes * each + at / planes];
        raw = (0..each * planes).map(channel).collect();
    }
    let spread = |raw: &[u8], bits| {
        let mut out = Vec::new();
        unpack(raw, width, bits, &mut out);
        out
    };
    let (mut mode, mut pixels) = match (kind, map) {
        (ColorType::Gray(bits @ (1 | 2 | 4 | 8)), Some(map)) => {
            let colours = map.len() / 3;
            let palette: Vec<u8> = (0..colours)
                .flat_map(|i| [0, 1, 2].map(|band| (map[band * colours + i] >> 8) as u8))
                .collect();
            let indices = if bits == 8 { raw } else { spread(&raw, bits) };
            (Mode::Palette, look_up(&indices, &palette))
        }
        (ColorType::Gray(bits @ (1 | 2 | 4)), None) => {
            let (mode, step) = match bits {
                1 => (Mode::Bilevel, 255),
                2 => (Mode::Grey, 85),
                _ => (Mode::Grey, 17),
            };
            (mode, spread(&raw, bits).into_iter().map(|level| level * step).collect())
        }
        (ColorType::Gray(8), None) => (Mode::Grey, raw),
        (ColorType::Gray(16), None) if !white => (Mode::Grey16, raw),
        (ColorType::Multiband { bit_depth: 8, num_samples: 2 }, None) => match extra.as_deref() {
            Some([0]) => (Mode::Grey, raw.as_chunks::<2>().0.iter().map(|pair| pair[0]).collect()),
            Some([2]) => (Mode::GreyAlpha, raw),
            _ => return Err("a TIFF with these two channels is not supported".into()),
        },
        // Only the JPEG decoder turns it to RGB.
        (ColorType::YCbCr(8), None) if packed == Some(7) => (Mode::Rgb, raw),
        (ColorType::RGB(8 | 16), None) => (Mode::Rgb, raw),
        (ColorType::RGBA(8 | 16), None) => (Mode::Rgba, raw),
        (ColorType::CMYK(8 | 16), None) => (Mode::Cmyk, raw),
        (other, _) => return Err(format!("a TIFF of {other:?} is not supported")),
    };
    if mode == Mode::Rgba {
        match extra.as_deref() {
            // A fourth channel that is not alpha.
            Some([0, ..]) => {
                pixels =
                    pixels.as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
                mode = Mode::Rgb;
            }
            Some([1, ..]) => {
                rgb::unpremultiply::<4>(&mut pixels);
                let clear = |pixel: &&mut [u8; 4]| pixel[3] == 0;
                pixels.as_chunks_mut::<4>().0.iter_mut().filter(clear).for_each(|p| *p = [0; 4]);
            }
            _ => {}
        }
    }
    turn(Picture::new(width, height, mode, pixels)?, upright)
}

/// The file with its palette, if it has one, declared as grey, because the decoder does not support palettes.
fn palette_as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    let little = bytes.first() == Some(&b'I');
    let number = |at: usize, length: usize| {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let add = |sum: u64, &byte: &u8| (sum << 8) | u64::from(byte);
        Some(if little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    };
    // In BigTIFF numbers are wider: an offset, the count of entries, an entry, and where its value lies in it.
    let wide = number(2, 2)? == 43;
    let (offset, count, entry, value) = if wide { (8, 8, 20, 12) } else { (4, 2, 12, 8) };
    let list = usize::try_from(number(offset, offset)?).ok()?;
    let entries = number(list, count)?.min(1 << 16) as usize;
    let tags = (0..entries).filter_map(|i| list.checked_add(count + i * entry));
    let at = tags.into_iter().find(|&at| number(at, 2) == Some(262))?.checked_add(value)?;
    if number(at, 2)? != 3 {
        return None;
    }
    let mut bytes = bytes.to_vec();
    bytes.get_mut(at..at + 2)?.copy_from_slice(if little { &[1, 0] } else { &[0, 1] });
    Some(bytes)
}

/// Orients a picture whose first row and column are where the tag says.
fn turn(picture: Picture, upright: u16) -> Result<Picture, String> {
    if !(2..=8).contains(&upright) {
        return Ok(picture);
    }
    let Picture { width, height, mode, pixels } = picture;
    let bytes = mode.bytes();
    let (columns, rows) = (width as usize, height as usize);
    let (across, down) = if upright >= 5 { (rows, columns) } else { (columns, rows) };
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..down {
        for x in 0..across {
            let (u, v) = match upright {
                2 => (columns - 1 - x, y),
                3 => (columns - 1 - x, rows - 1 - y),
                4 => (x, rows - 1 - y),
                5 => (y, x),
                6 => (y, rows - 1 - x),
                7 => (columns - 1 - y, rows - 1 - x),
                _ => (columns - 1 - y, x),
            };
            out.extend_from_slice(&pixels[(v * columns + u) * bytes..][..bytes]);
        }
    }
    Picture::new(across as u32, down as u32, mode, out)
}
