//! Data sets. Input: a shard. Output: the names, captions and labels of its samples, and the picture of any of them,
//! decoded or drawn.
//!
//! [`neuronotes_core::dataset`] lists a shard; a picture is decoded on request, from any thread. A damaged
//! picture is an error about that picture only. Knows nothing of models, except the size at which words are drawn.
//!
//! A format whose pictures are not encoded files has one file here and one entry in `READERS`.

mod encoded;
mod letters;
mod shard;
mod words;

use std::path::Path;

use neuronotes_core::dataset::{self, Format, Listing, Reading, ShardError, format};

pub use letters::{Letters, letters};
pub use shard::Shard;

/// Makes a shard of its listing. `side` is the side of drawn pictures, in pixels.
type Reader = fn(Listing, u32) -> Box<dyn Shard>;

/// Readers of formats whose pictures are not encoded files.
static READERS: [(&Format, Reader); 1] = [(&format::words::FORMAT, words::reader)];

/// Opens a shard. `side` is the side of drawn pictures, in pixels.
///
/// # Errors
/// Fails if the file or folder cannot be read or is of another format.
pub fn open(
    path: &Path,
    format: &'static Format,
    reading: &Reading,
    side: u32,
) -> Result<Box<dyn Shard>, ShardError> {
    Ok(of_listing(dataset::list(path, format, reading)?, format, side))
}

/// Makes a shard of its listing. `side` is the side of drawn pictures, in pixels.
pub(crate) fn of_listing(listing: Listing, format: &'static Format, side: u32) -> Box<dyn Shard> {
    let reader = READERS.iter().find(|(known, _)| *known == format);
    reader.map_or(encoded::reader as Reader, |(_, reader)| *reader)(listing, side)
}

/// Words, each drawn as a picture of `side` x `side` pixels.
pub fn drawn_words(list: &[String], side: u32) -> Box<dyn Shard> {
    words::reader(dataset::of_words(list.iter().map(String::as_str)), side)
}
