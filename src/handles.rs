//! File handles: raises the process's limit, and tells errors from a lack of handles apart.
//!
//! Without free handles, every file appears unreadable. This is temporary and says nothing about the file.

use std::fs::File;
use std::io;
use std::path::Path;

/// Number of handles to request if the system has no limit.
#[cfg(unix)]
const MOST: u64 = 1 << 16;

/// Raises the limit of open files as far as a normal user can, and returns it; `None` if the system has no such
/// limit.
pub fn raise() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.unwrap_or(MOST).min(MOST);
        if limit.current.is_some_and(|current| current < wanted) {
            // If it is refused, the present limit has to suffice.
            let _ = setrlimit(
                Resource::Nofile,
                Rlimit { current: Some(wanted), maximum: limit.maximum },
            );
        }
        getrlimit(Resource::Nofile).current
    }
    #[cfg(not(unix))]
    None
}

/// Whether so many files can be opened at once now; `file` is an existing file.
pub fn are_left(count: usize, file: &Path) -> bool {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        match File::open(file) {
            Ok(file) => open.push(file),
            Err(error) => return !is_passing(&error),
        }
    }
    true
}

/// Whether reading may succeed a moment later: no handle was free, a signal interrupted it, another program has
/// locked the file, or a network file system was unavailable.
pub fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{
        Interrupted, OutOfMemory, ResourceBusy, StaleNetworkFileHandle, TimedOut, WouldBlock,
    };
    // Input or output failed; too many files are open in the system, in this process.
    #[cfg(unix)]
    const OTHERS: [i32; 3] = [5, 23, 24];
    // Too many files are open; another program has the file, or a part of it.
    #[cfg(not(unix))]
    const OTHERS: [i32; 3] = [4, 32, 33];
    let kinds =
        [Interrupted, OutOfMemory, ResourceBusy, StaleNetworkFileHandle, TimedOut, WouldBlock];
    kinds.contains(&error.kind()) || error.raw_os_error().is_some_and(|code| OTHERS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        #[cfg(unix)]
        for code in [4, 5, 11, 12, 16, 23, 24] {
            assert!(is_passing(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for kind in [
            io::ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::IsADirectory,
            io::ErrorKind::InvalidData,
        ] {
            assert!(!is_passing(&kind.into()), "{kind:?}");
        }
    }

    #[test]
    fn handles_are_left_and_as_many_as_may_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        assert!(are_left(3, &file));
        // A missing file is not a lack of handles.
        assert!(are_left(3, &folder.path().join("none")));
        let most = raise();
        assert!(most.is_none_or(|most| most >= 64), "{most:?}");
        assert_eq!(raise(), most);
    }
}
