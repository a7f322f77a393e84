//! A sheet: many small pictures of a data set in one.

use std::collections::HashMap;

use neuronotes_core::kind::unit_similarity::{Sheet, Tile};

use super::rows::{caption, named};
use super::tiles::{NAME, across, drawn};
use crate::clip::preprocess::prepare;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::matrix::Matrix;
use crate::workbench::Workbench;

/// Longest side of a sheet, in pixels.
const SIDE: u32 = 2048;
/// Smallest and largest side of a picture, in pixels.
const TILES: (u32, u32) = (24, 64);

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
        let tile = (SIDE / across(self.rows.len())).clamp(TILES.0, TILES.1);
        let named = named(all, &self.rows);
        let mut gallery = Gallery::default();
        let found = gallery.find(bench, &named)?;
        let picture = |at: usize| {
            let (shard, row): (&dyn Shard, usize) = found[at];
            let picture = shard.picture(row).and_then(|picture| prepare(picture, tile));
            picture
                .map_err(|why| Failure::new(format!("`{}` cannot be shown ({why})", named[at].1)))
        };
        let (bytes, side) = drawn(found.len(), tile, picture)?;
        let tile_of = |row: &usize| Tile { caption: caption(all, *row).to_owned() };
        let tiles = self.rows.iter().map(tile_of).collect();
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
