//! A decoded picture: its size, its mode and its bytes; and functions that several decoders use.

use image::RgbImage;

/// The most bytes of a decoded picture.
pub(super) const LARGEST_PICTURE: u64 = 512 << 20;

/// The meaning of a picture's bytes, like Pillow's modes.
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
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) mode: Mode,
    /// Row by row, without gaps.
    pub(super) pixels: Vec<u8>,
}

impl Picture {
    /// A picture of `pixels`, row by row without gaps.
    ///
    /// # Errors
    /// If the picture has no pixels, or another number than its size says.
    pub fn new(width: u32, height: u32, mode: Mode, pixels: Vec<u8>) -> Result<Self, String> {
        if pixels.len() != room(width, height, mode.bytes())? {
            return Err("its size does not fit its pixels".into());
        }
        Ok(Self { width, height, mode, pixels })
    }

    /// Width and height in pixels.
    pub fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The meaning of the bytes.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The bytes, row by row without gaps.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl From<RgbImage> for Picture {
    fn from(picture: RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        Self { width, height, mode: Mode::Rgb, pixels: picture.into_raw() }
    }
}

/// The number of bytes of a picture of that size, if it is not too large to be decoded.
pub(super) fn room(width: u32, height: u32, bytes: usize) -> Result<usize, String> {
    if width == 0 || height == 0 {
        return Err("it has no pixels".into());
    }
    let room = u64::from(width) * u64::from(height) * bytes as u64;
    if room > LARGEST_PICTURE {
        return Err(format!("it has {width} x {height} pixels, more than 512 MiB"));
    }
    usize::try_from(room).map_err(|_| "it does not fit into memory".to_owned())
}

/// Unpacks samples of 1, 2 or 4 bits, in rows that begin on a byte, to one byte each.
pub(super) fn unpack(packed: &[u8], width: u32, bits: u8, out: &mut Vec<u8>) {
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

/// Looks up the colours of a palette, three bytes each; missing ones are black, as in Pillow.
pub(super) fn look_up(indices: &[u8], palette: &[u8]) -> Vec<u8> {
    let mut colours = [[0; 3]; 256];
    for (colour, given) in colours.iter_mut().zip(palette.as_chunks::<3>().0) {
        *colour = *given;
    }
    indices.iter().flat_map(|&i| colours[usize::from(i)]).collect()
}
