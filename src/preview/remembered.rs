//! Stores which results the garden uses, for collection and for `explain`, on a thread of its own: the store waits until
//! the list is on disk, and a page must not wait for that.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Sender};
use std::thread;

use neuronotes_core::digest::Digest;
use neuronotes_core::store::{Root, Store};

use crate::build;
use crate::plan::Plan;
use crate::workspace::Workspace;

/// Stores lists of used results, the newest one last.
#[derive(Debug)]
pub struct Remembered {
    last: Option<Root>,
    sender: Sender<(Store, Root)>,
}

impl Remembered {
    /// Starts the thread; it ends on drop.
    pub fn start() -> Self {
        let (sender, roots) = mpsc::channel::<(Store, Root)>();
        thread::spawn(move || {
            while let Ok(first) = roots.recv() {
                let (store, root) = roots.try_iter().last().unwrap_or(first);
                // If it cannot be written, a collection may delete results that are used here; they are then measured
                // again.
                let _ = store.put_root(&root.garden, &root);
            }
        });
        Self { last: None, sender }
    }

    /// Stores what the garden uses now; the results of `missing` do not exist.
    pub fn take(&mut self, workspace: &Workspace, plan: &Plan, missing: &BTreeSet<Digest>) {
        let stored = || workspace.store.root(&workspace.root);
        let earlier = self.last.take().or_else(stored).unwrap_or_default();
        let root = build::root(workspace, plan, missing, &earlier);
        let _ = self.sender.send((workspace.store.clone(), root.clone()));
        self.last = Some(root);
    }
}
