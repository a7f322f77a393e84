//! An incomplete file: appends bytes, computes their SHA-256, and finally renames it.
//!
//! Knows nothing of the bytes' source. Bytes from an earlier run are read first, so that the digest is always that of
//! the whole content.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use neuronotes_core::problem::Problem;
use neuronotes_core::sha256::{Hasher, Sha256};

use super::wanted::{Doing, Watcher, from};

#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    length: u64,
    longest: u64,
    received: u64,
    pieces: u32,
}

impl Part {
    /// Opens the file at `path` and keeps its content.
    pub fn open(path: &Path, longest: u64, watcher: &mut dyn Watcher) -> Result<Self, Problem> {
        let mut part = Self::at(path, longest)?;
        let failed = |error| disk(path, &error);
        let there = part.file.metadata().map_err(failed)?.len();
        if there > longest {
            part.restart()?;
        } else if there > 0 {
            (part.hasher, part.length) = hash(&mut part.file, there, watcher).map_err(failed)?;
            part.pieces = 1;
        }
        Ok(part)
    }

    /// Opens the file at `path` and empties it.
    pub fn create(path: &Path, longest: u64) -> Result<Self, Problem> {
        let mut part = Self::at(path, longest)?;
        part.restart()?;
        Ok(part)
    }

    fn at(path: &Path, longest: u64) -> Result<Self, Problem> {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| disk(path, &error))?;
        let (path, hasher) = (path.to_owned(), Hasher::default());
        Ok(Self { path, file, hasher, length: 0, longest, received: 0, pieces: 0 })
    }

    /// Number of bytes in the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Number of bytes received in this process, including discarded ones.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Number of sources of the bytes: responses of the server, and an earlier run.
    pub fn pieces(&self) -> u32 {
        self.pieces
    }

    /// SHA-256 of all bytes.
    pub fn digest(&self) -> Sha256 {
        self.hasher.digest()
    }

    /// The following bytes come from another response.
    pub fn begin_piece(&mut self) {
        self.pieces += 1;
    }

    /// Checks that a file of that length may be written.
    pub fn fits(&self, total: u64) -> Result<(), Problem> {
        if total <= self.longest {
            return Ok(());
        }
        let longest = self.longest;
        Err(Problem::new(format!("the file has {total} bytes, more than the limit of {longest}"))
            .hint(from()))
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let length = self.length + bytes.len() as u64;
        if let Err(error) = self.fits(length) {
            self.restart()?;
            return Err(error);
        }
        self.file.write_all(bytes).map_err(|error| disk(&self.path, &error))?;
        self.hasher.update(bytes);
        self.length = length;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Discards all bytes.
    pub fn restart(&mut self) -> Result<(), Problem> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| disk(&self.path, &error))?;
        (self.hasher, self.length, self.pieces) = (Hasher::default(), 0, 0);
        Ok(())
    }

    /// Flushes the file to disk and gives it its final name.
    pub fn publish(self, path: &Path) -> Result<(), Problem> {
        let done = self.file.sync_all().and_then(|()| fs::rename(&self.path, path));
        done.map_err(|error| disk(path, &error))?;
        if let Some(Ok(folder)) = path.parent().map(File::open) {
            // The renaming itself must outlive a power cut; not every file system lets a folder be synced.
            let _ = folder.sync_all();
        }
        Ok(())
    }

    /// Removes the file.
    pub fn discard(self) {
        // If it cannot be removed, it is at least emptied, so that no later fetch continues with it.
        if fs::remove_file(&self.path).is_err() {
            let _ = self.file.set_len(0);
        }
    }
}

/// The digest of an existing file.
pub(super) fn digest_of(path: &Path, watcher: &mut dyn Watcher) -> io::Result<Sha256> {
    let mut file = neuronotes_core::file::open(path)?;
    let length = file.metadata()?.len();
    Ok(hash(&mut file, length, watcher)?.0.digest())
}

fn hash(file: &mut File, total: u64, watcher: &mut dyn Watcher) -> io::Result<(Hasher, u64)> {
    let (mut hasher, mut done) = (Hasher::default(), 0);
    let mut buffer = vec![0; 1 << 18];
    loop {
        watcher.step(Doing::Checking, done, Some(total));
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher, done)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                done += n as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Explains a disk error.
pub(super) fn disk(path: &Path, error: &io::Error) -> Problem {
    let path = path.display();
    let variable = neuronotes_core::cache::VARIABLE;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Problem::new(format!("the disk is full: {path} ({error})")).hint(format!(
                "free some space and run the same command again to resume, or set {variable} to another folder"
            )),
        ErrorKind::FileTooLarge => Problem::new(format!("{path} cannot be written ({error})")).hint("the system does not allow files of that size (see `ulimit -f`)"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Problem::new(format!("{path} cannot be written ({error})")).hint(format!("set {variable} to a writable folder")),
        _ => Problem::new(format!("{path} cannot be used ({error})")).hint(format!("weights are kept in `models` in the cache folder, which {variable} can set")),
    }
}
