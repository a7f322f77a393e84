//! Files written whole: a reader sees the old bytes or the new ones, never a part, whatever is killed when.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file so that a reader sees the old bytes or the new ones, never a part.
///
/// # Errors
/// Whatever the file system gives; then the old file still stands.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    write_through(folder, path, bytes)
}

/// As [`write_through`], without waiting for the disk: for files that can be made again.
///
/// The other folder is a wish: where it lies on another file system, the file's own folder is used.
///
/// # Errors
/// Whatever the file system gives; then the old file still stands.
pub fn replace(temporary_folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    match rename_into_place(temporary(temporary_folder, bytes)?, path) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            rename_into_place(temporary(folder, bytes)?, path)
        }
        result => result,
    }
}

fn temporary(folder: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    Ok(file)
}

fn rename_into_place(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// As [`write_atomic`], by way of another folder on the same file system, which must exist.
///
/// # Errors
/// Whatever the file system gives; then the old file still stands.
pub fn write_through(temporary_folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = temporary(temporary_folder, bytes)?;
    file.as_file().sync_all()?;
    rename_into_place(file, path)?;
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        // The rename itself must outlive a power cut; not every file system lets a folder be synced.
        let _ = folder.sync_all();
    }
    Ok(())
}
