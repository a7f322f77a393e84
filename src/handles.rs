//! File handles, of which a process may have so many: how many there may be, and whether some are left.
//!
//! Where none are left, every file seems to be one that cannot be read. That passes, and says nothing of the file.

use std::fs::File;
use std::io;
use std::path::Path;

/// No more are asked for, where the system would give any number.
#[cfg(unix)]
const MOST: u64 = 1 << 16;

/// Asks the system for as many handles as it gives without being root, and returns how many those are; none where they are
/// not counted.
pub fn raise() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.unwrap_or(MOST).min(MOST);
        if limit.current.is_some_and(|current| current < wanted) {
            // Where it is refused, fewer have to do.
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

/// Whether so many files can be opened at once, now; `file` is one that is there.
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

/// Whether a file may well be read a moment later that now is not: no handle was left, a signal came between, another program
/// has locked it, or a file system that lies elsewhere was away.
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
        // That it is not there is another matter.
        assert!(are_left(3, &folder.path().join("none")));
        let most = raise();
        assert!(most.is_none_or(|most| most >= 64), "{most:?}");
        assert_eq!(raise(), most);
    }
}
