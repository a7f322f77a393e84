//! What the watch tells: which paths are to be looked at again. It knows neither events nor clocks' rules.

use std::collections::BTreeSet;
use std::time::Instant;

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

/// How to learn of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By events where the file system gives them, else by looking.
    Auto,
    /// By the system's events.
    Native,
    /// By looking again and again.
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

/// Whether `path` is `folder` or lies below it. The empty path is the garden itself.
pub fn within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_the_beginning_of_a_name() {
        assert!(within("notes/a.md", "notes") && within("notes", "notes") && within("x", ""));
        assert!(!within("notes-old/a.md", "notes") && !within("notes", "notes/a.md"));
    }
}
