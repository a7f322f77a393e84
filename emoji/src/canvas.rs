//! Rasterises SVGs to squares of pixels that the view box fills, and writes pixels as PNG.

use anyhow::{Context, Result};
use png::{BitDepth, ColorType, Compression};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Rasterises an SVG, centred if it is not square.
pub fn draw(svg: &str, size: u32) -> Result<Pixmap> {
    let tree = Tree::from_str(svg, &Options::default()).context("it is not a drawing")?;
    let mut pixmap = Pixmap::new(size, size).context("a picture has at least one pixel")?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let side = size as f32;
    let scale = side / width.max(height);
    let transform = Transform::from_scale(scale, scale)
        .post_translate((side - width * scale) / 2.0, (side - height * scale) / 2.0);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(pixmap)
}

/// A PNG with straight alpha.
pub fn png_with_alpha(pixmap: &Pixmap) -> Result<Vec<u8>> {
    let straight = pixmap.pixels().iter().flat_map(|pixel| {
        let pixel = pixel.demultiply();
        [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
    });
    let (width, height) = (pixmap.width(), pixmap.height());
    png(width, height, ColorType::Rgba, Compression::Balanced, &straight.collect::<Vec<u8>>())
}

/// A PNG on white, as small as possible.
pub fn png_on_white(pixmap: &Pixmap) -> Result<Vec<u8>> {
    // With premultiplied colours, only the visible part of white is added.
    let flat = pixmap.pixels().iter().flat_map(|pixel| {
        let white = 255 - pixel.alpha();
        [pixel.red() + white, pixel.green() + white, pixel.blue() + white]
    });
    let (width, height) = (pixmap.width(), pixmap.height());
    png(width, height, ColorType::Rgb, Compression::High, &flat.collect::<Vec<u8>>())
}

/// A greyscale PNG.
pub fn png_of_grey(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>> {
    png(width, height, ColorType::Grayscale, Compression::Balanced, pixels)
}

fn png(
    width: u32,
    height: u32,
    colours: ColorType,
    effort: Compression,
    pixels: &[u8],
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colours);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(effort);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The left half red, the right half empty.
    const HALF: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2\" height=\"2\" viewBox=\"0 0 2 2\">\
                        <rect width=\"1\" height=\"2\" fill=\"#f00\" fill-opacity=\"0.5\"/></svg>";

    fn decoded(bytes: &[u8]) -> Result<(png::OutputInfo, Vec<u8>)> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().context("it fits into memory")?];
        let info = reader.next_frame(&mut pixels)?;
        Ok((info, pixels))
    }

    #[test]
    fn alpha_is_straight() -> Result<()> {
        let (info, pixels) = decoded(&png_with_alpha(&draw(HALF, 4)?)?)?;
        assert_eq!((info.width, info.height, info.color_type), (4, 4, ColorType::Rgba));
        assert_eq!(pixels[..4], [255, 0, 0, 128]);
        assert_eq!(pixels[8..12], [0, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn on_white_what_is_empty_is_white() -> Result<()> {
        let (info, pixels) = decoded(&png_on_white(&draw(HALF, 2)?)?)?;
        assert_eq!(info.color_type, ColorType::Rgb);
        assert_eq!(pixels, [255, 127, 127, 255, 255, 255].repeat(2));
        Ok(())
    }

    #[test]
    fn a_wide_drawing_is_centred() -> Result<()> {
        let wide = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"2\" viewBox=\"0 0 4 2\">\
                    <rect width=\"4\" height=\"2\"/></svg>";
        let pixmap = draw(wide, 4)?;
        let rows: Vec<u8> = (0..4).map(|y| pixmap.pixels()[y * 4].alpha()).collect();
        assert_eq!(rows, [0, 255, 255, 0]);
        Ok(())
    }
}
