//! The output folder: a composed site in, files changed on disk out, and no more of them than differ.
//!
//! A manifest beside the store remembers what was written under which key. A file that nobody asks for any
//! more is removed only where it is still what was written; whatever else lies in the folder is left alone.
//!
//! Where files cannot be written, all others are, and the last good ones stay; what is wrong is said once for all
//! files that it is wrong with.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Severity};
use crate::digest::{Digest, FileDigests};
use crate::file::{self, replace, write_atomic};
use crate::measure::Copied;
use crate::seal::{self, Opened};
use crate::site::{Content, LARGEST_FILE, Sink};
use crate::store::Store;

/// What stands in an output folder.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// Where files are written before they are renamed, so that a kill leaves nothing in the folder.
    temporary: PathBuf,
    manifest_path: PathBuf,
    manifest: BTreeMap<String, Entry>,
    /// Whether what an earlier build left is not known, though there was one.
    forgot: bool,
}

/// Why a file is not as it should be.
struct Fault {
    message: String,
    hint: Option<String>,
}

/// Temporary files of a process that was killed are younger than this, or are taken away.
const LEFTOVER: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Digest>,
    /// Of the file's bytes.
    digest: Digest,
}

/// Writes the files of a site as they are made.
pub struct Desk<'a> {
    output: &'a Output,
    store: Store,
    copied: &'a Copied,
    done: Mutex<BTreeMap<String, Outcome>>,
}

/// What came of the files of a site.
pub struct Done(BTreeMap<String, Outcome>);

/// What came of a file.
enum Outcome {
    /// It stands there already, under this key.
    Kept(Digest),
    /// It was to be written.
    Put(Result<Option<(Entry, bool)>, Fault>),
}

impl Desk<'_> {
    /// What came of all files.
    pub fn done(self) -> Done {
        Done(self.done.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, path: String, outcome: Outcome) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(path, outcome);
    }
}

impl Sink for Desk<'_> {
    fn is_current(&self, path: &str, key: Digest) -> bool {
        self.output.is_current(path, key)
    }

    fn take(&self, path: String, content: Content) {
        let put = self.output.put(&path, content, &self.store);
        self.note(path, Outcome::Put(put));
    }

    fn keep(&self, path: String, key: Digest) {
        self.note(path, Outcome::Kept(key));
    }

    fn offers_copies(&self) -> bool {
        true
    }

    fn copied(&self, done: usize, all: usize) {
        (self.copied)(done, all);
    }
}

/// What writing changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files written, relative to the folder.
    pub written: Vec<String>,
    /// Files removed, relative to the folder.
    pub removed: Vec<String>,
    /// Files that were right already.
    pub kept: usize,
}

impl Output {
    /// Looks at what an earlier build left in `folder`, and forgets what was changed since.
    pub fn open(folder: &Path, cache: &Path, digests: &mut FileDigests) -> Self {
        let name = Digest::of(folder.to_string_lossy().as_bytes()).short();
        let manifest_path = cache.join(format!("output-{name}.json"));
        let bytes = fs::read(&manifest_path).ok();
        let known = bytes.as_ref().and_then(|bytes| match seal::open(bytes) {
            Opened::Whole(json) => serde_json::from_slice(&json).ok(),
            // An earlier version wrote no checksum.
            Opened::Bare => serde_json::from_slice(bytes).ok(),
            Opened::Broken => None,
        });
        let forgot = bytes.is_some() && known.is_none();
        let mut manifest: BTreeMap<String, Entry> = known.unwrap_or_default();
        manifest.retain(|path, entry| {
            digests.digest(&folder.join(path)).is_ok_and(|digest| digest == entry.digest)
        });
        let temporary = cache.join("tmp");
        clear(&temporary);
        Self { folder: folder.to_owned(), temporary, manifest_path, manifest, forgot }
    }

    /// Whether the page stands there under this key already.
    pub fn is_current(&self, path: &str, key: Digest) -> bool {
        self.manifest.get(path).is_some_and(|entry| entry.key == Some(key))
    }

    /// What takes the files of a site, to write them at once.
    pub fn desk<'a>(&'a self, store: &Store, copied: &'a Copied) -> Desk<'a> {
        Desk { output: self, store: store.clone(), copied, done: Mutex::default() }
    }

    /// Removes what nobody asks for any more, and remembers what was written.
    ///
    /// # Errors
    /// A diagnostic a file that could not be written; the others are.
    pub fn finish(&mut self, done: Done) -> (Changes, Vec<Diagnostic>) {
        let mut changes = Changes::default();
        let mut faults: Vec<(String, Fault)> = Vec::new();
        let mut next = BTreeMap::new();
        for (path, outcome) in done.0 {
            match outcome {
                Outcome::Kept(key) => {
                    changes.kept += 1;
                    if let Some(entry) = self.manifest.get(&path) {
                        next.insert(path, Entry { key: Some(key), ..entry.clone() });
                    }
                }
                Outcome::Put(Ok(Some((entry, written)))) => {
                    if written {
                        changes.written.push(path.clone());
                    } else {
                        changes.kept += 1;
                    }
                    next.insert(path, entry);
                }
                // A page that could not be rendered leaves the last good one in place, and so does one that could not be
                // written: it stays known, so that it is removed one day.
                Outcome::Put(result) => {
                    if let Some(entry) = self.manifest.get(&path) {
                        next.insert(path.clone(), Entry { key: None, ..entry.clone() });
                    }
                    if let Err(fault) = result {
                        faults.push((path, fault));
                    }
                }
            }
        }
        let unwanted = self.manifest.iter().filter(|(path, _)| !next.contains_key(*path));
        for (path, entry) in unwanted.map(|(p, e)| (p.clone(), e.clone())).collect::<Vec<_>>() {
            match fs::remove_file(self.folder.join(&path)) {
                Ok(()) => {
                    self.remove_empty_folders(&path);
                    changes.removed.push(path);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!("the file is not wanted and cannot be removed ({error})");
                    let hint = file::hint(&error).map(str::to_owned);
                    faults.push((path.clone(), Fault { message, hint }));
                    next.insert(path, entry);
                }
            }
        }
        let mut problems = told(faults);
        problems.extend(self.keep(next));
        (changes, problems)
    }

    /// Keeps the list of what was written.
    fn keep(&mut self, next: BTreeMap<String, Entry>) -> Vec<Diagnostic> {
        let file = self.manifest_path.to_string_lossy().into_owned();
        let mut problems = Vec::new();
        if self.forgot {
            let message = "the list of written files was damaged; pages of earlier builds that are not wanted any \
                           more may be left in the output folder";
            let problem = Diagnostic::of_file(&*file, message);
            let hint = "empty the output folder and build again, where that matters".to_owned();
            let problem = Diagnostic { severity: Severity::Warning, ..problem };
            problems.push(problem.hint(hint));
        }
        if self.manifest != next || self.forgot {
            let json = serde_json::to_vec_pretty(&next).unwrap_or_default();
            let bytes = if next.is_empty() { b"{}".to_vec() } else { seal::seal(&json) };
            match write_atomic(&self.manifest_path, &bytes) {
                Ok(()) => self.forgot = false,
                Err(error) => {
                    let message = format!("the list of written files cannot be kept ({error})");
                    let hint = file::hint(&error).map(str::to_owned);
                    problems.push(Diagnostic::of_file(file, message).hint(hint));
                }
            }
            self.manifest = next;
        }
        problems
    }

    fn put(
        &self,
        path: &str,
        content: Content,
        store: &Store,
    ) -> Result<Option<(Entry, bool)>, Fault> {
        let target = self.folder.join(path);
        let known = self.manifest.get(path);
        let cannot = |error: io::Error| Fault {
            message: format!("the file cannot be written to {} ({error})", self.folder.display()),
            hint: file::hint(&error).map(str::to_owned),
        };
        let (key, bytes) = match content {
            Content::Page { key, html: Ok(html) } => (Some(key), html.into_bytes()),
            Content::Page { html: Err(_), .. } => return Ok(None),
            Content::Picture { key, bytes } => (Some(key), bytes),
            Content::Bytes(bytes) => (None, bytes),
            Content::Copy { from, digest } => {
                if known.is_some_and(|entry| entry.digest == digest) {
                    return Ok(Some((Entry { key: None, digest }, false)));
                }
                (None, copied(&from, &digest, store)?)
            }
        };
        let entry = Entry { key, digest: Digest::of(&bytes) };
        let same = fs::read(&target).is_ok_and(|old| old == bytes);
        if !same {
            self.replace(&target, &bytes).map_err(cannot)?;
        }
        Ok(Some((entry, !same)))
    }

    /// Writes a file whole. Where the cache cannot be written to, the output folder may be.
    fn replace(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let made = fs::create_dir_all(&self.temporary);
        let first = made.and_then(|()| replace(&self.temporary, target, bytes));
        first.or_else(|_| {
            let folder = target.parent().unwrap_or(&self.folder);
            fs::create_dir_all(folder)?;
            replace(folder, target, bytes)
        })
    }

    fn remove_empty_folders(&self, path: &str) {
        let mut folder = Path::new(path).parent();
        while let Some(relative) = folder.filter(|p| !p.as_os_str().is_empty()) {
            // Fails where something is left in it, and then nothing above it is empty either.
            if fs::remove_dir(self.folder.join(relative)).is_err() {
                return;
            }
            folder = relative.parent();
        }
    }
}

/// One problem for all files that the same is wrong with.
fn told(faults: Vec<(String, Fault)>) -> Vec<Diagnostic> {
    let mut problems: Vec<(Diagnostic, usize)> = Vec::new();
    for (path, fault) in faults {
        match problems.iter_mut().find(|(problem, _)| problem.message == fault.message) {
            Some((_, others)) => *others += 1,
            None => problems.push((Diagnostic::of_file(path, fault.message).hint(fault.hint), 0)),
        }
    }
    let one = |(problem, others): (Diagnostic, usize)| match others {
        0 => problem,
        1 => Diagnostic { message: format!("{}, and one other", problem.message), ..problem },
        n => Diagnostic { message: format!("{}, and {n} others", problem.message), ..problem },
    };
    problems.into_iter().map(one).collect()
}

/// Removes what killed processes left, long ago.
fn clear(temporary: &Path) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let old = modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > LEFTOVER));
        if old && entry.file_name().to_string_lossy().starts_with(".new-") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The bytes of a file that is copied: checked, where it comes out of the store.
fn copied(from: &Path, digest: &Digest, store: &Store) -> Result<Vec<u8>, Fault> {
    if from == store.blob_path(digest) {
        return store.blob(digest).ok_or_else(|| match store.is_frozen() {
            false => Fault {
                message: "a stored picture was damaged and has been set aside".to_owned(),
                hint: Some("build again to measure it".to_owned()),
            },
            true => Fault {
                message: format!("a frozen picture is damaged: {}", from.display()),
                hint: Some("`neuronotes freeze`, where it is measured, writes it anew".to_owned()),
            },
        });
    }
    let unreadable = |error: io::Error| Fault {
        message: format!("{} cannot be read ({error})", from.display()),
        hint: None,
    };
    file::read(from, LARGEST_FILE).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(
        output: &mut Output,
        files: BTreeMap<String, Content>,
        store: &Store,
    ) -> (Changes, Vec<Diagnostic>) {
        let desk = output.desk(store, &|_, _| {});
        for (path, content) in files {
            desk.take(path, content);
        }
        let done = desk.done();
        output.finish(done)
    }

    fn site(pages: &[(&str, &str)]) -> BTreeMap<String, Content> {
        let page =
            |html: &str| Content::Page { key: Digest::of(html.as_bytes()), html: Ok(html.into()) };
        pages.iter().map(|(path, html)| ((*path).to_owned(), page(html))).collect()
    }

    #[test]
    fn only_what_differs_is_written_and_only_its_own_files_are_removed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        let folder = dir.path().join("output");
        let write = |pages: &[(&str, &str)]| {
            let mut digests = FileDigests::default();
            let mut output = Output::open(&folder, &dir.path().join("cache"), &mut digests);
            let (changes, problems) = self::write(&mut output, site(pages), &store);
            assert_eq!(problems, []);
            changes
        };
        let first = write(&[("a.html", "a"), ("x/y/b.html", "b")]);
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 2, "nothing is left over");
        assert_eq!(first.written, ["a.html", "x/y/b.html"]);
        fs::write(folder.join("CNAME"), "notes.example").expect("a file of the user's");
        let second = write(&[("a.html", "a"), ("x/y/b.html", "b")]);
        assert_eq!(second, Changes { kept: 2, ..Changes::default() });
        let third = write(&[("a.html", "A")]);
        assert_eq!(
            (third.written, third.removed),
            (vec!["a.html".into()], vec!["x/y/b.html".into()])
        );
        assert!(!folder.join("x").exists() && folder.join("CNAME").exists());
    }

    #[test]
    fn a_page_changed_by_hand_is_put_right_and_never_removed_by_mistake() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        let folder = dir.path().join("output");
        let mut digests = FileDigests::default();
        let open =
            |digests: &mut FileDigests| Output::open(&folder, &dir.path().join("cache"), digests);
        let pages = site(&[("a.html", "a")]);
        let key = Digest::of(b"a");
        write(&mut open(&mut digests), pages, &store);
        assert!(open(&mut digests).is_current("a.html", key));
        fs::write(folder.join("a.html"), "by hand").expect("a change");
        assert!(!open(&mut digests).is_current("a.html", key));
        let (changes, _) = write(&mut open(&mut digests), BTreeMap::new(), &store);
        assert_eq!(changes.removed, Vec::<String>::new());
        assert!(folder.join("a.html").exists());
    }

    #[test]
    fn a_damaged_picture_is_reported_and_never_published() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        let digest = store.put_blob(b"picture").expect("a blob");
        let from = store.blob_path(&digest);
        fs::write(&from, b"PICTURE").expect("damage");
        let files = [("figures/p.png".to_owned(), Content::Copy { from, digest })].into();
        let folder = dir.path().join("output");
        let mut output = Output::open(&folder, dir.path(), &mut FileDigests::default());
        let (changes, problems) = write(&mut output, files, &store);
        assert_eq!((changes.written.len(), problems.len()), (0, 1));
        assert!(!folder.join("figures/p.png").exists());
    }
}
