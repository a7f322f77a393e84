//! Why weights cannot be read.

use std::path::PathBuf;

use crate::sniff::Found;

/// Why a file's header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The file system reported an error.
    #[error("{} cannot be read ({source})", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is not a weights file.
    #[error("{} is not a weights file, neither of safetensors nor of PyTorch ({why})", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A safetensors file that is damaged.
    #[error("{} is not a whole safetensors file ({why})", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An archive that is damaged, or holds more than tensors.
    #[error("{} cannot be used as an archive of PyTorch ({why})", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// An index of weights in several files that cannot be used.
    #[error("{} cannot be used as an index of weights ({why})", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// A folder without weights, or with several weights files and no way to tell which one is meant.
    #[error(
        "{} {}", path.display(),
        match &**found {
            [] => "contains no weights file, such as `model.safetensors`".to_owned(),
            some => format!("contains several weights files (`{}`); name one of these files", some.join("`, `")),
        }
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Some of the weights files in it.
        found: Vec<String>,
    },
    /// The file has another type.
    #[error("{} is {}, not a weights file", path.display(), found.what)]
    Instead {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Found,
    },
    /// A pickle without an archive around it.
    #[error(
        "{} was saved by an old PyTorch; save it again with a newer one, or convert it to safetensors",
        path.display()
    )]
    Old {
        /// The file.
        path: PathBuf,
    },
}

impl HeaderError {
    /// What to do, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Instead { found, .. } => found.hint,
            _ => None,
        }
    }
}

/// A text of a file, made fit for a message: short, and without control characters.
pub fn printable(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}
