//! What the watch tells: which paths are to be looked at again. It knows neither events nor clocks' rules.

use std::collections::BTreeSet;
use std::time::Instant;

pub use crate::config::layout::within;

/// What may have changed on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Files and folders relative to the garden's root, with `/`; a folder stands for everything below it, and the
    /// empty path for the garden itself.
    pub paths: BTreeSet<String>,
    /// Everything is to be looked at: events were lost, or nobody can tell what changed.
    pub all: bool,
    /// When the first of the events came.
    pub first: Instant,
}

impl Change {
    /// This one and a later one in one.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.paths.extend(later.paths);
        Self { paths: self.paths, all: self.all || later.all, first: self.first.min(later.first) }
    }
}

/// How to learn of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// File events if the file system sends them, otherwise polling.
    Auto,
    /// File events.
    Native,
    /// Polling.
    Poll,
}

/// What became of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Somebody writes it and has not closed it yet.
    Begun,
    /// It may have other bytes, and nobody is at them any more.
    Done,
    /// It is gone; perhaps only for a moment, since some editors save in that way.
    Gone,
    /// It was renamed to another name that the garden reads, and will not come back.
    Moved,
    /// A folder came, went, or was replaced.
    Folder,
}
