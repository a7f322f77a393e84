//! WebP: a file in; RGB or RGBA out; of an animation the first frame.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::pixels::{LARGEST_PICTURE, Mode, Picture, room};

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let damaged = |error: image_webp::DecodingError| format!("the WebP is damaged ({error})");
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    decoder.set_memory_limit(LARGEST_PICTURE as usize);
    let (width, height) = decoder.dimensions();
    let mode = if decoder.has_alpha() { Mode::Rgba } else { Mode::Rgb };
    // The decoder holds up to four bytes a pixel of its own.
    room(width, height, mode.bytes() + 4)?;
    let mut pixels = vec![0; room(width, height, mode.bytes())?];
    if decoder.is_animated() {
        decoder.read_frame(&mut pixels).map_err(damaged)?;
    } else {
        decoder.read_image(&mut pixels).map_err(damaged)?;
    }
    Picture::new(width, height, mode, pixels)
}
