//! An entry of the registry of data-set formats: the properties of a format. Knows none of the formats.

use std::io;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::dataset::rows::List;
use crate::dataset::table::Table;
use crate::digest::Digest;
use crate::files::FileDigests;

/// A format of data sets.
#[derive(Debug)]
pub struct Format {
    /// Its name in request keys, frozen facts and JSON; it never changes.
    pub name: &'static str,
    /// One shard, with its article, as messages name it: `a tar archive`.
    pub noun: &'static str,
    /// One line for `neuronotes dataset info`, without an article.
    pub summary: &'static str,
    /// What can be configured, for hints that list all formats.
    pub accepts: &'static str,
    /// Markdown: what a shard holds, for the command line's help and `docs/data.md`.
    pub doc: &'static str,
    /// Markdown: what the digest of a shard covers.
    pub covers: &'static str,
    /// Which files or folders are shards of this format.
    pub shard: Shard,
    /// What a sample is.
    pub samples: Samples,
    /// Whether a shard is a table, whose columns the configuration may name.
    pub has_columns: bool,
    /// The digest of a shard: of everything in it that can change a result.
    pub digest: DigestOf,
    /// The digest of what decides the pixels of a shard's pictures, for formats in which something else describes the
    /// pictures; `None` if the whole shard decides.
    pub pictures: Option<DigestOf>,
    /// What to do about a damaged shard.
    pub hint: Option<&'static str>,
    /// Lists a shard.
    pub(crate) list: List,
}

/// Takes a digest of a shard.
pub type DigestOf = fn(&mut FileDigests, &Path, &Table) -> io::Result<Digest>;

/// Which files or folders are shards of a format.
#[derive(Debug)]
pub enum Shard {
    /// Files whose names end like this.
    File {
        /// Endings in lower case, each with its dot.
        endings: &'static [&'static str],
        /// Whether a folder of such files is one data set.
        gathered: bool,
    },
    /// Folders.
    Folder {
        /// Whether a file of that name makes its folder a shard of this format.
        holds: fn(&str) -> bool,
    },
}

/// What a sample of a format is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// A picture that is stored.
    Pictures,
    /// A word or phrase: the lab draws it, as large as the model's input, and blocks may take it as a text.
    Words,
}

impl Samples {
    /// The plural noun for samples.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Pictures => "pictures",
            Self::Words => "words",
        }
    }
}

impl Format {
    /// Whether a file of that name is a shard of this format.
    pub(super) fn takes_file(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self.shard {
            Shard::File { endings, .. } => endings.iter().any(|ending| name.ends_with(ending)),
            Shard::Folder { .. } => false,
        }
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}
