//! Pictures: an encoded file in; its pixels, in the mode of the file, out.
//!
//! Files are read as by Pillow 13, because CLIP was trained and is evaluated with Pillow. The mode is kept, and converted
//! to RGB only after resizing, as in openai/CLIP and open_clip: a palette or 1-bit picture is resized without smoothing, a
//! picture with alpha by premultiplied colour (so that fully transparent pixels become black, whatever their colour), and
//! 16-bit grey is clipped at 255, so that it becomes nearly white. The last is odd, but needed for comparable activations.
//!
//! Also as in Pillow: the first frame of an animation is used; orientation is followed only in TIFF; colour profiles and a
//! PNG's `tRNS` are not applied; CMYK is converted to RGB without a profile; a truncated file is refused.
//!
//! Unlike Pillow: only these seven formats are read. AVIF and JPEG 2000 are refused by name: the only decoder of JPEG 2000
//! in Rust (hayro 0.3) differs by up to 42 levels in lossy files. Also refused are arithmetic-coded JPEGs, and TIFFs of
//! floating-point, 12-bit, 32-bit, CIE Lab or YCbCr pixels (except in JPEG), of 16-bit grey whose 0 is white, of fax
//! group 3, or with reversed bits. JPEG inside a TIFF may differ by 2 levels. Pillow garbles big-endian 16-bit grey TIFFs;
//! here they equal little-endian ones. Comments and colour profiles are ignored, however large or damaged; the limits on
//! size are this program's own. If only the padding or the end mark of a file is missing, PNG and BMP are refused and GIF
//! and WebP are read; Pillow does the opposite. Knows nothing of CLIP or libtorch.

pub mod alike;
mod bmp;
mod gif;
mod jpeg;
mod pixels;
mod png;
mod pnm;
mod resize;
mod rgb;
mod tiff;
mod webp;

use std::path::Path;

use image::RgbImage;
use neuronotes_core::file;
use neuronotes_core::sniff;

pub use pixels::{Mode, Picture};
pub use resize::Side;

/// The most bytes of an encoded picture.
pub const LARGEST_FILE: u64 = 64 << 20;
impl Picture {
    /// Decodes a picture; the format is recognised by its first bytes, not by its name.
    ///
    /// # Errors
    /// If it is damaged or truncated, has an unknown format, or larger than 512 MiB when decoded.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => png::decode(bytes),
            [0xff, 0xd8, 0xff, ..] => jpeg::decode(bytes),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => gif::decode(bytes),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp::decode(bytes),
            [b'B', b'M', ..] => bmp::decode(bytes),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => tiff::decode(bytes),
            [b'P', b'1'..=b'6', ..] if sniff::is_picture(bytes) => pnm::decode(bytes),
            _ => Err(match sniff::other(bytes) {
                Some(found) if bytes.is_empty() => format!("it is {}", found.what),
                Some(found) => {
                    let hint = found.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                    format!("it is {}, which is not supported{hint}", found.what)
                }
                None => "it is not a PNG, JPEG, GIF, WebP, BMP, TIFF or PPM picture".into(),
            }),
        }
    }

    /// Reads and decodes a regular file.
    ///
    /// # Errors
    /// If it cannot be read, is larger than 64 MiB, or [`Picture::decode`] refuses it.
    pub fn open(path: &Path) -> Result<Self, String> {
        Self::decode(&file::read(path, LARGEST_FILE).map_err(|error| error.to_string())?)
    }

    /// Resizes and crops, like Pillow's `resize` with `BICUBIC` and `crop`.
    ///
    /// # Errors
    /// If the crop reaches beyond a side, or the result would take more than 512 MiB.
    pub fn resize(self, across: &Side, down: &Side) -> Result<Self, String> {
        resize::resize(self, across, down)
    }

    /// Converts to RGB, like Pillow's `convert("RGB")`.
    ///
    /// # Errors
    /// If that would take more than 512 MiB.
    pub fn into_rgb(self) -> Result<RgbImage, String> {
        rgb::convert(self)
    }
}

#[cfg(test)]
mod tests;
