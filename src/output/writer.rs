//! The sink that writes a site's files to the output folder as they are made, from any thread.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::store::Store;

use super::Output;
use super::entry::{Outcome, Written};
use crate::measure::CopyProgress;
use crate::site::{Content, Sink};

/// Writes the files of a site as they are made.
pub struct Writer<'a> {
    output: &'a Output,
    store: Store,
    copied: &'a CopyProgress,
    done: Mutex<BTreeMap<String, Outcome>>,
    /// Files that did not fit on the disk while others were being written.
    waiting: Mutex<BTreeMap<String, Content>>,
}

impl Output {
    /// A sink that writes the site's files at once.
    pub fn writer<'a>(&'a self, store: &Store, copied: &'a CopyProgress) -> Writer<'a> {
        Writer {
            output: self,
            store: store.clone(),
            copied,
            done: Mutex::default(),
            waiting: Mutex::default(),
        }
    }
}

impl Writer<'_> {
    /// All outcomes. Files that did not fit on the disk are tried once more, because temporary files of others may
    /// have used the space.
    pub fn done(self) -> Written {
        let waiting = std::mem::take(&mut *held(&self.waiting));
        for (path, content) in waiting {
            let put = self.output.put(&path, &content, &self.store);
            self.note(path, Outcome::Put(put));
        }
        Written(self.done.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, path: String, outcome: Outcome) {
        held(&self.done).insert(path, outcome);
    }
}

/// A lock's content, also after a panic: each change is a single call, so it is consistent.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink for Writer<'_> {
    fn is_current(&self, path: &str, key: Digest) -> bool {
        self.output.is_current(path, key)
    }

    fn take(&self, path: String, content: Content) {
        match self.output.put(&path, &content, &self.store) {
            Err(fault) if fault.full => {
                held(&self.waiting).insert(path, content);
            }
            put => self.note(path, Outcome::Put(put)),
        }
    }

    fn keep(&self, path: String, key: Digest) {
        self.note(path, Outcome::Kept(key));
    }

    fn offers_copies(&self) -> bool {
        true
    }

    fn copied(&self, done: usize, all: usize) {
        (self.copied)(done, all);
    }
}
