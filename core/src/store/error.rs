//! Why something cannot be read from the store or written to it.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::file;

/// Why something cannot be read from the store or written to it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system reported an error.
    #[error("the store cannot {what} {} ({source})", path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An output was deleted before its record was written.
    #[error("the store lost the output `{output}` of {} while it was being committed", key.short())]
    Lost {
        /// The request key.
        key: Digest,
        /// The output.
        output: String,
    },
    /// A list of used results is damaged, so that collection could delete too much.
    #[error("{} is damaged, so it is unknown which results are still used", .0.display())]
    DamagedRoot(PathBuf),
}

impl StoreError {
    /// What to do, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } => file::hint(source),
            Self::Lost { .. } => Some("measure it again"),
            Self::DamagedRoot(_) => Some(
                "build every garden that uses this store, which rewrites its list; if there is none, remove the file",
            ),
        }
    }
}

pub(super) fn io_error<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { what, path: path.to_owned(), source }
}
