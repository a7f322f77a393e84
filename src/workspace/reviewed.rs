//! What the files of reviews say, by note.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::layout::without_ending;
use crate::diagnostic::Diagnostic;
use crate::review::{self, Stamp};

/// The reviews of all notes.
#[derive(Debug, Default)]
pub struct Reviews {
    /// By the path of the note without its ending.
    pub(super) files: BTreeMap<String, Read>,
    /// Files about notes that the garden does not have.
    pub(super) lost: Vec<Diagnostic>,
}

/// What is in a file.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) text: String,
    pub(super) stamps: Arc<[Stamp]>,
    pub(super) problems: Vec<Diagnostic>,
}

impl Reviews {
    /// The stamps of a note, by its path.
    pub fn of(&self, note: &str) -> &[Stamp] {
        self.files.get(without_ending(note)).map_or(&[], |read| &read.stamps)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The problems of all files.
    pub(super) fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.values().flat_map(|read| &read.problems).chain(&self.lost)
    }

    /// The text of a file, by its path in the garden.
    pub(super) fn source(&self, file: &str) -> Option<&str> {
        self.files.get(review::note_of(file)?).map(|read| &*read.text)
    }
}
