//! How a request names a data set: its format, and its shards by their digests.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draw::Draw;
use super::format::Format;
use super::labels::Labels;
use super::piece::Piece;
use super::reading::Reading;
use super::table::Table;
use crate::canonical::canonical_json;
use crate::digest::Digest;

/// A data set, or one shard of one. Only the digests decide a result: those of whole shards if `captions`, else those of
/// the pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRef {
    /// The name in `neuronotes.yaml`.
    pub name: String,
    /// How the shards are read.
    pub format: &'static Format,
    /// Whether captions and labels decide the result too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub captions: bool,
    /// Where labels come from.
    #[serde(default, skip_serializing_if = "Labels::is_default")]
    pub labels: Labels,
    /// How the rows of a table are read.
    #[serde(default, skip_serializing_if = "Table::is_default")]
    pub table: Table,
    /// How words are drawn; `None` for black on white in the built-in font, once, and for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
    /// The shards, in order. Each is scanned by itself.
    pub shards: Vec<ShardRef>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One file or folder of a data set, or a piece of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRef {
    /// Its absolute path.
    pub path: PathBuf,
    /// The digest of the file's bytes, or of the sorted list of a folder's files and their digests.
    pub digest: Digest,
    /// The digest of its pictures alone, by their names and bytes; `None` if it is the same or unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Digest>,
    /// The version of the reading rules: 1 if later rules read the same, so that results of earlier versions are found.
    #[serde(default = "first_rules", skip_serializing_if = "is_first_rules")]
    pub rules: u32,
    /// Which of its pictures are meant, if the shard is cut into pieces. `digest` is that of the whole shard, and
    /// `pictures` that of the piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<Piece>,
    /// How many pictures are meant, if that is known. It is not part of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

fn first_rules() -> u32 {
    1
}

fn is_first_rules(rules: &u32) -> bool {
    *rules == first_rules()
}

impl ShardRef {
    /// A shard that all versions of the reading rules read alike.
    pub fn new(path: PathBuf, digest: Digest) -> Self {
        Self { path, digest, pictures: None, rules: first_rules(), piece: None, count: None }
    }

    /// The digest of what a network sees of it: the pictures, without captions and labels.
    pub fn shown(&self) -> Digest {
        self.pictures.unwrap_or(self.digest)
    }

    /// Its part of a request key. `captions`: whether captions and labels decide the result too.
    fn canonical(&self, captions: bool) -> String {
        if self.piece.is_some() && !captions {
            // Whatever rules found the pictures, their names and bytes are what they are.
            return self.shown().hex();
        }
        let digest = if captions { self.digest } else { self.shown() };
        let piece = match self.piece {
            Some(_) => format!("#{}", self.shown().hex()),
            None => String::new(),
        };
        match self.rules {
            1 => format!("{digest}{piece}"),
            rules => format!("{digest}{piece}@{rules}"),
        }
    }
}

impl DatasetRef {
    /// This data set with only its shard `index`.
    pub fn shard(&self, index: usize) -> Self {
        Self { shards: vec![self.shards[index].clone()], ..self.clone() }
    }

    /// How its shards are read.
    pub fn reading(&self) -> Reading {
        Reading { labels: self.labels, table: self.table.clone(), draw: self.draw.clone() }
    }

    /// This data set as a network sees it: without captions and labels.
    pub fn pictures(&self) -> Self {
        Self { captions: false, ..self.clone() }
    }

    /// Its files and folders, each once, with the number of pieces that it is cut into.
    pub fn files(&self) -> Vec<(&ShardRef, usize)> {
        let pieces = |shard: &ShardRef| shard.piece.as_ref().map_or(1, |piece| piece.of);
        let first = |shard: &&ShardRef| shard.piece.as_ref().is_none_or(|piece| piece.number == 0);
        self.shards.iter().filter(first).map(|shard| (shard, pieces(shard))).collect()
    }

    /// One digest of everything that decides what is read: format and content.
    pub fn content(&self) -> Digest {
        Digest::of(canonical_json(&self.canonical()).as_bytes())
    }

    /// Its part of a request key.
    pub(crate) fn canonical(&self) -> Value {
        let shards = self.shards.iter().map(|shard| shard.canonical(self.captions));
        let shards = shards.collect::<Vec<_>>();
        let mut canonical = serde_json::json!({ "format": self.format, "shards": shards });
        if self.captions && !self.labels.is_default() {
            canonical["labels"] = serde_json::json!(self.labels);
        }
        if self.captions && !self.table.names_no_column() {
            canonical["columns"] = self.table.canonical();
        }
        if let Some(draw) = &self.draw {
            canonical["draw"] = draw.canonical();
        }
        canonical
    }
}
