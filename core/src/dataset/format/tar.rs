//! WebDataset: tar archives of pictures, each with files beside it that describe it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::archive;
use super::entry::{Format, Samples, Shard};
use crate::dataset::ending;
use crate::dataset::file;
use crate::dataset::group::Naming;
use crate::dataset::ledger::Ledger;
use crate::dataset::listing::{Listing, Malformed, Pictures, RULES, rules};
use crate::dataset::reading::Reading;
use crate::dataset::sample::Sample;
use crate::dataset::sheet::Sheet;

/// Tar archives, compressed or not.
pub static FORMAT: Format = Format {
    name: "tar",
    noun: "a tar archive",
    summary: "WebDataset tar archive",
    accepts: "WebDataset `.tar` archives (also `.tar.gz` and `.tar.zst`)",
    doc: "WebDataset: a tar archive in which files whose names agree up to the first dot are one sample: a picture, its \
          caption and its label.",
    covers: "the bytes of the archive",
    shard: Shard::File { endings: &ending::ARCHIVES, gathered: true },
    samples: Samples::Pictures,
    has_columns: false,
    digest: |digests, path, _| digests.digest(path),
    pictures: Some(|digests, path, _| digests.pictures(path)),
    hint: Some("`tar -tf` lists what is in an archive; download or pack it again"),
    list,
};

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let (file, in_place) = archive::open(path)?;
    let mut sheet = Sheet::default();
    let mut ledger = Ledger::default();
    let parts = archive::parts(&file, &mut ledger)?;
    let mut ahead = file::Ahead::of(&file);
    for (index, part) in parts.iter().enumerate() {
        let before = sheet.samples.len();
        let mut read = |place: &archive::Place, bytes: u64| {
            ahead.bytes_at(place.offset, bytes).map_err(|error| error.to_string())
        };
        sheet.add(part, Naming::Archive, reading.labels, &mut read);
        // The first rules ended with the first archive.
        sheet.is_new |= index > 0 && sheet.samples.len() > before;
    }
    // Earlier rules read entries that lead out of the archive.
    let is_newer = ledger.lost.iter().any(|lost| lost.why == archive::OUTSIDE);
    sheet.ledger.merge(&ledger);
    let places = sheet.places.into_iter().map(|(place, bytes)| (place.offset, bytes)).collect();
    Ok(Listing {
        samples: sheet.samples,
        ledger: sheet.ledger,
        rules: if is_newer { RULES } else { rules(sheet.is_new) },
        columns: Vec::new(),
        drawn: None,
        pictures: Box::new(Archived { file, places, in_place }),
    })
}

/// The listing of an archive that is read in place, as its index says; `None` if the file cannot be opened, or a picture has no
/// place.
pub(in crate::dataset) fn indexed(
    path: &Path,
    samples: Vec<Sample>,
    ledger: Ledger,
    rules: u32,
    places: Vec<(u64, u64)>,
) -> Option<Listing> {
    let file = crate::file::open(path).ok().filter(|_| places.len() == samples.len())?;
    let pictures = Box::new(Archived { file, places, in_place: true });
    Some(Listing { samples, ledger, rules, columns: Vec::new(), drawn: None, pictures })
}

/// Pictures in an archive.
#[derive(Debug)]
struct Archived {
    file: File,
    /// The offset and the length of each in bytes.
    places: Vec<(u64, u64)>,
    /// Whether the file is the archive itself, and not what it was unpacked to.
    in_place: bool,
}

impl Pictures for Archived {
    fn size(&self, row: usize) -> Option<u64> {
        self.places.get(row).map(|(_, bytes)| *bytes)
    }

    fn read(&self, row: usize, count: u64) -> io::Result<Vec<u8>> {
        let (offset, _) = self.places.get(row).ok_or(io::ErrorKind::NotFound)?;
        file::bytes_at(&self.file, *offset, count)
    }

    fn places(&self) -> Option<&[(u64, u64)]> {
        self.in_place.then_some(&self.places)
    }

    fn expect(&self, row: usize) {
        if let Some((offset, bytes)) = self.places.get(row) {
            file::expect(&self.file, *offset, *bytes);
        }
    }
}
