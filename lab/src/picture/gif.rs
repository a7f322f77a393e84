//! GIF: a file in; its first frame, on the canvas that the file gives it, out.

use ::gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::pixels::{LARGEST_PICTURE, Mode, Picture, look_up, room};

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: ::gif::DecodingError| format!("the GIF is damaged ({error})");
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(
        std::num::NonZeroU64::new(LARGEST_PICTURE).unwrap_or(std::num::NonZeroU64::MIN),
    ));
    let mut decoder = options.read_info(bytes).map_err(damaged)?;
    let canvas = (u32::from(decoder.width()), u32::from(decoder.height()));
    let global = decoder.global_palette().map(<[u8]>::to_vec);
    let Some(frame) = decoder.next_frame_info().map_err(damaged)? else {
        return Err("the GIF has no picture".into());
    };
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (across, down) = (usize::from(frame.width), usize::from(frame.height));
    let empty = frame.transparent.unwrap_or(0);
    let palette = frame.palette.clone().or(global);
    // A frame that reaches beyond the canvas widens it.
    let (width, height) = (canvas.0.max((left + across) as u32), canvas.1.max((top + down) as u32));
    room(width, height, 3)?;
    let mut part = vec![0; across * down];
    decoder.read_into_buffer(&mut part).map_err(damaged)?;
    let mut indices = vec![empty; room(width, height, 1)?];
    let rows = indices.chunks_exact_mut(width as usize).skip(top);
    for (row, part) in rows.zip(part.chunks_exact(across.max(1))) {
        row[left..left + across].copy_from_slice(part);
    }
    match palette {
        Some(palette) if !is_ramp(&palette) => {
            Picture::new(width, height, Mode::Palette, look_up(&indices, &palette))
        }
        _ => Picture::new(width, height, Mode::Grey, indices),
    }
}

/// Whether each colour is the grey of its own index; the picture is grey then.
fn is_ramp(palette: &[u8]) -> bool {
    palette.chunks(3).enumerate().all(|(i, colour)| colour.iter().all(|&c| usize::from(c) == i))
}
