//! Why a garden cannot be opened.

use std::path::PathBuf;

use neuronotes_core::store::StoreError;

use crate::config::layout;
use crate::diagnostic::Diagnostic;

/// Why a folder cannot be used as a garden.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// It is not a garden.
    #[error("{} is not a garden: {}", .0.display(), layout::LOOKS)]
    NoGarden(PathBuf),
    /// Its store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One of the program's own folders is a link to another place.
    #[error("{} is a link to {}, which is not a folder of `neuronotes`\nhint: remove the link, or confirm it with `mkdir -p {}`", link.display(), target.display(), wanted.display())]
    Link {
        /// Path of the link.
        link: PathBuf,
        /// Its target.
        target: PathBuf,
        /// The marker folder that would have to exist.
        wanted: PathBuf,
    },
    /// A folder of its caches is a link that leads out of the program's own folder.
    #[error("{} is a link that leads out of the program's own folder\nhint: remove it; its contents will be recreated", .0.display())]
    Cache(PathBuf),
    /// The built-in templates are broken.
    #[error("{0}")]
    Template(Diagnostic),
}
