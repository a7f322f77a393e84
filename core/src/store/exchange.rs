//! Results that go to another store and come from one, as they lie on disk.
//!
//! What comes in is compared with its digest or checksum before it gets its name.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use tempfile::NamedTempFile;

use super::disk::{LONGEST, Store};
use super::error::{StoreError, io_error};
use super::record::Record;
use crate::digest::Digest;
use crate::place;

/// A blob that arrives in pieces.
#[derive(Debug)]
pub struct Incoming {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Incoming {
    /// Adds the next bytes.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// How many bytes have arrived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets everything that has arrived.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn restart(&mut self) -> io::Result<()> {
        self.file.as_file().set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        self.hasher.reset();
        self.bytes = 0;
        Ok(())
    }
}

impl Store {
    /// The keys of all records, whether their blobs exist or not.
    ///
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn keys(&self) -> Result<BTreeSet<Digest>, StoreError> {
        Ok(self.list("records", ".json")?.found.into_iter().map(|found| found.digest).collect())
    }

    /// A record with the bytes of its file; `None` if it is missing or damaged. Its blobs may be missing.
    pub fn record_file(&self, key: &Digest) -> Option<(Record, Vec<u8>)> {
        let bytes = place::read(&self.record_path(key), LONGEST).ok()?;
        let record = Record::read(&bytes).ok()?;
        (record.key == *key && record.names_its_request()).then_some((record, bytes))
    }

    /// Whether there is a blob of this digest and length; if so, it counts as young from now on.
    pub fn has_blob(&self, digest: &Digest, bytes: u64) -> bool {
        self.renewed(&self.blob_path(digest), bytes)
    }

    /// Begins a blob that arrives in pieces.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn incoming(&self) -> Result<Incoming, StoreError> {
        let folder = self.root.join("tmp");
        let file = NamedTempFile::new_in(&folder).map_err(io_error("write in", &folder))?;
        Ok(Incoming { file, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Stores a blob that has arrived; false, and nothing is stored, if its bytes have another digest.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn take(&self, blob: Incoming, digest: &Digest) -> Result<bool, StoreError> {
        if blob.hasher.finalize().as_bytes() != digest.bytes() {
            return Ok(false);
        }
        let path = self.blob_path(digest);
        self.place(&path)?;
        match blob.file.persist(&path) {
            Ok(_) => Ok(true),
            Err(error) => Err(io_error("write", &path)(error.error)),
        }
    }

    /// Commits a record that was read from these bytes of another store's file, all of whose blobs are here.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn adopt(&self, record: &Record, bytes: &[u8]) -> Result<(), StoreError> {
        self.commit_as(record, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_do_not_show_may_be_left_out_for_pages_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let request = serde_json::json!({ "kind": "scan", "impl_version": 1, "uses": [] });
        let key = Digest::of(crate::canonical::canonical_json(&request).as_bytes());
        let mut record = Record::new(key, "scan", 1, request);
        record.add_output(&store, "moments.json", "application/json", b"{}").expect("an output");
        record.add_output(&store, "activations", "application/octet-stream", b"all").expect("one");
        store.commit(&record).expect("committed");
        let bytes = store.record_file(&key).expect("a record").1;
        std::fs::remove_file(store.blob_path(&record.outputs["activations"].digest)).expect("gone");
        assert!(store.record(&key).is_none());
        assert!(store.clone().for_pages().record(&key).is_none(), "not marked, so it is lost");
        let pages = store.shown_only().expect("marked");
        pages.adopt(&record, &bytes).expect("committed");
        assert_eq!(pages.record(&key), Some(record.clone()));
        assert!(pages.verify(&mut |_, _| {}).expect("verified").wrong.is_empty());
        assert_eq!(store.clone().for_pages().record(&key), Some(record.clone()));
        assert!(Store::open(dir.path()).expect("a store").record(&key).is_none(), "for measuring");
        std::fs::remove_file(store.blob_path(&record.outputs["moments.json"].digest))
            .expect("gone");
        assert!(pages.record(&key).is_none(), "pages show it");
    }

    #[test]
    fn what_arrives_is_taken_only_with_its_digest() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let digest = Digest::of(b"some bytes");
        let mut blob = store.incoming().expect("a file");
        blob.add(b"other").expect("written");
        blob.restart().expect("empty");
        blob.add(b"some ").expect("written");
        blob.add(b"bytes").expect("written");
        assert_eq!(blob.bytes(), 10);
        assert!(store.take(blob, &digest).expect("no error"));
        assert_eq!(store.blob(&digest).expect("a blob"), b"some bytes");
        let mut damaged = store.incoming().expect("a file");
        damaged.add(b"some bytez").expect("written");
        let other = Digest::of(b"some bytez, not these");
        assert!(!store.take(damaged, &other).expect("no error"));
        assert!(!store.has_blob(&other, 10) && store.has_blob(&digest, 10));
        let left = std::fs::read_dir(dir.path().join("v1/tmp")).expect("a folder").count();
        assert_eq!(left, 0, "nothing temporary stays");
    }
}
