//! What takes the files of a site while they are made, on whatever core.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;

use crate::diagnostic::Diagnostic;

/// One file of the site.
#[derive(Debug)]
pub enum Content {
    /// A page or another file that is made where its key changed.
    Page {
        /// The page key.
        key: Digest,
        /// Its text.
        html: Result<String, Box<Diagnostic>>,
    },
    /// A picture that is made where its key changed.
    Picture {
        /// The key.
        key: Digest,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of a file elsewhere, with their digest.
    Copy {
        /// The file.
        from: PathBuf,
        /// The digest of its bytes.
        digest: Digest,
    },
}

/// Takes the files of a site, each once.
pub trait Sink: Sync {
    /// Whether a file of that path and key need not be made again.
    fn is_current(&self, path: &str, key: Digest) -> bool;
    /// Takes a file.
    fn take(&self, path: String, content: Content);
    /// Is told of a file that is current.
    fn keep(&self, path: String, key: Digest);
    /// Whether pages are to offer smaller copies of pictures, which take long to make. Where nothing is published, a picture
    /// itself is at hand.
    fn offers_copies(&self) -> bool {
        false
    }
    /// Is told of how many pictures the copies are there, out of how many.
    fn copied(&self, _done: usize, _all: usize) {}
}

/// Keeps every file in memory.
#[derive(Debug, Default)]
pub struct Collected(Mutex<BTreeMap<String, Content>>);

impl Collected {
    /// Every file by its path.
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

/// Keeps nothing: only what is wrong is of interest.
#[derive(Debug, Clone, Copy)]
pub struct Discarded;

impl Sink for Discarded {
    fn is_current(&self, _: &str, _: Digest) -> bool {
        false
    }

    fn take(&self, _: String, _: Content) {}

    fn keep(&self, _: String, _: Digest) {}
}
