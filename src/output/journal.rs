//! The journal of an output folder: lists each file before it is written, so that files of an interrupted build are
//! known.
//!
//! The manifest is saved at the end of a build. If the build is killed or the disk is full, the journal tells the
//! next build which files are its own. If the garden's cache is full, the journal is in the program's own cache.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use neuronotes_core::cache;
use neuronotes_core::digest::Digest;
use neuronotes_core::place;

/// Maximum size of a journal in bytes.
const LONGEST: u64 = 512 << 20;

/// A journal.
#[derive(Debug)]
pub(super) struct Journal {
    /// Possible paths; the first writable one is used.
    places: Vec<PathBuf>,
    open: Mutex<Option<File>>,
}

impl Journal {
    /// The journal for the output folder of this name; `folder` is the garden's cache.
    pub(super) fn of(name: &str, folder: &Path) -> Self {
        let file = format!("output-{name}.journal");
        let elsewhere = cache::folder().ok().map(|shared| shared.join("journals").join(&file));
        let places = [Some(folder.join(&file)), elsewhere].into_iter().flatten().collect();
        Self { places, open: Mutex::default() }
    }

    /// The files that an interrupted build wrote or was about to write.
    pub(super) fn left(&self) -> Vec<(String, Digest)> {
        let read = |path: &PathBuf| place::read(path, LONGEST).unwrap_or_default();
        let line = |line: &[u8]| -> Option<(String, Digest)> {
            let (digest, path) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            Some((serde_json::from_str(path).ok()?, digest.parse().ok()?))
        };
        let texts: Vec<Vec<u8>> = self.places.iter().map(read).collect();
        // The last line may be a part of one.
        texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n')).filter_map(line).collect()
    }

    /// Records that a file is about to be written. The file is written even if that fails.
    pub(super) fn note(&self, path: &str, digest: &Digest) {
        let Ok(path) = serde_json::to_string(path) else { return };
        let line = format!("{digest} {path}\n");
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_mut().is_some_and(|file| file.write_all(line.as_bytes()).is_ok()) {
            return;
        }
        *open = self.places.iter().find_map(|place| begin(place, line.as_bytes()).ok());
    }

    /// The manifest was saved: deletes the journal.
    pub(super) fn end(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for place in &self.places {
            let _ = fs::remove_file(place);
        }
    }
}

/// Opens a journal and starts a new line, since the last one may be incomplete.
fn begin(place: &Path, line: &[u8]) -> io::Result<File> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::symlink_metadata(place).is_ok_and(|meta| !meta.is_file()) {
        fs::remove_file(place)?;
    }
    let mut file = File::options().create(true).append(true).open(place)?;
    file.write_all(&[b"\n", line].concat())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_tells_what_was_written_until_its_end() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let name = Digest::of(dir.path().as_os_str().as_encoded_bytes()).short();
        let journal = || Journal::of(&name, dir.path());
        assert_eq!(journal().left(), []);
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let first = journal();
        first.note("a b.html", &one);
        first.note("c\n.html", &two);
        // Killed within a line.
        let place = &first.places[0];
        let mut text = fs::read(place).expect("a journal");
        text.extend_from_slice(format!("{one} \"d").as_bytes());
        fs::write(place, &text).expect("written");
        let second = journal();
        let both = vec![("a b.html".to_owned(), one), ("c\n.html".to_owned(), two)];
        assert_eq!(second.left(), both);
        second.note("e.html", &one);
        assert_eq!(journal().left().len(), 3);
        second.end();
        assert_eq!((journal().left(), place.exists()), (Vec::new(), false));
    }

    #[test]
    fn where_it_cannot_lie_in_the_garden_it_lies_elsewhere() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let taken = dir.path().join("taken");
        fs::write(&taken, "").expect("a file where the folder would be");
        let places = vec![taken.join("journal"), dir.path().join("shared/journal")];
        let journal = Journal { places, open: Mutex::default() };
        journal.note("a.html", &Digest::of(b"1"));
        assert_eq!(journal.left().len(), 1);
        journal.end();
        assert_eq!(journal.left(), []);
    }
}
