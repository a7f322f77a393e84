//! Data sets: a shard in; its samples' names, captions and labels, and any sample's picture, decoded or drawn, out.
//!
//! What a shard holds is listed by [`neuronotes_core::dataset`]; a picture is decoded when it is asked for, from any thread. A
//! picture that is damaged is an error about that picture only. Knows nothing of models, except how large a picture a
//! drawn word is to be.

mod shaping;
mod words;

use std::path::Path;

use neuronotes_core::dataset::Sample;
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{self, Listing, ShardError};
use neuronotes_core::dataset::{DatasetFormat, Labels};

use crate::picture::Picture;

/// A shard that has been looked through.
pub trait Shard: Send + Sync + std::fmt::Debug {
    /// What is known of each picture, in the shard's order.
    fn samples(&self) -> &[Sample];

    /// What was seen in the shard.
    fn ledger(&self) -> &Ledger;

    /// The picture of that row, whole.
    ///
    /// # Errors
    /// Why it cannot be read or decoded.
    fn picture(&self, row: usize) -> Result<Picture, String>;
}

/// Opens a shard. `side` is that of drawn words, in pixels.
///
/// # Errors
/// Where the file or folder cannot be read, or is of another format.
pub fn open(
    path: &Path,
    format: DatasetFormat,
    labels: Labels,
    side: u32,
) -> Result<Box<dyn Shard>, ShardError> {
    let listing = dataset::list(path, format, labels)?;
    Ok(match format {
        DatasetFormat::Tar | DatasetFormat::Folder => Box::new(Files(listing)),
        DatasetFormat::Words => Box::new(words::Words::of(listing, side)),
    })
}

/// Words, each drawn as a picture of itself of `side` x `side` pixels.
pub fn drawn_words(list: &[String], side: u32) -> Box<dyn Shard> {
    let listing = dataset::of_words(list.iter().map(String::as_str));
    Box::new(words::Words::of(listing, side))
}

/// Pictures in files or in an archive.
#[derive(Debug)]
struct Files(Listing);

impl Shard for Files {
    fn samples(&self) -> &[Sample] {
        &self.0.samples
    }

    fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        Picture::decode(&self.0.picture(row)?)
    }
}
