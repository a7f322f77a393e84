//! Shards that stay open from one request to the next: a shard, or a piece of a large one, in; its rows, checked against its
//! digest, out.
//!
//! Listing a million files for each of some hundred pieces would take longer than scanning them, and listing a small shard
//! again for each figure longer than measuring the figure.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{DatasetRef, Listing, Piece, Reading, Sample, ShardRef};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;

use crate::dataset::{self, Shard};
use crate::failure::Failure;
use crate::picture::Picture;

/// How many shards in pieces stay open.
const MOST: usize = 2;
/// How many other shards stay open; each has at most some thousand pictures.
const SMALL: usize = 32;

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
        digests: &mut FileDigests,
        dataset: &DatasetRef,
        shard: &ShardRef,
        piece: &Piece,
    ) -> Result<Option<Rows>, Failure> {
        if let Some(whole) = last_used(&mut self.large, dataset, shard, shard.digest)
            && let Some(rows) = whole.rows(digests, dataset, shard, piece)?
        {
            return Ok(Some(Rows::of(whole, piece, rows)));
        }
        // Another piece may have changed, or this one, or none.
        let now = (dataset.format.digest)(digests, &shard.path, &dataset.table)
            .map_err(|error| unreadable(shard, &error))?;
        if dataset.captions && now != shard.digest {
            return Ok(None);
        }
        let whole = match last_used(&mut self.large, dataset, shard, now) {
            Some(known) => known,
            None => self.open(dataset, shard, now)?,
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
        dataset: &DatasetRef,
        shard: &ShardRef,
        side: u32,
    ) -> Result<Box<dyn Shard>, Failure> {
        if let Some(known) = last_used(&mut self.small, dataset, shard, shard.digest) {
            return Ok(Box::new(Shared(known.shard)));
        }
        let reading = dataset.reading();
        let opened = dataset::open(&shard.path, dataset.format, &reading, side)?;
        let is_loose = opened.listing().is_some_and(Listing::is_loose);
        let is_plain = shard.path.extension().is_some_and(|ending| ending == "tar");
        if !is_loose && !is_plain {
            // Others hold a temporary file, or decoded rows, as long as they are open.
            return Ok(opened);
        }
        if self.small.len() >= SMALL {
            self.small.remove(0);
        }
        let (path, digest, opened) = (shard.path.clone(), shard.digest, Arc::from(opened));
        self.small.push(Whole { path, reading, digest, shard: Arc::clone(&opened) });
        Ok(Box::new(Shared(opened)))
    }

    fn open(
        &mut self,
        dataset: &DatasetRef,
        shard: &ShardRef,
        digest: Digest,
    ) -> Result<Whole, Failure> {
        // Before the next one is listed, since a listing may be large.
        while self.large.len() >= MOST {
            self.large.remove(0);
        }
        let reading = dataset.reading();
        let opened = dataset::open(&shard.path, dataset.format, &reading, 0)?;
        let whole = Whole { path: shard.path.clone(), reading, digest, shard: Arc::from(opened) };
        self.large.push(whole.clone());
        Ok(whole)
    }
}

/// The one of these shards that has this digest and is read so; it is then the last one used.
fn last_used(
    open: &mut Vec<Whole>,
    dataset: &DatasetRef,
    shard: &ShardRef,
    digest: Digest,
) -> Option<Whole> {
    let reading = dataset.reading();
    let is_it = |whole: &Whole| {
        whole.path == shard.path && whole.reading == reading && whole.digest == digest
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
        let broken = |error| unreadable(shard, &error);
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

fn unreadable(shard: &ShardRef, error: &std::io::Error) -> Failure {
    Failure::outside(format!("{} cannot be read ({error})", shard.path.display()))
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
