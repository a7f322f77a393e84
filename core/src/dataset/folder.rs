//! A folder in; its files, sorted by path, out. Only regular files are opened, and of links only those that lead to
//! regular files in the same folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::sheet;
use crate::dataset::ledger::{Ledger, What};
use crate::file;

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path in the folder, with `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Why it is not read; `None` where it may be.
    pub refused: Option<&'static str>,
}

/// Everything in a folder but what is hidden, sorted by path; and the names of hidden folders.
///
/// # Errors
/// Where the folder, or one in it, cannot be read.
pub fn walk(root: &Path) -> Result<(Vec<Found>, Vec<String>), io::Error> {
    let mut hidden = Vec::new();
    let mut found = Vec::new();
    let real = root.canonicalize()?;
    let name = |path: &Path| file::name(path.strip_prefix(root).unwrap_or(path));
    let mut entries = WalkDir::new(root).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        // Other than the root, whatever it is called.
        let is_hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type();
        if kind.is_dir() {
            if is_hidden {
                hidden.push(name(entry.path()));
                entries.skip_current_dir();
            }
            continue;
        }
        let path = entry.into_path();
        let refused = if kind.is_symlink() {
            link(&path, &real)
        } else {
            (!kind.is_file()).then_some("it is a pipe, a socket or a device, not a file")
        };
        found.push(Found { name: name(&path), path, refused });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, hidden))
}

/// Why a link is not followed, where it is not.
fn link(path: &Path, root: &Path) -> Option<&'static str> {
    let Ok(target) = path.canonicalize() else { return Some("a link that leads nowhere") };
    if !target.starts_with(root) {
        return Some("a link that leads out of the data set's folder is not followed");
    }
    match fs::metadata(&target) {
        Ok(meta) if meta.is_file() => None,
        Ok(meta) if meta.is_dir() => Some("a link to a folder is not followed"),
        _ => Some("a link to something that is not a file is not followed"),
    }
}

/// The files of a folder that may be read.
///
/// # Errors
/// Where the folder, or one in it, cannot be read.
pub fn files(root: &Path, ledger: &mut Ledger) -> io::Result<(Vec<sheet::File<PathBuf>>, bool)> {
    let (found, hidden) = walk(root)?;
    let mut files = Vec::new();
    let mut is_new = false;
    for found in found {
        ledger.entries += 1;
        if let Some(why) = found.refused {
            let what = sheet::meant(&found.name);
            // The first rules followed links wherever they led.
            is_new |= what != What::Other;
            ledger.lose(what, why, found.name);
            continue;
        }
        let bytes = fs::metadata(&found.path)?.len();
        // The first rules took names for one that differ in what is no UTF-8.
        let is_new = !file::is_text(&found.path);
        files.push(sheet::File { name: found.name, place: found.path, bytes, is_new });
    }
    for name in hidden {
        ledger.lose(What::Other, "hidden, since the name begins with a dot", name + "/");
    }
    Ok((files, is_new))
}
