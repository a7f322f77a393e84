//! The small CLIP and its pictures that are embedded in the program, and how they are unpacked into the cache folder.
//!
//! They let a new garden measure without a network, even if only the program was copied. Files are unpacked on first
//! use, once for all gardens, because the lab reads files. A file in the cache is used only if its digest is right.
//! Request keys cover the same digests, so bundled weights and data give the same results as the same bytes under a
//! path.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use neuronotes_core::cache;
use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::files::FileDigests;

/// Name of the bundled model.
pub const MODEL: &str = "emoji";
/// Names of the bundled data sets: pictures, and a list of words.
pub const DATASETS: [&str; 2] = ["emoji", "words"];
/// Folder in the cache.
const FOLDER: &str = "emoji";

/// An embedded file.
#[derive(Debug, PartialEq, Eq)]
pub struct Bundled {
    /// File name without digest, and extension.
    name: (&'static str, &'static str),
    /// Description in one line.
    pub summary: &'static str,
    /// Digest of its bytes.
    pub digest: Digest,
    bytes: &'static [u8],
    /// Files that must be beside it, by name.
    beside: &'static [(&'static str, &'static str)],
}

static WEIGHTS: Bundled = Bundled {
    name: ("emoji-clip", "safetensors"),
    summary: "a small CLIP trained on 498 emoji",
    digest: Digest::constant("67c2d6c2bf9b994e168a357eeed8ae682e0159d802b1cd2be0e0d46da69ab5b1"),
    bytes: include_bytes!("../models/emoji-clip.safetensors"),
    beside: &[],
};

static PICTURES: Bundled = Bundled {
    name: ("emoji", "tar"),
    summary: "1,494 pictures of 498 emoji in three styles",
    digest: Digest::constant("fefa52122f1f825da7df36cd963a934624ffb8d5f0383706f75831ad04595e7a"),
    bytes: include_bytes!("../data/emoji.tar"),
    beside: LICENCES,
};

static WORDS: Bundled = Bundled {
    name: ("words", "txt"),
    summary: "the names of the 498 emoji, each drawn as a picture",
    digest: Digest::constant("190f28fe974c9fa0afd4d83c7a525990cec16268ab1f70eccd576ef4b5822402"),
    bytes: include_bytes!("../data/words.txt"),
    beside: LICENCES,
};

const LICENCES: &[(&str, &str)] = &[
    ("LICENSES.md", include_str!("../data/LICENSES.md")),
    ("LICENSES/Apache-2.0.txt", include_str!("../data/LICENSES/Apache-2.0.txt")),
    ("LICENSES/CC-BY-4.0.txt", include_str!("../data/LICENSES/CC-BY-4.0.txt")),
    ("LICENSES/MIT.txt", include_str!("../data/LICENSES/MIT.txt")),
    ("LICENSES/Unicode-3.0.txt", include_str!("../data/LICENSES/Unicode-3.0.txt")),
];

/// The bundled weights of this name.
pub fn model(name: &str) -> Option<&'static Bundled> {
    (name == MODEL).then_some(&WEIGHTS)
}

/// The bundled data set of this name.
pub fn dataset(name: &str) -> Option<&'static Bundled> {
    let at = DATASETS.iter().position(|known| *known == name)?;
    [&PICTURES, &WORDS].into_iter().nth(at)
}

/// Why a file could not be unpacked.
#[derive(Debug)]
pub struct Unpackable {
    what: &'static str,
    /// The destination; `None` if the environment names no cache folder.
    path: Option<PathBuf>,
    cause: String,
    /// Further advice besides choosing another folder.
    hint: Option<&'static str>,
}

impl Unpackable {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let elsewhere = format!("set {} to a writable folder", cache::VARIABLE);
        self.hint.map_or_else(|| elsewhere.clone(), |hint| format!("{hint}; or {elsewhere}"))
    }
}

impl fmt::Display for Unpackable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => {
                let path = path.display();
                write!(f, "{} cannot be unpacked to {path} ({})", self.what, self.cause)
            }
            None => write!(f, "no cache folder to unpack {} into: {}", self.what, self.cause),
        }
    }
}

impl std::error::Error for Unpackable {}

impl Bundled {
    /// Its bytes.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// The path where it is unpacked. It contains the digest, so different versions of the program do not replace
    /// each other's files.
    ///
    /// # Errors
    /// If the environment names no cache folder.
    pub fn path(&self) -> Result<PathBuf, Unpackable> {
        let folder = cache::folder().map_err(|nowhere| self.unpackable(None, &nowhere))?;
        let (stem, ending) = self.name;
        Ok(folder.join(FOLDER).join(format!("{stem}-{}.{ending}", self.digest.short())))
    }

    /// The unpacked file. It is unpacked if it is missing or its digest is wrong.
    ///
    /// # Errors
    /// If it cannot be unpacked.
    pub fn unpacked(&self, digests: &mut FileDigests) -> Result<PathBuf, Unpackable> {
        let path = self.path()?;
        if digests.digest(&path).is_ok_and(|found| found == self.digest) {
            return Ok(path);
        }
        match self.unpack(&path) {
            Ok(()) => Ok(path),
            Err(error) => {
                let full = error.kind() != io::ErrorKind::PermissionDenied;
                let hint = file::hint(&error).filter(|_| full);
                Err(Unpackable { hint, ..self.unpackable(Some(path), &error) })
            }
        }
    }

    fn unpackable(&self, path: Option<PathBuf>, cause: &dyn fmt::Display) -> Unpackable {
        Unpackable { what: self.summary, path, cause: cause.to_string(), hint: None }
    }

    fn unpack(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)?;
        for (name, text) in self.beside {
            file::write_atomic(&folder.join(name), text.as_bytes())?;
        }
        file::write_atomic(path, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_of_the_bytes() {
        for bundled in [&WEIGHTS, &PICTURES, &WORDS] {
            assert_eq!(Digest::of(bundled.bytes).hex(), bundled.digest.hex());
        }
    }

    #[test]
    fn a_file_is_unpacked_where_it_is_missing_or_damaged_and_only_there() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("new/emoji.tar");
        let mut digests = FileDigests::default();
        PICTURES.unpack(&path).expect("unpacked");
        assert_eq!(digests.digest(&path).expect("a digest"), PICTURES.digest);
        assert!(dir.path().join("new/LICENSES/MIT.txt").is_file());
        fs::write(&path, &PICTURES.bytes[..1000]).expect("write");
        assert_ne!(digests.digest(&path).expect("a digest"), PICTURES.digest);
        PICTURES.unpack(&path).expect("unpacked");
        assert_eq!(digests.digest(&path).expect("a digest"), PICTURES.digest);
    }
}
