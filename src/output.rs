//! The output folder: a composed site in, files changed on disk out, and no more of them than differ.
//!
//! A manifest beside the store remembers what was written under which key. A file that nobody asks for any
//! more is removed only where it is still what was written; whatever else lies in the folder is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::digest::{Digest, FileDigests};
use crate::file::{replace, write_atomic};
use crate::site::Content;
use crate::store::Store;

/// What stands in an output folder.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// Where files are written before they are renamed, so that a kill leaves nothing in the folder.
    temporary: PathBuf,
    manifest_path: PathBuf,
    manifest: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Digest>,
    /// Of the file's bytes.
    digest: Digest,
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
        let mut manifest: BTreeMap<String, Entry> = fs::read(&manifest_path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        manifest.retain(|path, entry| {
            digests.digest(&folder.join(path)).is_ok_and(|digest| digest == entry.digest)
        });
        Self { folder: folder.to_owned(), temporary: cache.join("tmp"), manifest_path, manifest }
    }

    /// Whether the page stands there under this key already.
    pub fn is_current(&self, path: &str, key: Digest) -> bool {
        self.manifest.get(path).is_some_and(|entry| entry.key == Some(key))
    }

    /// Makes the folder hold these files. `kept` are pages that stand there already, with their keys.
    ///
    /// # Errors
    /// A diagnostic a file that could not be written; the others are.
    pub fn write(
        &mut self,
        files: &BTreeMap<String, Content>,
        kept: &BTreeMap<String, Digest>,
        store: &Store,
    ) -> (Changes, Vec<Diagnostic>) {
        let mut changes = Changes { kept: kept.len(), ..Changes::default() };
        let mut problems = Vec::new();
        let mut next = BTreeMap::new();
        for (path, key) in kept {
            if let Some(entry) = self.manifest.get(path) {
                next.insert(path.clone(), Entry { key: Some(*key), ..entry.clone() });
            }
        }
        for (path, content) in files {
            match self.put(path, content, store) {
                Ok(Some((entry, written))) => {
                    if written {
                        changes.written.push(path.clone());
                    } else {
                        changes.kept += 1;
                    }
                    next.insert(path.clone(), entry);
                }
                // A page that could not be rendered leaves the last good one in place.
                Ok(None) => {
                    if let Some(entry) = self.manifest.get(path) {
                        next.insert(path.clone(), Entry { key: None, ..entry.clone() });
                    }
                }
                Err(message) => problems.push(Diagnostic::of_file(path.clone(), message)),
            }
        }
        for path in self.manifest.keys().filter(|path| !next.contains_key(*path)) {
            if fs::remove_file(self.folder.join(path)).is_ok() {
                changes.removed.push(path.clone());
                self.remove_empty_folders(path);
            }
        }
        if self.manifest != next {
            self.manifest = next;
            let json = serde_json::to_vec_pretty(&self.manifest).unwrap_or_default();
            if let Err(error) = write_atomic(&self.manifest_path, &json) {
                let message = format!("the list of written files cannot be kept ({error})");
                problems.push(Diagnostic::of_file(self.manifest_path.to_string_lossy(), message));
            }
        }
        (changes, problems)
    }

    fn put(
        &self,
        path: &str,
        content: &Content,
        store: &Store,
    ) -> Result<Option<(Entry, bool)>, String> {
        let target = self.folder.join(path);
        let known = self.manifest.get(path);
        let cannot = |error: io::Error| {
            format!("the file cannot be written to {} ({error})", self.folder.display())
        };
        let (key, bytes) = match content {
            Content::Page { key, html: Ok(html) } => (Some(*key), html.as_bytes().to_vec()),
            Content::Page { html: Err(_), .. } => return Ok(None),
            Content::Bytes(bytes) => (None, bytes.clone()),
            Content::Copy { from, digest } => {
                if known.is_some_and(|entry| entry.digest == *digest) {
                    return Ok(Some((Entry { key: None, digest: *digest }, false)));
                }
                (None, copied(from, digest, store)?)
            }
        };
        let entry = Entry { key, digest: Digest::of(&bytes) };
        let same = fs::read(&target).is_ok_and(|old| old == bytes);
        if !same {
            fs::create_dir_all(&self.temporary).map_err(cannot)?;
            replace(&self.temporary, &target, &bytes).map_err(cannot)?;
        }
        Ok(Some((entry, !same)))
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

/// The bytes of a file that is copied: checked, where it comes out of the store.
fn copied(from: &Path, digest: &Digest, store: &Store) -> Result<Vec<u8>, String> {
    if from == store.blob_path(digest) {
        return store.blob(digest).ok_or_else(|| {
            "a stored picture was damaged and has been set aside; build again to measure it".into()
        });
    }
    fs::read(from).map_err(|error| format!("{} cannot be read ({error})", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let (changes, problems) = output.write(&site(pages), &BTreeMap::new(), &store);
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
        open(&mut digests).write(&pages, &BTreeMap::new(), &store);
        assert!(open(&mut digests).is_current("a.html", key));
        fs::write(folder.join("a.html"), "by hand").expect("a change");
        assert!(!open(&mut digests).is_current("a.html", key));
        let (changes, _) = open(&mut digests).write(&BTreeMap::new(), &BTreeMap::new(), &store);
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
        let (changes, problems) = output.write(&files, &BTreeMap::new(), &store);
        assert_eq!((changes.written.len(), problems.len()), (0, 1));
        assert!(!folder.join("figures/p.png").exists());
    }
}
