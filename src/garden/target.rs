//! What a link leads to.

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A note or a place in one, possibly the linking note itself.
    Note {
        /// Index of the note in the garden.
        index: usize,
        /// Anchor of a heading or block.
        anchor: Option<String>,
    },
    /// A file that is not a note.
    File {
        /// Path relative to the notes folder.
        path: String,
        /// Place in the file, as its viewer understands it: `page=3`, `t=10`.
        fragment: Option<String>,
    },
    /// An address of another site.
    External,
    /// The link could not be resolved.
    Unresolved,
}
