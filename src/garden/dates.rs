//! Dates of notes: creation and last change, from front matter or else from git, never from the clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use jiff::civil::Date;
use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::place;
use serde::{Deserialize, Serialize};

use crate::note::Note;
use crate::view::DateView;

/// First and last commit of each file, by path relative to the garden.
///
/// Incremental: dates are cached for the current commit. If a later commit is checked out, only the commits since are
/// read. If history was rewritten or the cache is damaged, everything is read again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GitDates {
    files: Files,
    /// The file that git writes at each checkout, with its length and modification time.
    reflog: Option<(PathBuf, Option<(u64, SystemTime)>)>,
    /// File of the cached dates.
    kept: PathBuf,
    /// The commit that is checked out, if its history is known.
    head: Option<String>,
    /// Number of commits that were read.
    commits: usize,
}

/// Days of the first and last commit of each file.
type Files = BTreeMap<String, (Date, Date)>;

/// Maximum size of the cache file in bytes.
const LONGEST: u64 = 512 << 20;

/// The dates in the cache file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The commit they belong to.
    head: String,
    /// The garden's path in its repository.
    prefix: String,
    /// The days of [`Files`] as text.
    files: BTreeMap<String, (String, String)>,
}

impl Kept {
    /// Reads the cache file; `None` if it is damaged.
    fn load(path: &Path) -> Option<Self> {
        let text = String::from_utf8(place::read(path, LONGEST).ok()?).ok()?;
        let (digest, json) = text.split_once('\n')?;
        (digest == Digest::of(json.as_bytes()).hex()).then(|| serde_json::from_str(json).ok())?
    }

    /// The dates; `None` if one is invalid.
    fn files(&self) -> Option<Files> {
        let day = |text: &str| text.parse::<Date>().ok();
        let days = |(first, last): &(String, String)| Some((day(first)?, day(last)?));
        self.files.iter().map(|(file, kept)| Some((file.clone(), days(kept)?))).collect()
    }

    /// Writes the cache file; losing it costs time only.
    fn save(&self, path: &Path) {
        let Ok(json) = serde_json::to_string(self) else { return };
        let text = format!("{}\n{json}", Digest::of(json.as_bytes()).hex());
        if let Some(folder) = path.parent().filter(|folder| fs::create_dir_all(folder).is_ok()) {
            let _ = file::replace(folder, path, text.as_bytes());
        }
    }
}

impl GitDates {
    /// Asks git once for the whole garden, except for dates in the cache file `kept`. Empty if there is no git, no
    /// repository, or a shallow clone, whose history would date every note to its last deployment.
    pub fn read(root: &Path, kept: &Path) -> Self {
        let mut dates = Self { kept: kept.to_owned(), ..Self::default() };
        // One call for all: git takes milliseconds to start. Before the first commit it fails at the last of these.
        let asked = ["--is-shallow-repository", "--show-prefix", "--git-path", "logs/HEAD"];
        let about = [&["rev-parse"], &asked[..], &["--verify", "-q", "HEAD"]].concat();
        let about = git(root, &about).or_else(|| git(root, &[&["rev-parse"], &asked[..]].concat()));
        let Some(about) = about else { return dates };
        let mut about = about.lines();
        let mut next = || about.next().unwrap_or_default().to_owned();
        let (shallow, prefix, reflog, head) = (next(), next(), root.join(next()), next());
        let stamp = stamp(&reflog);
        dates.reflog = Some((reflog, stamp));
        if shallow != "false" || head.is_empty() {
            return dates;
        }
        dates.head = Some(head.clone());
        let known = Kept::load(kept).filter(|known| known.prefix == prefix);
        let mut range = head.clone();
        if let Some((known, files)) = known.and_then(|known| known.files().map(|f| (known, f))) {
            if known.head == head {
                dates.files = files;
                return dates;
            }
            if git(root, &["merge-base", "--is-ancestor", &known.head, &head]).is_some() {
                dates.files = files;
                range = format!("{}..{head}", known.head);
            }
        }
        dates.read_log(root, &range);
        let days = |(first, last): &(Date, Date)| (first.to_string(), last.to_string());
        let files = dates.files.iter().map(|(file, dates)| (file.clone(), days(dates))).collect();
        Kept { head, prefix, files }.save(kept);
        dates
    }

    /// Adds the commits of a range. The result does not depend on their order.
    fn read_log(&mut self, root: &Path, range: &str) {
        let settings = ["-c", "core.quotePath=false", "-c", "log.showSignature=false"];
        let log = ["log", "--format=%x01%as", "--name-only", "--relative", range, "--"];
        let log = git(root, &[&settings[..], &log[..]].concat()).unwrap_or_default();
        for commit in log.split('\u{1}').skip(1) {
            self.commits += 1;
            let mut lines = commit.lines();
            let Some(date) = lines.next().and_then(|day| day.parse::<Date>().ok()) else {
                continue;
            };
            for file in lines.filter(|line| !line.is_empty()) {
                let (first, last) = self.files.entry(file.to_owned()).or_insert((date, date));
                *first = date.min(*first);
                *last = date.max(*last);
            }
        }
    }

    /// The commit that is checked out; `None` without git, before the first commit and in a shallow clone.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// Asks git again if something was committed or checked out since. Returns whether it was.
    pub fn look_again(&mut self, root: &Path) -> bool {
        let Some((reflog, known)) = &self.reflog else { return false };
        if stamp(reflog) == *known {
            return false;
        }
        let now = Self::read(root, &self.kept);
        let before = std::mem::replace(self, now);
        before.files != self.files || before.head != self.head
    }
}

/// Output of git; `None` if it fails.
pub(super) fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A file's length and modification time.
fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// When a note was created and last changed.
pub fn of(note: &Note, git: &GitDates) -> (Option<Date>, Option<Date>) {
    let committed = git.files.get(&note.file);
    let written = note.front.date.or(committed.map(|(first, _)| *first));
    let changed = note.front.updated.or(committed.map(|(_, last)| *last));
    (written, changed.max(written))
}

/// A date in the form shown on pages.
pub fn view(date: Date) -> DateView {
    DateView { iso: date.to_string(), shown: date.strftime("%B %-d, %Y").to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Repository(tempfile::TempDir);

    impl Repository {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a temporary folder"))
        }

        fn git(&self, arguments: &[&str]) {
            let status = Command::new("git")
                .arg("-C")
                .arg(self.0.path())
                .args(["-c", "user.name=A", "-c", "user.email=a@b.c"])
                .args(arguments)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("git");
            assert!(status.success(), "{arguments:?}");
        }

        fn save(&self, name: &str, text: &str, day: &str) {
            let path = self.0.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a note");
            self.git(&["add", "--", name]);
            self.git(&["commit", "-q", "-m", "x", &format!("--date={day}T12:00:00")]);
        }

        fn kept(&self) -> PathBuf {
            self.0.path().join(".neuronotes/cache/dates")
        }

        fn dates(&self) -> GitDates {
            GitDates::read(self.0.path(), &self.kept())
        }

        /// The dates, read without the cache.
        fn anew(&self) -> GitDates {
            GitDates::read(self.0.path(), &self.0.path().join(".neuronotes/other"))
        }
    }

    #[test]
    fn dates_come_from_the_front_matter_then_from_git() {
        let garden = Repository::new();
        assert_eq!(garden.dates().files, Files::new());
        garden.git(&["init", "-q"]);
        assert_eq!(garden.dates().files, Files::new(), "before the first commit");
        garden.save("notes/größe.md", "one", "2025-04-20");
        garden.save("notes/größe.md", "two", "2025-04-22");
        let dates = garden.dates();
        let note = Note::parse("größe.md", "notes/größe.md", "two");
        let day = |text: &str| text.parse::<Date>().ok();
        assert_eq!(of(&note, &dates), (day("2025-04-20"), day("2025-04-22")));
        let own = Note::parse("größe.md", "notes/größe.md", "---\ndate: 2026-01-01\n---\n");
        assert_eq!(of(&own, &dates), (day("2026-01-01"), day("2026-01-01")));
        garden.save("notes/größe.md", "three", "2025-04-25");
        let mut later = dates.clone();
        let root = garden.0.path();
        assert!(later.look_again(root) && !later.look_again(root));
        assert_eq!(of(&note, &later), (day("2025-04-20"), day("2025-04-25")));
        let other = Note::parse("b.md", "notes/b.md", "");
        assert_eq!(of(&other, &dates), (None, None));
    }

    #[test]
    fn only_commits_since_the_last_reading_are_read_and_the_same_comes_out() {
        let garden = Repository::new();
        garden.git(&["init", "-q", "-b", "main"]);
        garden.save("notes/a.md", "one", "2025-01-05");
        garden.save("notes/b.md", "one", "2025-01-06");
        assert_eq!(garden.dates().commits, 2);
        assert_eq!(garden.dates().commits, 0, "nothing was committed since");
        // A branch that began before, with an older day in it, is merged.
        garden.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
        garden.save("notes/b.md", "other", "2024-12-31");
        garden.git(&["checkout", "-q", "main"]);
        garden.save("notes/a.md", "two", "2025-01-09");
        assert_eq!(garden.dates().commits, 1);
        garden.git(&["merge", "-q", "-X", "ours", "-m", "both", "side"]);
        let merged = garden.dates();
        assert_eq!(
            (merged.commits, merged.files.len()),
            (2, 2),
            "the side's, and the merge itself"
        );
        assert_eq!(merged.files, garden.anew().files);
        let day = |text: &str| text.parse::<Date>().expect("a day");
        assert_eq!(merged.files["notes/b.md"], (day("2024-12-31"), day("2025-01-06")));
    }

    #[test]
    fn a_rewritten_history_a_bare_head_and_a_damaged_file_are_read_anew() {
        let garden = Repository::new();
        garden.git(&["init", "-q"]);
        garden.save("notes/a.md", "one", "2025-01-05");
        garden.save("notes/a.md", "two", "2025-01-06");
        garden.dates();
        let amend = ["commit", "-q", "--amend", "-m", "y", "--date=2025-02-01T12:00:00"];
        garden.git(&amend);
        let dates = garden.dates();
        assert_eq!((dates.commits, &dates.files), (2, &garden.anew().files));
        garden.git(&["checkout", "-q", "--detach", "HEAD~1"]);
        let dates = garden.dates();
        assert_eq!((dates.commits, &dates.files), (1, &garden.anew().files));
        let text = std::fs::read_to_string(garden.kept()).expect("what is kept");
        for damaged in [&text[..text.len() - 3], "", "x\n{}", &text.replace("2025-01", "2024-01")] {
            std::fs::write(garden.kept(), damaged).expect("a file");
            let dates = garden.dates();
            assert_eq!((dates.commits, &dates.files), (1, &garden.anew().files), "{damaged:?}");
        }
    }

    #[test]
    fn a_shallow_clone_says_no_dates_until_it_has_its_history() {
        let (garden, clone) = (Repository::new(), Repository::new());
        garden.git(&["init", "-q"]);
        garden.save("notes/a.md", "one", "2025-01-05");
        garden.save("notes/a.md", "two", "2025-01-06");
        let from = format!("file://{}", garden.0.path().display());
        clone.git(&["clone", "-q", "--depth", "1", &from, "."]);
        assert_eq!(clone.dates().files, Files::new());
        assert!(!clone.kept().exists());
        clone.git(&["fetch", "-q", "--unshallow"]);
        assert_eq!(clone.dates().files, garden.dates().files);
    }

    #[test]
    fn a_garden_in_a_folder_of_a_repository_has_its_own_dates() {
        let repository = Repository::new();
        repository.git(&["init", "-q"]);
        repository.save("deep/notes/a.md", "one", "2025-01-05");
        let deep = repository.0.path().join("deep");
        let kept = repository.kept();
        assert!(GitDates::read(&deep, &kept).files.contains_key("notes/a.md"));
        let whole = GitDates::read(repository.0.path(), &kept);
        assert!(whole.files.contains_key("deep/notes/a.md"), "what is kept is another folder's");
    }

    #[test]
    fn a_day_is_shown_as_a_reader_expects_it() {
        let day = view("2025-04-02".parse().expect("a day"));
        assert_eq!((day.iso.as_str(), day.shown.as_str()), ("2025-04-02", "April 2, 2025"));
    }
}
