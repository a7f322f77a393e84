//! What is fetched, how patiently, and who watches.

use std::time::Duration;

use neuronotes_core::sha256::Sha256;

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in messages.
    pub name: String,
    /// Its file name.
    pub file: String,
    /// Its SHA-256.
    pub sha256: Sha256,
}

/// Timeouts and limits.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Pauses between attempts; after as many attempts without progress, the fetch fails.
    pub pauses: Vec<Duration>,
    /// A connection without data for this long is closed.
    pub silence: Duration,
    /// Maximum number of interruptions, even if each attempt makes progress.
    pub attempts: u32,
    /// Maximum length of a file in bytes.
    pub longest: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            pauses: [1, 2, 4, 8, 16].map(Duration::from_secs).to_vec(),
            silence: Duration::from_secs(30),
            attempts: 100,
            longest: 4 << 30,
        }
    }
}

/// Receives the progress of a fetch.
pub trait Watcher {
    /// A message for the user.
    fn say(&mut self, line: &str);
    /// `done` bytes are done, of `total` if known.
    fn step(&mut self, doing: Doing, done: u64, total: Option<u64>);
    /// Work pauses for now.
    fn rest(&mut self);
}

/// A phase of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Reading bytes from an earlier fetch.
    Checking,
    /// Downloading.
    Fetching,
    /// Copying a local file.
    Copying,
}

/// What to do if a file cannot be fetched.
pub(super) fn from() -> String {
    "fetch it from another source with `--from URL` or `--from FILE`; its sha256 is verified as well".into()
}
