//! A store and an object store: which results move between them, what has moved, and where each lies.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Store, StoreError};
use serde::Serialize;

use super::remote::Remote;

/// Most objects that move at once.
pub(super) const TOGETHER: usize = 16;

/// Which part a store has in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It puts units of work, and hears what becomes of them.
    Client,
    /// Its workers take units of work.
    Worker,
}

/// Which results are pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All, with all their outputs.
    All,
    /// These, with the outputs that pages show.
    Shown(BTreeSet<Digest>),
    /// These, with all their outputs.
    Whole(BTreeSet<Digest>),
}

impl Wanted {
    pub(super) fn is_shown(&self) -> bool {
        matches!(self, Self::Shown(_))
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether results go to the object store.
    pub push: bool,
    /// Whether results come from the object store.
    pub pull: bool,
    /// Only count what would move.
    pub dry_run: bool,
    /// What the store is in its pools.
    pub side: Side,
    /// What is pulled.
    pub wanted: Wanted,
}

/// What has moved in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Records.
    pub results: u64,
    /// Outputs.
    pub blobs: u64,
    /// Failures and files of pools.
    pub files: u64,
    /// Bytes of all of these.
    pub bytes: u64,
}

impl Moved {
    /// Whether nothing has moved.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What was done, or with a dry run would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// To the object store.
    pub pushed: Moved,
    /// From the object store.
    pub pulled: Moved,
    /// What is damaged, and was therefore not moved.
    pub damaged: Vec<String>,
    /// Wanted keys that neither side has.
    pub missing: u64,
}

impl Report {
    /// Adds what was done later.
    pub fn add(&mut self, next: Self) {
        for (sum, more) in [(&mut self.pushed, next.pushed), (&mut self.pulled, next.pulled)] {
            sum.results += more.results;
            sum.blobs += more.blobs;
            sum.files += more.files;
            sum.bytes += more.bytes;
        }
        self.damaged.extend(next.damaged);
        self.missing += next.missing;
    }
}

/// Gets the number of bytes done and of all bytes.
pub type Step<'a> = &'a (dyn Fn(&'static str, u64, u64) + Sync);

/// One store and one object store.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) store: &'a Store,
    pub(super) remote: &'a Remote,
    pub(super) report: Mutex<Report>,
    /// Records that are known to be in the object store.
    pub(super) known: Mutex<BTreeSet<Digest>>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(store: &'a Store, remote: &'a Remote) -> Self {
        Self { store, remote, report: Mutex::default(), known: Mutex::default() }
    }

    pub(super) fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<Digest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn damaged(&self, message: String) {
        self.report().damaged.push(message);
    }
}

pub(super) fn stored(error: StoreError) -> Problem {
    let hint = error.hint();
    Problem::new(error.to_string()).hint(hint)
}

/// The path of a result's file in either store.
pub(super) fn blob_path(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("v1/blobs/{}/{hex}", hex.chars().take(2).collect::<String>())
}

pub(super) fn record_path(key: &Digest) -> String {
    let hex = key.hex();
    format!("v1/records/{}/{hex}.json", hex.chars().take(2).collect::<String>())
}

/// The digest in the name of an object, if it is where this digest belongs.
pub(super) fn digest_of(path: &str, of: fn(&Digest) -> String) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    let digest = name.split('.').next()?.parse().ok()?;
    (of(&digest) == path).then_some(digest)
}
