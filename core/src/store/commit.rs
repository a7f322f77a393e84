//! Records in the store: read, committed and discarded.

use std::fs;
use std::thread;
use std::time::Duration;

use super::disk::{LONGEST, Store};
use super::error::StoreError;
use super::record::{Output, Record};
use crate::digest::Digest;

impl Store {
    /// The record under `key`. `None` if it or one of its blobs is missing or damaged: then the result counts as never
    /// measured.
    pub fn record(&self, key: &Digest) -> Option<Record> {
        let record = self.record_alone(key)?;
        self.lost(&record).is_none().then_some(record)
    }

    /// The record under `key`, whether its blobs exist or not.
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

    /// The first output whose blob is missing or has another length. In a frozen store only the outputs that pages need
    /// count.
    fn lost(&self, record: &Record) -> Option<String> {
        let there = |output: &Output| {
            fs::metadata(self.blob_path(&output.digest))
                .is_ok_and(|meta| meta.len() == output.bytes)
        };
        let mut needed =
            record.outputs.iter().filter(|(name, output)| !self.frozen || output.is_shown(name));
        needed.find(|(_, output)| !there(output)).map(|(name, _)| name.clone())
    }

    /// Commits a record: from then on, the result exists.
    ///
    /// # Errors
    /// Fails if the file system reports an error, or if an output was deleted meanwhile.
    pub fn commit(&self, record: &Record) -> Result<(), StoreError> {
        for output in record.outputs.values() {
            // Its measurement may have taken longer than a day.
            self.renewed(&self.blob_path(&output.digest), output.bytes);
        }
        self.write(&self.record_path(&record.key), &record.bytes())?;
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

    /// Sets aside a record that is intact but of no use: its result counts as never measured.
    pub fn discard(&self, key: &Digest) {
        self.set_aside(&self.record_path(key));
    }
}
