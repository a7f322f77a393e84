//! The folder of the temporary store. It is removed at the end and when the program is interrupted; what a program left that
//! was killed is removed by the next one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use neuronotes_core::file;
use tempfile::TempDir;

/// How the folders' names begin.
const PREFIX: &str = "reproduce-";
/// The file in a folder that its program has locked while it runs.
const LOCK: &str = "lock";
/// A folder without that file is left by a program that was killed, unless it is younger.
const YOUNG: Duration = Duration::from_secs(60);
/// The exit code after an interrupt, as shells have it.
#[cfg(unix)]
const INTERRUPTED: i32 = 130;

/// The folder to remove when the program is interrupted.
static OPEN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A folder for a temporary store.
#[derive(Debug)]
pub(super) struct Beside {
    folder: TempDir,
    _lock: File,
}

impl Beside {
    /// Makes a folder in a garden's folder of state, after it has removed what earlier programs left; calls `removed` with each
    /// path.
    ///
    /// # Errors
    /// If there is no room.
    pub(super) fn new(state: &Path, removed: impl FnMut(&Path)) -> anyhow::Result<Self> {
        clear(state, removed);
        let made = || {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(state)?;
            let lock = File::create_new(folder.path().join(LOCK))?;
            // Where files cannot be locked, the folder's age has to do.
            let _ = lock.try_lock();
            std::io::Result::Ok(Self { folder, _lock: lock })
        };
        let made = made().map_err(|error| {
            let hint = file::hint(&error).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow::anyhow!("cannot make a folder in {} ({error}){hint}", state.display())
        })?;
        *open() = Some(made.folder.path().to_owned());
        on_interrupt();
        Ok(made)
    }

    /// The folder of the store.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        *open() = None;
    }
}

fn open() -> std::sync::MutexGuard<'static, Option<PathBuf>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the open folder when the program is interrupted, and ends it.
#[cfg(unix)]
fn on_interrupt() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Without a handler the next program removes the folder.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else {
            return;
        };
        std::thread::spawn(move || {
            let _ = signals.forever().next();
            if let Some(folder) = open().take() {
                // The lab may be writing to it for the last time.
                if fs::remove_dir_all(&folder).is_err() {
                    let _ = fs::remove_dir_all(&folder);
                }
            }
            std::process::exit(INTERRUPTED);
        });
    });
}

#[cfg(not(unix))]
fn on_interrupt() {}

/// Removes the folders that programs left which were killed.
fn clear(state: &Path, mut removed: impl FnMut(&Path)) {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    for entry in entries {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        if is_left(&folder) && fs::remove_dir_all(&folder).is_ok() {
            removed(&folder);
        }
    }
}

/// Whether no program uses a folder any more.
fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => {
            let changed = fs::metadata(folder).and_then(|about| about.modified()).ok();
            changed.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > YOUNG)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_left_is_removed_and_what_another_one_uses_is_not() {
        let state = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let folder = state.path().join(name);
            fs::create_dir_all(folder.join("store/v1")).expect("a folder");
            folder
        };
        let (left, used, young, old) =
            (make("reproduce-a"), make("reproduce-b"), make("reproduce-c"), make("reproduce-d"));
        let (other, store) = (make("something"), make("store"));
        fs::write(state.path().join("reproduce-file"), "").expect("a file");
        File::create(left.join(LOCK)).expect("a lock");
        let lock = File::create(used.join(LOCK)).expect("a lock");
        lock.try_lock().expect("locked");
        let long_ago = std::time::SystemTime::now() - 2 * YOUNG;
        File::open(&old).and_then(|file| file.set_modified(long_ago)).expect("older");
        let mut removed = Vec::new();
        let beside = Beside::new(state.path(), |path| removed.push(path.to_owned()));
        let beside = beside.expect("a folder");
        removed.sort();
        assert_eq!(removed, [left.clone(), old.clone()]);
        let is_there = [&left, &used, &young, &old, &other, &store].map(|path| path.exists());
        assert_eq!(is_there, [false, true, true, false, true, true]);
        assert!(state.path().join("reproduce-file").exists());
        // Its own folder is in use, too.
        let own = beside.folder.path().to_owned();
        assert!(own.exists() && !is_left(&own));
        drop(beside);
        assert!(!own.exists());
    }
}
