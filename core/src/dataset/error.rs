//! Why a shard cannot be read at all.

use std::io;
use std::path::{Path, PathBuf};

use super::format::Format;
use super::listing::Malformed;
use crate::file::read_hint;
use crate::sniff::Found;

/// Why a shard cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// The file system reported an error.
    #[error("{} cannot be read ({source})", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is not in the expected format.
    #[error("{} cannot be read as {} ({why})", path.display(), format.noun)]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static Format,
        /// What is wrong with it.
        why: String,
        /// What to do, if that is known.
        hint: Option<String>,
    },
    /// The file has another type, recognised by its first bytes.
    #[error("{} is {}, not {}", path.display(), found.what, format.noun)]
    Instead {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static Format,
        /// What it is.
        found: Found,
    },
}

impl ShardError {
    pub(super) fn of(why: Malformed, path: &Path, format: &'static Format) -> Self {
        let path = path.to_owned();
        match why {
            Malformed::Io(source) => Self::Io { path, source },
            Malformed::Form(why) => {
                let hint = format.hint.map(str::to_owned);
                Self::Malformed { path, format, why, hint }
            }
            Malformed::Hinted { why, hint } => {
                Self::Malformed { path, format, why, hint: Some(hint) }
            }
            Malformed::Instead(found) => Self::Instead { path, format, found },
        }
    }

    /// What to do, if that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Instead { found, .. } => found.hint,
            Self::Malformed { hint, .. } => hint.as_deref(),
            Self::Io { source, .. } => read_hint(source),
        }
    }
}
