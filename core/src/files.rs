//! Digests of files and folders, cached from run to run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::place;
use crate::seal;
use crate::sha256::Sha256;

mod pictures;

pub use pictures::is_beside;

/// Digests of files, computed again only if a file's metadata has changed.
///
/// This is the only place that uses file times: they can save reading a file again, and decide nothing else. In
/// addition to size and modification time, which programs can set, the inode and change time are compared, which they
/// cannot: a file replaced in place is noticed, and so is a cache from another machine.
#[derive(Debug, Default)]
pub struct FileDigests {
    state: State,
    dirty: bool,
}

/// The saved data.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    files: BTreeMap<PathBuf, Known>,
    /// Facts about content, by names that contain its digest.
    #[serde(default)]
    facts: BTreeMap<String, serde_json::Value>,
}

/// A more recently changed file may change again without changing its stamp.
const SETTLED: Duration = Duration::from_secs(2);
/// Maximum size of the cache file in bytes.
const LONGEST: u64 = 512 << 20;
/// Maximum number of cached facts; if there are more, all are discarded.
const MOST_FACTS: usize = 4096;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    digest: Digest,
    /// SHA-256, if it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    /// Digest of an archive's pictures alone, if it was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pictures: Option<Digest>,
    /// Digests of a table's pictures alone, by the columns that were read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, Digest>,
}

/// A file's metadata, available without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified_ns: i128,
    /// Time of the last change of any kind, and inode; `None` if the system has no such thing.
    changed_ns: Option<i128>,
    number: Option<u64>,
}

/// A file's stamp, and whether the file has not changed for two seconds.
fn stamp(path: &Path) -> io::Result<(Stamp, bool)> {
    let meta = fs::metadata(path)?;
    if meta.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !meta.is_file() {
        // Reading a pipe or a device may never end.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let modified = meta.modified()?;
    let modified_ns = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    let settled = modified.elapsed().is_ok_and(|age| age >= SETTLED);
    let (changed_ns, number) = unset(&meta);
    Ok((Stamp { size: meta.len(), modified_ns, changed_ns, number }, settled))
}

/// The part of a file's stamp that programs cannot set.
#[cfg(unix)]
fn unset(meta: &fs::Metadata) -> (Option<i128>, Option<u64>) {
    use std::os::unix::fs::MetadataExt as _;
    let changed = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
    (Some(changed), Some(meta.ino()))
}

#[cfg(not(unix))]
fn unset(_: &fs::Metadata) -> (Option<i128>, Option<u64>) {
    (None, None)
}

impl FileDigests {
    /// Loads what an earlier process saved at `path`; empty if that cannot be read.
    pub fn load(path: &Path) -> Self {
        let state = place::read(path, LONGEST)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&seal::open(&bytes).whole()?).ok())
            .unwrap_or_default();
        Self { state, dirty: false }
    }

    /// How many files' digests are cached.
    pub fn count(&self) -> usize {
        self.state.files.len()
    }

    /// Saves to `path` if anything changed since [`FileDigests::load`].
    ///
    /// # Errors
    /// Errors of writing; losing this file costs time only.
    pub fn save(&mut self, path: &Path) -> io::Result<()> {
        if self.dirty {
            // A wrong digest would name another file's results: a power cut may damage this file, and its checksum shows it.
            let folder = path.parent().unwrap_or(path);
            std::fs::create_dir_all(folder)?;
            crate::file::replace(folder, path, &seal::seal(&serde_json::to_vec(&self.state)?))?;
            self.dirty = false;
        }
        Ok(())
    }

    /// The digest of the file at `path`.
    ///
    /// A file changed within the last two seconds is read each time, because its next change might leave its metadata
    /// unchanged.
    ///
    /// # Errors
    /// Errors of opening or reading the file.
    pub fn digest(&mut self, path: &Path) -> io::Result<Digest> {
        let (stamp, settled) = stamp(path)?;
        if let Some(known) = self.state.files.get(path).filter(|known| known.stamp == stamp) {
            return Ok(known.digest);
        }
        let digest = Digest::of_file(path)?;
        if settled {
            let known =
                Known { stamp, digest, sha256: None, pictures: None, tables: BTreeMap::new() };
            self.state.files.insert(path.to_owned(), known);
            self.dirty = true;
        }
        Ok(digest)
    }

    /// The digest of a file of a folder. A file that this user may not read has one too, which no content has: it is
    /// left out where it is used, and taken in once it can be read.
    ///
    /// # Errors
    /// Other errors of opening or reading the file; they name it.
    pub fn allowed(&mut self, path: &Path) -> io::Result<Digest> {
        match self.digest(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Ok(Digest::of(b"permission denied"))
            }
            Err(error) => Err(crate::file::named_error(path, error)),
            found => found,
        }
    }

    /// The SHA-256 of the file at `path`, cached like [`FileDigests::digest`].
    ///
    /// # Errors
    /// Errors of opening or reading the file.
    pub fn sha256(&mut self, path: &Path) -> io::Result<Sha256> {
        self.digest(path)?;
        let (stamp, _) = stamp(path)?;
        let known = self.state.files.get_mut(path).filter(|known| known.stamp == stamp);
        if let Some(sha256) = known.as_ref().and_then(|known| known.sha256) {
            return Ok(sha256);
        }
        let sha256 = Sha256::of_file(path)?;
        if let Some(known) = known {
            known.sha256 = Some(sha256);
            self.dirty = true;
        }
        Ok(sha256)
    }

    /// The digest of what a shard of a data set shows, without its descriptions: of an archive's list of entries in
    /// order, or of a folder's files by path, each with its digest, but without files that [lie beside
    /// pictures](is_beside). For a file that is not an archive, it is the file's own digest.
    ///
    /// # Errors
    /// Errors of reading.
    pub fn pictures(&mut self, path: &Path) -> io::Result<Digest> {
        if path.is_dir() {
            return self.files(path, &|name| !is_beside(name));
        }
        let whole = self.digest(path)?;
        let (stamp, _) = stamp(path)?;
        let known = self.state.files.get_mut(path).filter(|known| known.stamp == stamp);
        if let Some(pictures) = known.as_ref().and_then(|known| known.pictures) {
            return Ok(pictures);
        }
        let pictures = pictures::of_archive(path).unwrap_or(whole);
        if let Some(known) = known {
            known.pictures = Some(pictures);
            self.dirty = true;
        }
        Ok(pictures)
    }

    /// The digest of the pictures in a table, of which these columns are read; it is taken by `digest` if it is not cached.
    ///
    /// # Errors
    /// Errors of reading the file, and those of `digest`.
    pub fn in_table<E: From<io::Error>>(
        &mut self,
        path: &Path,
        columns: &str,
        digest: impl FnOnce(&mut Self) -> Result<Digest, E>,
    ) -> Result<Digest, E> {
        self.digest(path)?;
        let (stamp, _) = stamp(path)?;
        let known = self.state.files.get(path).filter(|known| known.stamp == stamp);
        if let Some(found) = known.and_then(|known| known.tables.get(columns)) {
            return Ok(*found);
        }
        let found = digest(self)?;
        let known = self.state.files.get_mut(path).filter(|known| known.stamp == stamp);
        if let Some(known) = known {
            known.tables.insert(columns.to_owned(), found);
            self.dirty = true;
        }
        Ok(found)
    }

    /// A cached fact about content, under a name that contains its digest.
    pub fn fact<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.state.facts.get(name)?.clone()).ok()
    }

    /// Caches a fact about content.
    pub fn remember<T: Serialize>(&mut self, name: String, fact: &T) {
        let Ok(fact) = serde_json::to_value(fact) else { return };
        if self.state.facts.len() >= MOST_FACTS {
            self.state.facts.clear();
        }
        self.state.facts.insert(name, fact);
        self.dirty = true;
    }

    /// The digest of a folder: of the list of its files, sorted by path, each with its digest.
    ///
    /// Hidden files and folders are skipped. Only regular files are opened, and links only if they lead to regular
    /// files in the same folder; anything else counts by its name.
    ///
    /// # Errors
    /// Errors of walking the folder or reading a file.
    pub fn folder(&mut self, path: &Path) -> io::Result<Digest> {
        self.files(path, &|_| true)
    }

    /// The same for files whose names `wanted` accepts.
    fn files(&mut self, path: &Path, wanted: &dyn Fn(&str) -> bool) -> io::Result<Digest> {
        let real = path.canonicalize()?;
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(path).into_iter().filter_entry(|entry| !hidden(entry)) {
            let entry = entry?;
            let kind = entry.file_type();
            if kind.is_dir() || !wanted(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let is_read = match kind.is_symlink() {
                true => entry.path().canonicalize().is_ok_and(|target| {
                    target.starts_with(&real) && fs::metadata(&target).is_ok_and(|m| m.is_file())
                }),
                false => kind.is_file(),
            };
            files.push((entry.into_path(), is_read));
        }
        files.sort();
        let mut list = Vec::new();
        for (file, is_read) in files {
            let digest = match is_read {
                true => self.allowed(&file)?.hex(),
                false => "not read".to_owned(),
            };
            let relative = file.strip_prefix(path).unwrap_or(&file);
            list.extend_from_slice(crate::file::name(relative).as_bytes());
            list.extend_from_slice(format!("\0{digest}\n").as_bytes());
        }
        Ok(Digest::of(&list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_gets_another_digest() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("weights");
        let mut digests = FileDigests::default();
        fs::write(&path, b"one").expect("write");
        let one = digests.digest(&path).expect("digest");
        fs::write(&path, b"two").expect("write");
        assert_ne!(digests.digest(&path).expect("digest"), one);
        assert_eq!(one, Digest::of(b"one"));
    }

    #[test]
    fn a_sha256_is_remembered_until_the_file_changes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (path, state) = (dir.path().join("weights"), dir.path().join("digests.json"));
        let write = |text: &str, age: u64| {
            fs::write(&path, text).expect("write");
            let file = fs::File::options().write(true).open(&path).expect("a file");
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            file.set_modified(then).expect("another time");
        };
        write("one", 100);
        let mut digests = FileDigests::default();
        let one = digests.sha256(&path).expect("a digest");
        digests.save(&state).expect("saved");
        // An obviously different digest shows whether the saved one is used.
        let other = Sha256::constant(&"0".repeat(64));
        let json = seal::open(&fs::read(&state).expect("bytes")).whole().expect("whole");
        let text = String::from_utf8(json).expect("text");
        let changed = text.replace(&one.to_string(), &other.to_string());
        fs::write(&state, &changed).expect("write");
        let mut unsealed = FileDigests::load(&state);
        assert_eq!(unsealed.sha256(&path).expect("a digest"), one, "it is not believed");
        fs::write(&state, seal::seal(changed.as_bytes())).expect("write");
        let mut digests = FileDigests::load(&state);
        assert_eq!(digests.sha256(&path).expect("a digest"), other);
        write("two", 50);
        let two = digests.sha256(&path).expect("a digest");
        assert_eq!(two, Sha256::of_file(&path).expect("a digest"));
        assert_ne!(two, one);
    }

    #[test]
    fn what_a_table_shows_is_remembered_by_its_columns_until_the_file_changes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.parquet");
        let write = |text: &str, age: u64| {
            fs::write(&path, text).expect("write");
            let file = fs::File::options().write(true).open(&path).expect("a file");
            let then = std::time::SystemTime::now() - Duration::from_secs(age);
            file.set_modified(then).expect("another time");
        };
        let (mut digests, mut taken) = (FileDigests::default(), 0);
        let mut shown = |columns: &str| {
            let found = digests.in_table(&path, columns, |_| {
                taken += 1;
                io::Result::Ok(Digest::of(columns.as_bytes()))
            });
            (found.expect("a digest") == Digest::of(columns.as_bytes()), taken)
        };
        write("one", 100);
        assert_eq!(
            [shown("a"), shown("a"), shown("b"), shown("a")].map(|(_, taken)| taken),
            [1, 1, 2, 2]
        );
        assert!(shown("b").0);
        write("two", 50);
        assert_eq!(shown("a"), (true, 3));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_replaced_in_place_with_its_size_and_time_is_noticed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (path, other) = (dir.path().join("weights"), dir.path().join("other"));
        let then = std::time::SystemTime::now() - Duration::from_secs(100);
        let write = |path: &Path, text: &str| {
            // Until the stamp of a new file differs, the file system's clock has not advanced.
            std::thread::sleep(Duration::from_millis(20));
            fs::write(path, text).expect("write");
            let file = fs::File::options().write(true).open(path).expect("a file");
            file.set_modified(then).expect("another time");
        };
        let mut digests = FileDigests::default();
        write(&path, "one");
        assert_eq!(digests.digest(&path).expect("a digest"), Digest::of(b"one"));
        assert!(digests.dirty, "it is remembered");
        write(&path, "two");
        assert_eq!(digests.digest(&path).expect("a digest"), Digest::of(b"two"));
        write(&other, "six");
        fs::rename(&other, &path).expect("renamed");
        assert_eq!(digests.digest(&path).expect("a digest"), Digest::of(b"six"));
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_has_no_digest() {
        assert!(FileDigests::default().digest(Path::new("/dev/zero")).is_err());
        assert!(FileDigests::default().digest(Path::new("/")).is_err());
    }

    #[test]
    fn what_was_found_out_is_remembered_with_the_digests() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let state = dir.path().join("digests.json");
        let mut digests = FileDigests::default();
        digests.remember("pictures of abc".into(), &7);
        digests.save(&state).expect("saved");
        let digests = FileDigests::load(&state);
        assert_eq!(digests.fact::<u64>("pictures of abc"), Some(7));
        assert_eq!(digests.fact::<u64>("pictures of abd"), None);
        assert_eq!(digests.fact::<String>("pictures of abc"), None, "it is of another form");
    }

    #[test]
    fn a_folder_is_its_files_by_name_and_content() {
        let digest = |files: &[(&str, &str)]| {
            let dir = tempfile::tempdir().expect("a temporary folder");
            for (name, text) in files {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                fs::write(path, text).expect("write");
            }
            FileDigests::default().folder(dir.path()).expect("digest")
        };
        let one = digest(&[("a", "1"), ("b/c", "2")]);
        assert_eq!(one, digest(&[("b/c", "2"), ("a", "1"), (".hidden", "3")]));
        assert_ne!(one, digest(&[("a", "1"), ("b/d", "2")]));
        assert_ne!(one, digest(&[("a", "1"), ("b/c", "3")]));
    }
}
