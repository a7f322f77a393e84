//! Data sets. Input: a shard. Output: the names, captions and labels of its samples, the bytes of each picture, and a
//! ledger of everything that was seen and skipped.
//!
//! A shard is listed by reading what is around its pictures. Decoding pictures and drawing words is the lab's task.

mod beside;
mod colour;
mod columns;
mod draw;
pub mod ending;
mod error;
mod file;
pub mod format;
mod group;
pub mod index;
mod keys;
mod labels;
pub mod ledger;
mod listing;
mod loose;
mod parquet;
pub mod piece;
mod reading;
mod reference;
mod rows;
mod said;
mod sample;
mod shards;
mod sheet;
mod style;
mod table;
mod walk;
mod word;
mod written;

use std::path::Path;

pub use colour::Colour;
pub use draw::{Draw, FontFile, Looks, MOST_STYLES};
pub use error::ShardError;
pub use format::words::of_words;
pub use format::{FORMATS, Format, Samples};
pub use labels::Labels;
pub use listing::{LARGEST_PICTURE, Listing, RULES, SECOND_RULES};
pub use piece::Piece;
pub use reading::Reading;
pub use reference::{DatasetRef, ShardRef};
pub use said::Said;
pub use sample::Sample;
pub use shards::{Shards, shards};
pub use style::{Drawn, Style};
pub use table::Table;
pub use walk::walk;
pub use word::words;

/// Lists a shard.
///
/// # Errors
/// Fails if the file or folder cannot be read or is not of that format.
pub fn list(
    path: &Path,
    format: &'static Format,
    reading: &Reading,
) -> Result<Listing, ShardError> {
    (format.list)(path, reading).map_err(|why| ShardError::of(why, path, format))
}

#[cfg(test)]
mod tests;
