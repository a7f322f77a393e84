//! File events in, "something may have changed" out.
//!
//! Folders are watched, never files, since editors replace files; an event says only that it is time to look
//! again, and looking compares bytes. Access events are discarded at once. Output, store and data sets are
//! never watched; folders of pictures that blocks name are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use crate::workspace::{NOTES, TEMPLATES};

/// After a first event, how long nothing must happen before it is looked at.
const QUIET: Duration = Duration::from_millis(12);
/// How long a storm of events may put the look off.
const LONGEST: Duration = Duration::from_millis(250);
/// How often a file system without events is looked at.
const POLL: Duration = Duration::from_millis(700);

/// A folder's number in its file system, and when it was made, since numbers are given out again.
type Identity = (u64, Option<SystemTime>);

/// A watch over a garden.
pub struct Watch {
    root: PathBuf,
    watcher: Box<dyn Watcher + Send>,
    /// Folders with pictures that blocks name, beside those that are always watched.
    pictures: BTreeSet<String>,
    /// The folders that are watched, by their names in the garden.
    covered: BTreeMap<String, Identity>,
    /// How it works, for a person.
    pub how: &'static str,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("root", &self.root).field("how", &self.how).finish()
    }
}

impl Watch {
    fn new(root: &Path, watcher: Box<dyn Watcher + Send>, how: &'static str) -> Self {
        Self {
            root: root.to_owned(),
            watcher,
            pictures: BTreeSet::new(),
            covered: BTreeMap::new(),
            how,
        }
    }

    /// Watches the garden in `root`; `changed` is called, on another thread, whenever it is time to look.
    ///
    /// # Errors
    /// Where neither events nor polling work.
    pub fn start(root: &Path, changed: impl Fn() + Send + Clone + 'static) -> notify::Result<Self> {
        let tell = changed.clone();
        let handler = move |event: notify::Result<Event>| {
            if event.is_err() || event.is_ok_and(|event| matters(&event)) {
                tell();
            }
        };
        let native = RecommendedWatcher::new(handler.clone(), Config::default());
        if let Ok(watcher) = native {
            let mut watch = Self::new(root, Box::new(watcher), "file events");
            if watch.cover().is_ok() {
                return Ok(watch);
            }
        }
        let config = Config::default().with_poll_interval(POLL).with_compare_contents(true);
        let watcher = PollWatcher::new(handler, config)?;
        let how = "looking every 0.7 s, since this file system gives no events";
        let mut watch = Self::new(root, Box::new(watcher), how);
        watch.cover()?;
        Ok(watch)
    }

    /// Watches the folders that are there; to be called again after a change, since a folder that was
    /// removed and made again is another folder. Those already watched cost nothing.
    ///
    /// # Errors
    /// Where the garden's own folder cannot be watched.
    pub fn cover(&mut self) -> notify::Result<()> {
        let always = [
            ("", RecursiveMode::NonRecursive),
            (NOTES, RecursiveMode::Recursive),
            (TEMPLATES, RecursiveMode::Recursive),
        ];
        let pictures = self.pictures.iter().map(|name| (&**name, RecursiveMode::NonRecursive));
        for (name, mode) in always.into_iter().chain(pictures) {
            let path = self.root.join(name);
            let found = identity(&path);
            if found.is_some() && self.covered.get(name) != found.as_ref() {
                self.watcher.watch(&path, mode)?;
            }
            match found {
                Some(found) => drop(self.covered.insert(name.to_owned(), found)),
                None => drop(self.covered.remove(name)),
            }
        }
        Ok(())
    }

    /// Watches these folders of the garden too, and no others that were given before.
    ///
    /// # Errors
    /// Where a folder cannot be watched.
    pub fn pictures(&mut self, folders: &BTreeSet<String>) -> notify::Result<()> {
        let inside = |name: &&String| {
            let top = name.split('/').next().unwrap_or_default();
            !name.is_empty() && top != NOTES && top != TEMPLATES
        };
        let wanted: BTreeSet<String> = folders.iter().filter(inside).cloned().collect();
        if wanted == self.pictures {
            return Ok(());
        }
        for gone in self.pictures.difference(&wanted) {
            if self.covered.remove(gone).is_some() {
                // It may be gone from the disk as well.
                let _ = self.watcher.unwatch(&self.root.join(gone));
            }
        }
        self.pictures = wanted;
        self.cover()
    }
}

/// What tells a folder from another one at its place; `None` where there is none.
fn identity(path: &Path) -> Option<Identity> {
    let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((number, meta.created().ok()))
}

/// Whether anything may have changed. An overflow of the system's queue carries no path and always does.
fn matters(event: &Event) -> bool {
    let noise = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        // vim's test file and backups, Emacs' locks and autosaves, this program's own state and output.
        name == "4913"
            || name.ends_with('~')
            || name.starts_with(".#")
            || (name.starts_with('#') && name.ends_with('#'))
            || name == ".neuronotes"
            || name == "output"
    };
    if event.need_rescan() {
        return true;
    }
    !matches!(event.kind, EventKind::Access(_))
        && (event.paths.is_empty() || !event.paths.iter().all(noise))
}

/// Waits until messages stop coming for a moment, and gives them all. `None` where nobody can send any more.
pub fn settled<T>(first: T, messages: &Receiver<T>) -> Vec<T> {
    let begun = Instant::now();
    let mut all = vec![first];
    while begun.elapsed() < LONGEST {
        match messages.recv_timeout(QUIET) {
            Ok(message) => all.push(message),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    all
}

/// Tells `sender` of changes.
///
/// # Errors
/// Where the garden cannot be watched.
pub fn forward<T: Send + 'static>(
    root: &Path,
    sender: Sender<T>,
    message: fn() -> T,
) -> notify::Result<Watch> {
    Watch::start(root, move || {
        let _ = sender.send(message());
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc;

    fn heard(receiver: &Receiver<()>) -> bool {
        let heard = receiver.recv_timeout(Duration::from_secs(5)).is_ok();
        std::thread::sleep(Duration::from_millis(50));
        while receiver.try_recv().is_ok() {}
        heard
    }

    #[test]
    fn every_way_of_saving_is_heard_and_reading_is_not() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let notes = dir.path().join("notes");
        fs::create_dir_all(notes.join("deep")).expect("folders");
        let (sender, receiver) = mpsc::channel();
        let mut watch = forward(dir.path(), sender, || ()).expect("a watch");
        let note = notes.join("deep/a.md");
        fs::write(&note, "one").expect("write in place");
        assert!(heard(&receiver), "a write in place");
        fs::write(notes.join("b.tmp"), "two").expect("write");
        assert!(heard(&receiver), "a new file");
        fs::rename(notes.join("b.tmp"), &note).expect("rename over");
        assert!(heard(&receiver), "a rename over the note");
        fs::remove_file(&note).expect("remove");
        assert!(heard(&receiver), "a removal");
        fs::write(dir.path().join("neuronotes.yaml"), "title: A").expect("write");
        assert!(heard(&receiver), "the configuration");
        fs::remove_dir_all(&notes).expect("remove the folder");
        assert!(heard(&receiver), "the folder's removal");
        fs::create_dir(&notes).expect("the folder again");
        assert!(heard(&receiver), "the folder again");
        watch.cover().expect("watched again");
        fs::write(notes.join("c.md"), "three").expect("write");
        assert!(heard(&receiver), "a note in the folder made again");
        fs::create_dir(dir.path().join("art")).expect("a folder");
        assert!(heard(&receiver), "a folder in the garden's own");
        let art = |name: &str| BTreeSet::from([name.to_owned()]);
        watch.pictures(&art("art")).expect("watched");
        fs::write(dir.path().join("art/a.png"), "a picture").expect("write");
        assert!(heard(&receiver), "a picture in a folder that a block names");
        watch.pictures(&art("notes")).expect("watched");
        fs::write(dir.path().join("art/a.png"), "another").expect("write");
        std::thread::sleep(Duration::from_millis(200));
        assert!(receiver.try_recv().is_err(), "a folder that no block names any more is not heard");
        let _ = fs::read(notes.join("c.md")).expect("read");
        fs::write(notes.join("c.md~"), "backup").expect("write");
        fs::write(notes.join(".#c.md"), "lock").expect("write");
        std::thread::sleep(Duration::from_millis(200));
        assert!(receiver.try_recv().is_err(), "reading and editors' own files are not heard");
    }
}
