//! A sheet: many small pictures of a data set in one.

use std::collections::HashMap;

use neuronotes_core::kind::unit_similarity::{Sheet, Tile};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::rows::{caption, named};
use crate::clip::preprocess::prepare;
use crate::dataset::Shard;
use crate::encode::webp;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::matrix::Matrix;
use crate::workbench::Workbench;

/// The output.
const NAME: &str = "sheet.webp";
/// Longest side of a sheet, in pixels.
const SIDE: u32 = 2048;
/// Smallest and largest side of a picture, in pixels.
const TILES: (u32, u32) = (24, 64);
/// WebP quality, from 0 to 100.
const QUALITY: f32 = 82.0;

/// The images of a sheet, each once.
#[derive(Debug, Default)]
pub(super) struct Images {
    rows: Vec<usize>,
    known: HashMap<usize, u32>,
}

impl Images {
    /// Adds an image by its row, and returns its place on the sheet.
    pub(super) fn add(&mut self, row: usize) -> u32 {
        let next = self.rows.len() as u32;
        let at = *self.known.entry(row).or_insert(next);
        if at == next {
            self.rows.push(row);
        }
        at
    }

    /// Adds the sheet to the record. Pictures are square, cut as the network sees them.
    ///
    /// # Errors
    /// If an image cannot be read, or the sheet not be stored.
    pub(super) fn sheet(&self, bench: &mut Workbench<'_>, all: &Matrix) -> Result<Sheet, Failure> {
        let across = self.rows.len().isqrt();
        let across = (across + usize::from(across * across < self.rows.len())).max(1) as u32;
        let tile = (SIDE / across).clamp(TILES.0, TILES.1);
        let side = tile * across;
        let named = named(all, &self.rows);
        let mut gallery = Gallery::default();
        let found = gallery.find(bench, &named)?;
        let small = |(shard, row): &(&dyn Shard, usize)| {
            prepare(shard.picture(*row)?, tile).map(image::RgbImage::into_raw)
        };
        let small: Vec<Result<Vec<u8>, String>> = found.par_iter().map(small).collect();
        let mut pixels = vec![255u8; (side * side * 3) as usize];
        let (line, width) = ((tile * 3) as usize, (side * 3) as usize);
        for (at, picture) in small.into_iter().enumerate() {
            let picture = picture.map_err(|why| {
                Failure::new(format!("`{}` cannot be shown ({why})", named[at].1))
            })?;
            let (down, right) = (at / across as usize, at % across as usize);
            for (y, row) in picture.chunks_exact(line).enumerate() {
                let from = (down * tile as usize + y) * width + right * line;
                pixels[from..from + line].copy_from_slice(row);
            }
        }
        let tile_of = |row: &usize| Tile { caption: caption(all, *row).to_owned() };
        let tiles = self.rows.iter().map(tile_of).collect();
        let bytes = webp(&pixels, side, QUALITY)?;
        bench.record.add_output(bench.store(), NAME, "image/webp", &bytes)?;
        Ok(Sheet { picture: NAME.to_owned(), side, tile, tiles })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_on_a_sheet_once() {
        let mut images = Images::default();
        let places: Vec<u32> = [7, 3, 7, 9, 3].into_iter().map(|row| images.add(row)).collect();
        assert_eq!(places, [0, 1, 0, 2, 1]);
        assert_eq!(images.rows, [7, 3, 9]);
    }
}
