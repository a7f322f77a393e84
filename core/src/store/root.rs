//! Roots: which results a garden uses. Builds and previews write them; collection and `explain` read them.
//!
//! A root is in `roots/` under the digest of the garden's absolute path, since several gardens may use one store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk::{LONGEST_ROOT, Store, modified};
use super::error::StoreError;
use crate::digest::Digest;
use crate::{place, seal};

/// A root that has not changed is not rewritten before this.
const RENEWED: Duration = Duration::from_secs(60 * 60);

/// The results that one garden uses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The garden's folder.
    pub garden: PathBuf,
    /// When this was written, RFC 3339, UTC.
    #[serde(default)]
    pub written: String,
    /// Request keys that its notes ask for, with those of the requests that these use.
    pub requests: BTreeSet<Digest>,
    /// For each block, as `note.md#id`, the keys of its last results: of the ones that are shown, or that were shown
    /// before the block asked for something else that is not measured yet.
    pub blocks: BTreeMap<String, Vec<Digest>>,
}

/// A file in `roots/` that is not a root, or is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootError {
    /// Its path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

/// Every root.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Each with its path.
    pub(super) found: Vec<(PathBuf, Root)>,
    pub(super) wrong: Vec<RootError>,
}

impl Root {
    fn read(path: &Path) -> Result<Self, String> {
        let bytes = place::read(path, LONGEST_ROOT)
            .map_err(|error| format!("it cannot be read ({error})"))?;
        let json = seal::open(&bytes).whole().ok_or("its checksum is missing or wrong")?;
        serde_json::from_slice(&json).map_err(|error| format!("it has another form ({error})"))
    }
}

impl Store {
    /// The path of the root of the garden in this folder, whether it exists or not.
    pub fn root_path(&self, garden: &Path) -> PathBuf {
        let name = Digest::of(garden.as_os_str().as_encoded_bytes());
        self.root.join("roots").join(format!("{name}.json"))
    }

    /// The last known root of the garden in `garden`, an absolute path.
    pub fn root(&self, garden: &Path) -> Option<Root> {
        Root::read(&self.root_path(garden)).ok()
    }

    /// Stores the root of the garden in `garden`, with the time. Nothing is written if it has not changed and was written
    /// recently.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_root(&self, garden: &Path, root: &Root) -> Result<(), StoreError> {
        let path = self.root_path(garden);
        let known = Root::read(&path).ok();
        let young = fs::metadata(&path)
            .is_ok_and(|meta| modified(&meta).elapsed().is_ok_and(|age| age < RENEWED));
        let same =
            known.is_some_and(|known| Root { written: root.written.clone(), ..known } == *root);
        if same && young {
            return Ok(());
        }
        let root = Root { written: Timestamp::now().to_string(), ..root.clone() };
        let json = serde_json::to_vec_pretty(&root).expect("a root is plain data");
        self.write(&path, &seal::seal(&json))
    }

    /// Every root, and what cannot be read as one.
    pub(super) fn roots(&self) -> Result<Roots, StoreError> {
        let mut roots = Roots::default();
        for found in self.list("roots", ".json")?.found {
            match Root::read(&found.path) {
                Ok(root) => roots.found.push((found.path, root)),
                Err(message) => roots.wrong.push(RootError { path: found.path, message }),
            }
        }
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_kept_a_garden_and_written_only_where_it_differs() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let garden = Path::new("/a/garden");
        assert_eq!(store.root(garden), None);
        let mut root = Root { garden: garden.into(), ..Root::default() };
        root.requests.insert(Digest::of(b"a"));
        store.put_root(garden, &root).expect("written");
        let kept = store.root(garden).expect("a root");
        assert_eq!((&kept.requests, kept.written.is_empty()), (&root.requests, false));
        assert_eq!(store.root(Path::new("/another")), None);
        let path = store.root_path(garden);
        let then = std::time::SystemTime::now() - RENEWED / 2;
        let file = fs::File::options().append(true).open(&path).expect("a file");
        file.set_modified(then).expect("another time");
        store.put_root(garden, &root).expect("written");
        assert_eq!(store.root(garden), Some(kept), "it is not written again");
        root.blocks.insert("a.md#b".into(), vec![Digest::of(b"a")]);
        store.put_root(garden, &root).expect("written");
        assert_eq!(store.root(garden).expect("a root").blocks, root.blocks);
        fs::write(&path, fs::read_to_string(&path).expect("text").replace("a.md", "b.md"))
            .expect("damage");
        assert_eq!(store.root(garden), None);
    }
}
