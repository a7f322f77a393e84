//! Tables in Parquet: one row per picture, with the picture itself or the path of its file, its caption and its label.

use std::io;
use std::path::Path;

use super::entry::{Format, Samples, Shard};
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::{Listing, Malformed, Pictures, RULES, rules};
use crate::dataset::parquet::{Chosen, Packed, PictureColumn, REWRITE, open, texts};
use crate::dataset::reading::Reading;
use crate::dataset::rows::{self, Rows};
use crate::dataset::table::Table;
use crate::digest::Digest;
use crate::files::FileDigests;

/// Tables in Parquet.
pub static FORMAT: Format = Format {
    name: "parquet",
    noun: "a Parquet file",
    summary: "Parquet table: a picture per row",
    accepts: "`.parquet` tables of pictures, such as those of Hugging Face's `datasets`",
    doc: "A table in Parquet with one row per picture: the picture itself, as Hugging Face's `datasets` writes it, or the path \
          of its file; its caption and its label.",
    covers: "the bytes of the table, and the paths and bytes of the pictures that it names",
    shard: Shard::File { endings: &[".parquet"], gathered: true },
    samples: Samples::Pictures,
    has_columns: true,
    digest: |digests, path, table| match is_of_paths(path, table) {
        true => rows::digest(list, digests, path, table),
        false => digests.digest(path),
    },
    pictures: Some(|digests, path, table| match is_of_paths(path, table) {
        // Files change without their table.
        true => rows::pictures(list, digests, path, table),
        false => cells(digests, path, table).or_else(|error| rows::unlisted(error, digests, path)),
    }),
    hint: Some(REWRITE),
    list,
};

/// Whether a table holds paths of pictures instead of pictures.
fn is_of_paths(path: &Path, table: &Table) -> bool {
    let chosen = open(path).and_then(|file| Chosen::of(&file, table));
    chosen.is_ok_and(|chosen| chosen.pictures == PictureColumn::Files)
}

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let file = open(path)?;
    let chosen = Chosen::of(&file, &reading.table)?;
    let mut ledger = Ledger { entries: file.rows(), ..Ledger::default() };
    let texts = texts(&file, &chosen, &mut ledger)?;
    let PictureColumn::Here(column) = chosen.pictures else {
        return rows::listing(path, texts, chosen.names, reading, ledger);
    };
    let packed = Packed::new(file, column);
    packed.check()?;
    let is_whole = packed.is_whole();
    let mut found: Rows<u64> = Rows::new(reading.labels, ledger);
    for (at, mut row) in (0..).zip(texts) {
        if !is_whole && packed.picture(at).is_ok_and(|picture| picture.is_none()) {
            let why = match row.path {
                Some(_) => {
                    "the table has only its path, and not its bytes; write it again with the pictures in it"
                }
                None => "the cell with the picture is empty",
            };
            found.ledger.lose(What::Picture, why, row.place);
            continue;
        }
        let name = row.path.take().unwrap_or_default();
        // Where a picture was on another machine says nothing here.
        let name = match name.trim() {
            name if name.starts_with('/') => name.rsplit('/').next().unwrap_or_default(),
            name => name,
        };
        found.add(row, Some(name).filter(|name| !name.is_empty()), at);
    }
    Ok(Listing {
        samples: found.samples,
        ledger: found.ledger,
        rules: rules(false),
        columns: chosen.names,
        drawn: None,
        pictures: Box::new(Cells { packed, places: found.places }),
    })
}

/// The digest of the list of pictures in the cells of a table, which is remembered with the table's own.
fn cells(digests: &mut FileDigests, path: &Path, table: &Table) -> Result<Digest, Malformed> {
    let columns = crate::canonical::canonical_json(&table.canonical());
    let columns = format!("{columns}/{RULES}");
    digests.in_table(path, &columns, |digests| rows::shown(list, digests, path, table))
}

/// Pictures in the cells of a table.
#[derive(Debug)]
struct Cells {
    packed: Packed,
    /// The row of each in the table.
    places: Vec<u64>,
}

impl Cells {
    fn cell(&self, row: usize) -> io::Result<std::sync::Arc<[u8]>> {
        let place = self.places.get(row).ok_or(io::ErrorKind::NotFound)?;
        let picture = self.packed.picture(*place)?;
        picture.ok_or_else(|| io::Error::other("the cell with the picture is empty"))
    }
}

impl Pictures for Cells {
    fn size(&self, row: usize) -> Option<u64> {
        self.places.get(row)?;
        // What cannot be read says so when it is read.
        Some(self.cell(row).map_or(0, |picture| picture.len() as u64))
    }

    fn read(&self, row: usize, count: u64) -> io::Result<Vec<u8>> {
        let picture = self.cell(row)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(picture.len());
        Ok(picture[..count].to_vec())
    }
}

#[cfg(test)]
mod tests;
