//! The output folder: the files of a site in; changes on disk out, only where bytes differ.
//!
//! A manifest beside the store remembers what was written under which key, and a journal lists files as they are
//! written. A file that is no longer part of the site is removed only if it is unchanged since it was written; all
//! other files in the folder are left alone.
//!
//! If some files cannot be written, all others are, and their last good versions stay; each cause is reported once
//! for all files concerned.
//!
//! Nothing outside the folder is written or removed: every path goes through [`place::below`], since the manifest may
//! have come with somebody else's garden, and a folder of the site may be a link.

mod copied;
mod entry;
mod fault;
mod journal;
mod writer;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Severity};
use crate::site::Content;
use copied::copied;
use entry::{Entry, Outcome, Written};
use fault::{Fault, diagnostics};
use journal::Journal;
use neuronotes_core::digest::Digest;
use neuronotes_core::file::{self, replace, write_atomic};
use neuronotes_core::files::FileDigests;
use neuronotes_core::place;
use neuronotes_core::problem::Problem;
use neuronotes_core::seal::{self, Opened};
use neuronotes_core::store::Store;

/// The contents of an output folder.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// Folder for temporary files, so that a killed process leaves none in the output folder.
    temporary: PathBuf,
    manifest_path: PathBuf,
    manifest: BTreeMap<String, Entry>,
    journal: Journal,
    /// Whether the saved manifest is out of date.
    behind: bool,
    /// Whether the files of an earlier build are unknown although there was one.
    forgot: bool,
}

/// Maximum size of a manifest in bytes.
const LONGEST: u64 = 512 << 20;
/// Age after which temporary files of killed processes are removed.
const LEFTOVER: Duration = Duration::from_secs(24 * 60 * 60);

/// The changes made by writing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files written, relative to the folder.
    pub written: Vec<String>,
    /// Files removed, relative to the folder.
    pub removed: Vec<String>,
    /// Number of unchanged files.
    pub kept: usize,
}

impl Changes {
    /// Adds later changes.
    pub fn follow(&mut self, next: Self) {
        self.removed.retain(|path| !next.written.contains(path));
        self.written.retain(|path| !next.removed.contains(path) && !next.written.contains(path));
        // Files that were written before were already there for the later changes.
        self.kept = next.kept.saturating_sub(self.written.len());
        self.written.extend(next.written);
        self.removed.extend(next.removed);
    }
}

impl Output {
    /// Reads what an earlier build left in `folder`, and forgets files changed since.
    pub fn open(folder: &Path, cache: &Path, digests: &mut FileDigests) -> Self {
        let name = Digest::of(folder.to_string_lossy().as_bytes()).short();
        let manifest_path = cache.join(format!("output-{name}.json"));
        let bytes = match place::read(&manifest_path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            bytes => Some(bytes.unwrap_or_default()),
        };
        let known = bytes.as_ref().and_then(|bytes| match seal::open(bytes) {
            Opened::Whole(json) => serde_json::from_slice(&json).ok(),
            // An earlier version wrote no checksum.
            Opened::Bare => serde_json::from_slice(bytes).ok(),
            Opened::Broken => None,
        });
        let mut forgot = bytes.is_some() && known.is_none();
        let mut manifest: BTreeMap<String, Entry> = known.unwrap_or_default();
        let listed = manifest.len();
        manifest.retain(|path, _| place::below(folder, path).is_ok());
        // A manifest with paths outside the folder is not from a build.
        forgot |= manifest.len() < listed;
        let mut stands = |path: &str, digest: Digest| {
            let found = place::below(folder, path).and_then(|path| digests.digest(&path));
            found.is_ok_and(|found| found == digest)
        };
        manifest.retain(|path, entry| stands(path, entry.digest));
        let journal = Journal::of(&name, cache);
        let left = journal.left();
        let behind = !left.is_empty();
        for (path, digest) in left {
            if !manifest.contains_key(&path) && stands(&path, digest) {
                manifest.insert(path, Entry { key: None, digest });
            }
        }
        let temporary = cache.join("tmp");
        for folder in [cache, &temporary, &cache.join("pictures")] {
            clear(folder);
        }
        Self {
            folder: folder.to_owned(),
            temporary,
            manifest_path,
            manifest,
            journal,
            behind,
            forgot,
        }
    }

    /// Whether the page already exists with this key.
    pub fn is_current(&self, path: &str, key: Digest) -> bool {
        self.manifest.get(path).is_some_and(|entry| entry.key == Some(key))
    }

    /// Removes files that are no longer part of the site, and saves the manifest.
    ///
    /// # Errors
    /// A diagnostic for each file that could not be written; the others are written.
    pub fn finish(&mut self, done: Written) -> (Changes, Vec<Diagnostic>) {
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
            match place::below(&self.folder, &path).and_then(fs::remove_file) {
                Ok(()) => {
                    self.remove_empty_folders(&path);
                    changes.removed.push(path);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!(
                        "the file is no longer part of the site, but could not be removed ({error})"
                    );
                    let problem = Problem::new(message).hint(file::hint(&error));
                    faults.push((path.clone(), problem.into()));
                    next.insert(path, entry);
                }
            }
        }
        let mut problems = diagnostics(faults);
        problems.extend(self.keep(next));
        (changes, problems)
    }

    /// Saves the manifest.
    fn keep(&mut self, next: BTreeMap<String, Entry>) -> Vec<Diagnostic> {
        let file = self.manifest_path.to_string_lossy().into_owned();
        let mut problems = Vec::new();
        if self.forgot {
            let message = "the list of written files was damaged; outdated pages of earlier builds may remain in the output folder";
            let problem = Diagnostic::of_file(&*file, message);
            let hint = "to remove them, empty the output folder and build again".to_owned();
            let problem = Diagnostic { severity: Severity::Warning, ..problem };
            problems.push(problem.hint(hint));
        }
        if self.manifest != next || self.forgot || self.behind {
            let json = serde_json::to_vec_pretty(&next).unwrap_or_default();
            let bytes = if next.is_empty() { b"{}".to_vec() } else { seal::seal(&json) };
            match write_atomic(&self.manifest_path, &bytes) {
                Ok(()) => {
                    (self.forgot, self.behind) = (false, false);
                    self.journal.end();
                }
                Err(error) => {
                    self.behind = true;
                    let message = format!("the list of written files could not be saved ({error})");
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
        content: &Content,
        store: &Store,
    ) -> Result<Option<(Entry, bool)>, Fault> {
        let known = self.manifest.get(path);
        let cannot = |error: io::Error| {
            let message =
                format!("the file could not be written to {} ({error})", self.folder.display());
            let problem = Problem::new(message).hint(file::hint(&error));
            Fault { problem, full: file::is_full(&error) }
        };
        let (key, bytes) = match content {
            Content::Page { key, html: Ok(html) } => (Some(*key), Cow::Borrowed(html.as_bytes())),
            Content::Page { html: Err(_), .. } => return Ok(None),
            Content::Picture { key, bytes } => (Some(*key), Cow::Borrowed(&bytes[..])),
            Content::Bytes(bytes) => (None, Cow::Borrowed(&bytes[..])),
            Content::Copy { from, digest } => {
                if known.is_some_and(|entry| entry.digest == *digest) {
                    return Ok(Some((Entry { key: None, digest: *digest }, false)));
                }
                (None, Cow::Owned(copied(from, digest, store, self.temporary.parent())?))
            }
        };
        let entry = Entry { key, digest: Digest::of(&bytes) };
        let target = place::below(&self.folder, path).map_err(cannot)?;
        let same = place::read(&target, bytes.len() as u64).is_ok_and(|old| old == *bytes);
        if !same {
            self.journal.note(path, &entry.digest);
            self.replace(&target, &bytes).map_err(cannot)?;
        }
        Ok(Some((entry, !same)))
    }

    /// Writes a file atomically, through the cache folder or, if that is not writable, the output folder.
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
            // Fails if the folder is not empty; then no folder above it is empty either.
            let place = place::below(&self.folder, relative);
            if place.and_then(fs::remove_dir).is_err() {
                return;
            }
            folder = relative.parent();
        }
    }
}

/// Removes old temporary files of killed processes.
fn clear(temporary: &Path) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let old = modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > LEFTOVER));
        if old && file::is_temporary(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
