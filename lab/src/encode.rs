//! Encoders of pictures: 8-bit RGB, row by row, in; PNG or WebP out.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use webp::WebPConfig;

use crate::failure::Failure;

fn cannot(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("the picture cannot be written ({error})"))
}

/// Encodes a picture as PNG.
///
/// # Errors
/// If `pixels` is not `width * height * 3` long.
pub fn png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| cannot(&error))?;
    Ok(bytes)
}

/// Encodes a picture as PNG with a text in it (an iTXt chunk), which says how the picture was made.
///
/// # Errors
/// If `pixels` is not `side * side * 3` long.
pub fn png_with_text(
    pixels: &[u8],
    side: u32,
    keyword: &str,
    text: &str,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .add_itxt_chunk(keyword.to_owned(), text.to_owned())
        .and_then(|()| encoder.write_header()?.write_image_data(pixels))
        .map_err(|error| cannot(&error))?;
    Ok(bytes)
}

/// Encodes a picture as lossy WebP; `quality` is from 0 to 100.
///
/// # Errors
/// If `pixels` is not `side * side * 3` long.
pub fn webp(pixels: &[u8], side: u32, quality: f32) -> Result<Vec<u8>, Failure> {
    webp_of(pixels, (side, side), quality)
}

/// The same for a picture of any width and height.
///
/// # Errors
/// If `pixels` is not `width * height * 3` long.
pub fn webp_of(
    pixels: &[u8],
    (width, height): (u32, u32),
    quality: f32,
) -> Result<Vec<u8>, Failure> {
    if pixels.len() != width as usize * height as usize * 3 {
        return Err(cannot(&"its size does not fit its pixels"));
    }
    let config = webp_config(quality)?;
    let encoded = webp::Encoder::from_rgb(pixels, width, height).encode_advanced(&config);
    Ok(encoded.map_err(|error| cannot(&format_args!("{error:?}")))?.to_vec())
}

/// libwebp's settings for a quality from 0 to 100.
///
/// # Errors
/// If libwebp is not the version that this program was built with.
pub fn webp_config(quality: f32) -> Result<WebPConfig, Failure> {
    let mut config = WebPConfig::new().map_err(|()| cannot(&"libwebp is of another version"))?;
    config.quality = quality;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_where_it_comes_from() {
        let pixels = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120];
        let bytes = png_with_text(&pixels, 2, "neuronotes", "{\"a\":\"é\"}").expect("a PNG");
        let mut reader =
            png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().expect("a PNG");
        let mut found = vec![0; 12];
        reader.next_frame(&mut found).expect("pixels");
        assert_eq!(found, pixels);
        let text = &reader.info().utf8_text[0];
        assert_eq!(
            (&*text.keyword, text.get_text().expect("text")),
            ("neuronotes", "{\"a\":\"é\"}".into())
        );
        assert!(png_with_text(&pixels[1..], 2, "a", "b").is_err());
        assert!(webp(&pixels[1..], 2, 90.0).is_err() && webp(&pixels, 2, 90.0).is_ok());
    }
}
