//! The content-addressed store: results in, results out, under the request key that decided them.
//!
//! ```text
//! store/v1/
//!   blobs/ab/<digest>      immutable bytes, named by their digest
//!   records/ab/<key>.json  the commit point, written last
//!   figures/ab/<key>.json  drawings, by figure key; can be made again from records
//!   roots/<digest>.json    what a garden wants, by its path
//!   claims/ failures/ partial/ tmp/
//! ```
//!
//! Everything is written to a unique name in `tmp/`, synced, and renamed into place, so that a kill at any
//! moment leaves either nothing or the whole. Several processes may use one store at once without a lock:
//! a blob's name is its content, and two records under one key are equally good.
//!
//! Nothing is believed that does not add up: blobs are checked against their names, records, drawings and roots
//! against a checksum inside them, and what lies under a key says of which it is. What is damaged is set aside under
//! `tmp/` and counts as never made.
//!
//! A store may have come with a garden that somebody else made. Its folders are its own and no links, only regular
//! files in them are read, and no name in a record or a list leads anywhere else.
//!
//! Results may be taken away by [collection](Store::collect) while others are put; how that loses nothing is
//! told there.

mod claim;
mod collect;
mod drawing;
mod failure;
mod record;
mod root;
mod stats;
mod survey;
mod verify;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

pub use claim::{Claim, Claimed, Claims};
pub use collect::{Collected, DAY, Options, Tally};
pub use failure::Remembered;
pub use record::{MOMENTS, Output, Provenance, RECORD_SCHEMA, Record};
pub use root::{Root, RootError};
pub use stats::{OfKind, Stats};
pub use verify::{Verified, Wrong};

use crate::cut::Cut as _;
use crate::digest::Digest;
use crate::{file, place};

/// A store on disk.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Whether it is a frozen one: only read, and only what pages need is in it.
    frozen: bool,
    /// How often something damaged was met, by this one and those that were cloned from it.
    damage: Arc<AtomicU64>,
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
    /// A record's output went away before the record was there.
    #[error("the store lost the output `{output}` of {} while it was being committed", key.short())]
    Lost {
        /// The request key.
        key: Digest,
        /// The output.
        output: String,
    },
    /// Collection would not know what is wanted.
    #[error("{} is damaged, so that nobody knows which results are wanted", .0.display())]
    DamagedRoot(PathBuf),
}

impl StoreError {
    /// What to do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } => file::hint(source),
            Self::Lost { .. } => Some("measure it again"),
            Self::DamagedRoot(_) => Some(
                "build every garden that uses this store, which writes its list anew; remove the file where none does",
            ),
        }
    }
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { what, path: path.to_owned(), source }
}

const FOLDERS: [&str; 8] =
    ["blobs", "records", "figures", "claims", "failures", "partial", "tmp", "roots"];
/// Bytes of the longest record, drawing or failure that is read, and of the longest list of what a garden wants.
const LONGEST: u64 = 64 << 20;
const LONGEST_ROOT: u64 = 512 << 20;

impl Store {
    /// Opens the store in `folder`, usually `.neuronotes/store`, and lays it out where it is new. One that cannot be
    /// written to can be read all the same; what is then to be put into it fails by itself.
    ///
    /// # Errors
    /// Where its folders cannot be made for another reason, or one of them is a link.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let root = folder.join("v1");
        for name in FOLDERS {
            let path = root.join(name);
            // Whoever takes old files away from it must not be led elsewhere.
            place::unlinked(folder, Path::new("v1").join(name)).map_err(io_error("use", &path))?;
            if let Err(source) = fs::create_dir_all(&path)
                && !file::is_unwritable(&source)
            {
                return Err(StoreError::Io { what: "make", path, source });
            }
        }
        Ok(Self { root, frozen: false, damage: Arc::default() })
    }

    /// The results that were frozen in `folder`; nothing in it is ever changed.
    pub fn frozen(folder: &Path) -> Self {
        Self { root: folder.join("v1"), frozen: true, damage: Arc::default() }
    }

    /// Whether this is a frozen one.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// How often something damaged was met so far. Where it grows, what was stored may have to be made again.
    pub fn damage(&self) -> u64 {
        self.damage.load(Ordering::Relaxed)
    }

    /// Something damaged was met that lies elsewhere, such as a copy of a picture.
    pub fn met_damage(&self) {
        self.damage.fetch_add(1, Ordering::Relaxed);
    }

    /// The folder that [`Store::open`] was given.
    pub fn folder(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    fn sharded(&self, kind: &str, digest: &Digest, suffix: &str) -> PathBuf {
        let hex = digest.hex();
        self.root.join(kind).join(hex.cut(..2)).join(format!("{hex}{suffix}"))
    }

    /// Where the blob with this digest lies, or would lie.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.sharded("blobs", digest, "")
    }

    /// Where the record with this key lies, or would lie.
    pub fn record_path(&self, key: &Digest) -> PathBuf {
        self.sharded("records", key, ".json")
    }

    /// Where a running request keeps the picture of its state.
    pub fn partial_path(&self, key: &Digest) -> PathBuf {
        self.root.join("partial").join(format!("{key}.png"))
    }

    /// Stores bytes; nothing is written where they are already there, but they count as young again.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        if !self.renewed(&path, bytes.len() as u64) {
            self.write(&path, bytes)?;
        }
        Ok(digest)
    }

    /// Whether a blob is there with this length, and young from now on.
    fn renewed(&self, path: &Path, bytes: u64) -> bool {
        let is_it = |meta: fs::Metadata| meta.is_file() && meta.len() == bytes;
        let there = || fs::symlink_metadata(path).is_ok_and(is_it);
        // It must be looked for again afterwards: it may have been taken away before it was young.
        there() && file::touch(path).is_ok() && there()
    }

    /// Reads a blob and checks it against its digest. `None` where it is missing or was bad; a bad file
    /// is set aside under `tmp/`, so that it is measured again.
    pub fn blob(&self, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.blob_path(digest);
        let bytes = self.read(&path, u64::MAX)?;
        if Digest::of(&bytes) == *digest {
            return Some(bytes);
        }
        self.set_aside(&path);
        None
    }

    /// The record under `key`: `None` where there is none, or where it or one of its blobs is missing or
    /// damaged, which is the same as never having been measured.
    pub fn record(&self, key: &Digest) -> Option<Record> {
        let record = self.record_alone(key)?;
        self.lost(&record).is_none().then_some(record)
    }

    /// The record under `key`, whether its blobs are there or not.
    pub fn record_alone(&self, key: &Digest) -> Option<Record> {
        let path = self.record_path(key);
        let bytes = self.read(&path, LONGEST)?;
        match Record::read(&bytes) {
            Ok(record) if record.key == *key && record.names_its_request() => Some(record),
            _ => {
                self.set_aside(&path);
                None
            }
        }
    }

    /// The first output whose blob is not there or has another length; of a frozen store only of those that pages
    /// need.
    fn lost(&self, record: &Record) -> Option<String> {
        let there = |output: &Output| {
            fs::metadata(self.blob_path(&output.digest))
                .is_ok_and(|meta| meta.len() == output.bytes)
        };
        let mut needed =
            record.outputs.iter().filter(|(name, output)| !self.frozen || output.is_shown(name));
        needed.find(|(_, output)| !there(output)).map(|(name, _)| name.clone())
    }

    /// Commits a record: from here on, the result exists.
    ///
    /// # Errors
    /// Where the file system refuses, or where an output was taken away meanwhile.
    pub fn commit(&self, record: &Record) -> Result<(), StoreError> {
        for output in record.outputs.values() {
            // Its measurement may have taken longer than a day.
            self.renewed(&self.blob_path(&output.digest), output.bytes);
        }
        self.write(&self.record_path(&record.key), &record.bytes())?;
        let _ = fs::remove_file(self.partial_path(&record.key));
        // A collection that had an output in its hands puts it back, since it is young.
        for wait in [0, 5, 20, 80, 320] {
            thread::sleep(Duration::from_millis(wait));
            if self.lost(record).is_none() {
                return Ok(());
            }
        }
        match self.lost(record) {
            Some(output) => Err(StoreError::Lost { key: record.key, output }),
            None => Ok(()),
        }
    }

    /// The record under `key` is of no use though nothing in it is damaged: it counts as never measured.
    pub fn discard(&self, key: &Digest) {
        self.set_aside(&self.record_path(key));
    }

    /// Replaces the picture that a running request shows.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn put_partial(&self, key: &Digest, png: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.partial_path(key);
        // No sync: this picture is worth nothing after a crash.
        file::replace(&self.root.join("tmp"), &path, png).map_err(io_error("write", &path))?;
        Ok(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        if self.frozen {
            let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
            return Err(StoreError::Io {
                what: "change what is frozen:",
                path: path.to_owned(),
                source,
            });
        }
        if let Some(within) = path.parent().and_then(|folder| folder.strip_prefix(&self.root).ok())
        {
            place::unlinked(&self.root, within).map_err(io_error("write", path))?;
        }
        let temporary = self.root.join("tmp");
        for folder in [path.parent().unwrap_or(&self.root), &temporary] {
            fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        }
        file::write_through(&temporary, path, bytes).map_err(io_error("write", path))
    }

    /// The bytes of one of its files; none where there is none. What is no regular file, or is too long to be one of
    /// ours, is taken out of the way.
    fn read(&self, path: &Path, most: u64) -> Option<Vec<u8>> {
        match place::read(path, most) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                use io::ErrorKind::{FileTooLarge, InvalidInput};
                if matches!(error.kind(), FileTooLarge | InvalidInput) {
                    self.set_aside(path);
                }
                None
            }
        }
    }

    /// Takes a damaged file out of the way, to be looked at for a day.
    fn set_aside(&self, path: &Path) {
        if let (false, Some(name)) = (self.frozen, path.file_name()) {
            let aside = self.root.join("tmp").join(format!("bad-{}", name.to_string_lossy()));
            match fs::rename(path, &aside) {
                Ok(()) => {
                    // A pipe would be waited for.
                    if fs::symlink_metadata(&aside).is_ok_and(|meta| meta.is_file()) {
                        let _ = file::touch(&aside);
                    }
                    self.met_damage();
                }
                // Another one was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.met_damage(),
                Err(_) => {}
            }
        }
    }
}

/// When a file was last written, or marked as used; the beginning of time where nobody knows.
fn modified(meta: &fs::Metadata) -> SystemTime {
    meta.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        (dir, store)
    }

    /// A request, and its key.
    fn request() -> (Digest, serde_json::Value) {
        let request = serde_json::json!({ "kind": "feature_vis", "impl_version": 1 });
        (Digest::of(crate::canonical::canonical_json(&request).as_bytes()), request)
    }

    fn record(store: &Store) -> Record {
        let (key, request) = request();
        let mut record = Record::new(key, "feature_vis", 1, request);
        record.add_output(store, "image.png", "image/png", b"picture").expect("an output");
        record
    }

    #[test]
    fn what_was_committed_reads_back() {
        let (_dir, store) = store();
        let record = record(&store);
        let key = record.key;
        assert!(store.record(&key).is_none());
        store.commit(&record).expect("commit");
        assert_eq!(store.record(&key), Some(record.clone()));
        assert_eq!(store.blob(&record.outputs["image.png"].digest), Some(b"picture".to_vec()));
    }

    #[test]
    fn a_record_whose_blob_is_gone_or_cut_short_counts_as_never_measured() {
        let (_dir, store) = store();
        let record = record(&store);
        let key = record.key;
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
        let path = store.record_path(&key);
        file::write_atomic(&path, b"{\"schema\": 1, \"key").expect("write");
        assert!(store.record(&key).is_none());
        assert!(!path.exists());
    }

    #[test]
    fn writing_leaves_no_temporary_file_behind() {
        let (dir, store) = store();
        store.commit(&record(&store)).expect("commit");
        let left: Vec<_> = fs::read_dir(dir.path().join("v1/tmp")).expect("tmp").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_flipped_bit_in_a_record_never_shows() {
        let (_dir, store) = store();
        let mut record = record(&store);
        let key = record.key;
        record.provenance.seconds = 1.5;
        store.commit(&record).expect("commit");
        let path = store.record_path(&key);
        let text = fs::read_to_string(&path).expect("a record");
        let damaged = text.replace("\"seconds\": 1.5", "\"seconds\": 9.5");
        assert_ne!(text, damaged);
        fs::write(&path, damaged).expect("damage");
        assert_eq!(store.record(&key), None);
        assert!(!path.exists(), "it is set aside");
    }

    #[test]
    fn a_record_without_a_checksum_is_one_of_an_earlier_version() {
        let (_dir, store) = store();
        let (key, request) = request();
        let record = Record::new(key, "feature_vis", 1, request);
        let write = |record: &Record| {
            let bytes = serde_json::to_vec_pretty(record).expect("JSON");
            file::write_atomic(&store.record_path(&key), &bytes).expect("written");
        };
        write(&record);
        assert_eq!(store.record(&key), Some(record.clone()));
        // What its key does not cover could be anything; what it covers could not.
        let request = serde_json::json!({ "kind": "feature_vis", "impl_version": 2 });
        write(&Record { request, ..record });
        assert_eq!(store.record(&key), None);
    }

    #[test]
    fn a_frozen_store_is_never_changed_and_needs_only_what_pages_show() {
        let (dir, store) = store();
        let mut record = record(&store);
        let key = record.key;
        record.add_output(&store, "weights", "application/x", b"large").expect("an output");
        store.commit(&record).expect("commit");
        fs::remove_file(store.blob_path(&record.outputs["weights"].digest)).expect("removed");
        assert!(store.record(&key).is_none());
        let frozen = Store::frozen(dir.path());
        assert_eq!(frozen.record(&key), Some(record.clone()));
        assert!(frozen.put_blob(b"new").is_err() && frozen.put_figure(&key, &1).is_err());
        let picture = frozen.blob_path(&record.outputs["image.png"].digest);
        fs::write(&picture, b"PICTURE").expect("damage");
        assert!(frozen.blob(&record.outputs["image.png"].digest).is_none());
        assert!(picture.exists(), "it is left where it is");
    }
}
