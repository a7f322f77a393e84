//! Smaller copies of a note's pictures, for screens that show no more: bytes of a picture in, bytes of a smaller one out.
//!
//! The same bytes come out on every machine, so that the resizing is done without the processor's special instructions. It takes
//! about as long as decoding; whoever asks should keep what comes out, by the digest of what went in.

use std::collections::HashSet;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as PngFilter, PngDecoder, PngEncoder};
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageEncoder, ImageFormat, ImageReader, Limits};

/// Pixels across, of which a picture gets those that are well below its own.
const WIDTHS: [u32; 3] = [480, 960, 1600];
/// Most pixels across or down, and most bytes that a picture may take in memory.
const LARGEST_SIDE: u32 = 20_000;
const LARGEST: u64 = 512 << 20;
/// Of 100; what is lost is not seen beside the picture itself.
const QUALITY: u8 = 85;
/// Up to so many colours make a drawing.
const FEW: usize = 256;

/// The widths of the smaller copies of a picture, ascending. A copy that is hardly smaller is none.
pub fn variants(width: u32) -> Vec<u32> {
    WIDTHS.into_iter().filter(|smaller| smaller + smaller / 5 <= width).collect()
}

/// A copy of that width and the ending of its file: `jpg` for photographs; for drawings and what is transparent, `png` or
/// `webp` without loss, whichever is smaller. It stands upright, keeps its colour profile and tells nothing else of the camera.
///
/// # Errors
/// Where the bytes are no picture, where it is too large, not wider than `width`, or moves.
pub fn shrunk(bytes: &[u8], width: u32) -> Result<(Vec<u8>, &'static str), String> {
    let (picture, profile) = decoded(bytes)?;
    if width == 0 || width >= picture.width() {
        return Err(format!(
            "the picture has {} pixels across, not more than {width}",
            picture.width()
        ));
    }
    let drawing = is_drawing(&picture);
    let own = u64::from(picture.width());
    let height = (u64::from(picture.height()) * u64::from(width) + own / 2) / own;
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    if picture.color().has_alpha() && !is_opaque(&picture) {
        return lossless(&shrunk_clear(&picture, width, height), profile);
    }
    let opaque = match picture.color().has_color() {
        true => DynamicImage::from(picture.into_rgb8()),
        false => DynamicImage::from(picture.into_luma8()),
    };
    let small = opaque.resize_exact(width, height, FilterType::Lanczos3);
    if drawing { lossless(&small, profile) } else { lossy(&small, profile) }
}

/// The upright picture and its colour profile.
fn decoded(bytes: &[u8]) -> Result<(DynamicImage, Option<Vec<u8>>), String> {
    let unreadable =
        |cause: &dyn std::fmt::Display| format!("the picture cannot be read ({cause})");
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|cause| unreadable(&cause))?;
    if moves(bytes, reader.format()) {
        return Err("the picture moves, and a copy would not".to_owned());
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|cause| unreadable(&cause))?;
    // Before memory is taken: not every decoder looks at the limits itself.
    if decoder.total_bytes() > LARGEST {
        return Err(format!(
            "the picture takes {} MiB; the most is 512",
            decoder.total_bytes() >> 20
        ));
    }
    let orientation = decoder.orientation().map_err(|cause| unreadable(&cause))?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|cause| unreadable(&cause))?;
    picture.apply_orientation(orientation);
    Ok((picture, profile))
}

/// Whether it may have more than one frame.
fn moves(bytes: &[u8], format: Option<ImageFormat>) -> bool {
    let bytes = Cursor::new(bytes);
    match format {
        Some(ImageFormat::Gif) => true,
        Some(ImageFormat::WebP) => WebPDecoder::new(bytes).is_ok_and(|it| it.has_animation()),
        Some(ImageFormat::Png) => {
            PngDecoder::new(bytes).is_ok_and(|it| it.is_apng().unwrap_or(false))
        }
        _ => false,
    }
}

fn is_opaque(picture: &DynamicImage) -> bool {
    picture.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX)
}

fn is_drawing(picture: &DynamicImage) -> bool {
    let mut colours = HashSet::new();
    picture.to_rgb8().pixels().all(|pixel| {
        colours.insert(pixel.0);
        colours.len() <= FEW
    })
}

/// Shrinks with each colour weighted by how much of it is seen, so that no hidden colour shines out at an edge.
fn shrunk_clear(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let mut deep = picture.to_rgba16();
    for pixel in deep.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        for channel in &mut pixel.0[..3] {
            *channel = (u32::from(*channel) * alpha / 65_535) as u16;
        }
    }
    let mut small = image::imageops::resize(&deep, width, height, FilterType::Lanczos3);
    for pixel in small.pixels_mut() {
        let alpha = u32::from(pixel.0[3]).max(1);
        for channel in &mut pixel.0[..3] {
            *channel = (u32::from(*channel) * 65_535 / alpha).min(65_535) as u16;
        }
    }
    DynamicImage::from(DynamicImage::from(small).into_rgba8())
}

fn lossy(
    picture: &DynamicImage,
    profile: Option<Vec<u8>>,
) -> Result<(Vec<u8>, &'static str), String> {
    let mut jpeg = Vec::new();
    written(JpegEncoder::new_with_quality(&mut jpeg, QUALITY), picture, profile)?;
    Ok((jpeg, "jpg"))
}

fn lossless(
    picture: &DynamicImage,
    profile: Option<Vec<u8>>,
) -> Result<(Vec<u8>, &'static str), String> {
    let (mut png, mut webp) = (Vec::new(), Vec::new());
    let encoder =
        PngEncoder::new_with_quality(&mut png, CompressionType::Best, PngFilter::Adaptive);
    written(encoder, picture, profile.clone())?;
    // The largest side that the format has.
    if picture.width().max(picture.height()) <= 16_383 {
        written(WebPEncoder::new_lossless(&mut webp), picture, profile)?;
    }
    let smaller = !webp.is_empty() && webp.len() < png.len();
    Ok(if smaller { (webp, "webp") } else { (png, "png") })
}

fn written(
    mut encoder: impl ImageEncoder,
    picture: &DynamicImage,
    profile: Option<Vec<u8>>,
) -> Result<(), String> {
    // A format without profiles shows about the same.
    let _ = profile.map(|profile| encoder.set_icc_profile(profile));
    let bytes = picture.as_bytes();
    encoder
        .write_image(bytes, picture.width(), picture.height(), picture.color().into())
        .map_err(|cause| format!("the smaller picture cannot be written ({cause})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    fn bytes(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.into().write_to(&mut out, format).expect("a picture");
        out.into_inner()
    }

    fn photograph(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x * 7 + y) as u8, (x / 3 + y * 5) as u8, (x * y / 50) as u8])
        })
    }

    fn opened(bytes: &[u8]) -> DynamicImage {
        image::load_from_memory(bytes).expect("a picture")
    }

    #[test]
    fn widths_are_well_below_the_pictures_own() {
        assert!(variants(100).is_empty());
        assert!(variants(500).is_empty());
        assert_eq!(variants(576), [480]);
        assert_eq!(variants(1200), [480, 960]);
        assert_eq!(variants(6000), [480, 960, 1600]);
    }

    #[test]
    fn a_photograph_becomes_a_jpeg() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let (small, ending) =
                shrunk(&bytes(photograph(900, 601), format), 480).expect("smaller");
            assert_eq!(
                (ending, opened(&small).width(), opened(&small).height()),
                ("jpg", 480, 321)
            );
            let again = shrunk(&bytes(photograph(900, 601), format), 480).expect("smaller");
            assert_eq!(again.0, small);
        }
    }

    #[test]
    fn what_is_clear_stays_clear() {
        // White where it is seen, red where it is not.
        let picture = RgbaImage::from_fn(600, 600, |x, _| {
            if x % 100 < 50 { Rgba([255, 255, 255, 255]) } else { Rgba([255, 0, 0, 0]) }
        });
        let (small, ending) = shrunk(&bytes(picture, ImageFormat::Png), 480).expect("smaller");
        assert!(["png", "webp"].contains(&ending));
        let small = opened(&small).to_rgba8();
        assert!(small.pixels().any(|pixel| pixel.0[3] == 0));
        assert!(small.pixels().all(|pixel| pixel.0[3] < 8 || pixel.0[1] > 240), "red shines out");
    }

    #[test]
    fn a_drawing_loses_nothing_and_a_clear_channel_that_says_nothing_is_none() {
        let drawing =
            RgbImage::from_fn(600, 300, |x, _| Rgb(if x < 300 { [250; 3] } else { [9; 3] }));
        let (small, ending) = shrunk(&bytes(drawing, ImageFormat::Png), 480).expect("smaller");
        assert!(["png", "webp"].contains(&ending));
        assert_eq!(opened(&small).to_rgb8().get_pixel(10, 10), &Rgb([250; 3]));
        let opaque: RgbaImage = DynamicImage::from(photograph(600, 300)).to_rgba8();
        assert_eq!(shrunk(&bytes(opaque, ImageFormat::Png), 480).expect("smaller").1, "jpg");
    }

    #[test]
    fn a_picture_taken_sideways_stands_upright() {
        let jpeg = bytes(photograph(600, 900), ImageFormat::Jpeg);
        // EXIF with one field: orientation 6, a quarter turn to the right.
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        let (small, _) = shrunk(&turned, 450).expect("smaller");
        assert_eq!((opened(&small).width(), opened(&small).height()), (450, 300));
    }

    #[test]
    fn what_cannot_be_shrunk_says_why() {
        let small = bytes(photograph(20, 20), ImageFormat::Png);
        let said = |bytes: &[u8]| shrunk(bytes, 480).expect_err("an error");
        assert!(said(&small).contains("20 pixels across"));
        assert!(said(b"text").contains("cannot be read"));
        assert!(said(&bytes(photograph(20, 20), ImageFormat::Gif)).contains("moves"));
        // A header that says 60,000 × 60,000.
        let mut bomb = bytes(RgbImage::new(1, 1), ImageFormat::Bmp);
        bomb[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
        bomb[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
        assert!(said(&bomb).contains("the picture"), "{}", said(&bomb));
    }
}
