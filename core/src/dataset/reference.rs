//! How a request names a data set: its format, and its shards by their digests.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::canonical_json;
use crate::digest::Digest;

/// A data set, or one shard of one: only the digests decide a result. Which of them do, the pictures' or those of all
/// files, is said by `captions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRef {
    /// The name in `neuronotes.yaml`.
    pub name: String,
    /// How the shards are read.
    pub format: DatasetFormat,
    /// Whether captions and labels decide too, beside the pictures.
    #[serde(default, skip_serializing_if = "is_false")]
    pub captions: bool,
    /// Where labels come from.
    #[serde(default, skip_serializing_if = "Labels::is_default")]
    pub labels: Labels,
    /// In order; a scan is taken a shard.
    pub shards: Vec<ShardRef>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Where the labels of pictures come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// The files beside the pictures.
    #[default]
    Files,
    /// The folder that each picture lies in.
    Folders,
}

impl Labels {
    /// Their names in the configuration, the default first.
    pub const NAMES: [&str; 2] = ["files", "folders"];

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "files" => Some(Self::Files),
            "folders" => Some(Self::Folders),
            _ => None,
        }
    }

    /// Whether it is the default, which a key does not name.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One file or folder of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRef {
    /// An absolute path.
    pub path: PathBuf,
    /// Of the file's bytes; for a folder of the sorted list of its files and their digests.
    pub digest: Digest,
    /// Of its pictures alone, by their names and bytes; none where that is not another one, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Digest>,
    /// The version of the rules by which it is read: 1 wherever later ones read the same out of it, so that what was
    /// measured by earlier ones is still found.
    #[serde(default = "first_rules", skip_serializing_if = "is_first_rules")]
    pub rules: u32,
}

fn first_rules() -> u32 {
    1
}

fn is_first_rules(rules: &u32) -> bool {
    *rules == first_rules()
}

impl ShardRef {
    /// A shard that the first rules read as all later ones do.
    pub fn new(path: PathBuf, digest: Digest) -> Self {
        Self { path, digest, pictures: None, rules: first_rules() }
    }

    /// The digest of what a network is shown of it.
    pub fn shown(&self) -> Digest {
        self.pictures.unwrap_or(self.digest)
    }

    /// What a key says of it; `captions`: where what is said of its pictures decides too.
    fn canonical(&self, captions: bool) -> String {
        let digest = if captions { self.digest } else { self.shown() };
        match self.rules {
            1 => digest.hex(),
            rules => format!("{}@{rules}", digest.hex()),
        }
    }
}

/// How a data set's shards are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatasetFormat {
    /// WebDataset: tar archives of pictures, each with files beside it that describe it.
    Tar,
    /// A folder of pictures, likewise.
    Folder,
    /// A text file of words, one a line, each drawn as a picture of itself.
    Words,
}

impl DatasetRef {
    /// The same data set cut down to its shard `index`.
    pub fn shard(&self, index: usize) -> Self {
        Self { shards: vec![self.shards[index].clone()], ..self.clone() }
    }

    /// The same as far as a network is shown it: without what is only said of the pictures.
    pub fn pictures(&self) -> Self {
        Self { captions: false, ..self.clone() }
    }

    /// One digest for all that decides what is read: format and content.
    pub fn content(&self) -> Digest {
        Digest::of(canonical_json(&self.canonical()).as_bytes())
    }

    /// What a request key says of it.
    pub(crate) fn canonical(&self) -> Value {
        let shards = self.shards.iter().map(|shard| shard.canonical(self.captions));
        let shards = shards.collect::<Vec<_>>();
        let mut canonical = serde_json::json!({ "format": self.format, "shards": shards });
        if self.captions && !self.labels.is_default() {
            canonical["labels"] = serde_json::json!(self.labels);
        }
        canonical
    }
}
