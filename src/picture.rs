//! Smaller copies of pictures, for screens that need no more pixels; all sizes from one decoding.
//!
//! The same bytes result on every machine: the resizer uses integer arithmetic, with or without vector instructions.
//! Levels are averaged as stored, ignoring gamma, as Pillow and browsers do. Callers should cache the result by the
//! input's digest.

pub mod card;
mod encode;
mod pixels;
pub(crate) mod smaller;

use std::io::Cursor;
use std::path::Path;

use fast_image_resize::Resizer;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use pixels::Pixels;

/// Widths of copies in pixels; a picture gets those well below its own.
const WIDTHS: [u32; 3] = [480, 960, 1600];
/// Width of the copy that lists show, in pixels: twice its size on the page, for dense screens.
pub const THUMBNAIL: u32 = 104;
/// Maximum width or height in pixels, and maximum size of a decoded picture in bytes.
const LARGEST_SIDE: u32 = 20_000;
const LARGEST: u64 = 512 << 20;

/// The widths of a picture's copies, ascending. Widths close to its own are left out.
pub fn variants(width: u32) -> Vec<u32> {
    WIDTHS.into_iter().filter(|smaller| is_well_below(*smaller, width)).collect()
}

/// Whether a copy of that width is worth making.
pub fn is_well_below(smaller: u32, width: u32) -> bool {
    smaller + smaller / 5 <= width
}

/// A smaller copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedCopy {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The file's extension.
    pub ending: &'static str,
}

/// Why a picture has no copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It is animated, and copies would not be.
    Moves,
    /// It cannot be read or is too large: the reason, for people.
    Broken(String),
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self::Broken(reason)
    }
}

/// Width and height of the upright picture in a file; `None` if it is not a picture. Only its header is read.
pub fn size(file: &Path) -> Option<(u32, u32)> {
    let mut decoder =
        ImageReader::new(std::io::BufReader::new(neuronotes_core::file::open(file).ok()?))
            .with_guessed_format()
            .ok()?
            .into_decoder()
            .ok()?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    let lies = decoder.orientation().is_ok_and(|orientation| {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
    });
    Some(if lies { (height, width) } else { (width, height) })
}

/// Copies at these widths, except those close to the picture's own: `jpg` for photographs; lossless `png` or `webp`,
/// whichever is smaller, for drawings and transparent pictures. They are upright, keep the colour profile and no
/// other metadata.
///
/// # Errors
/// If the bytes are not a picture, or it is too large or animated.
pub fn copies(bytes: &[u8], widths: &[u32]) -> Result<Vec<EncodedCopy>, Unfit> {
    let (picture, profile) = decoded(bytes)?;
    let pixels = Pixels::of(picture);
    let mut resizer = Resizer::new();
    let mut copy = |width: u32| {
        let small = pixels.shrunk(&mut resizer, width)?;
        let (bytes, ending) = match pixels.lossless {
            true => encode::lossless(&small, profile.as_deref())?,
            false => (encode::lossy(&small, profile.as_deref())?, "jpg"),
        };
        Ok(EncodedCopy { width: small.width, height: small.height, bytes, ending })
    };
    let fitting = widths.iter().filter(|width| **width > 0 && is_well_below(**width, pixels.width));
    fitting.map(|width| copy(*width)).collect()
}

/// The upright picture and its colour profile.
fn decoded(bytes: &[u8]) -> Result<(DynamicImage, Option<Vec<u8>>), Unfit> {
    let unreadable =
        |cause: &dyn std::fmt::Display| format!("the picture cannot be read ({cause})");
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|cause| unreadable(&cause))?;
    if moves(bytes, reader.format()) {
        return Err(Unfit::Moves);
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|cause| unreadable(&cause))?;
    // Before memory is taken: not every decoder looks at the limits itself.
    if decoder.total_bytes() > LARGEST {
        let mebibytes = decoder.total_bytes() >> 20;
        return Err(format!("the decoded picture has {mebibytes} MiB; the limit is 512 MiB").into());
    }
    let orientation = decoder.orientation().map_err(|cause| unreadable(&cause))?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|cause| unreadable(&cause))?;
    picture.apply_orientation(orientation);
    Ok((picture, profile))
}

/// Whether it may have several frames.
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

    fn shrunk(bytes: &[u8], width: u32) -> Result<(Vec<u8>, &'static str), String> {
        match copies(bytes, &[width]) {
            Ok(mut made) => {
                let one = made.pop().ok_or("not wider")?;
                assert_eq!(one.width, width);
                Ok((one.bytes, one.ending))
            }
            Err(Unfit::Moves) => Err("moves".to_owned()),
            Err(Unfit::Broken(reason)) => Err(reason),
        }
    }

    #[test]
    fn several_copies_are_those_that_are_made_alone() {
        let png = bytes(photograph(1200, 700), ImageFormat::Png);
        for copy in copies(&png, &[480, 960]).expect("copies") {
            assert_eq!(shrunk(&png, copy.width).expect("one"), (copy.bytes, copy.ending));
        }
    }

    #[test]
    fn vector_instructions_change_no_level() {
        use fast_image_resize::CpuExtensions;
        let clear = DynamicImage::from(RgbaImage::from_fn(611, 407, |x, y| {
            Rgba([(x * 7 + y) as u8, (x / 3 + y * 5) as u8, (x * y / 50) as u8, (x + y) as u8])
        }));
        let grey = DynamicImage::from(DynamicImage::from(photograph(611, 407)).into_luma8());
        for picture in [clear, grey, photograph(611, 407).into()] {
            let pixels = Pixels::of(picture);
            let with = pixels.shrunk(&mut Resizer::new(), 250).expect("resized").levels;
            let mut plain = Resizer::new();
            // SAFETY: every processor supports code without extensions.
            unsafe { plain.set_cpu_extensions(CpuExtensions::None) };
            let without = pixels.shrunk(&mut plain, 250).expect("resized").levels;
            assert!(with == without, "{:?}", pixels.kind);
        }
    }

    #[test]
    fn pictures_are_resized_as_pillow_does_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/resize");
        for mode in ["L", "RGB", "RGBA"] {
            let open = |name: String| image::open(folder.join(name)).expect("a picture");
            let pixels = Pixels::of(open(format!("{mode}.png")));
            let small = pixels.shrunk(&mut Resizer::new(), 60).expect("resized");
            let golden = Pixels::of(open(format!("{mode}-60.png")));
            assert_eq!((small.width, small.height), (golden.width, golden.height));
            assert_eq!((small.kind, small.levels.len()), (golden.kind, golden.levels.len()));
            // Both round between their two passes, but in different orders. Visible colours are compared: those of
            // almost transparent pixels are mostly rounding.
            let seen = |pixels: &Pixels, at: usize| match (mode, at % 4) {
                ("RGBA", 0..3) => {
                    u32::from(pixels.levels[at]) * u32::from(pixels.levels[at / 4 * 4 + 3]) / 255
                }
                _ => u32::from(pixels.levels[at]),
            };
            let off: Vec<u32> = (0..small.levels.len())
                .map(|at| seen(&small, at).abs_diff(seen(&golden, at)))
                .collect();
            let mean = f64::from(off.iter().sum::<u32>()) / off.len() as f64;
            let most = off.iter().max().expect("levels");
            // Transparency is rounded twice more.
            let (limit, usual) = if mode == "RGBA" { (8, 0.6) } else { (5, 0.5) };
            assert!(*most <= limit && mean <= usual, "{mode}: {most} at most, {mean} on average");
        }
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
        // White where it is visible, red where it is not.
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
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("turned.jpg");
        std::fs::write(&file, &turned).expect("a file");
        assert_eq!(size(&file), Some((900, 600)));
    }

    #[test]
    fn a_picture_without_a_pixel_has_no_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("empty.gif");
        for header in [&b"GIF89a\x05\0\0\0\0\0\0"[..], b"GIF89a\0\0\x05\0\0\0\0"] {
            std::fs::write(&file, header).expect("a file");
            assert_eq!(size(&file), None);
        }
    }

    #[test]
    fn what_cannot_be_shrunk_says_why() {
        let small = bytes(photograph(20, 20), ImageFormat::Png);
        let said = |bytes: &[u8]| shrunk(bytes, 480).expect_err("an error");
        assert!(said(&small).contains("not wider"));
        assert!(said(b"text").contains("cannot be read"));
        assert!(said(&bytes(photograph(20, 20), ImageFormat::Gif)).contains("moves"));
        // A header that says 60,000 × 60,000.
        let mut bomb = bytes(RgbImage::new(1, 1), ImageFormat::Bmp);
        bomb[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
        bomb[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
        assert!(said(&bomb).contains("the picture"), "{}", said(&bomb));
    }
}
