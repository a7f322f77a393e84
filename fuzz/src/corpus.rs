//! Inputs that are kept: a target's name in, the bytes of its seeds and of what was found before out.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where the inputs of a target lie.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs in a folder, each with its file's name, in the order of the names.
///
/// # Errors
/// Where one cannot be read.
pub fn inputs(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let read = |file: fs::DirEntry| {
        Ok((file.file_name().to_string_lossy().into_owned(), fs::read(file.path())?))
    };
    files.into_iter().map(read).collect()
}
