//! The content-addressed store: results in, results out, under the request key that decided them.
//!
//! ```text
//! store/v1/
//!   blobs/ab/<digest>      immutable bytes, named by their digest
//!   records/ab/<key>.json  the commit point, written last
//!   figures/ab/<key>.json  drawings, by figure key; can be made again from records
//!   claims/ failures/ partial/ tmp/ roots/
//! ```
//!
//! Everything is written to a unique name in `tmp/`, synced, and renamed into place, so that a kill at any
//! moment leaves either nothing or the whole. Several processes may use one store at once without a lock:
//! a blob's name is its content, and two records under one key are equally good.

mod claim;
mod failure;
mod record;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use claim::{Claim, Claimed, Claims};
pub use failure::Remembered;
pub use record::{Output, Provenance, RECORD_SCHEMA, Record};

use crate::digest::Digest;
use crate::file;

/// A store on disk.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// Why something could not be read from the store or written to it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("the store cannot {what} {} ({source})", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { what, path: path.to_owned(), source }
}

const FOLDERS: [&str; 8] =
    ["blobs", "records", "figures", "claims", "failures", "partial", "tmp", "roots"];

impl Store {
    /// Opens the store in `folder`, usually `.neuronotes/store`, and lays it out where it is new.
    ///
    /// # Errors
    /// Where its folders cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let root = folder.join("v1");
        for name in FOLDERS {
            let path = root.join(name);
            fs::create_dir_all(&path).map_err(io_error("make", &path))?;
        }
        Ok(Self { root })
    }

    /// The folder that [`Store::open`] was given.
    pub fn folder(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    fn sharded(&self, kind: &str, digest: &Digest, suffix: &str) -> PathBuf {
        let hex = digest.hex();
        self.root.join(kind).join(&hex[..2]).join(format!("{hex}{suffix}"))
    }

    /// Where the blob with this digest lies, or would lie.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.sharded("blobs", digest, "")
    }

    /// Where a running request keeps the picture of its state.
    pub fn partial_path(&self, key: &Digest) -> PathBuf {
        self.root.join("partial").join(format!("{key}.png"))
    }

    /// Stores bytes; nothing is written where they are already there.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        let present = fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64);
        if !present {
            self.write(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Reads a blob and checks it against its digest. `None` where it is missing or was bad; a bad file
    /// is set aside under `tmp/`, so that it is measured again.
    pub fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.blob_path(digest);
        let bytes = fs::read(&path).ok()?;
        if Digest::of(&bytes) == *digest {
            return Some(bytes);
        }
        self.set_aside(&path);
        None
    }

    /// The record under `key`: `None` where there is none, or where it or one of its blobs is missing or
    /// damaged, which is the same as never having been measured.
    pub fn record(&self, key: &Digest) -> Option<Record> {
        let path = self.sharded("records", key, ".json");
        let bytes = fs::read(&path).ok()?;
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) if record.key == *key && record.schema == RECORD_SCHEMA => {
                let whole = record.outputs.values().all(|output| {
                    fs::metadata(self.blob_path(&output.digest))
                        .is_ok_and(|meta| meta.len() == output.bytes)
                });
                whole.then_some(record)
            }
            _ => {
                self.set_aside(&path);
                None
            }
        }
    }

    /// Commits a record: from here on, the result exists.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn commit(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.sharded("records", &record.key, ".json");
        let mut bytes = serde_json::to_vec_pretty(record).expect("a record is plain data");
        bytes.push(b'\n');
        self.write(&path, &bytes)?;
        let _ = fs::remove_file(self.partial_path(&record.key));
        Ok(())
    }

    /// The drawing stored under a figure key, as JSON.
    pub fn figure(&self, key: &Digest) -> Option<Vec<u8>> {
        fs::read(self.sharded("figures", key, ".json")).ok()
    }

    /// Stores the drawing of a figure key.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_figure(&self, key: &Digest, json: &[u8]) -> Result<(), StoreError> {
        self.write(&self.sharded("figures", key, ".json"), json)
    }

    /// Replaces the picture that a running request shows.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_partial(&self, key: &Digest, png: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.partial_path(key);
        // No sync: this picture is worth nothing after a crash.
        let temporary = self.root.join("tmp").join(format!("{key}.{}.png", std::process::id()));
        fs::write(&temporary, png).map_err(io_error("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(io_error("rename", &path))?;
        Ok(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        file::write_through(&self.root.join("tmp"), path, bytes).map_err(io_error("write", path))
    }

    fn set_aside(&self, path: &Path) {
        if let Some(name) = path.file_name() {
            let aside = self.root.join("tmp").join(format!("bad-{}", name.to_string_lossy()));
            let _ = fs::rename(path, aside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        (dir, store)
    }

    fn record(store: &Store, key: Digest) -> Record {
        let mut record = Record::new(key, "feature_vis", 1, serde_json::json!({}));
        record.add_output(store, "image.png", "image/png", b"picture").expect("an output");
        record
    }

    #[test]
    fn what_was_committed_reads_back() {
        let (_dir, store) = store();
        let key = Digest::of(b"key");
        assert!(store.record(&key).is_none());
        let record = record(&store, key);
        store.commit(&record).expect("commit");
        assert_eq!(store.record(&key), Some(record.clone()));
        assert_eq!(store.blob(&record.outputs["image.png"].digest), Some(b"picture".to_vec()));
    }

    #[test]
    fn a_record_whose_blob_is_gone_or_cut_short_counts_as_never_measured() {
        let (_dir, store) = store();
        let key = Digest::of(b"key");
        let record = record(&store, key);
        store.commit(&record).expect("commit");
        let blob = store.blob_path(&record.outputs["image.png"].digest);
        fs::write(&blob, b"pict").expect("cut");
        assert!(store.record(&key).is_none());
        fs::remove_file(&blob).expect("remove");
        assert!(store.record(&key).is_none());
    }

    #[test]
    fn a_damaged_blob_or_record_is_set_aside() {
        let (_dir, store) = store();
        let digest = store.put_blob(b"picture").expect("put");
        fs::write(store.blob_path(&digest), b"PICTURE").expect("damage");
        assert!(store.blob(&digest).is_none());
        assert!(!store.blob_path(&digest).exists());
        store.put_blob(b"picture").expect("put again");
        assert!(store.blob(&digest).is_some());

        let key = Digest::of(b"key");
        let path = store.sharded("records", &key, ".json");
        file::write_atomic(&path, b"{\"schema\": 1, \"key").expect("write");
        assert!(store.record(&key).is_none());
        assert!(!path.exists());
    }

    #[test]
    fn writing_leaves_no_temporary_file_behind() {
        let (dir, store) = store();
        let key = Digest::of(b"key");
        store.commit(&record(&store, key)).expect("commit");
        let left: Vec<_> = fs::read_dir(dir.path().join("v1/tmp")).expect("tmp").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
