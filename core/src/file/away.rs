//! Files on a disk or a network share that does not answer.

use std::io;
use std::path::{Path, PathBuf};

/// What to do if a file cannot be read because the disk or the network share that it is on does not answer; `None` if that is
/// not the reason.
pub(super) fn hint(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{
        HostUnreachable, NetworkDown, NetworkUnreachable, NotConnected, StaleNetworkFileHandle,
        TimedOut,
    };
    // Input or output failed; no such device; the host is down.
    #[cfg(unix)]
    const CODES: [i32; 4] = [5, 6, 19, 112];
    // The device is not ready; the network's path or name was not found; the network name was deleted.
    #[cfg(not(unix))]
    const CODES: [i32; 5] = [21, 53, 64, 67, 1117];
    let kinds = [
        HostUnreachable,
        NetworkDown,
        NetworkUnreachable,
        NotConnected,
        StaleNetworkFileHandle,
        TimedOut,
    ];
    let is_away = |error: &io::Error| {
        kinds.contains(&error.kind())
            || error.raw_os_error().is_some_and(|code| CODES.contains(&code))
    };
    // An error that names its file has the system's own as its source.
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.downcast_ref::<io::Error>().is_some_and(is_away) {
            return Some(
                "the disk or network share that it is on does not answer: reconnect it, then try again",
            );
        }
        cause = one.source();
    }
    None
}

/// An error of reading with the path of its file; the system's own error is its source.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
struct Of {
    path: PathBuf,
    source: io::Error,
}

/// The same error, with the path of its file.
pub fn named_error(path: &Path, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), Of { path: path.to_owned(), source })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_is_gone_is_told_from_a_file_that_is() {
        // EIO, ENXIO, ENODEV, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ESTALE.
        #[cfg(target_os = "linux")]
        const AWAY: [i32; 8] = [5, 6, 19, 107, 110, 112, 113, 116];
        #[cfg(not(target_os = "linux"))]
        const AWAY: [i32; 3] = [5, 6, 19];
        for code in AWAY {
            let error = || io::Error::from_raw_os_error(code);
            assert!(hint(&error()).is_some(), "{}", error());
            let named = named_error(Path::new("data/a.png"), error());
            assert!(named.to_string().starts_with("data/a.png: "), "{named}");
            assert_eq!(named.kind(), error().kind());
            assert!(hint(&named).is_some(), "{named}");
        }
        // ENOENT, EACCES, ENOTDIR, ENOSPC.
        for code in [2, 13, 20, 28] {
            let error = named_error(Path::new("a"), io::Error::from_raw_os_error(code));
            assert_eq!(hint(&error), None, "{error}");
        }
    }
}
