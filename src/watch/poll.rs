//! Polling, for file systems without events.
//!
//! Each round compares size and times of every file, to the nanosecond. Bytes are compared only for some seconds
//! after these changed, since the next change may leave them unchanged: file systems count time in steps of up to 2
//! s. Inodes are compared too, since files of two swapped folders may differ in nothing else. If an inode changes
//! without reason, as on FUSE and SMB, the file is read once too often.
//!
//! notify's own poller either compares times in whole seconds or reads every file each time. For 10,000 notes on two
//! cores that took 14 % of a core against 4 % here.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use walkdir::WalkDir;

use super::change::Sign;
use super::noise::{Scope, hidden, is_note};
use crate::config::layout::TEMPLATES;

/// Time between two rounds; shorter in tests.
pub const EVERY: Duration = Duration::from_millis(if cfg!(test) { 70 } else { 700 });
/// Slow rounds, such as over a slow network, are made less often: they take at most a quarter of the time.
const REST: u32 = 3;
/// How long after a change of its size or times a file's bytes are compared.
const RECENT: Duration = Duration::from_secs(3);
/// Maximum size of a file whose bytes are compared; larger ones are data sets or not read by the garden.
const LARGEST: u64 = 64 << 20;

/// A polling thread; it ends on drop.
#[derive(Debug)]
pub struct Poller {
    scope: Arc<Mutex<Scope>>,
    /// Never sent to; closing it ends the thread.
    _end: Sender<()>,
}

impl Poller {
    /// Polls the garden in `root` from now on; `tell` receives what changed since the last round.
    pub fn start(
        root: &Path,
        scope: Scope,
        tell: impl Fn(Vec<(String, Sign)>) -> bool + Send + 'static,
    ) -> Self {
        let mut seen = Seen::new(root);
        seen.look(&scope, Instant::now());
        let shared = Arc::new(Mutex::new(scope));
        let scope = Arc::clone(&shared);
        let (end, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let mut pause = EVERY;
            while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let scope = scope.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let begun = Instant::now();
                let signs = seen.look(&scope, begun);
                if !signs.is_empty() && !tell(signs) {
                    return;
                }
                pause = EVERY.max(begun.elapsed() * REST);
            }
        });
        Self { scope: shared, _end: end }
    }

    /// Polls other folders from now on. The contents of new ones are reported as changed.
    pub fn widen(&self, scope: Scope) {
        *self.scope.lock().unwrap_or_else(PoisonError::into_inner) = scope;
    }
}

/// The state after the last round.
struct Seen {
    root: PathBuf,
    /// Files by absolute path, so that only changed ones need a relative name.
    files: HashMap<OsString, File>,
    /// Number of the last round.
    number: u64,
}

/// A file's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    folder: bool,
    size: u64,
    modified: Option<SystemTime>,
    /// Change time in seconds and nanoseconds.
    entry: (i64, i64),
    /// Inode, which also reveals that a note was renamed.
    number: Option<u64>,
}

#[derive(Debug)]
struct File {
    stamp: Stamp,
    /// Time until which its bytes are compared.
    until: Option<Instant>,
    digest: Option<u64>,
    /// The last round that saw it.
    look: u64,
}

impl Seen {
    fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), files: HashMap::new(), number: 0 }
    }

    /// Runs a round and reports what changed since the last one. The first round reports nothing.
    fn look(&mut self, scope: &Scope, now: Instant) -> Vec<(String, Sign)> {
        // A network that is down does not empty the garden.
        if self.root.read_dir().is_err() {
            return Vec::new();
        }
        self.number += 1;
        let mut signs = Vec::new();
        let root = self.root.clone();
        for top in scope.layout.trees() {
            // Names are made of folders only.
            let visible = |entry: &walkdir::DirEntry| match entry.file_type().is_dir() {
                _ if top == TEMPLATES || entry.depth() == 0 => true,
                true => scope.in_trees(&name(&root, entry.path())),
                false => !hidden(&entry.file_name().to_string_lossy()),
            };
            let entries = WalkDir::new(self.root.join(top)).into_iter().filter_entry(visible);
            // A folder that disappears between two steps is noticed in the next round.
            for entry in entries.filter_map(Result::ok).filter(|entry| entry.depth() > 0) {
                let Ok(meta) = entry.metadata() else { continue };
                self.see(scope, entry.path(), &meta, now, &mut signs);
            }
        }
        for folder in scope.flat() {
            let Ok(entries) = fs::read_dir(self.root.join(&folder)) else { continue };
            for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
                // A configuration or a picture may be a link.
                let Ok(meta) = fs::metadata(&path) else { continue };
                self.see(scope, &path, &meta, now, &mut signs);
            }
        }
        let look = self.number;
        let came: HashMap<u64, String> = signs
            .iter()
            .filter_map(|(path, _)| {
                let file = self.files.get(self.root.join(path).as_os_str())?;
                Some((file.stamp.number?, path.clone()))
            })
            .collect();
        let root = &self.root;
        self.files.retain(|path, file| {
            if file.look != look {
                let path = name(root, Path::new(path));
                let to = file.stamp.number.and_then(|number| came.get(&number));
                let renamed = to.is_some_and(|to| is_note(to) && is_note(&path));
                let sign = match (file.stamp.folder, renamed) {
                    (true, _) => Sign::Folder,
                    (false, true) => Sign::Moved,
                    (false, false) => Sign::Gone,
                };
                // A path that is no longer watched is not reported as gone.
                signs.extend(scope.covers(&path, file.stamp.folder).then_some((path, sign)));
            }
            file.look == look
        });
        if look == 1 { Vec::new() } else { signs }
    }

    fn see(
        &mut self,
        scope: &Scope,
        path: &Path,
        meta: &Metadata,
        now: Instant,
        signs: &mut Vec<(String, Sign)>,
    ) {
        let stamp = Stamp::of(meta);
        let sign = if stamp.folder { Sign::Folder } else { Sign::Done };
        let compared = |until: Option<Instant>| {
            let compared = until.is_some_and(|until| now < until) && stamp.size <= LARGEST;
            if compared && !stamp.folder { digest(path) } else { None }
        };
        match self.files.get_mut(path.as_os_str()) {
            Some(file) if file.look == self.number => {}
            Some(file) if file.stamp == stamp => {
                file.look = self.number;
                file.until = file.until.filter(|until| now < *until);
                if file.until.is_some() {
                    let digest = compared(file.until);
                    if digest != file.digest {
                        file.digest = digest;
                        signs.push((name(&self.root, path), sign));
                    }
                }
            }
            known => {
                let name = name(&self.root, path);
                if !scope.covers(&name, stamp.folder) {
                    return;
                }
                // Files from before the first round have settled, unless their dates are recent.
                let young = || {
                    stamp.modified.is_none_or(|at| at.elapsed().map_or(true, |age| age < RECENT))
                };
                let until = (known.is_some() || self.number > 1 || young()).then(|| now + RECENT);
                let digest = compared(until);
                let file = File { stamp, until, digest, look: self.number };
                signs.push((name, sign));
                self.files.insert(path.as_os_str().to_owned(), file);
            }
        }
    }
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        if meta.is_dir() {
            // A folder's own metadata does not matter.
            return Self { folder: true, size: 0, modified: None, entry: (0, 0), number: None };
        }
        #[cfg(unix)]
        let (entry, number) = {
            use std::os::unix::fs::MetadataExt as _;
            ((meta.ctime(), meta.ctime_nsec()), Some(meta.ino()))
        };
        #[cfg(not(unix))]
        let (entry, number) = ((0, 0), None);
        Self { folder: false, size: meta.len(), modified: meta.modified().ok(), entry, number }
    }
}

/// A path relative to the garden, with `/`.
fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Maximum size of a file that is digested.
const LONGEST: u64 = 16 << 20;

/// A checksum against accidents, not against attacks.
fn digest(path: &Path) -> Option<u64> {
    let bytes = neuronotes_core::file::read(path, LONGEST).ok()?;
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(&bytes);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn date(root: &Path, name: &str, date: SystemTime) {
        let file = fs::File::options().write(true).open(root.join(name)).expect("a file");
        file.set_modified(date).expect("a date");
    }

    /// The report of a round, in order.
    fn look(seen: &mut Seen, now: Instant) -> String {
        let mut signs: Vec<String> = seen
            .look(&Scope::default(), now)
            .into_iter()
            .map(|(path, sign)| format!("{path} {sign:?}"))
            .collect();
        signs.sort();
        signs.join(", ")
    }

    #[test]
    fn every_change_is_found_and_noise_is_not() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path();
        write(root, "notes/a.md", "one");
        write(root, "notes/deep/b.md", "two");
        write(root, "neuronotes.yaml", "title: A");
        let now = Instant::now();
        let mut seen = Seen::new(root);
        assert_eq!(look(&mut seen, now), "", "the first look");
        assert_eq!(look(&mut seen, now), "");
        write(root, "notes/a.md", "three");
        write(root, "notes/new.md", "new");
        write(root, "notes/a.md~", "a backup");
        write(root, "notes/.hidden/c.md", "hidden");
        write(root, ".git/index", "git's");
        write(root, "output/index.html", "ours");
        write(root, "templates/base.html", "a template");
        fs::remove_file(root.join("neuronotes.yaml")).expect("removed");
        assert_eq!(
            look(&mut seen, now),
            "neuronotes.yaml Gone, notes/a.md Done, notes/new.md Done, templates Folder, \
             templates/base.html Done"
        );
        assert_eq!(look(&mut seen, now), "");
        fs::rename(root.join("notes/a.md"), root.join("notes/A.md")).expect("renamed");
        assert_eq!(look(&mut seen, now), "notes/A.md Done, notes/a.md Moved");
        fs::rename(root.join("notes/deep"), root.join("gone")).expect("renamed");
        assert_eq!(look(&mut seen, now), "gone Folder, notes/deep Folder, notes/deep/b.md Gone");
    }

    #[test]
    fn other_bytes_of_the_same_size_and_date_are_found_for_some_seconds() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path();
        let then = SystemTime::now() - Duration::from_secs(3600);
        write(root, "notes/a.md", "one");
        date(root, "notes/a.md", then);
        let now = Instant::now();
        let mut seen = Seen::new(root);
        assert_eq!(look(&mut seen, now), "");
        assert!(
            seen.files[root.join("notes/a.md").as_os_str()].digest.is_none(),
            "an old file is not read"
        );
        write(root, "notes/a.md", "two");
        date(root, "notes/a.md", then);
        assert_eq!(look(&mut seen, now), "notes/a.md Done");
        // As on a file system that counts time in seconds: the next write leaves the stamp as it is.
        let unchanged = |seen: &mut Seen, text: &str| {
            write(root, "notes/a.md", text);
            date(root, "notes/a.md", then);
            let meta = fs::metadata(root.join("notes/a.md")).expect("a file");
            let path = root.join("notes/a.md");
            seen.files.get_mut(path.as_os_str()).expect("seen").stamp = Stamp::of(&meta);
        };
        unchanged(&mut seen, "six");
        assert_eq!(look(&mut seen, now + Duration::from_secs(1)), "notes/a.md Done");
        assert_eq!(look(&mut seen, now + Duration::from_secs(2)), "");
        unchanged(&mut seen, "ten");
        assert_eq!(look(&mut seen, now + RECENT), "", "after that, nothing is read any more");
    }
}
