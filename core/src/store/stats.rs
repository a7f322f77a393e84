//! Statistics of a store: what is in it, and what collection would delete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::collect::{Collected, DAY, Options, Tally};
use super::disk::{LONGEST, Store};
use super::error::StoreError;
use super::record::Record;
use crate::digest::Digest;
use crate::place;

/// What is in a store.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Results by kind.
    pub kinds: BTreeMap<String, OfKind>,
    /// Records that cannot be read.
    pub damaged: u64,
    /// All outputs, each once.
    pub blobs: Tally,
    /// Drawings.
    pub drawings: Tally,
    /// Indexes of shards.
    pub indexes: Tally,
    /// Measurements that are running, or were when a process ended.
    pub claims: Tally,
    /// Measurements that failed and would fail again.
    pub failures: Tally,
    /// Pictures of unfinished measurements.
    pub partial: Tally,
    /// Temporary and damaged files.
    pub temporary: Tally,
    /// Gardens that use it, each with the time of its last build, RFC 3339.
    pub gardens: Vec<(PathBuf, String)>,
    /// What collection would delete; `None` if a garden's list of used results is damaged.
    pub collectable: Option<Collected>,
}

/// The stored results of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct OfKind {
    /// Records.
    pub count: u64,
    /// Bytes of their outputs, each counted once.
    pub bytes: u64,
    /// Seconds that they took to measure.
    pub seconds: f64,
}

impl Store {
    /// Counts what is there.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let mut stats = Stats::default();
        let mut seen: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
        for found in self.list("records", ".json")?.found {
            let record =
                place::read(&found.path, LONGEST).ok().and_then(|bytes| Record::read(&bytes).ok());
            let Some(record) = record else {
                stats.damaged += 1;
                continue;
            };
            let of_kind = stats.kinds.entry(record.kind.clone()).or_default();
            of_kind.count += 1;
            of_kind.seconds += record.provenance.seconds;
            let seen = seen.entry(record.kind).or_default();
            let new = record.outputs.values().filter(|output| seen.insert(output.digest));
            of_kind.bytes += new.map(|output| output.bytes).sum::<u64>();
        }
        for (tally, kind, ending) in [
            (&mut stats.blobs, "blobs", ""),
            (&mut stats.drawings, "figures", ".json"),
            (&mut stats.indexes, "indexes", ""),
        ] {
            self.list(kind, ending)?.found.iter().for_each(|found| tally.add(found.bytes));
        }
        for (tally, kind) in [
            (&mut stats.claims, "claims"),
            (&mut stats.failures, "failures"),
            (&mut stats.partial, "partial"),
            (&mut stats.temporary, "tmp"),
        ] {
            self.all(kind)?.iter().for_each(|(_, meta)| tally.add(meta.len()));
        }
        let roots = self.roots()?.found;
        stats.gardens = roots.into_iter().map(|(_, root)| (root.garden, root.written)).collect();
        let options = Options { older_than: DAY, dry_run: true };
        stats.collectable = match self.collect(options) {
            Ok(collected) => Some(collected),
            Err(StoreError::DamagedRoot(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(stats)
    }
}
