//! Why no crate could be made.

use std::io;
use std::path::PathBuf;

use neuronotes_core::file;

use crate::freeze::FreezeError;

/// Why no crate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// The garden cannot be used.
    #[error(transparent)]
    Garden(#[from] FreezeError),
    /// The folder contains something else.
    #[error("{} is not empty and contains no crate\nhint: use another folder", .0.display())]
    Occupied(PathBuf),
    /// An error of the file system.
    #[error("cannot {what} {} ({source}){}", path.display(), file::hint(source).map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
    Io {
        /// The action that failed.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
