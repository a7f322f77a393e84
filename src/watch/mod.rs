//! Watches a garden's folder on a thread of its own, and reports settled changes.
//!
//! Folders are watched, never files, since editors replace files. Events are converted to changes of paths (`event`),
//! editors' temporary files are dropped (`noise`), and the rest is reported once it has settled (`settle`): a single
//! save after some milliseconds, a storm after its end, and an emptied or removed note only if it stays so. On file
//! systems without events, the folders are polled (`poll`); `cover` decides.
//!
//! A change only says where to look; the watch does not know what notes are.

mod change;
mod choose;
mod cover;
mod event;
pub mod noise;
mod poll;
mod settle;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use change::{Change, Mode};

use cover::{Cover, Signal};
use noise::Scope;
use settle::Settle;

use change::Sign;

use crate::config::layout::Layout;

/// Message for a full event queue.
const LOST: &str = "so much changed at once that events were lost";
/// Interval of checks whether a missing garden has returned.
const GONE: Duration = Duration::from_millis(700);

/// A running watch; it ends on drop.
#[derive(Debug)]
pub struct Watch {
    cover: Arc<Mutex<Cover>>,
    /// A description of the method: "watching by file events".
    pub how: String,
}

impl Watch {
    /// Watches the garden in `root` with this layout; `changed` is called on another thread with settled changes.
    /// Changes after this returns are reported, so read the garden afterwards, not before.
    ///
    /// # Errors
    /// If `mode` requires events and they are unavailable.
    pub fn start(
        root: &Path,
        layout: &Layout,
        mode: Mode,
        changed: impl Fn(Change) + Send + 'static,
    ) -> notify::Result<Self> {
        let (sender, heard) = mpsc::channel();
        let scope = Scope { layout: layout.clone(), ..Scope::default() };
        let (cover, how) = Cover::start(root, scope, mode, sender)?;
        let cover = Arc::new(Mutex::new(cover));
        let listener = Listener {
            root: root.to_owned(),
            cover: Arc::downgrade(&cover),
            settle: Settle::default(),
        };
        std::thread::spawn(move || listener.listen(&heard, changed));
        Ok(Self { cover, how })
    }

    /// Replaces the layout and the folders of pictures to watch. New folders are reported as changed.
    ///
    /// # Errors
    /// If the garden's own folder cannot be watched.
    pub fn widen(&mut self, layout: &Layout, folders: &BTreeSet<String>) -> notify::Result<()> {
        let wanted = folders.iter().filter(|name| !name.is_empty());
        let scope = Scope { layout: layout.clone(), pictures: wanted.cloned().collect() };
        let mut cover = lock(&self.cover);
        if *cover.scope() == scope { Ok(()) } else { cover.widen(scope) }
    }
}

/// The watch's thread.
struct Listener {
    root: PathBuf,
    /// Closed with the watch.
    cover: Weak<Mutex<Cover>>,
    settle: Settle,
}

impl Listener {
    /// Runs until the watch is dropped.
    fn listen(mut self, heard: &Receiver<Signal>, changed: impl Fn(Change)) {
        let mut blind = false;
        loop {
            let due = self.settle.due();
            let due = due.or_else(|| blind.then(|| Instant::now() + GONE));
            let first = match due {
                Some(due) => heard.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let Some(cover) = self.cover.upgrade() else { return };
            match first {
                Ok(first) => {
                    let mut cover = lock(&cover);
                    for heard in std::iter::once(first).chain(heard.try_iter()) {
                        self.take_in(heard, &mut cover);
                    }
                    blind = cover.is_blind();
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if blind => {
                    let mut cover = lock(&cover);
                    blind = cover.anew().is_err() || cover.is_blind();
                    if !blind {
                        self.settle.lost(Instant::now());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            // Released first, because the receiver of the change may need it.
            drop(cover);
            let has_text = |path: &str| {
                let meta = self.root.join(path).metadata();
                meta.is_ok_and(|meta| meta.is_dir() || meta.len() > 0)
            };
            if let Some(change) = self.settle.take(Instant::now(), has_text) {
                changed(change);
            }
        }
    }

    fn take_in(&mut self, heard: Signal, cover: &mut Cover) {
        match heard {
            Signal::Event(at, Ok(event)) => {
                match event::signs(&self.root, &event, |name| cover.knows(name)) {
                    Some(signs) => self.signs(at, signs, cover),
                    None => self.lost(at, LOST, cover),
                }
            }
            Signal::Event(at, Err(error)) => self.lost(at, &choose::cause(&error), cover),
            Signal::Signs(at, signs) => {
                for (path, sign) in signs {
                    self.settle.hear(at, path, sign);
                }
            }
            Signal::Lost(at) => drop(self.settle.lost(at)),
        }
    }

    fn signs(&mut self, at: Instant, signs: Vec<(String, Sign)>, cover: &mut Cover) {
        for (path, sign) in signs {
            let folder = sign == Sign::Folder;
            if folder {
                // If the garden itself is gone, its return is checked for.
                let _ = cover.replaced(&path);
            }
            if cover.scope().covers(&path, folder) {
                self.settle.hear(at, path, sign);
            }
        }
    }

    fn lost(&mut self, at: Instant, why: &str, cover: &mut Cover) {
        if self.settle.lost(at) {
            neuronotes_core::say::err(format_args!("{why}: reading everything again"));
        }
        // If the garden itself is gone, its return is checked for.
        let _ = cover.anew();
    }
}

fn lock(cover: &Mutex<Cover>) -> MutexGuard<'_, Cover> {
    cover.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
