//! What a comparison of two sites reads: notes, resolved links, and the outcomes of some notes' blocks.

use std::sync::Arc;

use super::Site;
use crate::garden::Garden;
use crate::note::Note;
use crate::page::Settled;
use crate::page::value::Quoted;

impl Site {
    /// The notes, by path.
    pub fn read_notes(&self) -> &[Arc<Note>] {
        &self.notes
    }

    /// The notes' addresses, links and mentions.
    pub fn assembled(&self) -> &Garden {
        &self.garden
    }

    /// Looks up the results of these notes and fills in their values.
    pub fn look_up(&mut self, indices: impl IntoIterator<Item = usize>) {
        self.settle(indices);
    }

    /// The outcome of each block of a note that was [looked up](Site::look_up).
    pub fn outcomes(&self, index: usize) -> &[Settled] {
        &self.settled[index]
    }

    /// The replacements of the values of a note that was [looked up](Site::look_up).
    pub fn values(&self, index: usize) -> &Quoted {
        &self.quoted[index]
    }
}
