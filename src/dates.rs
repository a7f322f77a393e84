//! When notes were written and last changed: from the front matter, else from git, never from the clock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use jiff::civil::Date;

use crate::note::Note;
use crate::view::DateView;

/// First and last commit of each file, by its path relative to the garden.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GitDates {
    files: BTreeMap<String, (Date, Date)>,
    /// What git wrote when it last changed what is checked out, and that file's length and time.
    reflog: Option<(PathBuf, Option<(u64, SystemTime)>)>,
}

impl GitDates {
    /// Asks git once for the whole garden. Empty where there is no git, no repository, or only a shallow
    /// clone, whose history would date every note to its last deployment.
    pub fn read(root: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let output = Command::new("git")
                .arg("-C")
                .arg(root)
                .args(arguments)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()
                .filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()
        };
        // One call for both: git takes milliseconds to start.
        let about = git(&["rev-parse", "--is-shallow-repository", "--git-path", "logs/HEAD"]);
        let Some((shallow, reflog)) =
            about.as_deref().and_then(|about| about.trim_end().split_once('\n'))
        else {
            return Self::default();
        };
        let reflog = root.join(reflog);
        let stamp = stamp(&reflog);
        let reflog = Some((reflog, stamp));
        if shallow != "false" {
            return Self { reflog, ..Self::default() };
        }
        let format = "--format=%x01%as";
        let log = git(&["-c", "core.quotePath=false", "log", format, "--name-only", "--relative"]);
        let mut files = BTreeMap::new();
        for commit in log.unwrap_or_default().split('\u{1}').skip(1) {
            let mut lines = commit.lines();
            let Some(date) = lines.next().and_then(|day| day.parse::<Date>().ok()) else {
                continue;
            };
            for file in lines.filter(|line| !line.is_empty()) {
                // The log begins with the newest commit.
                files.entry(file.to_owned()).or_insert((date, date)).0 = date;
            }
        }
        Self { files, reflog }
    }

    /// Asks git again where something was committed or checked out since. Says whether any date is another now.
    pub fn look_again(&mut self, root: &Path) -> bool {
        let Some((reflog, known)) = &self.reflog else { return false };
        if stamp(reflog) == *known {
            return false;
        }
        let before = std::mem::replace(self, Self::read(root));
        before.files != self.files
    }
}

/// A file's length and time of change.
fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// When a note was written, and when it was last changed.
pub fn of(note: &Note, git: &GitDates) -> (Option<Date>, Option<Date>) {
    let committed = git.files.get(&note.file);
    let written = note.front.date.or(committed.map(|(first, _)| *first));
    let changed = note.front.updated.or(committed.map(|(_, last)| *last));
    (written, changed.max(written))
}

/// For a page.
pub fn view(date: Date) -> DateView {
    DateView { iso: date.to_string(), shown: date.strftime("%B %-d, %Y").to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_from_the_front_matter_then_from_git() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let git = |arguments: &[&str]| {
            let status = Command::new("git")
                .arg("-C")
                .arg(dir.path())
                .args(["-c", "user.name=A", "-c", "user.email=a@b.c"])
                .args(arguments)
                .stdout(Stdio::null())
                .status()
                .expect("git");
            assert!(status.success());
        };
        let save = |text: &str, day: &str| {
            std::fs::create_dir_all(dir.path().join("notes")).expect("a folder");
            std::fs::write(dir.path().join("notes/größe.md"), text).expect("a note");
            git(&["add", "-A"]);
            git(&["commit", "-q", "-m", "x", &format!("--date={day}T12:00:00")]);
        };
        assert_eq!(GitDates::read(dir.path()), GitDates::default());
        git(&["init", "-q"]);
        save("one", "2025-04-20");
        save("two", "2025-04-22");
        let dates = GitDates::read(dir.path());
        let note = Note::parse("größe.md", "notes/größe.md", "two");
        let day = |text: &str| text.parse::<Date>().ok();
        assert_eq!(of(&note, &dates), (day("2025-04-20"), day("2025-04-22")));
        let own = Note::parse("größe.md", "notes/größe.md", "---\ndate: 2026-01-01\n---\n");
        assert_eq!(of(&own, &dates), (day("2026-01-01"), day("2026-01-01")));
        save("three", "2025-04-25");
        let mut later = dates.clone();
        assert!(later.look_again(dir.path()) && !later.look_again(dir.path()));
        assert_eq!(of(&note, &later), (day("2025-04-20"), day("2025-04-25")));
        let other = Note::parse("b.md", "notes/b.md", "");
        assert_eq!(of(&other, &dates), (None, None));
    }

    #[test]
    fn a_day_is_shown_as_a_reader_expects_it() {
        let day = view("2025-04-02".parse().expect("a day"));
        assert_eq!((day.iso.as_str(), day.shown.as_str()), ("2025-04-02", "April 2, 2025"));
    }
}
