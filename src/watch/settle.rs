//! Decides when changes have settled: waits for a quiet period, and ignores notes that editors empty or remove for a
//! moment. Time and disk access are passed in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::change::{Change, Sign, within};
use super::noise::is_guarded;

/// Quiet period after a file was closed or renamed into place. Other events of the same save (a removed backup,
/// changed permissions) follow within about 0.3 ms.
const LONE: Duration = Duration::from_millis(2);
/// Quiet period after a write without a close. Editors close a file at most one disk write after the data; programs
/// that keep a file open never close it.
const UNFINISHED: Duration = Duration::from_millis(15);
/// Quiet period after one of many paths: programs such as git and rsync take up to some milliseconds between two
/// files.
const STORM: Duration = Duration::from_millis(25);
/// Number of different paths that make a storm. A single save touches at most 4: the note, its replacement, a backup,
/// and a file that tests a name.
const MANY: usize = 5;
/// Paths whose changes are further apart than this are unrelated.
const MEMORY: Duration = Duration::from_millis(100);
/// Maximum delay of a change while events keep coming.
const LONGEST: Duration = Duration::from_millis(250);
/// Time for which an emptied or missing note is ignored: some editors truncate a file before writing it, or rename it
/// before writing the new one.
const DISBELIEF: Duration = Duration::from_millis(150);

/// Events that have not been reported yet.
#[derive(Debug, Default)]
pub struct Settle {
    dirty: BTreeMap<String, Dirty>,
    /// When it was first known that everything must be looked at.
    all: Option<Instant>,
    /// Emptied and missing notes, with the time since when.
    held: BTreeMap<String, Instant>,
    /// Different recent paths.
    recent: BTreeSet<String>,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Dirty {
    first: Instant,
    last: Instant,
    sign: Sign,
    /// Whether it is reported even if it is empty or missing.
    believed: bool,
}

impl Settle {
    /// Adds an event about a path.
    pub fn hear(&mut self, now: Instant, path: String, sign: Sign) {
        self.stir(now);
        // Once it is a storm, further paths do not matter.
        if self.recent.len() < MANY {
            self.recent.insert(path.clone());
        }
        let believed = matches!(sign, Sign::Moved | Sign::Folder);
        let dirty =
            self.dirty.entry(path).or_insert(Dirty { first: now, last: now, sign, believed });
        dirty.last = now;
        // A folder stays reported as a folder.
        if dirty.sign != Sign::Folder {
            dirty.sign = sign;
        }
        // It may have come back after it was renamed, and be gone again.
        dirty.believed = believed || (dirty.believed && sign != Sign::Begun);
    }

    /// Adds that everything must be looked at. Returns whether that is new.
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

    /// When the next change is due, unless more events come.
    pub fn due(&self) -> Option<Instant> {
        let held = self.held.values().min().map(|first| *first + DISBELIEF);
        self.quiet().into_iter().chain(held).min()
    }

    /// When the quiet period ends.
    fn quiet(&self) -> Option<Instant> {
        let first = self.dirty.values().map(|dirty| dirty.first).chain(self.all).min()?;
        let storm = self.all.is_some() || self.recent.len() >= MANY;
        let end = match (storm, self.last) {
            (true, Some(last)) => Some(last + STORM),
            _ => self.dirty.values().map(Dirty::quiet).max(),
        };
        Some(end?.min(first + LONGEST))
    }

    /// The change that is due now. `has_text` says whether there is a non-empty file, or a folder, at a path.
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
            // A folder stands for everything below it, including emptied notes: removing a folder is intentional.
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
            // The contents of a new folder follow.
            Sign::Begun | Sign::Folder => UNFINISHED,
        };
        self.last + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `Settle` with its own clock and a disk that is a list of non-empty files.
    struct Bench {
        settle: Settle,
        begun: Instant,
        text: BTreeSet<&'static str>,
    }

    impl Bench {
        fn new(text: &[&'static str]) -> Self {
            let text = text.iter().copied().collect();
            Self { settle: Settle::default(), begun: Instant::now(), text }
        }

        fn at(&self, ms: f64) -> Instant {
            self.begun + Duration::from_secs_f64(ms / 1000.0)
        }

        fn hear(&mut self, ms: f64, path: &str, sign: Sign) {
            self.settle.hear(self.at(ms), path.to_owned(), sign);
        }

        /// When the next change is reported, in milliseconds, and its paths; `*` for everything.
        fn told(&mut self) -> Option<(u64, String)> {
            loop {
                let due = self.settle.due()?;
                let text = &self.text;
                if let Some(change) = self.settle.take(due, |path| text.contains(path)) {
                    let mut paths: Vec<&str> = change.paths.iter().map(String::as_str).collect();
                    paths.extend(change.all.then_some("*"));
                    let ms = (due - self.begun).as_secs_f64() * 1000.0;
                    return Some((ms.round() as u64, paths.join(" ")));
                }
            }
        }
    }

    fn told(ms: u64, paths: &str) -> Option<(u64, String)> {
        Some((ms, paths.to_owned()))
    }

    #[test]
    fn a_finished_save_is_told_at_once_and_an_unfinished_one_waits_for_its_end() {
        let mut bench = Bench::new(&["notes/a.md"]);
        bench.hear(0.0, "notes/a.md", Sign::Done);
        assert_eq!(bench.told(), told(2, "notes/a.md"));
        assert_eq!(bench.told(), None);
        bench.hear(300.0, "notes/a.md", Sign::Begun);
        bench.hear(308.0, "notes/a.md", Sign::Done);
        assert_eq!(bench.told(), told(310, "notes/a.md"));
        bench.hear(600.0, "notes/a.md", Sign::Begun);
        assert_eq!(bench.told(), told(615, "notes/a.md"), "a file that is never closed");
    }

    #[test]
    fn a_storm_is_told_once_after_its_end_but_not_later_than_the_longest_wait() {
        let paths = ["a", "b", "c", "d", "e", "f", "g"].map(|n| format!("notes/{n}.png"));
        let mut bench = Bench::new(&[]);
        for (number, path) in paths.iter().enumerate() {
            bench.hear(number as f64, path, Sign::Done);
        }
        assert_eq!(bench.told(), told(31, &paths.join(" ")));
        // What follows shortly after a storm still belongs to it.
        bench.hear(50.0, "notes/h.png", Sign::Done);
        assert_eq!(bench.told(), told(75, "notes/h.png"));
        bench.hear(500.0, "notes/h.png", Sign::Done);
        assert_eq!(bench.told(), told(502, "notes/h.png"));
        for ms in 1000..1400 {
            bench.hear(f64::from(ms), "notes/log.txt", Sign::Begun);
        }
        assert_eq!(bench.told(), told(1250, "notes/log.txt"));
    }

    #[test]
    fn an_emptied_or_vanished_note_is_disbelieved_while_others_are_told() {
        let mut bench = Bench::new(&["notes/b.md"]);
        bench.hear(0.0, "notes/a.md", Sign::Gone);
        bench.hear(1.0, "notes/b.md", Sign::Done);
        assert_eq!(bench.told(), told(3, "notes/b.md"));
        // It comes back in time.
        bench.text.insert("notes/a.md");
        bench.hear(40.0, "notes/a.md", Sign::Done);
        assert_eq!(bench.told(), told(42, "notes/a.md"));
        assert_eq!(bench.told(), None);
        // It does not.
        bench.text.remove("notes/a.md");
        bench.hear(1000.0, "notes/a.md", Sign::Begun);
        bench.hear(1020.0, "notes/a.md", Sign::Done);
        assert_eq!(bench.told(), told(1150, "notes/a.md"));
        // Other files are reported as they are.
        bench.hear(2000.0, "notes/a.png", Sign::Gone);
        assert_eq!(bench.told(), told(2002, "notes/a.png"));
        for path in ["neuronotes.yaml", "templates/note.html"] {
            bench.hear(3000.0, path, Sign::Gone);
            assert_eq!(bench.told(), told(3150, path));
        }
    }

    #[test]
    fn a_renamed_note_and_a_removed_folder_are_believed_at_once() {
        let mut bench = Bench::new(&["notes/A.md"]);
        bench.hear(0.0, "notes/a.md", Sign::Gone);
        bench.hear(0.1, "notes/A.md", Sign::Done);
        bench.hear(0.2, "notes/a.md", Sign::Moved);
        bench.hear(0.2, "notes/A.md", Sign::Done);
        assert_eq!(bench.told(), told(2, "notes/A.md notes/a.md"));
        bench.hear(500.0, "notes/deep/a.md", Sign::Gone);
        assert_eq!(bench.told().map(|_| ()), Some(()), "held for its time");
        bench.hear(1000.0, "notes/deep/a.md", Sign::Gone);
        bench.hear(1000.1, "notes/deep/b.md", Sign::Gone);
        bench.hear(1000.2, "notes/deep", Sign::Folder);
        assert_eq!(bench.told(), told(1015, "notes/deep"));
        assert_eq!(bench.told(), None);
    }

    #[test]
    fn after_lost_events_everything_is_told_whatever_is_empty() {
        let mut bench = Bench::new(&[]);
        bench.hear(0.0, "notes/a.md", Sign::Gone);
        let due = bench.at(10.0);
        assert_eq!(bench.settle.take(due, |_| false), None);
        let (at, again) = (bench.at(20.0), bench.at(21.0));
        assert!(bench.settle.lost(at) && !bench.settle.lost(again));
        assert_eq!(bench.told(), told(46, "*"));
        assert_eq!(bench.told(), None);
    }
}
