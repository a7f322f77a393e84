//! Which folders of a garden are watched, and whether by the system's events or by polling.
//!
//! If the system watches single folders (inotify), folders are watched one by one instead of in notify's recursive
//! mode: hidden folders among the notes are left out, an unreadable folder does not stop the others, and a new folder
//! is watched before it is read, so that nothing that appears in it is missed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::{Instant, SystemTime};

use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::change::{Mode, Sign, within};
use super::choose;
use super::event::is_access;
use super::noise::Scope;
use super::poll::{EVERY, Poller};

/// Whether folders are watched one by one.
const SINGLY: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A message to the watch's thread.
#[derive(Debug)]
pub enum Signal {
    /// An event of the system, or an error.
    Event(Instant, notify::Result<Event>),
    /// A path found by a poller, or to be looked at for another reason.
    Signs(Instant, Vec<(String, Sign)>),
    /// Everything must be looked at.
    Lost(Instant),
}

/// A folder's inode, and its creation time since inodes are reused.
type Identity = (u64, Option<SystemTime>);

/// The watched folders.
pub struct Cover {
    root: PathBuf,
    mode: Mode,
    scope: Scope,
    sender: Sender<Signal>,
    source: Source,
    /// The watched folders by name in the garden.
    covered: BTreeMap<String, Identity>,
    /// File systems of folders by device number, with their names if they do not report every change.
    devices: BTreeMap<u64, Option<&'static str>>,
}

enum Source {
    Native(Box<dyn Watcher + Send>),
    Poll(Poller),
}

/// Why events are not sufficient.
enum Unfit {
    /// The garden or a part of it is on such a file system.
    Silent(&'static str),
    Failed(notify::Error),
}

impl Unfit {
    fn cause(&self) -> String {
        match self {
            Self::Silent(name) => format!("{name} gives no events for changes made elsewhere"),
            Self::Failed(error) => choose::cause(error),
        }
    }
}

impl Cover {
    /// Watches the garden in `root`; also returns a description of the method.
    ///
    /// # Errors
    /// If events are required and unavailable.
    pub fn start(
        root: &Path,
        scope: Scope,
        mode: Mode,
        sender: Sender<Signal>,
    ) -> notify::Result<(Self, String)> {
        let asked = mode == Mode::Poll;
        let source = match mode {
            Mode::Poll => Err(None),
            Mode::Auto | Mode::Native => {
                native(&sender).map_err(|error| Some(Unfit::Failed(error)))
            }
        };
        let (source, unfit) = match source {
            Ok(source) => (source, None),
            Err(unfit) => (Source::Poll(poller(root, &scope, &sender)), unfit),
        };
        let mut cover = Self {
            root: root.to_owned(),
            mode,
            scope,
            sender,
            source,
            covered: BTreeMap::new(),
            devices: BTreeMap::new(),
        };
        let unfit = unfit.or_else(|| cover.everything().err());
        match unfit {
            Some(Unfit::Failed(error)) if mode == Mode::Native => {
                let cause = choose::cause(&error);
                Err(notify::Error::generic(&cause))
            }
            Some(unfit) => {
                cover.poll();
                Ok((cover, format!("{}, since {}", looking(), unfit.cause())))
            }
            None if asked => Ok((cover, format!("{}, as requested", looking()))),
            None => {
                let silent = cover.devices.values().find_map(|name| *name);
                let but = silent.map(|name| {
                    format!(", although {name} gives no events for changes made elsewhere")
                });
                Ok((cover, format!("watching by file events{}", but.unwrap_or_default())))
            }
        }
    }

    /// The layout of what is watched.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether a folder of that name is watched, or was at the last check.
    pub fn knows(&self, name: &str) -> bool {
        self.covered.contains_key(name)
    }

    /// Whether the garden's own folder is missing, so that no event reports its return.
    pub fn is_blind(&self) -> bool {
        matches!(self.source, Source::Native(_)) && !self.covered.contains_key("")
    }

    /// Handles a folder that appeared, disappeared or was replaced: watches what is there now, with everything below
    /// it.
    ///
    /// # Errors
    /// If it is the garden's own folder and cannot be watched.
    pub fn replaced(&mut self, name: &str) -> notify::Result<()> {
        self.covered.retain(|covered, _| !within(covered, name));
        let tops = self.tops().into_iter().filter(|top| within(top, name));
        let inside = self.scope.in_trees(name) && SINGLY;
        let names: Vec<String> = tops.chain(inside.then(|| name.to_owned())).collect();
        let watched = names.iter().try_for_each(|name| self.add(name));
        self.settle_for(watched)
    }

    /// Events were lost: watches everything again.
    ///
    /// # Errors
    /// If the garden's own folder cannot be watched.
    pub fn anew(&mut self) -> notify::Result<()> {
        if let Source::Native(watcher) = &mut self.source {
            // First those that are gone: a folder that was renamed has its watch under both names.
            for (name, identity_then) in &self.covered {
                let path = self.root.join(name);
                if identity(&path).as_ref() != Some(identity_then) {
                    let _ = watcher.unwatch(&path);
                }
            }
        }
        let watched = self.everything();
        self.settle_for(watched)
    }

    /// Watches this part of the garden from now on. New folders of pictures are reported as changed, since they may
    /// have changed before they were watched; if the layout is different, everything is.
    ///
    /// # Errors
    /// If the garden's own folder cannot be watched.
    pub fn widen(&mut self, scope: Scope) -> notify::Result<()> {
        let (before, after) = (self.scope.flat(), scope.flat());
        let laid_out = std::mem::replace(&mut self.scope, scope).layout;
        if laid_out != self.scope.layout && matches!(self.source, Source::Native(_)) {
            if let Source::Native(watcher) = &mut self.source {
                for name in self.covered.keys().filter(|name| !name.is_empty()) {
                    let _ = watcher.unwatch(&self.root.join(name));
                }
            }
            let watched = self.everything();
            self.settle_for(watched)?;
            let _ = self.sender.send(Signal::Lost(Instant::now()));
            return Ok(());
        }
        match &mut self.source {
            Source::Poll(poller) => {
                poller.widen(self.scope.clone());
                return Ok(());
            }
            Source::Native(watcher) => {
                for gone in before.difference(&after).filter(|name| !self.scope.in_trees(name)) {
                    if self.covered.remove(gone).is_some() {
                        // It may be gone from the disk as well.
                        let _ = watcher.unwatch(&self.root.join(gone));
                    }
                }
            }
        }
        let new: Vec<&String> = after.difference(&before).collect();
        for name in &new {
            let watched = self.add(name);
            self.settle_for(watched)?;
        }
        let signs: Vec<(String, Sign)> =
            new.into_iter().map(|name| (name.clone(), Sign::Folder)).collect();
        if !signs.is_empty() {
            let _ = self.sender.send(Signal::Signs(Instant::now(), signs));
        }
        Ok(())
    }

    /// The folders that are in no other watched folder, and the parents of folders of pictures.
    fn tops(&self) -> Vec<String> {
        let trees = self.scope.layout.trees().into_iter().map(str::to_owned);
        let tops: BTreeSet<String> = self.scope.flat().into_iter().chain(trees).collect();
        tops.into_iter().collect()
    }

    fn everything(&mut self) -> Result<(), Unfit> {
        self.covered.clear();
        self.tops().iter().try_for_each(|name| self.add(name))
    }

    /// Watches a folder and, if it is part of the notes or templates, everything below it.
    fn add(&mut self, name: &str) -> Result<(), Unfit> {
        let Source::Native(watcher) = &mut self.source else { return Ok(()) };
        let tree = self.scope.in_trees(name);
        let mode = match tree && !SINGLY {
            true => RecursiveMode::Recursive,
            false => RecursiveMode::NonRecursive,
        };
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            let path = self.root.join(&name);
            let Some(identity) = identity(&path) else { continue };
            let device = self.devices.entry(device(&path)).or_insert_with(|| choose::silent(&path));
            if let (Some(file_system), Mode::Auto) = (*device, self.mode) {
                return Err(Unfit::Silent(file_system));
            }
            match watcher.watch(&path, mode) {
                Ok(()) => drop(self.covered.insert(name.clone(), identity)),
                Err(error) if is_limit(&error) || name.is_empty() => {
                    return Err(Unfit::Failed(error));
                }
                // It is gone or unreadable; if that changes, its parent folder reports it.
                Err(_) => continue,
            }
            // From here on, new entries are reported; existing ones are found now.
            let Ok(entries) = path.read_dir() else { continue };
            for entry in entries.filter_map(Result::ok).filter(|_| tree && SINGLY) {
                let below = entry.file_name().to_string_lossy().into_owned();
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let below = if name.is_empty() { below } else { format!("{name}/{below}") };
                if is_folder && self.scope.in_trees(&below) {
                    open.push(below);
                }
            }
        }
        Ok(())
    }

    /// Switches to polling because events no longer suffice, and reports that.
    fn settle_for(&mut self, watched: Result<(), Unfit>) -> notify::Result<()> {
        match watched {
            Ok(()) => Ok(()),
            // The garden is gone, and may come back.
            Err(Unfit::Failed(error)) if !is_limit(&error) => Err(error),
            Err(unfit) => {
                neuronotes_core::say::err(format_args!(
                    "{} from now on, since {}",
                    looking(),
                    unfit.cause()
                ));
                self.poll();
                let _ = self.sender.send(Signal::Lost(Instant::now()));
                Ok(())
            }
        }
    }

    fn poll(&mut self) {
        if !matches!(self.source, Source::Poll(_)) {
            self.source = Source::Poll(poller(&self.root, &self.scope, &self.sender));
            self.covered.clear();
        }
    }
}

impl std::fmt::Debug for Cover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cover").field("root", &self.root).field("covered", &self.covered).finish()
    }
}

fn looking() -> String {
    format!("polling every {:.1} s", EVERY.as_secs_f64())
}

fn native(sender: &Sender<Signal>) -> notify::Result<Source> {
    let sender = sender.clone();
    let handler = move |event: notify::Result<Event>| {
        if !event.as_ref().is_ok_and(is_access) {
            let _ = sender.send(Signal::Event(Instant::now(), event));
        }
    };
    Ok(Source::Native(Box::new(RecommendedWatcher::new(handler, Config::default())?)))
}

fn poller(root: &Path, scope: &Scope, sender: &Sender<Signal>) -> Poller {
    let sender = sender.clone();
    let tell = move |signs| sender.send(Signal::Signs(Instant::now(), signs)).is_ok();
    Poller::start(root, scope.clone(), tell)
}

/// Whether the system refuses to watch further folders.
fn is_limit(error: &notify::Error) -> bool {
    matches!(error.kind, ErrorKind::MaxFilesWatch)
}

/// What distinguishes a folder from another at the same path; `None` if there is none.
fn identity(path: &Path) -> Option<Identity> {
    let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((number, meta.created().ok()))
}

/// The device of a folder.
fn device(path: &Path) -> u64 {
    #[cfg(unix)]
    return std::fs::metadata(path).map_or(0, |meta| std::os::unix::fs::MetadataExt::dev(&meta));
    #[cfg(not(unix))]
    return path.as_os_str().is_empty().into();
}
