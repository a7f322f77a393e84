//! Walks a folder. Input: a folder. Output: its files, sorted by path, each with the reason if it is not opened. Only
//! regular files are opened, and links to regular files in the same folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::file;

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path in the folder, with `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Why it is not read; `None` if it can be.
    pub refused: Option<&'static str>,
}

/// Everything in a folder except what is hidden, sorted by path; and the names of hidden folders.
///
/// # Errors
/// Fails if the folder, or one in it, cannot be read.
pub fn walk(root: &Path) -> Result<(Vec<Found>, Vec<String>), io::Error> {
    let mut hidden = Vec::new();
    let mut found = Vec::new();
    let real = root.canonicalize()?;
    let name = |path: &Path| file::name(path.strip_prefix(root).unwrap_or(path));
    let mut entries = WalkDir::new(root).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        // The root itself is never hidden, whatever its name.
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

/// The reason why a link is not followed; `None` if it is.
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
