//! Results to the object store: blobs first, then their records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Record;

use super::pair::{Pair, Step, TOGETHER, blob_path, digest_of, record_path, stored};
use super::parallel::each;

/// How many records are pushed between two looks: after an interruption, at most so many have blobs there and no record yet.
const BATCH: usize = 512;

/// A record that is to be pushed.
struct Going {
    record: Record,
    bytes: Vec<u8>,
}

impl Pair<'_> {
    /// Pushes every record that is not there.
    pub(super) fn push(&self, dry_run: bool, step: Step<'_>) -> Result<(), Problem> {
        let keys = self.store.keys().map_err(stored)?;
        if keys.is_empty() {
            return Ok(());
        }
        let listed = self.remote.list("v1/records")?;
        let known = listed.iter().filter_map(|object| digest_of(&object.path, record_path));
        *self.known() = known.collect();
        let keys: BTreeSet<Digest> = keys.difference(&self.known()).copied().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let listed = self.remote.list("v1/blobs")?;
        let there = listed.iter().filter_map(|o| Some((digest_of(&o.path, blob_path)?, o.bytes)));
        self.push_keys(&keys, &there.collect(), dry_run, step)
    }

    /// Pushes every record that is not known to be there, without a look at what is.
    pub(super) fn push_new(&self) -> Result<(), Problem> {
        let keys = self.store.keys().map_err(stored)?;
        let new: BTreeSet<Digest> = keys.difference(&self.known()).copied().collect();
        self.push_keys(&new, &BTreeMap::new(), false, &|_, _, _| {})
    }

    /// Pushes these records; `there` are blobs that are known to be in the object store, each with its length.
    pub(super) fn push_keys(
        &self,
        keys: &BTreeSet<Digest>,
        there: &BTreeMap<Digest, u64>,
        dry_run: bool,
        step: Step<'_>,
    ) -> Result<(), Problem> {
        let keys: Vec<&Digest> = keys.iter().collect();
        let mut there = there.clone();
        let mut total = 0;
        let missing = |there: &BTreeMap<Digest, u64>, record: &Record| {
            let outputs = record.outputs.values().map(|output| (output.digest, output.bytes));
            let missing = outputs.filter(|(digest, bytes)| there.get(digest) != Some(bytes));
            missing.collect::<BTreeMap<Digest, u64>>()
        };
        let mut blobs: BTreeMap<Digest, u64> = BTreeMap::new();
        for key in &keys {
            // One without its outputs has been pulled without them, or is being removed; a damaged one is for `verify`.
            let Some((record, bytes)) = self.store.record_file(key) else { continue };
            if self.store.holds(&record) {
                total += bytes.len() as u64;
                blobs.append(&mut missing(&there, &record));
            }
        }
        total += blobs.values().sum::<u64>();
        if dry_run {
            let results = keys.iter().filter(|key| self.store.record(key).is_some()).count();
            let pushed = &mut self.report().pushed;
            pushed.results += results as u64;
            pushed.blobs += blobs.len() as u64;
            pushed.bytes += total;
            return Ok(());
        }
        let moved = AtomicU64::new(0);
        let step = |bytes: u64| {
            step("pushing", moved.fetch_add(bytes, Ordering::Relaxed) + bytes, total);
        };
        for batch in keys.chunks(BATCH) {
            let going = batch.iter().filter_map(|key| self.store.record_file(key));
            let going = going.filter(|(record, _)| self.store.holds(record));
            let going: Vec<Going> = going.map(|(record, bytes)| Going { record, bytes }).collect();
            let mut blobs = BTreeMap::new();
            for one in &going {
                blobs.append(&mut missing(&there, &one.record));
            }
            let blobs: Vec<(Digest, u64)> = blobs.into_iter().collect();
            let sent = Mutex::new(Vec::new());
            each(&blobs, TOGETHER, |(digest, bytes)| {
                if self.push_blob(digest, *bytes, &step)? {
                    sent.lock().unwrap_or_else(PoisonError::into_inner).push((*digest, *bytes));
                }
                Ok(())
            })?;
            there.extend(sent.into_inner().unwrap_or_else(PoisonError::into_inner));
            let whole: Vec<&Going> =
                going.iter().filter(|one| missing(&there, &one.record).is_empty()).collect();
            each(&whole, TOGETHER, |one| {
                self.remote.put(&record_path(&one.record.key), one.bytes.clone())?;
                step(one.bytes.len() as u64);
                let pushed = &mut self.report().pushed;
                pushed.results += 1;
                pushed.bytes += one.bytes.len() as u64;
                Ok(())
            })?;
            self.known().extend(whole.iter().map(|one| one.record.key));
        }
        Ok(())
    }

    /// Pushes a blob that no record names, if it is here.
    pub(super) fn push_named(&self, digest: &Digest) -> Result<(), Problem> {
        let length = self.store.open_blob(digest).and_then(|file| file.metadata().ok());
        match length {
            Some(meta) => self.push_blob(digest, meta.len(), &|_| {}).map(drop),
            None => Ok(()),
        }
    }

    /// Pushes a blob; false if it is gone or damaged here.
    fn push_blob(&self, digest: &Digest, bytes: u64, step: &dyn Fn(u64)) -> Result<bool, Problem> {
        let path = self.store.blob_path(digest);
        match Digest::of_file(&path) {
            Ok(found) if found == *digest => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                return Err(Problem::new(format!("{} cannot be read ({error})", path.display())));
            }
            Ok(_) => {
                self.damaged(format!("{}: damaged here, so it was not pushed", path.display()));
                return Ok(false);
            }
        }
        let Some(file) = self.store.open_blob(digest) else { return Ok(false) };
        self.remote.send(&blob_path(digest), file, step)?;
        let pushed = &mut self.report().pushed;
        pushed.blobs += 1;
        pushed.bytes += bytes;
        Ok(true)
    }
}
