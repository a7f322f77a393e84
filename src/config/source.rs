//! A file or folder that the configuration names.

use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use neuronotes_core::file;

/// A file or folder on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Absolute, or relative to the process as the garden's root is.
    pub path: PathBuf,
    /// The garden, if the path is relative to it.
    root: Option<PathBuf>,
    /// As written.
    pub written: String,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

impl Source {
    /// A path written at `span` in the configuration of the garden in `garden`.
    pub(super) fn new(garden: &Path, written: String, span: Range<usize>) -> Self {
        let root = Path::new(&written).is_relative().then(|| garden.to_owned());
        Self { path: garden.join(&written), root, written, span }
    }

    /// The content of a file of limited size. With a relative path, it must be in the garden.
    ///
    /// # Errors
    /// Fails if it cannot be read, is longer, is not a regular file, or is outside the garden.
    pub fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        match &self.root {
            Some(root) => file::read_in(&root.canonicalize()?, &self.path, most),
            None => file::read(&self.path, most),
        }
    }

    /// Whether its relative path leaves the garden.
    pub fn leaves(&self) -> bool {
        escapes(&self.written)
    }
}

/// Whether a relative path leaves its starting folder.
pub(super) fn escapes(path: &str) -> bool {
    let mut depth = 0i32;
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return true;
        }
    }
    false
}
