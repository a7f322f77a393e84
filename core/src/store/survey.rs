//! Lists the files in a store's folders: each with the digest in its name, and those that do not belong there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::disk::{FOLDERS, LONGEST, Store, modified};
use super::error::{StoreError, io_error};
use super::record::Record;
use crate::digest::Digest;
use crate::place;

/// Folders with a folder for each first two digits.
const SHARDED: [&str; 4] = ["blobs", "records", "figures", "indexes"];

/// A file that is named as the store names files.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// The digest in its name.
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

/// The files of one of the store's folders.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files, ordered by name.
    pub(super) found: Vec<Found>,
    /// Files that the store did not put there.
    pub(super) foreign: Vec<PathBuf>,
}

impl Store {
    /// The files of a folder whose names are digests with this ending.
    pub(super) fn list(&self, kind: &str, ending: &str) -> Result<Listing, StoreError> {
        let top = self.root.join(kind);
        let mut listing = Listing::default();
        if !SHARDED.contains(&kind) {
            listing.take(&top, "", ending)?;
        } else {
            for path in entries(&top)? {
                let name = name(&path);
                let shard = name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit());
                if shard && place::is_folder(&path) {
                    listing.take(&path, &name, ending)?;
                } else {
                    listing.foreign.push(path);
                }
            }
        }
        Ok(listing)
    }

    /// The files of every record and every output.
    ///
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn results(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut all = self.list("blobs", "")?.found;
        all.extend(self.list("records", ".json")?.found);
        Ok(all.into_iter().map(|found| found.path).collect())
    }

    /// All records of a kind, ordered by key, whether their blobs exist or not.
    ///
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn records_of(&self, kind: &str) -> Result<Vec<Record>, StoreError> {
        let all = self.list("records", ".json")?.found;
        // Most records are of other kinds; these are not worth parsing.
        let named = format!("\"kind\": \"{kind}\"");
        let names_it = |found: &Found| {
            let bytes = place::read(&found.path, LONGEST).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(&named)
        };
        let some = all.iter().filter(|found| names_it(found));
        let records = some.filter_map(|found| self.record_alone(&found.digest));
        Ok(records.filter(|record| record.kind == kind).collect())
    }

    /// Every file of a folder, whatever its name.
    pub(super) fn all(&self, kind: &str) -> Result<Vec<(PathBuf, fs::Metadata)>, StoreError> {
        let mut all = Vec::new();
        for path in entries(&self.root.join(kind))? {
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_file() => all.push((path, meta)),
                _ => {}
            }
        }
        Ok(all)
    }

    /// The names of the folders in a folder.
    pub(super) fn folders(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let all = entries(&self.root.join(kind))?;
        Ok(all.iter().filter(|path| place::is_folder(path)).map(|path| name(path)).collect())
    }

    /// Files in the store's folder that do not belong to the store.
    pub(super) fn strangers(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut all = entries(&self.root)?;
        all.retain(|path| !(place::is_folder(path) && FOLDERS.contains(&&*name(path))));
        Ok(all)
    }

    /// A path within the store, for messages.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }
}

impl Listing {
    fn take(&mut self, folder: &Path, shard: &str, ending: &str) -> Result<(), StoreError> {
        for path in entries(folder)? {
            let name = name(&path);
            let digest = name.strip_suffix(ending).and_then(|stem| stem.parse::<Digest>().ok());
            let digest = digest.filter(|_| name.starts_with(shard));
            match (digest, fs::symlink_metadata(&path)) {
                // Another process removed it meanwhile.
                (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
                (Some(digest), Ok(meta)) if meta.is_file() => {
                    let (bytes, modified) = (meta.len(), modified(&meta));
                    self.found.push(Found { path, digest, bytes, modified });
                }
                _ => self.foreign.push(path),
            }
        }
        Ok(())
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The entries of a folder, in order; none if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    // The target of a link does not belong to the store.
    if fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_symlink()) {
        return Ok(Vec::new());
    }
    let list = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        list => list.map_err(io_error("read", folder))?,
    };
    let mut all = Vec::new();
    for entry in list {
        all.push(entry.map_err(io_error("read", folder))?.path());
    }
    all.sort();
    Ok(all)
}
