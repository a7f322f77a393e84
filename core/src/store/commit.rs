//! Records in the store: read, committed and discarded.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::disk::{LONGEST, Store, list_again};
use super::error::{StoreError, io_error};
use super::record::{Output, Record};
use crate::digest::Digest;

/// Most outputs that are synced at once.
const SYNCS: usize = 8;

impl Store {
    /// The record under `key`. `None` if it or one of its blobs is missing or damaged: then the result counts as never
    /// measured.
    pub fn record(&self, key: &Digest) -> Option<Record> {
        let record = self.record_alone(key)?;
        self.lost(&record).is_none().then_some(record)
    }

    /// Whether a record that was read earlier is still there, with all its blobs.
    pub fn holds(&self, record: &Record) -> bool {
        let is_file = |meta: fs::Metadata| meta.is_file();
        fs::symlink_metadata(self.record_path(&record.key)).is_ok_and(is_file)
            && self.lost(record).is_none()
    }

    /// The record under `key`, whether its blobs exist or not.
    pub fn record_alone(&self, key: &Digest) -> Option<Record> {
        self.read_whole(&self.record_path(key), LONGEST, |bytes| {
            let record = Record::read(&bytes).ok()?;
            (record.key == *key && record.names_its_request()).then_some(record)
        })
    }

    /// The first output whose blob is missing or has another length. In a frozen store, and as pages see others, only the
    /// outputs that pages need may count.
    fn lost(&self, record: &Record) -> Option<String> {
        let there = |output: &Output| {
            let path = self.blob_path(&output.digest);
            let is_it = || fs::metadata(&path).is_ok_and(|meta| meta.len() == output.bytes);
            is_it() || {
                list_again(&path);
                is_it()
            }
        };
        let mut needed = record
            .outputs
            .iter()
            .filter(|(name, output)| !self.shown_only || output.is_shown(name));
        needed.find(|(_, output)| !there(output)).map(|(name, _)| name.clone())
    }

    /// Commits a record: from then on, the result exists.
    ///
    /// # Errors
    /// Fails if the file system reports an error, or if an output was deleted meanwhile.
    pub fn commit(&self, record: &Record) -> Result<(), StoreError> {
        self.commit_as(record, &record.bytes())
    }

    /// Commits a record with these bytes as its file.
    pub(super) fn commit_as(&self, record: &Record, bytes: &[u8]) -> Result<(), StoreError> {
        for output in record.outputs.values() {
            // Its measurement may have taken longer than a day.
            self.renewed(&self.blob_path(&output.digest), output.bytes);
        }
        self.sync(record)?;
        self.write(&self.record_path(&record.key), bytes)?;
        let _ = fs::remove_file(self.partial_path(&record.key));
        // A collection that was about to delete an output puts it back, since it is young.
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

    /// Waits until all outputs of a record are on disk. The disk is asked for several at once, since it takes hardly longer than
    /// for one.
    fn sync(&self, record: &Record) -> Result<(), StoreError> {
        let paths = record.outputs.values().map(|output| self.blob_path(&output.digest));
        let paths: BTreeSet<PathBuf> = paths.collect();
        let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
        let sync = |path: &Path| match fs::File::open(path).and_then(|file| file.sync_all()) {
            // A collection may have deleted it; whether it is there is looked at once the record is written.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(io_error("write", path)),
        };
        let files: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let wanted = files.len().div_ceil(SYNCS).max(1);
        thread::scope(|scope| {
            let parts = files.chunks(wanted);
            let working: Vec<_> = parts
                .map(|part| scope.spawn(move || part.iter().try_for_each(|path| sync(path))))
                .collect();
            // What cannot be joined has panicked, and has not been synced.
            let lost = || io_error("write", &self.root)(io::Error::other("a thread ended"));
            working.into_iter().try_for_each(|work| work.join().unwrap_or_else(|_| Err(lost())))
        })?;
        for folder in folders {
            // Not every file system lets a folder be synced.
            let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }

    /// Sets aside a record that is intact but of no use: its result counts as never measured.
    pub fn discard(&self, key: &Digest) {
        self.set_aside(&self.record_path(key));
    }
}
