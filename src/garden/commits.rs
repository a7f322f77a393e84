//! When lines of files were committed, as git says: for claims, which are predictions if they are older than the result.
//!
//! Incremental: only files with claims are looked at, each with one call of git. What was found is kept with the commit that was
//! checked out; later, files that have changed since are looked at again.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::place;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dates::git;

/// Maximum size of the cache file in bytes.
const LONGEST: u64 = 256 << 20;

/// When lines were committed, in seconds since 1970; `None` for one that is not.
type Known = BTreeMap<String, BTreeMap<String, Option<i64>>>;

/// When lines of files were committed.
#[derive(Debug, Default)]
pub struct Commits {
    root: PathBuf,
    /// The commit that is checked out; `None` without git, before the first commit and in a shallow clone.
    head: Option<String>,
    /// File of the cache.
    kept: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What was asked for; `None` before the cache was read.
    known: Option<Known>,
    /// All lines of files that git was asked about.
    blamed: HashMap<String, Arc<HashMap<String, i64>>>,
    /// Number of calls of git for a file.
    calls: usize,
    changed: bool,
}

/// The cache file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    head: String,
    files: Known,
}

impl Commits {
    /// Of the garden in `root`, at this commit; what is found is kept in the file `kept`.
    pub fn new(root: &Path, head: Option<&str>, kept: PathBuf) -> Self {
        let head = head.map(str::to_owned);
        Self { root: root.to_owned(), head, kept, state: Mutex::default() }
    }

    /// When the youngest of these lines of a file was committed as it is, in seconds since 1970; `None` if one is not. Of
    /// lines that are equal, the youngest counts. Indentation does not.
    pub fn since<'l>(&self, file: &str, lines: impl IntoIterator<Item = &'l str>) -> Option<i64> {
        let head = self.head.as_deref()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut since = None;
        for line in lines.into_iter().map(str::trim).filter(|line| !line.is_empty()) {
            since = since.max(Some(self.of_line(&mut state, head, file, line)?));
        }
        since
    }

    /// Asks git about several files at once, on all cores, so that a new clone of a large garden is not looked at file by file.
    pub fn prepare(&self, files: &[&str]) {
        let Some(head) = self.head.as_deref() else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let known = state.known.get_or_insert_with(|| self.load(head));
        let is_new =
            |file: &&&str| !known.contains_key(**file) && !state.blamed.contains_key(**file);
        let new: Vec<&str> = files.iter().filter(is_new).copied().collect();
        if new.len() < 2 {
            return;
        }
        let asked =
            new.into_par_iter().map(|file| (file.to_owned(), Arc::new(self.blame(head, file))));
        let asked: Vec<_> = asked.collect();
        state.calls += asked.len();
        state.blamed.extend(asked);
    }

    fn of_line(&self, state: &mut State, head: &str, file: &str, line: &str) -> Option<i64> {
        let known = state.known.get_or_insert_with(|| self.load(head));
        if let Some(found) = known.get(file).and_then(|lines| lines.get(line)) {
            return *found;
        }
        let blamed = match state.blamed.get(file) {
            Some(blamed) => Arc::clone(blamed),
            None => {
                state.calls += 1;
                let blamed = Arc::new(self.blame(head, file));
                state.blamed.insert(file.to_owned(), Arc::clone(&blamed));
                blamed
            }
        };
        let found = blamed.get(line).copied();
        known.entry(file.to_owned()).or_default().insert(line.to_owned(), found);
        state.changed = true;
        found
    }

    /// When each line of a file was committed.
    fn blame(&self, head: &str, file: &str) -> HashMap<String, i64> {
        // Commits that a repository's owner wants ignored count all the same.
        let blame = ["-c", "blame.ignoreRevsFile=", "blame", "-w", "--porcelain", head, "--", file];
        let mut lines: HashMap<String, i64> = HashMap::new();
        let (mut times, mut commit) = (HashMap::new(), String::new());
        for line in git(&self.root, &blame).unwrap_or_default().lines() {
            if let Some(text) = line.strip_prefix('\t') {
                let time = times.get(&commit).copied().unwrap_or(i64::MAX);
                let known = lines.entry(text.trim().to_owned()).or_insert(time);
                *known = time.max(*known);
            } else if let Some(time) = line.strip_prefix("committer-time ") {
                times.insert(commit.clone(), time.parse().unwrap_or(i64::MAX));
            } else if let Some((id, _)) = line.split_once(' ')
                && id.len() >= 40
                && id.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                id.clone_into(&mut commit);
            }
        }
        lines
    }

    /// What the cache says of files that have not changed since.
    fn load(&self, head: &str) -> Known {
        let read = || {
            let text = String::from_utf8(place::read(&self.kept, LONGEST).ok()?).ok()?;
            let (digest, json) = text.split_once('\n')?;
            let whole = digest == Digest::of(json.as_bytes()).hex();
            whole.then(|| serde_json::from_str::<Kept>(json).ok())?
        };
        let Some(mut kept) = read() else { return Known::new() };
        if kept.head == head {
            return kept.files;
        }
        let range = [kept.head.as_str(), head];
        let is_before = git(&self.root, &["merge-base", "--is-ancestor", range[0], range[1]]);
        let diff =
            ["-c", "core.quotePath=false", "diff", "--name-only", "--no-renames", "--relative"];
        let changed = is_before.and_then(|_| git(&self.root, &[&diff[..], &range].concat()));
        // What was rewritten is looked at anew.
        let Some(changed) = changed else { return Known::new() };
        changed.lines().for_each(|file| drop(kept.files.remove(file)));
        // What was not committed then may be now.
        kept.files.values_mut().for_each(|lines| lines.retain(|_, time| time.is_some()));
        kept.files
    }

    /// Keeps what was found for the next run; losing it costs time only.
    pub fn save(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(head), Some(files), true) = (&self.head, &state.known, state.changed) else {
            return;
        };
        let kept = Kept { head: head.clone(), files: files.clone() };
        let Ok(json) = serde_json::to_string(&kept) else { return };
        let text = format!("{}\n{json}", Digest::of(json.as_bytes()).hex());
        if let Some(folder) = self.kept.parent().filter(|at| fs::create_dir_all(at).is_ok()) {
            state.changed = file::replace(folder, &self.kept, text.as_bytes()).is_err();
        }
    }

    /// Number of files that git was asked about.
    #[cfg(test)]
    fn calls(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).calls
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn run(root: &Path, arguments: &[&str], day: &str) {
        let status = Command::new("git")
            .arg("-C")
            .arg(root)
            .args(["-c", "user.name=A", "-c", "user.email=a@b.c"])
            .args(arguments)
            .env("GIT_COMMITTER_DATE", format!("{day}T12:00:00Z"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("git");
        assert!(status.success(), "{arguments:?}");
    }

    fn save(root: &Path, text: &str, day: &str) {
        fs::create_dir_all(root.join("notes")).expect("a folder");
        fs::write(root.join("notes/größe.md"), text).expect("a note");
        run(root, &["add", "."], day);
        run(root, &["commit", "-q", "-m", "x"], day);
    }

    fn commits(root: &Path) -> Commits {
        let head = git(root, &["rev-parse", "-q", "--verify", "HEAD"]);
        let kept = root.join(".git/kept");
        Commits::new(root, head.as_deref().map(str::trim), kept)
    }

    fn day(commits: &Commits, lines: &[&str]) -> Option<String> {
        let time = commits.since("notes/größe.md", lines.iter().copied())?;
        Some(jiff::Timestamp::from_second(time).expect("a time").strftime("%F").to_string())
    }

    #[test]
    fn a_line_is_as_old_as_the_commit_that_wrote_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path();
        run(root, &["init", "-q"], "2026-01-01");
        assert_eq!(day(&commits(root), &["a > 1"]), None, "before the first commit");
        save(root, "- a > 1\n- b > 1\n", "2026-01-02");
        save(root, "text\n  - a > 1\n- b > 2\n", "2026-01-05");
        let found = commits(root);
        let of = |line: &str| day(&found, &[line]);
        assert_eq!(of("- b > 2"), Some("2026-01-05".to_owned()));
        assert_eq!((of("- b > 1"), of("new")), (None, None), "these are not in the last commit");
        assert_eq!(of("- a > 1"), Some("2026-01-02".to_owned()), "it was only moved");
        assert_eq!(day(&found, &["text", "- b > 1"]), None, "all of them have to be committed");
        assert_eq!(day(&found, &[]), None, "no line is not committed");
        assert_eq!(found.calls(), 1, "git is asked once for a file");
        found.save();
        let again = commits(root);
        assert_eq!((day(&again, &["- b > 2"]), again.calls()), (Some("2026-01-05".to_owned()), 0));
        // A commit of another file changes nothing.
        fs::write(root.join("b.txt"), "b").expect("a file");
        run(root, &["add", "."], "2026-01-06");
        run(root, &["commit", "-q", "-m", "x"], "2026-01-06");
        let again = commits(root);
        assert_eq!((day(&again, &["- b > 2"]), again.calls()), (Some("2026-01-05".to_owned()), 0));
        save(root, "- b > 2\n- c > 1\n", "2026-01-08");
        let again = commits(root);
        assert_eq!((day(&again, &["- c > 1"]), again.calls()), (Some("2026-01-08".to_owned()), 1));
        fs::write(root.join(".git/kept"), "damaged").expect("a file");
        assert_eq!(day(&commits(root), &["- b > 2"]), Some("2026-01-05".to_owned()));
    }
}
