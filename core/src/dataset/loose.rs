//! Pictures in files of their own, all in one folder.

use std::io;
use std::path::{Path, PathBuf};

use super::file;
use super::listing::Pictures;
use crate::file::open_in;

/// Pictures in files of their own.
#[derive(Debug)]
pub struct Loose {
    /// The folder that they are in, without links.
    pub root: PathBuf,
    /// Each file with its length in bytes.
    pub places: Vec<(PathBuf, u64)>,
}

impl Pictures for Loose {
    fn size(&self, row: usize) -> Option<u64> {
        self.places.get(row).map(|(_, bytes)| *bytes)
    }

    fn read(&self, row: usize, count: u64) -> io::Result<Vec<u8>> {
        let (path, _) = self.places.get(row).ok_or(io::ErrorKind::NotFound)?;
        open_in(&self.root, path).and_then(|file| file::bytes_at(&file, 0, count))
    }

    fn expect(&self, row: usize) {
        if let Some((path, bytes)) = self.places.get(row)
            && let Ok(file) = open_in(&self.root, path)
        {
            file::expect(&file, 0, *bytes);
        }
    }

    fn file(&self, row: usize) -> Option<&Path> {
        self.places.get(row).map(|(path, _)| path.as_path())
    }
}
