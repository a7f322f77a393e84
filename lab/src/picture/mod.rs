//! Pictures: an encoded file in; its pixels, in the kind of picture that the file holds, out.
//!
//! As Pillow 13 opens files, because that is what CLIP was trained and is measured through. The kind is
//! kept, and turned to RGB only after resizing, because that is the order of openai/CLIP and open_clip: a
//! palette or 1-bit picture is resized without smoothing, one with alpha by premultiplied colour (so that
//! wholly transparent places become black, whatever colour lies beneath), and 16-bit grey is cut off at
//! 255, so that it comes out nearly white. Odd as the last is, activations are only comparable so.
//!
//! Also as Pillow: of an animation the first frame; orientation is followed in TIFF and nowhere else; colour
//! profiles and a PNG's `tRNS` are not applied; CMYK is turned to RGB without a profile; a file that is cut
//! short is refused.
//!
//! Otherwise than Pillow: only these seven formats are read. AVIF and JPEG 2000 are refused by name: the one
//! decoder of JPEG 2000 in Rust (hayro 0.3) differs by up to 42 levels in lossy files. Refused are arithmetic-coded
//! JPEGs, and TIFFs of
//! floating-point, 12-bit, 32-bit, CIE Lab or YCbCr pixels (but for those in JPEG), of 16-bit grey whose 0
//! is white, of fax group 3, or whose bits lie in reverse. JPEG inside a TIFF may differ by 2 levels. Pillow
//! garbles 16-bit grey TIFFs that are big-endian; here they equal the little-endian. Comments and colour
//! profiles are passed over, however large or damaged; the bounds on size are ours. Where nothing but the
//! padding or the end mark of a file is cut off, PNG and BMP are refused and GIF and WebP taken, and Pillow
//! does the opposite.
//! Knows nothing of CLIP, nor of libtorch.

mod bmp;
mod gif;
mod jpeg;
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

pub use resize::Side;

/// Most bytes of an encoded picture.
pub const LARGEST_FILE: u64 = 64 << 20;
/// Most bytes of a decoded picture.
const LARGEST_PICTURE: u64 = 512 << 20;

/// What the bytes of a picture mean, as Pillow's modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Black or white, a byte of 0 or 255 each; resized without smoothing.
    Bilevel,
    /// Colours of a palette, looked up: red, green, blue; resized without smoothing.
    Palette,
    /// Grey.
    Grey,
    /// Grey and alpha.
    GreyAlpha,
    /// Grey of 16 bits, the lower byte first.
    Grey16,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha; colour not premultiplied.
    Rgba,
    /// Cyan, magenta, yellow, black; 255 is full ink.
    Cmyk,
}

impl Mode {
    /// Bytes of a pixel.
    pub fn bytes(self) -> usize {
        match self {
            Mode::Bilevel | Mode::Grey => 1,
            Mode::GreyAlpha | Mode::Grey16 => 2,
            Mode::Palette | Mode::Rgb => 3,
            Mode::Rgba | Mode::Cmyk => 4,
        }
    }
}

/// A decoded picture of at least one pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    mode: Mode,
    /// Row by row, without gaps.
    pixels: Vec<u8>,
}

impl Picture {
    /// A picture of `pixels`, row by row without gaps.
    ///
    /// # Errors
    /// Where the picture has no pixels, or not as many as its size says.
    pub fn new(width: u32, height: u32, mode: Mode, pixels: Vec<u8>) -> Result<Self, String> {
        if pixels.len() != room(width, height, mode.bytes())? {
            return Err("its size does not fit its pixels".into());
        }
        Ok(Self { width, height, mode, pixels })
    }

    /// Decodes a picture; the format is told from its first bytes, and its name is not asked.
    ///
    /// # Errors
    /// Where it is damaged or cut short, of an unknown format, or larger than 512 MiB when decoded.
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
                Some(found) => {
                    let hint = found.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                    format!("it is {}, which is not read{hint}", found.what)
                }
                None => "it is no PNG, JPEG, GIF, WebP, BMP, TIFF or PPM picture".into(),
            }),
        }
    }

    /// Reads and decodes a regular file.
    ///
    /// # Errors
    /// Where it cannot be read, is larger than 64 MiB, or [`Picture::decode`] refuses it.
    pub fn open(path: &Path) -> Result<Self, String> {
        Self::decode(&file::read(path, LARGEST_FILE).map_err(|error| error.to_string())?)
    }

    /// Pixels across and down.
    pub fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// What the bytes mean.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The bytes, row by row without gaps.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// As Pillow's `resize` with `BICUBIC` and `crop` together.
    ///
    /// # Errors
    /// Where a part reaches beyond its side, or what is kept would take more than 512 MiB.
    pub fn resize(self, across: &Side, down: &Side) -> Result<Self, String> {
        resize::resize(self, across, down)
    }

    /// As Pillow's `convert("RGB")`.
    ///
    /// # Errors
    /// Where that would take more than 512 MiB.
    pub fn into_rgb(self) -> Result<RgbImage, String> {
        rgb::convert(self)
    }
}

impl From<RgbImage> for Picture {
    fn from(picture: RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        Self { width, height, mode: Mode::Rgb, pixels: picture.into_raw() }
    }
}

/// Bytes of a picture of that size, where it may be decoded.
fn room(width: u32, height: u32, bytes: usize) -> Result<usize, String> {
    if width == 0 || height == 0 {
        return Err("it has no pixels".into());
    }
    let room = u64::from(width) * u64::from(height) * bytes as u64;
    if room > LARGEST_PICTURE {
        return Err(format!("it has {width} x {height} pixels, more than 512 MiB"));
    }
    usize::try_from(room).map_err(|_| "it does not fit into memory".to_owned())
}

/// Samples of 1, 2 or 4 bits, packed into rows that begin on a byte, to one byte each.
fn unpack(packed: &[u8], width: u32, bits: u8, out: &mut Vec<u8>) {
    let width = width as usize;
    let (bits, mask) = (usize::from(bits), ((1u16 << bits) - 1) as u8);
    let stride = (width * bits).div_ceil(8);
    for row in packed.chunks_exact(stride.max(1)) {
        out.extend((0..width).map(|x| {
            let at = x * bits;
            (row[at / 8] >> (8 - bits - at % 8)) & mask
        }));
    }
}

/// The colours of a palette: three bytes each; what it lacks is black, as in Pillow.
fn look_up(indices: &[u8], palette: &[u8]) -> Vec<u8> {
    let mut colours = [[0; 3]; 256];
    for (colour, given) in colours.iter_mut().zip(palette.as_chunks::<3>().0) {
        *colour = *given;
    }
    indices.iter().flat_map(|&i| colours[usize::from(i)]).collect()
}

#[cfg(test)]
mod tests;
