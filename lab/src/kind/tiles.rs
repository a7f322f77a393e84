//! The pixels of a sheet: small square pictures in; one picture with all of them, row by row, as WebP, out.

use image::RgbImage;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::encode::webp;
use crate::failure::Failure;

/// The output.
pub(super) const NAME: &str = "sheet.webp";
/// WebP quality, from 0 to 100.
const QUALITY: f32 = 82.0;

/// How many pictures are side by side on a sheet of `count`.
pub(super) fn across(count: usize) -> u32 {
    let across = count.isqrt();
    (across + usize::from(across * across < count)).max(1) as u32
}

/// A sheet of `count` pictures of `tile` x `tile` pixels, which `picture` gives; and its side in pixels.
///
/// # Errors
/// If a picture cannot be had, or the sheet not be encoded.
pub(super) fn drawn(
    count: usize,
    tile: u32,
    picture: impl Fn(usize) -> Result<RgbImage, Failure> + Send + Sync,
) -> Result<(Vec<u8>, u32), Failure> {
    let across = across(count);
    let side = tile * across;
    let small: Vec<Result<RgbImage, Failure>> = (0..count).into_par_iter().map(picture).collect();
    let mut pixels = vec![255u8; (side * side * 3) as usize];
    let (line, width) = ((tile * 3) as usize, (side * 3) as usize);
    for (at, picture) in small.into_iter().enumerate() {
        let (down, right) = (at / across as usize, at % across as usize);
        for (y, row) in picture?.as_raw().chunks_exact(line).enumerate() {
            let from = (down * tile as usize + y) * width + right * line;
            pixels[from..from + line].copy_from_slice(row);
        }
    }
    Ok((webp(&pixels, side, QUALITY)?, side))
}
