//! Blobs: immutable bytes under their digest.

use std::fs;
use std::path::Path;

use super::disk::Store;
use super::error::StoreError;
use crate::digest::Digest;
use crate::file;

impl Store {
    /// Stores bytes. If they are stored already, nothing is written, but they count as young again. They are on disk once a record
    /// that has them is committed.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        if !self.renewed(&path, bytes.len() as u64) {
            self.write_unsynced(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Whether a blob of this length exists; if so, it counts as young from now on.
    pub(super) fn renewed(&self, path: &Path, bytes: u64) -> bool {
        let is_it = |meta: fs::Metadata| meta.is_file() && meta.len() == bytes;
        let there = || fs::symlink_metadata(path).is_ok_and(is_it);
        // It may have been deleted before it was touched.
        there() && file::touch(path).is_ok() && there()
    }

    /// Reads a blob and checks it against its digest. `None` if it is missing or damaged; a damaged file is set aside, so
    /// that it is measured again.
    pub fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let whole = |bytes: Vec<u8>| (Digest::of(&bytes) == *digest).then_some(bytes);
        self.read_whole(&self.blob_path(digest), u64::MAX, whole)
    }

    /// Opens a blob without reading it: the caller verifies what it reads by digests of its own, and calls
    /// [`Store::reject_blob`] if they differ. `None` if it is missing, or not a regular file.
    pub fn open_blob(&self, digest: &Digest) -> Option<fs::File> {
        let path = self.blob_path(digest);
        fs::symlink_metadata(&path).ok()?.is_file().then(|| fs::File::open(&path).ok())?
    }

    /// Sets a damaged blob aside, so that it is measured again.
    pub fn reject_blob(&self, digest: &Digest) {
        self.set_aside(&self.blob_path(digest));
    }
}
