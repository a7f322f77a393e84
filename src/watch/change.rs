//! Changes reported by the watch: the paths to look at again.

use std::collections::BTreeSet;
use std::time::Instant;

pub use crate::config::layout::within;

/// What may have changed on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Files and folders relative to the garden's root, with `/`. A folder stands for everything below it, and the
    /// empty path for the garden itself.
    pub paths: BTreeSet<String>,
    /// Everything must be looked at: events were lost, or it is unknown what changed.
    pub all: bool,
    /// Time of the first of the events.
    pub first: Instant,
}

impl Change {
    /// Merges this change with a later one.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.paths.extend(later.paths);
        Self { paths: self.paths, all: self.all || later.all, first: self.first.min(later.first) }
    }
}

/// How to detect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// File events if the file system sends them, otherwise polling.
    Auto,
    /// File events.
    Native,
    /// Polling.
    Poll,
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is being written and not closed yet.
    Begun,
    /// It may have changed, and nobody is writing it any more.
    Done,
    /// It is gone, perhaps only for a moment, since some editors save that way.
    Gone,
    /// It was renamed to another name that the garden reads, and will not come back.
    Moved,
    /// A folder appeared, disappeared or was replaced.
    Folder,
}
