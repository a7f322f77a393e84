//! Content digests: bytes or files in, BLAKE3 out. Knows nothing of notes, requests or the store.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// A BLAKE3 digest of 32 bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a file's content, memory-mapped where it is large.
    ///
    /// # Errors
    /// Whatever opening or reading the file gives.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap(path)?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }

    /// All 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The first 12 hexadecimal digits: enough to name a thing to a person.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.bytes().any(|b| b.is_ascii_uppercase());
        match blake3::Hash::from_hex(text) {
            Ok(hash) if !upper => Ok(Self(*hash.as_bytes())),
            _ => Err(format!("`{text}` is not a digest of 64 lower-case hexadecimal digits")),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Digests of files, taken again only when size or modification time changed.
///
/// This is the one place where a modification time means anything: it may save reading a file again,
/// and decides nothing else.
#[derive(Debug, Default)]
pub struct FileDigests {
    known: BTreeMap<PathBuf, Known>,
    dirty: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    size: u64,
    modified_ns: u128,
    digest: Digest,
}

impl FileDigests {
    /// What an earlier process saved at `path`; empty where that cannot be read.
    pub fn load(path: &Path) -> Self {
        let known = fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self { known, dirty: false }
    }

    /// Saves to `path`, where anything changed since [`FileDigests::load`].
    ///
    /// # Errors
    /// Whatever writing gives; losing this file costs time only.
    pub fn save(&mut self, path: &Path) -> io::Result<()> {
        if self.dirty {
            crate::file::write_atomic(path, &serde_json::to_vec(&self.known)?)?;
            self.dirty = false;
        }
        Ok(())
    }

    /// The digest of the file at `path`.
    ///
    /// A file changed within the last two seconds is read each time: its next change might leave
    /// size and modification time as they are.
    ///
    /// # Errors
    /// Whatever opening or reading the file gives.
    pub fn digest(&mut self, path: &Path) -> io::Result<Digest> {
        let meta = fs::metadata(path)?;
        let modified = meta.modified()?;
        let modified_ns = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        if let Some(known) = self.known.get(path)
            && known.size == meta.len()
            && known.modified_ns == modified_ns
        {
            return Ok(known.digest);
        }
        let digest = Digest::of_file(path)?;
        let settled = modified.elapsed().is_ok_and(|age| age.as_secs() >= 2);
        if settled {
            self.known.insert(path.to_owned(), Known { size: meta.len(), modified_ns, digest });
            self.dirty = true;
        }
        Ok(digest)
    }

    /// The digest of a folder: of the list of its files, sorted by path, each with its digest.
    ///
    /// Hidden files and folders are passed over; links to folders are not followed.
    ///
    /// # Errors
    /// Whatever walking the folder or reading a file gives.
    pub fn folder(&mut self, path: &Path) -> io::Result<Digest> {
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(path).into_iter().filter_entry(|entry| !hidden(entry)) {
            let entry = entry?;
            if !entry.file_type().is_dir() {
                files.push(entry.into_path());
            }
        }
        files.sort();
        let mut list = Vec::new();
        for file in files {
            if file.is_dir() {
                continue; // a link to a folder
            }
            let digest = self.digest(&file)?;
            let relative = file.strip_prefix(path).unwrap_or(&file);
            list.extend_from_slice(relative.to_string_lossy().replace('\\', "/").as_bytes());
            list.extend_from_slice(format!("\0{digest}\n").as_bytes());
        }
        Ok(Digest::of(&list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_text() {
        let digest = Digest::of(b"unit 89");
        assert_eq!(digest.hex().parse::<Digest>(), Ok(digest));
        assert!("89".parse::<Digest>().is_err());
        assert!(digest.hex().to_uppercase().parse::<Digest>().is_err());
    }

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
