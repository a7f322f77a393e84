//! What is known of the files of a site: their digests, and what became of each.

use std::collections::BTreeMap;

use neuronotes_core::digest::Digest;
use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// Outcomes of all files.
pub struct Written(pub(super) BTreeMap<String, Outcome>);

/// Outcome of a file.
pub(super) enum Outcome {
    /// It already exists with this key.
    Kept(Digest),
    /// It had to be written.
    Put(Result<Option<(Entry, bool)>, Fault>),
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The page key, if it is a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Digest>,
    /// The digest of the file's bytes.
    pub(super) digest: Digest,
}
