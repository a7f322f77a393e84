//! The inputs that are kept for a target: seeds and earlier findings.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder of a target's inputs.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs in a folder, each with its file name, sorted by name.
///
/// # Errors
/// If one cannot be read.
pub fn inputs(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let read = |file: fs::DirEntry| {
        Ok((file.file_name().to_string_lossy().into_owned(), fs::read(file.path())?))
    };
    files.into_iter().map(read).collect()
}
