//! Data sets: a shard in; its samples' names, captions and labels, and any sample's picture, out.
//!
//! A shard is opened by reading what lies around its pictures; a picture is decoded when it is asked for,
//! from any thread. A picture that is damaged is an error about that picture only. Knows nothing of models,
//! except how large a picture a drawn word is to be.

mod folder;
mod sidecar;
mod tar;
mod words;

use std::path::{Path, PathBuf};

use neuronotes::analysis::scan::Sample;
use neuronotes::request::DatasetFormat;

use crate::picture::Picture;

/// A shard that has been looked through.
pub trait Shard: Send + Sync + std::fmt::Debug {
    /// What is known of each picture, in the shard's order.
    fn samples(&self) -> &[Sample];

    /// The picture of that row, whole.
    ///
    /// # Errors
    /// Why it cannot be read or decoded.
    fn picture(&self, row: usize) -> Result<Picture, String>;
}

/// Why a shard cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// The file system refused.
    #[error("{} cannot be read ({source})", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not of the format that it is read as.
    #[error("{} cannot be read as {format} ({why})", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// What gave it away.
        why: String,
    },
}

/// Opens a shard. `side` is that of drawn words, in pixels.
///
/// # Errors
/// Where the file or folder cannot be read, or is of another format.
pub fn open(path: &Path, format: DatasetFormat, side: u32) -> Result<Box<dyn Shard>, ShardError> {
    Ok(match format {
        DatasetFormat::Tar => Box::new(tar::Archive::open(path)?),
        DatasetFormat::Folder => Box::new(folder::Folder::open(path)?),
        DatasetFormat::Words => Box::new(words::Words::open(path, side)?),
    })
}

/// Words, each drawn as a picture of itself of `side` x `side` pixels.
///
/// # Errors
/// Where the font cannot be read, which it always can.
pub fn drawn_words(list: &[String], side: u32) -> Result<Box<dyn Shard>, String> {
    Ok(Box::new(words::Words::of(list.iter().map(String::as_str), side)?))
}

/// Whether a file with this ending, in lower case and without its dot, is taken for a picture.
fn is_picture(ending: &str) -> bool {
    matches!(ending, "png" | "jpg" | "jpeg" | "webp")
}
