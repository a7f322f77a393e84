//! What a shard holds: each sample's name, caption and label, the bytes of its picture, and a ledger of everything that
//! was seen and skipped.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::ledger::Ledger;
use super::sample::Sample;
use super::style::Drawn;
use crate::digest::Digest;
use crate::files::FileDigests;
use crate::sniff::{self, Found};

/// The version of the rules by which shards are read. Bump when the same bytes are read differently. A key names the
/// version since which its shard is read as it is now.
pub const RULES: u32 = 3;
/// The version by which most of what the first rules did not know is read.
pub const SECOND_RULES: u32 = 2;

/// Most bytes of an encoded picture.
pub const LARGEST_PICTURE: u64 = 64 << 20;

/// A shard that has been listed.
#[derive(Debug)]
pub struct Listing {
    /// What is known of each picture or word, in the shard's order.
    pub samples: Vec<Sample>,
    /// What was seen and skipped.
    pub ledger: Ledger,
    /// The version of the reading rules that its key names.
    pub rules: u32,
    /// The columns of a table that were read: what each is for, and its name.
    pub columns: Vec<(&'static str, String)>,
    /// How each word is drawn, if that was said.
    pub drawn: Option<Drawn>,
    /// Where the bytes of its pictures are.
    pub(super) pictures: Box<dyn Pictures>,
}

/// The encoded pictures of a shard, one per sample.
pub(super) trait Pictures: fmt::Debug + Send + Sync {
    /// How many bytes the picture of that row has; `None` if there is no such picture.
    fn size(&self, row: usize) -> Option<u64>;

    /// The first `count` bytes of the picture of that row.
    fn read(&self, row: usize, count: u64) -> io::Result<Vec<u8>>;

    /// Asks the system to begin to read the picture of that row, without waiting for its bytes.
    fn expect(&self, _row: usize) {}

    /// Offset and length of each picture in the shard's file, if it is read in place.
    fn places(&self) -> Option<&[(u64, u64)]> {
        None
    }

    /// The file that holds the picture of that row and nothing else; `None` if it is part of a larger one.
    fn file(&self, _row: usize) -> Option<&Path> {
        None
    }
}

impl Listing {
    /// The whole encoded picture of a row.
    ///
    /// # Errors
    /// Says why the picture cannot be read.
    pub fn picture(&self, row: usize) -> Result<Vec<u8>, String> {
        let bytes = self.size(row)?;
        if bytes > LARGEST_PICTURE {
            let most = LARGEST_PICTURE >> 20;
            return Err(format!("it has {bytes} bytes, more than {most} MiB"));
        }
        self.pictures.read(row, bytes).map_err(|error| error.to_string())
    }

    /// Says that the picture of that row will be wanted soon, so that the system can read it meanwhile.
    pub fn expect(&self, row: usize) {
        self.pictures.expect(row);
    }

    /// The first bytes of a row's picture, enough to tell its format.
    ///
    /// # Errors
    /// Says why the picture cannot be read.
    pub fn start(&self, row: usize) -> Result<Vec<u8>, String> {
        self.first(row, sniff::ENOUGH as u64)
    }

    /// At most `most` bytes of a row's picture, from its start.
    ///
    /// # Errors
    /// Says why the picture cannot be read.
    pub fn first(&self, row: usize, most: u64) -> Result<Vec<u8>, String> {
        let bytes = self.size(row)?.min(most);
        self.pictures.read(row, bytes).map_err(|error| error.to_string())
    }

    /// Whether each picture is a file of its own, so that one can change without the others.
    pub fn is_loose(&self) -> bool {
        self.pictures.file(0).is_some()
    }

    /// The digest of a row's picture: of its bytes, or of the reason why they are not read.
    ///
    /// # Errors
    /// Errors of reading; they name the file, if the picture has one of its own.
    pub fn digest(&self, row: usize, digests: &mut FileDigests) -> io::Result<Digest> {
        if let Some(path) = self.pictures.file(row) {
            return digests.allowed(path);
        }
        match self.size(row) {
            Ok(bytes) if bytes <= LARGEST_PICTURE => {
                self.pictures.read(row, bytes).map(|bytes| Digest::of(&bytes))
            }
            Ok(bytes) => Ok(Digest::of(format!("{bytes} bytes, too many").as_bytes())),
            Err(why) => Ok(Digest::of(why.as_bytes())),
        }
    }

    /// The digest of all pictures.
    ///
    /// # Errors
    /// If a picture cannot be read.
    pub fn shown(&self, digests: &mut FileDigests) -> io::Result<Digest> {
        self.shown_in(0..self.samples.len(), digests)
    }

    /// The digest of the pictures of some rows: of the list of their keys, each with the digest of its picture.
    ///
    /// # Errors
    /// If a picture cannot be read.
    pub fn shown_in(&self, rows: Range<usize>, digests: &mut FileDigests) -> io::Result<Digest> {
        let mut list = Vec::new();
        for row in rows {
            let key = self.samples.get(row).map_or("", |sample| &sample.key);
            list.extend_from_slice(key.as_bytes());
            list.extend_from_slice(format!("\0{}\n", self.digest(row, digests)?).as_bytes());
        }
        Ok(Digest::of(&list))
    }

    /// How many bytes the encoded picture of a row has.
    ///
    /// # Errors
    /// If there is none.
    pub fn size(&self, row: usize) -> Result<u64, String> {
        self.pictures
            .size(row)
            .ok_or_else(|| "the shard has no encoded picture in that row".to_owned())
    }
}

/// The version of the reading rules that a key names: 1, unless later rules read the shard differently.
pub(super) fn rules(is_new: bool) -> u32 {
    if is_new { SECOND_RULES } else { 1 }
}

impl From<io::Error> for Malformed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Why bytes are not of a format.
#[derive(Debug)]
pub(crate) enum Malformed {
    /// Reading failed.
    Io(io::Error),
    /// The bytes break the format's rules.
    Form(String),
    /// The bytes are not what the configuration says or needs; with what to do.
    Hinted {
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// The file is something else.
    Instead(Found),
}
