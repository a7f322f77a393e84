//! Receives the files of a site while they are made, from any thread.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;

use crate::diagnostic::Diagnostic;

/// One file of the site.
#[derive(Debug)]
pub enum Content {
    /// A page or another text file that is made if its key has changed.
    Page {
        /// The page key.
        key: Digest,
        /// Its text.
        html: Result<String, Box<Diagnostic>>,
    },
    /// A picture that is made if its key has changed.
    Picture {
        /// The key.
        key: Digest,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The bytes.
    Bytes(Vec<u8>),
    /// The content of another file, with its digest.
    Copy {
        /// The file.
        from: PathBuf,
        /// The digest of its bytes.
        digest: Digest,
    },
}

/// Receives the files of a site, each once.
pub trait Sink: Sync {
    /// Whether a file of that path and key need not be made again.
    fn is_current(&self, path: &str, key: Digest) -> bool;
    /// Receives a file.
    fn take(&self, path: String, content: Content);
    /// Is called for a file that is current.
    fn keep(&self, path: String, key: Digest);
    /// Whether pages should offer smaller copies of pictures, which take long to make. Without publishing, the
    /// pictures themselves suffice.
    fn offers_copies(&self) -> bool {
        false
    }
    /// Is called with the number of pictures whose copies are finished, and their total.
    fn copied(&self, _done: usize, _all: usize) {}
}

/// Keeps every file in memory.
#[derive(Debug, Default)]
pub struct Collected(Mutex<BTreeMap<String, Content>>);

impl Collected {
    /// All files by path.
    pub fn files(self) -> BTreeMap<String, Content> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Collected {
    fn is_current(&self, _: &str, _: Digest) -> bool {
        false
    }

    fn take(&self, path: String, content: Content) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path, content);
    }

    fn keep(&self, _: String, _: Digest) {}
}

/// Keeps nothing: only problems are of interest.
#[derive(Debug, Clone, Copy)]
pub struct Discarded;

impl Sink for Discarded {
    fn is_current(&self, _: &str, _: Digest) -> bool {
        false
    }

    fn take(&self, _: String, _: Content) {}

    fn keep(&self, _: String, _: Digest) {}
}
