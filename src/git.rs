//! Reads revisions of a garden with the `git` command: a garden's folder and the name of a revision in; the files that differ from
//! the ones on disk, and the bytes of any file, out. Never writes to the repository.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::problem::Problem;

/// The first line of a pointer that Git LFS keeps in place of a large file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// The repository that a garden is in.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
    is_shallow: bool,
    /// Git's own folder.
    own: PathBuf,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full hash.
    pub hash: String,
    /// The first line of its message.
    pub subject: String,
    /// Its author's date, such as `2026-11-30`.
    pub date: String,
}

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The hash of its bytes.
    pub blob: String,
    /// Whether it is a regular file: neither a link nor another repository.
    pub is_file: bool,
}

/// The differences from a revision to the files on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that are new, changed or gone, relative to the garden.
    pub paths: Vec<String>,
    /// New paths by old ones, of files that were renamed.
    pub renamed: BTreeMap<String, String>,
}

impl Repository {
    /// The repository that the garden in `root` is in.
    ///
    /// # Errors
    /// If there is no `git`, or the garden is in no repository.
    pub fn of(root: &Path) -> Result<Self, Problem> {
        let asked = ["rev-parse", "--is-shallow-repository", "--absolute-git-dir"];
        let output = command(root).args(asked).output().map_err(|error| {
            Problem::new(format!("`git` cannot be started ({error})"))
                .hint("install git, or compare folders that `neuronotes freeze` wrote")
        })?;
        if !output.status.success() {
            let message = format!("{} is in no git repository", root.display());
            return Err(Problem::new(message)
                .hint("`git init` makes one; folders that `neuronotes freeze` wrote can be compared without"));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines();
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (shallow, own) = (next(), next());
        let is_shallow = shallow == "true";
        Ok(Self { root: root.to_owned(), is_shallow, own: own.into() })
    }

    /// The commit that a revision names.
    ///
    /// # Errors
    /// If there is none.
    pub fn commit(&self, revision: &str) -> Result<Commit, Problem> {
        let named = format!("{revision}^{{commit}}");
        // A name that begins with a hyphen would be an option.
        let found = (!revision.starts_with('-'))
            .then(|| self.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &named]));
        let Some(Ok(hash)) = found else {
            let problem = Problem::new(format!("there is no revision `{revision}`"));
            return Err(match self.is_shallow {
                true => problem.hint(
                    "this clone is shallow: `git fetch --depth 100` or `git fetch --unshallow` brings earlier commits",
                ),
                false => problem.hint("`git log --oneline` lists revisions"),
            });
        };
        let hash = hash.trim().to_owned();
        let shown = self.text(&["log", "-1", "--format=%as%x00%s", &hash])?;
        let (date, subject) = shown.trim_end().split_once('\0').unwrap_or_default();
        Ok(Commit { hash, subject: subject.to_owned(), date: date.to_owned() })
    }

    /// What differs from a commit to the files on disk. Files that git ignores or does not know count only below the folder
    /// `notes`; elsewhere they are the same in every revision.
    ///
    /// # Errors
    /// If git fails.
    pub fn changes(&self, commit: &str, notes: &str) -> Result<Changes, Problem> {
        let diff =
            ["diff", "--name-status", "-z", "-M", "--relative", "--no-ext-diff", commit, "--"];
        let text = self.text(&diff)?;
        let mut changes = Changes::default();
        let mut words = text.split('\0').filter(|word| !word.is_empty());
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            changes.paths.push(path.to_owned());
            if status.starts_with(['R', 'C'])
                && let Some(new) = words.next()
            {
                changes.paths.push(new.to_owned());
                if status.starts_with('R') {
                    changes.renamed.insert(path.to_owned(), new.to_owned());
                }
            }
        }
        let folder = if notes.is_empty() { "." } else { notes };
        let mut others = vec!["ls-files", "--others", "-z"];
        // If all of the garden is notes, there is a lot else in it.
        if notes.is_empty() {
            others.push("--exclude-standard");
        }
        others.extend(["--", folder]);
        let untracked = self.text(&others)?;
        changes.paths.extend(untracked.split('\0').filter(|p| !p.is_empty()).map(str::to_owned));
        changes.paths.sort_unstable();
        changes.paths.dedup();
        Ok(changes)
    }

    /// The renames between two commits: new paths by old ones.
    ///
    /// # Errors
    /// If git fails.
    pub fn renames(&self, old: &str, new: &str) -> Result<BTreeMap<String, String>, Problem> {
        let diff =
            ["diff", "--name-status", "-z", "-M", "--diff-filter=R", "--relative", old, new, "--"];
        let text = self.text(&diff)?;
        let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
        let renamed = words.chunks_exact(3);
        Ok(renamed.map(|words| (words[1].to_owned(), words[2].to_owned())).collect())
    }

    /// All files of a commit, by path relative to the garden.
    ///
    /// # Errors
    /// If git fails.
    pub fn files(&self, commit: &str) -> Result<BTreeMap<String, Entry>, Problem> {
        let text = self.text(&["ls-tree", "-r", "-z", commit])?;
        let entry = |line: &str| {
            let (about, path) = line.split_once('\t')?;
            let mut words = about.split(' ');
            let (mode, _, blob) = (words.next()?, words.next()?, words.next()?);
            let is_file = mode.starts_with("100");
            Some((path.to_owned(), Entry { blob: blob.to_owned(), is_file }))
        };
        Ok(text.split('\0').filter_map(entry).collect())
    }

    /// Writes files of a commit below `to`. What Git LFS has fetched takes the place of its pointer; the paths of pointers
    /// to files that are not there are returned.
    ///
    /// # Errors
    /// If git fails, or a file cannot be written.
    pub fn extract<'p>(
        &self,
        files: impl IntoIterator<Item = (&'p str, &'p Entry)>,
        to: &Path,
    ) -> Result<Vec<String>, Problem> {
        let files: Vec<(&str, &Entry)> = files.into_iter().filter(|(_, e)| e.is_file).collect();
        let mut unfetched = Vec::new();
        if files.is_empty() {
            return Ok(unfetched);
        }
        let failed =
            |error: std::io::Error| Problem::new(format!("a revision cannot be read ({error})"));
        let mut child = command(&self.root)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (Some(mut asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Problem::new("git has no input or output"));
        };
        let asked: String = files.iter().map(|(_, entry)| format!("{}\n", entry.blob)).collect();
        let asking = std::thread::spawn(move || asks.write_all(asked.as_bytes()));
        let mut answers = BufReader::new(answers);
        for (path, _) in &files {
            let mut head = String::new();
            answers.read_line(&mut head).map_err(failed)?;
            let size =
                head.trim_end().rsplit_once(' ').and_then(|(_, size)| size.parse::<u64>().ok());
            let Some(size) = size else {
                let problem = Problem::new(format!("git does not have `{path}` of this revision"));
                return Err(problem.hint("`git fetch` brings what a partial clone left out"));
            };
            // Git's own rules leave no such path, but another program may have written the commit.
            let is_inside = Path::new(path)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            let mut bytes = answers.by_ref().take(size);
            if !is_inside {
                std::io::copy(&mut bytes, &mut std::io::sink()).map_err(failed)?;
            } else {
                let place = to.join(path);
                if let Some(folder) = place.parent() {
                    fs::create_dir_all(folder).map_err(failed)?;
                }
                let mut file = fs::File::create(&place).map_err(failed)?;
                std::io::copy(&mut bytes, &mut file).map_err(failed)?;
                if size < 1024 && !self.smudge(&place).map_err(failed)? {
                    unfetched.push((*path).to_owned());
                }
            }
            let mut end = [0];
            answers.read_exact(&mut end).map_err(failed)?;
        }
        drop(answers);
        let _ = asking.join();
        let _ = child.wait();
        Ok(unfetched)
    }

    /// Puts the file that a pointer of Git LFS stands for in its place. Returns whether the file is there or was no pointer.
    fn smudge(&self, place: &Path) -> std::io::Result<bool> {
        let bytes = fs::read(place)?;
        if !bytes.starts_with(POINTER) {
            return Ok(true);
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some(digest) = text.lines().find_map(|line| line.strip_prefix("oid sha256:")) else {
            return Ok(false);
        };
        let is_hex = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Ok(false);
        }
        let kept =
            self.own.join("lfs/objects").join(digest.cut(..2)).join(digest.cut(2..4)).join(digest);
        if !kept.is_file() {
            return Ok(false);
        }
        fs::remove_file(place)?;
        fs::copy(&kept, place).map(|_| true)
    }

    /// What git prints.
    fn text(&self, arguments: &[&str]) -> Result<String, Problem> {
        let output = command(&self.root).args(arguments).output();
        let output =
            output.map_err(|error| Problem::new(format!("`git` cannot be started ({error})")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("no message").to_owned();
            return Err(Problem::new(format!("`git {}` failed ({said})", arguments[0])));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Git, about the repository that `root` is in, as a program and not as a person uses it.
fn command(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.quotePath=false"]);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(root: &Path, arguments: &[&str]) {
        let own = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"];
        let output = command(root).args(own).args(arguments).output().expect("git");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        git(folder.path(), &["init", "-q"]);
        write("deep/notes/größe a.md", "one\ntwo\nthree\nfour\n");
        write("deep/notes/b.md", "b\n");
        write("other.md", "not of the garden\n");
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", "first: words"]);
        folder
    }

    #[test]
    fn a_revision_is_read_as_it_was() {
        let folder = repository();
        let root = folder.path().join("deep");
        let repository = Repository::of(&root).expect("a repository");
        let commit = repository.commit("HEAD").expect("a commit");
        assert_eq!((commit.subject.as_str(), commit.hash.len()), ("first: words", 40));
        assert_eq!(repository.changes(&commit.hash, "notes").expect("changes"), Changes::default());
        git(&root, &["mv", "notes/größe a.md", "notes/c.md"]);
        fs::write(root.join("notes/b.md"), "other\n").expect("a file");
        fs::write(root.join("notes/new.md"), "new\n").expect("a file");
        fs::write(root.join("elsewhere.txt"), "not a note\n").expect("a file");
        let changes = repository.changes(&commit.hash, "notes").expect("changes");
        assert_eq!(changes.paths, ["notes/b.md", "notes/c.md", "notes/größe a.md", "notes/new.md"]);
        assert_eq!(changes.renamed["notes/größe a.md"], "notes/c.md");
        let files = repository.files(&commit.hash).expect("files");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["notes/b.md", "notes/größe a.md"]);
        let to = tempfile::tempdir().expect("a folder");
        let wanted = files.iter().map(|(path, entry)| (path.as_str(), entry));
        assert_eq!(repository.extract(wanted, to.path()).expect("files"), [""; 0]);
        let read = |name: &str| fs::read_to_string(to.path().join(name)).expect("a file");
        assert_eq!((read("notes/b.md").as_str(), read("notes/größe a.md").len()), ("b\n", 19));
    }

    #[test]
    fn what_is_missing_says_how_it_is_brought() {
        let folder = repository();
        let said = |root: &Path, revision: &str| {
            let found = Repository::of(root).and_then(|repository| repository.commit(revision));
            let problem = found.expect_err("a problem");
            format!("{}\nhint: {}", problem.message, problem.hint.unwrap_or_default())
                .replace(&root.display().to_string(), "GARDEN")
        };
        let none = tempfile::tempdir().expect("a folder");
        let shallow = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("other.md"), "two\n").expect("a file");
        git(folder.path(), &["commit", "-q", "-a", "-m", "second"]);
        let from = format!("file://{}", folder.path().display());
        git(shallow.path(), &["clone", "-q", "--depth", "1", &from, "."]);
        let all = [
            said(folder.path(), "nonsense"),
            said(folder.path(), "--output=x"),
            said(none.path(), "HEAD"),
            said(shallow.path(), "HEAD~1"),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_pointer_is_the_file_that_was_fetched() {
        let folder = repository();
        let root = folder.path();
        let digest = "a".repeat(64);
        let text = format!("{}oid sha256:{digest}\nsize 5\n", String::from_utf8_lossy(POINTER));
        fs::write(root.join("data.tar"), &text).expect("a pointer");
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", "data"]);
        let repository = Repository::of(root).expect("a repository");
        let files = repository.files("HEAD").expect("files");
        let extract = || {
            let to = tempfile::tempdir().expect("a folder");
            let wanted =
                files.get_key_value("data.tar").map(|(path, entry)| (path.as_str(), entry));
            let unfetched = repository.extract(wanted, to.path()).expect("files");
            (unfetched, fs::read_to_string(to.path().join("data.tar")).expect("a file"))
        };
        assert_eq!(extract(), (vec!["data.tar".to_owned()], text.clone()));
        let kept = root.join(".git/lfs/objects/aa/aa");
        fs::create_dir_all(&kept).expect("a folder");
        fs::write(kept.join(&digest), "whole").expect("a file");
        assert_eq!(extract(), (vec![], "whole".to_owned()));
    }
}
