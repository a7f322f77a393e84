//! Signs in, changes that have settled out: the quiet window, and the disbelief of what an editor empties or
//! removes for a moment. It has no clock, no thread and no disk of its own, all are given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::change::{Change, Sign, within};
use super::noise::is_guarded;

/// After a file was closed or renamed into place. Other events of the same save (a backup removed, rights set)
/// follow within some 0.3 ms.
const LONE: Duration = Duration::from_millis(2);
/// After bytes came without a close. Editors put data and close at most a write to the disk apart; programs that
/// keep a file open never close it.
const UNFINISHED: Duration = Duration::from_millis(15);
/// After one of many paths: between two files, programs such as git and rsync take up to some milliseconds.
const STORM: Duration = Duration::from_millis(25);
/// How many different paths make a storm. The most that one save touches is 4: the note, a file that becomes it, a
/// backup, and a file whose name is tried.
const MANY: usize = 5;
/// Paths that are further apart than this have nothing to do with each other.
const MEMORY: Duration = Duration::from_millis(100);
/// How long events that never stop may put off the look at those before them.
const LONGEST: Duration = Duration::from_millis(250);
/// How long an emptied or vanished note is not believed: some editors truncate a file before they write it, or
/// rename it before they write another one.
const DISBELIEF: Duration = Duration::from_millis(150);

/// Events that have not been told yet.
#[derive(Debug, Default)]
pub struct Settle {
    dirty: BTreeMap<String, Dirty>,
    /// When it was asked to tell that everything is to be looked at.
    all: Option<Instant>,
    /// Emptied and vanished notes, with when they were first seen so.
    held: BTreeMap<String, Instant>,
    /// Different paths of late.
    recent: BTreeSet<String>,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Dirty {
    first: Instant,
    last: Instant,
    sign: Sign,
    /// Whether it is told even where it is empty or gone.
    believed: bool,
}

impl Settle {
    /// Takes in a sign.
    pub fn hear(&mut self, now: Instant, path: String, sign: Sign) {
        self.stir(now);
        // Of a storm, that it is one is all that matters.
        if self.recent.len() < MANY {
            self.recent.insert(path.clone());
        }
        let believed = matches!(sign, Sign::Moved | Sign::Folder);
        let dirty =
            self.dirty.entry(path).or_insert(Dirty { first: now, last: now, sign, believed });
        dirty.last = now;
        // What a folder stands for stays to be looked at.
        if dirty.sign != Sign::Folder {
            dirty.sign = sign;
        }
        // It may have come back after it was renamed, and be gone again.
        dirty.believed = believed || (dirty.believed && sign != Sign::Begun);
    }

    /// Takes in that nobody can tell what changed. Whether that is news.
    pub fn lost(&mut self, now: Instant) -> bool {
        self.stir(now);
        let news = self.all.is_none();
        self.all.get_or_insert(now);
        news
    }

    fn stir(&mut self, now: Instant) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) > MEMORY) {
            self.recent.clear();
        }
        self.last = Some(now);
    }

    /// When something is to be told, unless more comes.
    pub fn due(&self) -> Option<Instant> {
        let held = self.held.values().min().map(|first| *first + DISBELIEF);
        self.quiet().into_iter().chain(held).min()
    }

    /// When the quiet window ends.
    fn quiet(&self) -> Option<Instant> {
        let first = self.dirty.values().map(|dirty| dirty.first).chain(self.all).min()?;
        let storm = self.all.is_some() || self.recent.len() >= MANY;
        let end = match (storm, self.last) {
            (true, Some(last)) => Some(last + STORM),
            _ => self.dirty.values().map(Dirty::quiet).max(),
        };
        Some(end?.min(first + LONGEST))
    }

    /// What is to be told now. `has_text` says whether there is a file with any bytes at a path, or a folder.
    pub fn take(&mut self, now: Instant, has_text: impl Fn(&str) -> bool) -> Option<Change> {
        let mut paths = BTreeSet::new();
        let mut first = None;
        let mut tell = |path: Option<String>, at: Instant| {
            paths.extend(path);
            first = Some(first.map_or(at, |first: Instant| first.min(at)));
        };
        let mut all = false;
        if self.quiet().is_some_and(|end| end <= now) {
            if let Some(at) = self.all.take() {
                all = true;
                tell(None, at);
            }
            let dirty = std::mem::take(&mut self.dirty);
            let is_folder = |of: &Dirty| of.sign == Sign::Folder;
            let folders = dirty.iter().filter(|(_, of)| is_folder(of)).map(|(path, _)| path);
            let folders: Vec<String> = folders.cloned().collect();
            // A folder stands for what is below it, emptied notes too: who removes a folder means it.
            let below = |path: &str| folders.iter().any(|f| f != path && within(path, f));
            self.held.retain(|path, _| !below(path));
            for (path, of) in dirty {
                if below(&path) {
                    tell(None, of.first);
                } else if all || of.believed || !is_guarded(&path) || has_text(&path) {
                    self.held.remove(&path);
                    tell(Some(path), of.first);
                } else {
                    self.held.entry(path).or_insert(of.first);
                }
            }
        }
        if all {
            self.held.clear();
        }
        self.held.retain(|path, at| {
            let waits = *at + DISBELIEF > now;
            if !waits {
                tell(Some(path.clone()), *at);
            }
            waits
        });
        let first = first?;
        Some(Change { paths, all, first })
    }
}

impl Dirty {
    fn quiet(&self) -> Instant {
        let wait = match self.sign {
            Sign::Done | Sign::Gone | Sign::Moved => LONE,
            // More is to come: what is in a new folder.
            Sign::Begun | Sign::Folder => UNFINISHED,
        };
        self.last + wait
    }
}
