//! Atomic writing of files: a reader sees the old bytes or the new ones, never a mixture, even after a crash. Also
//! opens files whose paths a garden provides.

mod away;
mod name;
mod open;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use tempfile::{NamedTempFile, TempPath};

pub use away::named_error;
pub use name::{is_text, name, named};
pub use open::{Refused, bounded, hint as read_hint, open, open_in, read, read_in, text, within};

/// Makes exceeding the file size limit (`ulimit -f`) a write error instead of a fatal signal.
pub fn refuse_large_writes() {
    // SAFETY: ignoring a signal runs no code, and no other thread exists yet.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Writes a file atomically and waits until it is on disk.
///
/// # Errors
/// Errors of the file system; the old file is then unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    write_through(folder, path, bytes)
}

/// Writes a file atomically without waiting for the disk, for files that can be recreated.
///
/// The temporary folder is a preference: if it is on another file system, the file's own folder is used.
///
/// # Errors
/// Errors of the file system; the old file is then unchanged.
pub fn replace(temporary_folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match renamed(unique(temporary_folder, bytes)?, path) {
        // The folder usually exists, so it is created only after a failure.
        Err((error, file)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            match renamed(file, path) {
                Err((error, _)) if error.kind() == io::ErrorKind::CrossesDevices => {
                    rename_into_place(unique(folder, bytes)?, path)
                }
                Err((error, _)) => Err(error),
                Ok(()) => Ok(()),
            }
        }
        Err((error, _)) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::create_dir_all(folder)?;
            rename_into_place(unique(folder, bytes)?, path)
        }
        Err((error, _)) => Err(error),
        Ok(()) => Ok(()),
    }
}

/// Prefix of temporary files' names.
const TEMPORARY: &str = ".new-";

/// Whether a file's name is that of a temporary file, which a killed process may leave.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

fn temporary(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    // Readable by all, as far as the system's mask allows: others may serve it.
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    #[cfg(unix)]
    builder.permissions(mode);
    let file = builder.tempfile_in(folder);
    let mut file = file.map_err(plain)?;
    file.as_file_mut().write_all(bytes)?;
    Ok(file)
}

/// Removes the temporary file's path from an error, which would confuse users.
fn plain(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause.to_owned()),
        None => error,
    }
}

/// Makes a file of a unique name, which is removed on drop. It is closed: over NFS, other machines see all of a file only once it
/// is closed, so it must not get its real name before.
pub(crate) fn unique(folder: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    temporary(folder, bytes).map(NamedTempFile::into_temp_path)
}

fn rename_into_place(file: TempPath, path: &Path) -> io::Result<()> {
    renamed(file, path).map_err(|(error, _)| error)
}

fn renamed(file: TempPath, path: &Path) -> Result<(), (io::Error, TempPath)> {
    file.persist(path).map_err(|error| (error.error, error.path))
}

/// Like [`write_atomic`], through a temporary file in another folder of the same file system, which must exist.
///
/// # Errors
/// Errors of the file system; the old file is then unchanged.
pub fn write_through(temporary_folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = temporary(temporary_folder, bytes)?;
    file.as_file().sync_all()?;
    rename_into_place(file.into_temp_path(), path)?;
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        // The rename itself must outlive a power cut; not every file system lets a folder be synced.
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Sets a file's modification time to now.
///
/// # Errors
/// Errors of the file system.
pub fn touch(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let now = SystemTime::now();
    match file.set_modified(now) {
        // Some systems do not set the time of a file that is open read-only.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            File::options().append(true).open(path)?.set_modified(now)
        }
        result => result,
    }
}

/// Whether the place is read-only at the moment.
pub fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

/// Whether the disk was full or the user's quota used up.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What to do about a write error, if known.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull => Some("the disk is full: free some space, then try again"),
        io::ErrorKind::QuotaExceeded => {
            Some("your disk quota is used up: free some space, then try again")
        }
        io::ErrorKind::FileTooLarge => {
            Some("the system does not allow files of that size (see `ulimit -f`)")
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Some("make the folder writable, then try again")
        }
        _ => None,
    }
}
