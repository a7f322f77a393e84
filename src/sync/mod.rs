//! Keeps a store and an object store equal: results, failures, and what clients and workers of a cluster tell each other.
//!
//! ```text
//! URL/v1/blobs/ab/<digest>      as in a store's folder, byte for byte
//!        records/ab/<key>.json  written after all its blobs, on either side
//!        failures/<key>.json
//!        pools/<name>/...       see `neuronotes_core::pool`
//!        claims/<id>.json       which worker's store has taken a unit of work
//! ```
//!
//! Results are named by their content: none is ever overwritten, and they may be moved by several programs at once. What is
//! mutable has one writer, who pushes it. Interrupted at any moment, nothing is broken, and the next run goes on. What arrives
//! is compared with its digest or checksum; a damaged object is told and not taken.
//!
//! Knows nothing of gardens and terminals: it gets a store, a URL and the keys that are wanted.

mod claims;
mod files;
mod follow;
mod http;
mod memory;
mod parallel;
mod pull;
mod push;
mod remote;
mod take;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Store, StoreError};
use serde::Serialize;

pub use follow::{News, follow};
pub use remote::Remote;

/// Most objects that move at once.
const TOGETHER: usize = 16;

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
    fn is_shown(&self) -> bool {
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
pub(crate) struct Pair<'a> {
    store: &'a Store,
    remote: &'a Remote,
    report: Mutex<Report>,
    /// Records that are known to be in the object store.
    known: Mutex<BTreeSet<Digest>>,
}

impl<'a> Pair<'a> {
    fn new(store: &'a Store, remote: &'a Remote) -> Self {
        Self { store, remote, report: Mutex::default(), known: Mutex::default() }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<Digest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged(&self, message: String) {
        self.report().damaged.push(message);
    }
}

/// Moves once what is to be moved.
///
/// # Errors
/// If either store cannot be used; what was moved by then is whole.
pub fn once(
    store: &Store,
    remote: &Remote,
    options: &Options,
    step: Step<'_>,
) -> Result<Report, Problem> {
    remote.check()?;
    let _lock = memory::lock(store, &remote.url)?;
    let sync = Pair::new(store, remote);
    let mut files = files::Files::open(&sync, options.side)?;
    if options.push {
        let told = files.snapshot()?;
        sync.push(options.dry_run, step)?;
        files.push(told, options.dry_run)?;
    }
    if options.pull {
        sync.pull(&options.wanted, options.dry_run, step)?;
        files.pull(options.wanted.is_shown(), options.dry_run)?;
    }
    if !options.dry_run {
        files.remember()?;
    }
    let mut report = sync.report().clone();
    report.damaged.sort();
    Ok(report)
}

/// The keys of the records in an object store that begin with these digits.
///
/// # Errors
/// If one is no key, or there is not exactly one record for it.
pub fn resolve(remote: &Remote, asked: &[String]) -> Result<BTreeSet<Digest>, Problem> {
    let mut keys = BTreeSet::new();
    for digits in asked {
        let digits = digits.to_ascii_lowercase();
        if !(6..=64).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("`{digits}` is not a request key");
            return Err(Problem::new(message).hint("give at least six hexadecimal digits of it"));
        }
        let shard: String = digits.chars().take(2).collect();
        let listed = remote.list(&format!("v1/records/{shard}"))?;
        let found = listed.iter().filter_map(|object| digest_of(&object.path, record_path));
        let found: Vec<Digest> = found.filter(|key| key.hex().starts_with(&digits)).collect();
        match found.as_slice() {
            [key] => drop(keys.insert(*key)),
            [] => {
                let message = format!("{} has no result `{digits}`", remote.url);
                let hint = "`neuronotes explain NOTE#ID` prints the key of a block";
                return Err(Problem::new(message).hint(hint));
            }
            several => {
                let message = format!("{} results begin with `{digits}`", several.len());
                return Err(Problem::new(message).hint("give more digits"));
            }
        }
    }
    Ok(keys)
}

fn stored(error: StoreError) -> Problem {
    let hint = error.hint();
    Problem::new(error.to_string()).hint(hint)
}

/// The path of a result's file in either store.
fn blob_path(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("v1/blobs/{}/{hex}", hex.chars().take(2).collect::<String>())
}

fn record_path(key: &Digest) -> String {
    let hex = key.hex();
    format!("v1/records/{}/{hex}.json", hex.chars().take(2).collect::<String>())
}

/// The digest in the name of an object, if it is where this digest belongs.
fn digest_of(path: &str, of: fn(&Digest) -> String) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    let digest = name.split('.').next()?.parse().ok()?;
    (of(&digest) == path).then_some(digest)
}
