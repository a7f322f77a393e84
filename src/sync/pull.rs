//! Results from the object store: blobs first, then their records, each compared with its digest or checksum.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Record;

use super::pair::{Pair, Step, TOGETHER, Wanted, blob_path, digest_of, record_path, stored};
use super::parallel::each;

/// How many records are looked at together.
const BATCH: usize = 8192;
/// Most bytes of a record.
const LONGEST: usize = 64 << 20;

/// A record that is to be taken.
struct Coming {
    record: Record,
    bytes: Vec<u8>,
    /// Outputs that are wanted and not here.
    blobs: BTreeMap<Digest, u64>,
}

impl Pair<'_> {
    /// Pulls what is wanted and not here.
    pub(super) fn pull(
        &self,
        wanted: &Wanted,
        dry_run: bool,
        step: Step<'_>,
    ) -> Result<(), Problem> {
        let listed = self.remote.list("v1/records")?;
        let there: BTreeSet<Digest> =
            listed.iter().filter_map(|object| digest_of(&object.path, record_path)).collect();
        let here = self.store.keys().map_err(stored)?;
        let (keys, shown) = match wanted {
            Wanted::All => (there, false),
            Wanted::Shown(keys) | Wanted::Whole(keys) => {
                let missing = keys.iter().filter(|key| !there.contains(key) && !here.contains(key));
                self.report().missing += missing.count() as u64;
                (keys.intersection(&there).copied().collect(), matches!(wanted, Wanted::Shown(_)))
            }
        };
        self.pull_keys(&keys, shown, dry_run, step)
    }

    /// Pulls these records, with the outputs that pages show or with all of them. A key that is not there is left out.
    pub(super) fn pull_keys(
        &self,
        keys: &BTreeSet<Digest>,
        shown: bool,
        dry_run: bool,
        step: Step<'_>,
    ) -> Result<(), Problem> {
        let keys: Vec<Digest> = keys.iter().filter(|key| !self.has(key, shown)).copied().collect();
        for batch in keys.chunks(BATCH) {
            let coming = Mutex::new(Vec::new());
            each(batch, TOGETHER, |key| {
                if let Some(one) = self.coming(key, shown)? {
                    coming.lock().unwrap_or_else(PoisonError::into_inner).push(one);
                }
                Ok(())
            })?;
            let coming = coming.into_inner().unwrap_or_else(PoisonError::into_inner);
            self.take(&coming, shown, dry_run, step)?;
        }
        Ok(())
    }

    /// Whether a result is here, with everything of it that is wanted.
    fn has(&self, key: &Digest, shown: bool) -> bool {
        let record = self.store.record_file(key).map(|(record, _)| record);
        record.is_some_and(|record| self.lacking(&record, shown).is_empty())
    }

    /// Outputs of a record that are wanted and not here.
    fn lacking(&self, record: &Record, shown: bool) -> BTreeMap<Digest, u64> {
        let wanted = record.outputs.iter().filter(|(name, output)| !shown || output.is_shown(name));
        let wanted = wanted.map(|(_, output)| (output.digest, output.bytes));
        wanted.filter(|(digest, bytes)| !self.store.has_blob(digest, *bytes)).collect()
    }

    /// Reads a record; `None` if it is gone or damaged.
    fn coming(&self, key: &Digest, shown: bool) -> Result<Option<Coming>, Problem> {
        let path = record_path(key);
        let Some(bytes) = self.remote.get(&path)? else { return Ok(None) };
        let record = match bytes.len() <= LONGEST {
            true => Record::read(&bytes),
            false => Err("it is too long".to_owned()),
        };
        match record {
            Ok(record) if record.key == *key && record.names_its_request() => {
                let blobs = self.lacking(&record, shown);
                Ok(Some(Coming { record, bytes, blobs }))
            }
            Ok(_) => {
                self.refused(&path, "it is the result of another request");
                Ok(None)
            }
            Err(why) => {
                self.refused(&path, &why);
                Ok(None)
            }
        }
    }

    fn take(
        &self,
        coming: &[Coming],
        shown: bool,
        dry_run: bool,
        step: Step<'_>,
    ) -> Result<(), Problem> {
        let blobs: BTreeMap<Digest, u64> =
            coming.iter().flat_map(|one| one.blobs.clone()).collect();
        let blobs: Vec<(Digest, u64)> = blobs.into_iter().collect();
        let records: u64 = coming.iter().map(|one| one.bytes.len() as u64).sum();
        let total = records + blobs.iter().map(|(_, bytes)| bytes).sum::<u64>();
        if dry_run {
            let pulled = &mut self.report().pulled;
            pulled.results += coming.len() as u64;
            pulled.blobs += blobs.len() as u64;
            pulled.bytes += total;
            return Ok(());
        }
        let moved = AtomicU64::new(0);
        let step = |bytes: u64| {
            step("pulling", moved.fetch_add(bytes, Ordering::Relaxed) + bytes, total);
        };
        let lost = Mutex::new(BTreeSet::new());
        each(&blobs, TOGETHER, |(digest, bytes)| {
            if !self.pull_blob(digest, *bytes, &step)? {
                lost.lock().unwrap_or_else(PoisonError::into_inner).insert(*digest);
            }
            Ok(())
        })?;
        let lost = lost.into_inner().unwrap_or_else(PoisonError::into_inner);
        let left_out = |one: &Coming| !self.lacking(&one.record, false).is_empty();
        let store = match shown && coming.iter().any(left_out) {
            true => self.store.shown_only().map_err(stored)?,
            false => self.store.clone(),
        };
        each(coming, TOGETHER, |one| {
            if one.blobs.keys().any(|digest| lost.contains(digest)) {
                return Ok(());
            }
            self.known().insert(one.record.key);
            store.adopt(&one.record, &one.bytes).map_err(stored)?;
            step(one.bytes.len() as u64);
            let pulled = &mut self.report().pulled;
            pulled.results += 1;
            pulled.bytes += one.bytes.len() as u64;
            Ok(())
        })
    }

    /// Pulls a blob that no record names, if it is there.
    pub(super) fn pull_named(&self, digest: &Digest) -> Result<(), Problem> {
        match self.remote.length(&blob_path(digest))? {
            Some(bytes) if !self.store.has_blob(digest, bytes) => {
                self.pull_blob(digest, bytes, &|_| {}).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes a blob; false if it is missing or damaged.
    fn pull_blob(&self, digest: &Digest, bytes: u64, step: &dyn Fn(u64)) -> Result<bool, Problem> {
        let path = blob_path(digest);
        let mut blob = self.store.incoming().map_err(stored)?;
        let found = self.remote.read(&path, |piece| {
            step(piece.len() as u64);
            // More than a record says is not worth the disk.
            if blob.bytes() > bytes {
                return Ok(());
            }
            blob.add(piece).map_err(|error| {
                let message = format!("the store cannot write what arrives ({error})");
                Problem::new(message).hint(neuronotes_core::file::hint(&error))
            })
        })?;
        if !found {
            self.refused(&path, "it is missing, although a record names it");
            return Ok(false);
        }
        if !self.store.take(blob, digest).map_err(stored)? {
            self.refused(&path, "its bytes have another digest");
            return Ok(false);
        }
        let pulled = &mut self.report().pulled;
        pulled.blobs += 1;
        pulled.bytes += bytes;
        Ok(true)
    }

    fn refused(&self, path: &str, why: &str) {
        self.damaged(format!("{}/{path}: {why}; it was not taken", self.remote.url));
    }
}
