//! A lock against concurrent set-ups, and removal of folders that may not exist.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

use crate::say::say;

/// Waits for the lock. The system releases it when the process ends, whatever the reason.
pub fn locked(path: &Path) -> Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.with_context(|| format!("{} could not be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say("another set-up is running; waiting for it …");
            file.lock().with_context(|| format!("{} could not be locked", path.display()))?;
        }
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
            say(format_args!(
                "{} cannot be locked on this file system: run one set-up at a time",
                path.display()
            ));
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{} could not be locked", path.display()));
        }
    }
    Ok(file)
}

/// Removes a folder, if it exists.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", folder.display()))
        }
        _ => Ok(()),
    }
}
