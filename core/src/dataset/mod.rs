//! Data sets: a shard in; its samples' names, captions and labels, the bytes of each picture, and a ledger of all that was
//! seen and left out, out.
//!
//! A shard is listed by reading what lies around its pictures. Knows nothing of how pictures are decoded or words drawn.

mod archive;
mod beside;
pub mod ending;
mod file;
mod folder;
pub mod ledger;
mod reference;
mod sample;
mod shards;
mod sheet;
mod words;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::ledger::Ledger;
use crate::encoding;
use crate::file::{open, open_in};
use crate::sniff::{self, Found};

pub use folder::walk;
pub use reference::{DatasetFormat, DatasetRef, Labels, ShardRef};
pub use sample::Sample;
pub use shards::{Shards, ShardsError, shards};
pub use words::{needs_shaping, words};

/// The version of the rules by which shards are read: raised when the same bytes are read in another way. Where the first
/// rules read the same, a key does not name it.
pub const RULES: u32 = 2;

/// Most bytes of an encoded picture.
pub const LARGEST_PICTURE: u64 = 64 << 20;
/// Most bytes of a list of words.
const LARGEST_LIST: u64 = 64 << 20;

/// A shard that has been looked through.
#[derive(Debug)]
pub struct Listing {
    /// What is known of each picture or word, in the shard's order.
    pub samples: Vec<Sample>,
    /// What was seen.
    pub ledger: Ledger,
    /// The rules that its key is to name.
    pub rules: u32,
    places: Places,
}

/// Where pictures lie.
#[derive(Debug)]
enum Places {
    /// In an archive: offsets and lengths.
    Archive(File, Vec<(u64, u64)>),
    /// In files of their own in a folder, each with its length.
    Files(PathBuf, Vec<(PathBuf, u64)>),
    /// Nowhere: words are drawn.
    Words,
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
        source: io::Error,
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
    /// It is something else.
    #[error("{} is {}, not {format}", path.display(), found.what)]
    Instead {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// What it is.
        found: Found,
    },
}

impl ShardError {
    /// What to do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Instead { found, .. } => found.hint,
            Self::Malformed { format: TAR, .. } => {
                Some("`tar -tf` lists what is in an archive; download or pack it again")
            }
            Self::Malformed { .. } | Self::Io { .. } => None,
        }
    }
}

/// Why bytes are not of a format.
#[derive(Debug)]
enum Malformed {
    Io(io::Error),
    Form(String),
    Instead(Found),
}

const TAR: &str = "a tar archive";
const LIST: &str = "a list of words";

impl Malformed {
    fn at(self, path: &Path, format: &'static str) -> ShardError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => ShardError::Io { path, source },
            Self::Form(why) => ShardError::Malformed { path, format, why },
            Self::Instead(found) => ShardError::Instead { path, format, found },
        }
    }
}

/// Looks through a shard.
///
/// # Errors
/// Where the file or folder cannot be read, or is of another format.
pub fn list(path: &Path, format: DatasetFormat, labels: Labels) -> Result<Listing, ShardError> {
    match format {
        DatasetFormat::Tar => tar(path, labels).map_err(|error| error.at(path, TAR)),
        DatasetFormat::Folder => {
            folder(path, labels).map_err(|source| ShardError::Io { path: path.to_owned(), source })
        }
        DatasetFormat::Words => list_of_words(path).map_err(|error| error.at(path, LIST)),
    }
}

fn rules(is_new: bool) -> u32 {
    if is_new { RULES } else { 1 }
}

fn tar(path: &Path, labels: Labels) -> Result<Listing, Malformed> {
    let file = archive::open(path)?;
    let mut sheet = sheet::Sheet::default();
    let mut ledger = Ledger::default();
    let parts = archive::parts(&file, &mut ledger)?;
    for (index, part) in parts.iter().enumerate() {
        let before = sheet.samples.len();
        let mut read = |place: &archive::Place, bytes: u64| {
            file::bytes_at(&file, place.offset, bytes).map_err(|error| error.to_string())
        };
        sheet.add(part, sheet::Naming::Archive, labels, &mut read);
        // The first rules ended with the first archive.
        sheet.is_new |= index > 0 && sheet.samples.len() > before;
    }
    sheet.ledger.merge(&ledger);
    let places = sheet.places.into_iter().map(|(place, bytes)| (place.offset, bytes)).collect();
    Ok(Listing {
        samples: sheet.samples,
        ledger: sheet.ledger,
        rules: rules(sheet.is_new),
        places: Places::Archive(file, places),
    })
}

fn folder(path: &Path, labels: Labels) -> io::Result<Listing> {
    let mut sheet = sheet::Sheet::default();
    let root = path.canonicalize()?;
    let (files, is_new) = folder::files(path, &mut sheet.ledger)?;
    let mut read = |place: &PathBuf, bytes: u64| {
        let file = open_in(&root, place).and_then(|file| file::bytes_at(&file, 0, bytes));
        file.map_err(|error| error.to_string())
    };
    sheet.add(&files, sheet::Naming::Folder, labels, &mut read);
    Ok(Listing {
        samples: sheet.samples,
        ledger: sheet.ledger,
        rules: rules(sheet.is_new || is_new),
        places: Places::Files(root, sheet.places),
    })
}

fn list_of_words(path: &Path) -> Result<Listing, Malformed> {
    let file = open(path).map_err(Malformed::Io)?;
    let length = file.metadata().map_err(Malformed::Io)?.len();
    if length > LARGEST_LIST {
        let most = LARGEST_LIST >> 20;
        return Err(Malformed::Form(format!("it has {length} bytes, more than {most} MiB")));
    }
    let bytes = file::bytes_at(&file, 0, length).map_err(Malformed::Io)?;
    if let Some(found) = sniff::stand_in(&bytes) {
        return Err(Malformed::Instead(found));
    }
    let text = encoding::text(&bytes).map_err(Malformed::Form)?;
    let utf16 = encoding::is_marked(&bytes) && bytes[0] != 0xef;
    let mut listing = of_words(words(&text));
    listing.ledger.entries = text.lines().count() as u64;
    listing.rules = listing.rules.max(rules(utf16));
    Ok(listing)
}

/// These words, each to be drawn.
pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Listing {
    let sample =
        |word: &str| Sample { key: word.to_owned(), caption: Some(word.to_owned()), label: None };
    let samples: Vec<Sample> = words.into_iter().map(sample).collect();
    let count = samples.len() as u64;
    let is_new = samples.iter().any(|sample| needs_shaping(&sample.key));
    let ledger = Ledger { entries: count, pictures: count, captions: count, ..Ledger::default() };
    Listing { samples, ledger, rules: rules(is_new), places: Places::Words }
}

impl Listing {
    /// The encoded picture of that row, whole.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn picture(&self, row: usize) -> Result<Vec<u8>, String> {
        self.read(row, None)
    }

    /// Its first bytes, which tell what it is.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn start(&self, row: usize) -> Result<Vec<u8>, String> {
        self.read(row, Some(sniff::ENOUGH as u64))
    }

    fn read(&self, row: usize, most: Option<u64>) -> Result<Vec<u8>, String> {
        let limit = |bytes: u64| match most {
            Some(most) => Ok(bytes.min(most)),
            None if bytes > LARGEST_PICTURE => {
                let most = LARGEST_PICTURE >> 20;
                Err(format!("it has {bytes} bytes, more than {most} MiB"))
            }
            None => Ok(bytes),
        };
        let none = "there is no such row";
        let read = match &self.places {
            Places::Archive(file, places) => {
                let (offset, bytes) = *places.get(row).ok_or(none)?;
                file::bytes_at(file, offset, limit(bytes)?)
            }
            Places::Files(root, paths) => {
                let (path, bytes) = paths.get(row).ok_or(none)?;
                let bytes = limit(*bytes)?;
                open_in(root, path).and_then(|file| file::bytes_at(&file, 0, bytes))
            }
            Places::Words => return Err("a word has no bytes".into()),
        };
        read.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
