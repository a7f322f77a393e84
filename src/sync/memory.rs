//! What is remembered between two looks at mutable files: how each was on both sides when they were last equal.
//!
//! Without it, a file that one side has and the other has not could be new here or removed there. If it is lost, nothing is
//! removed for a while.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;
use neuronotes_core::{file, place, seal};
use serde::{Deserialize, Serialize};

/// Most bytes of a memory.
const LONGEST: u64 = 512 << 20;

/// A local file as it is: anything that is written changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
}

impl Stamp {
    /// The stamp of a regular file; `None` if there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        let since = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let modified = u64::try_from(since.as_nanos()).ok()?;
        Some(Self { bytes: meta.len(), modified })
    }
}

/// A file when both sides were equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub here: Stamp,
    pub there: String,
}

/// The memory of a store about one URL.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Tells stores apart in claims.
    pub holder: String,
    /// By path below the URL.
    pub files: BTreeMap<String, Known>,
    #[serde(skip)]
    path: PathBuf,
}

/// Held by the one program that moves files between a store and a URL. It ends with the program.
pub(super) fn lock(store: &Store, url: &str) -> Result<File, Problem> {
    let path = path(store, url, "lock");
    let unusable = |error: std::io::Error| {
        let message = format!("{} cannot be locked ({error})", path.display());
        Problem::new(message).hint(file::hint(&error))
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another `store sync` moves files between this store and {url}");
            Err(Problem::new(message).hint("wait for it, or end it"))
        }
        // Not every file system has locks.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn path(store: &Store, url: &str, ending: &str) -> PathBuf {
    let name = Digest::of(url.as_bytes()).short();
    store.folder().join(format!("sync-{name}.{ending}"))
}

impl Memory {
    /// What the store remembers about a URL.
    pub(super) fn open(store: &Store, url: &str) -> Self {
        let path = path(store, url, "json");
        let json = place::read(&path, LONGEST).ok().and_then(|bytes| seal::open(&bytes).whole());
        let known = json.and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        let mut memory = known.unwrap_or_default();
        if memory.holder.is_empty() {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
            let text = format!("{now} {} {}", std::process::id(), path.display());
            memory.holder = Digest::of(text.as_bytes()).short();
        }
        Self { path, ..memory }
    }

    /// Keeps it.
    ///
    /// # Errors
    /// Errors of the file system.
    pub(super) fn save(&self) -> Result<(), Problem> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        file::write_atomic(&self.path, &seal::seal(&json)).map_err(|error| {
            let message = format!("{} cannot be written ({error})", self.path.display());
            Problem::new(message).hint(file::hint(&error))
        })
    }
}
