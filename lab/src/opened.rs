//! Shards that stay open from one request to the next: a shard, or a piece of a large one, in; its rows, checked against its
//! digest, out.
//!
//! Listing a million files for each of some hundred pieces would take longer than scanning them, and listing a small shard
//! again for each figure longer than measuring the figure.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{DatasetRef, Listing, Piece, Reading, Sample, Samples, ShardRef};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::store::Store;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::dataset::Shard;
use crate::failure::Failure;
use crate::listed::Listed;
use crate::picture::Picture;

/// How many shards in pieces stay open.
const MOST: usize = 2;
/// How many other shards stay open; each has at most some thousand pictures, and all together at most so many.
const SMALL: usize = 256;
const PICTURES: usize = 1 << 19;

/// Shards that are open, the last one used at the end.
#[derive(Debug, Default)]
pub struct Opened {
    large: Vec<Whole>,
    small: Vec<Whole>,
}

/// A shard as it was when it was listed.
#[derive(Debug, Clone)]
struct Whole {
    path: PathBuf,
    reading: Reading,
    /// The side of drawn pictures, in pixels.
    side: u32,
    digest: Digest,
    shard: Arc<dyn Shard>,
}

impl Opened {
    /// The piece that a data set's shard is; `None` if there is no such piece any more.
    ///
    /// # Errors
    /// If the shard or a picture of the piece cannot be read.
    pub fn piece(
        &mut self,
        (store, digests): (&Store, &mut FileDigests),
        dataset: &DatasetRef,
        shard: &ShardRef,
        piece: &Piece,
    ) -> Result<Option<Rows>, Failure> {
        if let Some(whole) = last_used(&mut self.large, dataset, shard, (shard.digest, 0))
            && let Some(rows) = whole.rows(digests, dataset, shard, piece)?
        {
            return Ok(Some(Rows::of(whole, piece, rows)));
        }
        // Another piece may have changed, or this one, or none.
        let now = (dataset.format.digest)(digests, &shard.path, &dataset.table)
            .map_err(|error| Failure::unreadable(&shard.path, &error))?;
        if dataset.captions && now != shard.digest {
            return Ok(None);
        }
        let whole = match last_used(&mut self.large, dataset, shard, (now, 0)) {
            Some(known) => known,
            None => self.open((store, &mut *digests), dataset, shard, now)?,
        };
        let rows = whole.rows(digests, dataset, shard, piece)?;
        Ok(rows.map(|rows| Rows::of(whole, piece, rows)))
    }

    /// A shard that is not cut, whose digest with captions and labels has just been compared.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn small(
        &mut self,
        (store, digests): (&Store, &mut FileDigests),
        dataset: &DatasetRef,
        shard: &ShardRef,
        side: u32,
    ) -> Result<Box<dyn Shard>, Failure> {
        if let Some(known) = last_used(&mut self.small, dataset, shard, (shard.digest, side)) {
            return Ok(Box::new(Shared(known.shard)));
        }
        let listed = Listed::open(store, dataset, shard, side)?;
        let opened = listed.kept(store, || is_same(digests, dataset, shard));
        if !stays(dataset, shard, opened.as_ref()) {
            return Ok(opened);
        }
        let shared = Arc::from(opened);
        self.keep(dataset, shard, side, Arc::clone(&shared));
        Ok(Box::new(Shared(shared)))
    }

    /// Opens several such shards on all cores, as far as there is room for them. Those that cannot be read fail when they are asked for.
    pub fn prepare(
        &mut self,
        (store, digests): (&Store, &mut FileDigests),
        dataset: &DatasetRef,
        shards: &[&ShardRef],
        side: u32,
    ) {
        let is_new = |shard: &&&ShardRef| {
            last_used(&mut self.small, dataset, shard, (shard.digest, side)).is_none()
        };
        let new: Vec<&ShardRef> = shards.iter().filter(is_new).take(SMALL).copied().collect();
        let open = |shard: &&ShardRef| Listed::open(store, dataset, shard, side).ok();
        let listed: Vec<Option<Listed>> = new.par_iter().map(open).collect();
        for (shard, listed) in new.into_iter().zip(listed) {
            let opened =
                listed.map(|listed| listed.kept(store, || is_same(digests, dataset, shard)));
            if let Some(opened) = opened.filter(|opened| stays(dataset, shard, opened.as_ref())) {
                self.keep(dataset, shard, side, Arc::from(opened));
            }
        }
    }

    fn keep(&mut self, dataset: &DatasetRef, shard: &ShardRef, side: u32, opened: Arc<dyn Shard>) {
        let (path, digest, reading) = (shard.path.clone(), shard.digest, dataset.reading());
        self.small.push(Whole { path, reading, side, digest, shard: opened });
        let pictures =
            |open: &[Whole]| open.iter().map(|open| open.shard.samples().len()).sum::<usize>();
        while self.small.len() > SMALL || self.small.len() > 1 && pictures(&self.small) > PICTURES {
            self.small.remove(0);
        }
    }

    fn open(
        &mut self,
        (store, digests): (&Store, &mut FileDigests),
        dataset: &DatasetRef,
        shard: &ShardRef,
        digest: Digest,
    ) -> Result<Whole, Failure> {
        // Before the next one is listed, since a listing may be large.
        while self.large.len() >= MOST {
            self.large.remove(0);
        }
        let reading = dataset.reading();
        let now = ShardRef { digest, ..shard.clone() };
        let listed = Listed::open(store, dataset, &now, 0)?;
        let opened = listed.kept(store, || is_same(digests, dataset, &now));
        let (path, shard) = (shard.path.clone(), Arc::from(opened));
        let whole = Whole { path, reading, side: 0, digest, shard };
        self.large.push(whole.clone());
        Ok(whole)
    }
}

/// Whether a shard still has the digest that it had before it was listed.
fn is_same(digests: &mut FileDigests, dataset: &DatasetRef, shard: &ShardRef) -> bool {
    let now = (dataset.format.digest)(digests, &shard.path, &dataset.table);
    now.is_ok_and(|now| now == shard.digest)
}

/// Whether a shard stays open: others hold a temporary file, or decoded rows, as long as they are.
fn stays(dataset: &DatasetRef, shard: &ShardRef, opened: &dyn Shard) -> bool {
    let is_loose = opened.listing().is_some_and(Listing::is_loose);
    let is_plain = shard.path.extension().is_some_and(|ending| ending == "tar");
    is_loose || is_plain || dataset.format.samples == Samples::Words
}

/// The one of these shards that has this digest and is read and drawn so; it is then the last one used.
fn last_used(
    open: &mut Vec<Whole>,
    dataset: &DatasetRef,
    shard: &ShardRef,
    (digest, side): (Digest, u32),
) -> Option<Whole> {
    let reading = dataset.reading();
    let is_it = |whole: &Whole| {
        (whole.digest, whole.side) == (digest, side)
            && whole.path == shard.path
            && whole.reading == reading
    };
    let known = open.remove(open.iter().position(is_it)?);
    open.push(known.clone());
    Some(known)
}

impl Whole {
    /// Where a piece is; `None` if it is not there, or is not what it was.
    fn rows(
        &self,
        digests: &mut FileDigests,
        dataset: &DatasetRef,
        shard: &ShardRef,
        piece: &Piece,
    ) -> Result<Option<Range<usize>>, Failure> {
        let Some(rows) = piece.rows(self.shard.samples()) else { return Ok(None) };
        let Some(listing) = self.shard.listing() else { return Ok(None) };
        let broken = |error| Failure::unreadable(&shard.path, &error);
        // One file is the same if its metadata is; it need not be read once more.
        let is_same = if dataset.captions {
            // The whole shard has been compared.
            self.digest == shard.digest
        } else if self.digest == shard.digest && !listing.is_loose() {
            (dataset.format.digest)(digests, &shard.path, &dataset.table).map_err(broken)?
                == self.digest
        } else {
            let now = listing.shown_in(rows.clone(), digests).map_err(broken)?;
            now == shard.shown()
        };
        Ok(is_same.then_some(rows))
    }
}

/// All rows of a shard that stays open.
#[derive(Debug)]
struct Shared(Arc<dyn Shard>);

impl Shard for Shared {
    fn samples(&self) -> &[Sample] {
        self.0.samples()
    }

    fn ledger(&self) -> &Ledger {
        self.0.ledger()
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        self.0.picture(row)
    }

    fn expect(&self, row: usize) {
        self.0.expect(row);
    }

    fn listing(&self) -> Option<&Listing> {
        self.0.listing()
    }
}

/// Some rows of a shard.
#[derive(Debug)]
pub struct Rows {
    whole: Arc<dyn Shard>,
    rows: Range<usize>,
    ledger: Ledger,
}

impl Rows {
    fn of(whole: Whole, piece: &Piece, rows: Range<usize>) -> Self {
        let whole = whole.shard;
        let ledger = piece.ledger(whole.ledger(), &whole.samples()[rows.clone()]);
        Self { whole, rows, ledger }
    }
}

impl Shard for Rows {
    fn samples(&self) -> &[Sample] {
        &self.whole.samples()[self.rows.clone()]
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        self.whole.picture(self.rows.start + row)
    }

    fn expect(&self, row: usize) {
        self.whole.expect(self.rows.start + row);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use neuronotes_core::dataset::{Format, Labels, Table, format, list, piece};

    use super::*;

    /// The pieces of a shard, each a shard of its own.
    fn pieces(format: &'static Format, path: &Path) -> DatasetRef {
        let (mut digests, table) = (FileDigests::default(), Table::default());
        let digest = (format.digest)(&mut digests, path, &table).expect("a digest");
        let listing = list(path, format, &Labels::Files.into()).expect("a listing");
        let pieces = piece::pieces(&listing, &mut digests, 12).expect("pieces").into_iter();
        let shards = pieces.map(|(piece, pictures)| ShardRef {
            pictures: Some(pictures),
            count: Some(piece.count as u64),
            piece: Some(piece),
            ..ShardRef::new(path.to_owned(), digest)
        });
        DatasetRef {
            name: "data".into(),
            format,
            captions: false,
            labels: Labels::Files,
            table,
            draw: None,
            shards: shards.collect(),
        }
    }

    #[test]
    fn a_shard_in_pieces_is_listed_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let stored = tempfile::tempdir().expect("a folder");
        let store = Store::open(stored.path()).expect("a store");
        for at in 0..40 {
            fs::write(dir.path().join(format!("{at:02}.png")), format!("{at}")).expect("written");
        }
        let rows: String = (0..40).map(|at| format!("{at:02}.png\n")).collect();
        let csv = dir.path().join("table.csv");
        fs::write(&csv, format!("path\n{rows}")).expect("written");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/tables");
        for (format, path, count) in [
            (&format::folder::FORMAT, dir.path(), 40),
            (&format::csv::FORMAT, &csv, 40),
            (&format::parquet::FORMAT, &golden.join("zstd.parquet"), 60),
        ] {
            for captions in [false, true] {
                let dataset = DatasetRef { captions, ..pieces(format, path) };
                assert!(dataset.shards.len() >= 4);
                let (mut opened, mut digests) = (Opened::default(), FileDigests::default());
                let mut all = Vec::new();
                for shard in &dataset.shards {
                    let piece = shard.piece.as_ref().expect("a piece");
                    let rows = opened.piece((&store, &mut digests), &dataset, shard, piece);
                    all.push(rows.expect("readable").expect("rows"));
                }
                assert_eq!(all.iter().map(|rows| rows.samples().len()).sum::<usize>(), count);
                assert!(all.iter().all(|rows| Arc::ptr_eq(&rows.whole, &all[0].whole)));
            }
        }
    }
}
