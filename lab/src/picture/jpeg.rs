//! JPEG: a file in; grey, RGB or CMYK out.
//!
//! Through libjpeg-turbo's C code as mozjpeg carries it, because that is what Pillow uses: pixels are equal
//! to the bit. zune-jpeg and jpeg-decoder differ by up to 32 levels where colour is subsampled, and by up to
//! 5 in the prepared square if it is not.

use std::cell::Cell;
use std::io::{BufRead, Error, Read, Result as IoResult};
use std::panic::{AssertUnwindSafe, catch_unwind};

use mozjpeg::{ColorSpace, Decompress};

use super::pixels::{LARGEST_PICTURE, Mode, Picture, room};

/// The most pixels times scans: each scan covers the whole picture, so that many small scans would take very long.
const MOST_WORK: u64 = 1 << 31;

pub fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let exhausted = Cell::new(false);
    // The library reports errors by unwinding, past the panic hook.
    let decoded = catch_unwind(AssertUnwindSafe(|| read(bytes, &exhausted)));
    match decoded {
        Ok(Ok(picture)) => Ok(picture),
        _ if exhausted.get() => Err("the JPEG is cut short".into()),
        Ok(Err(why)) => Err(why),
        Err(panic) => {
            let why = panic.downcast_ref::<String>().map_or("", String::as_str);
            let why = why.trim_start_matches("libjpeg fatal error: ").to_lowercase();
            Err(format!("the JPEG is damaged ({why})"))
        }
    }
}

fn read(bytes: &[u8], exhausted: &Cell<bool>) -> Result<Picture, String> {
    let damaged = |error: Error| format!("the JPEG is damaged ({error})");
    let header = Decompress::new_reader(Once { rest: bytes, exhausted }).map_err(damaged)?;
    let (mode, space) = match header.components().len() {
        1 => (Mode::Grey, ColorSpace::JCS_GRAYSCALE),
        3 => (Mode::Rgb, ColorSpace::JCS_RGB),
        4 => (Mode::Cmyk, ColorSpace::JCS_CMYK),
        other => return Err(format!("a JPEG of {other} components is not supported")),
    };
    let size = |size: usize| u32::try_from(size).map_err(|error| error.to_string());
    let (width, height) = (size(header.width())?, size(header.height())?);
    let whole = room(width, height, mode.bytes())?;
    // Scans, give or take those of a preview inside the file.
    let scans = bytes.windows(2).filter(|pair| pair == &[0xff, 0xda]).count() as u64;
    // With more than one, all coefficients are held, two bytes each.
    if scans > 1 && whole as u64 * 2 > LARGEST_PICTURE {
        return Err(format!(
            "it has {width} x {height} pixels in several scans, more than 512 MiB"
        ));
    }
    if scans > 20 && u64::from(width) * u64::from(height) * scans > MOST_WORK {
        return Err(format!("it has {width} x {height} pixels in {scans} scans"));
    }
    let mut decoder = header.to_colorspace(space).map_err(damaged)?;
    let mut pixels: Vec<u8> = decoder.read_scanlines().map_err(damaged)?;
    decoder.finish().map_err(damaged)?;
    if mode == Mode::Cmyk {
        // Adobe's programs store CMYK inverted, and Pillow assumes that every CMYK JPEG is.
        pixels.iter_mut().for_each(|level| *level = 255 - *level);
    }
    Picture::new(width, height, mode, pixels)
}

/// A reader of the whole file with an error at its end, where libjpeg would otherwise invent one.
struct Once<'a> {
    rest: &'a [u8],
    exhausted: &'a Cell<bool>,
}

impl Read for Once<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        self.rest.read(buffer)
    }
}

impl BufRead for Once<'_> {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        if self.rest.is_empty() {
            self.exhausted.set(true);
            return Err(Error::other("it is cut short"));
        }
        Ok(self.rest)
    }

    fn consume(&mut self, amount: usize) {
        self.rest = self.rest.get(amount..).unwrap_or_default();
    }
}
