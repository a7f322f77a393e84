//! The folder of a crate: files are written only if they differ, and those of an earlier crate that are no longer part of it
//! are removed at the end. A folder with anything else is left alone.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use neuronotes_core::{file, place};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::entity::METADATA;
use super::fault::CrateError;

/// Maximum size of the metadata of an earlier crate in bytes.
const LONGEST: u64 = 512 << 20;

/// The folder of a crate.
#[derive(Debug)]
pub(super) struct Folder {
    folder: PathBuf,
    /// The files of an earlier crate.
    earlier: BTreeSet<String>,
    put: BTreeSet<String>,
    /// Number of files written.
    pub(super) written: usize,
    /// Number of files that were already there.
    pub(super) kept: usize,
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CrateError + 'a {
    move |source| CrateError::Io { what, path: path.to_owned(), source }
}

/// The files that a crate's metadata names.
fn listed(metadata: &[u8]) -> Option<BTreeSet<String>> {
    let metadata: Value = serde_json::from_slice(metadata).ok()?;
    let files = metadata["@graph"].as_array()?.iter().filter(|entity| entity["@type"] == "File");
    let files = files.filter_map(|entity| entity["@id"].as_str());
    Some(files.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned()).collect())
}

impl Folder {
    /// Opens a folder that is empty, does not exist yet, or contains a crate.
    pub(super) fn open(folder: &Path) -> Result<Self, CrateError> {
        let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        let metadata = place::read(&folder.join(METADATA), LONGEST);
        let earlier = match (metadata, occupied) {
            (Ok(bytes), _) => listed(&bytes),
            (Err(_), false) => Some(BTreeSet::new()),
            // A first crate that was not finished has its results or notes, and no metadata.
            (Err(_), true) => None,
        };
        let earlier = earlier.ok_or_else(|| CrateError::Occupied(folder.to_owned()))?;
        Ok(Self { folder: folder.to_owned(), earlier, put: BTreeSet::new(), written: 0, kept: 0 })
    }

    /// Writes a file unless it already has these bytes.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), CrateError> {
        if !self.put.insert(path.to_owned()) {
            return Ok(());
        }
        // Links in the folder may have come with the garden.
        let target =
            place::below(&self.folder, path).map_err(io_error("write", &self.folder.join(path)))?;
        if place::read(&target, bytes.len() as u64).is_ok_and(|old| old == bytes) {
            self.kept += 1;
            return Ok(());
        }
        let parent = target.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(io_error("make", parent))?;
        file::replace(parent, &target, bytes).map_err(io_error("write", &target))?;
        self.written += 1;
        Ok(())
    }

    /// Removes the files of the earlier crate that are not part of this one; returns their number.
    pub(super) fn finish(&self) -> Result<usize, CrateError> {
        let mut removed = 0;
        for path in self.earlier.difference(&self.put) {
            let Ok(target) = place::below(&self.folder, path) else { continue };
            match fs::remove_file(&target) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io_error("remove", &target)(error)),
            }
            let mut parent = Path::new(path).parent();
            while let Some(folder) = parent.filter(|parent| !parent.as_os_str().is_empty()) {
                // Fails if the folder is not empty.
                let removed = place::below(&self.folder, folder).and_then(fs::remove_dir);
                parent = removed.ok().and_then(|()| folder.parent());
            }
        }
        Ok(removed)
    }
}
