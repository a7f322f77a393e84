//! The program's own folder in a garden, which may have come with the garden: a garden in, whether what is written there
//! stays there out.
//!
//! Whoever wants it on another disk may make it, or the store in it, a link to a folder that is one already; that is told
//! by what is in it, so that a link that came with a garden leads nowhere where nobody wanted it.

use std::fs;
use std::path::{Path, PathBuf};

use neuronotes_core::place;

use super::WorkspaceError;
use crate::config::layout::STATE;

/// What may be a link, each with the folder that has to be where it leads.
const MOVED: [(&str, &str); 2] = [("", "store/v1"), ("store", "v1")];
/// Folders that are never links out of the program's own.
const OWN: [&str; 3] = ["cache", "cache/tmp", "cache/pictures"];

/// Looks at the folder of the garden in `root`, where it is there.
///
/// # Errors
/// Where something in it leads elsewhere.
pub(super) fn check(root: &Path) -> Result<(), WorkspaceError> {
    let state = root.join(STATE);
    for (name, mark) in MOVED {
        let path = if name.is_empty() { state.clone() } else { state.join(name) };
        let is_link = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
        if is_link && !path.join(mark).is_dir() {
            return Err(link(path, mark));
        }
    }
    for own in OWN {
        if place::below(&state, Path::new(own).join("file")).is_err() {
            return Err(WorkspaceError::Cache(state.join(own)));
        }
    }
    Ok(())
}

fn link(link: PathBuf, mark: &str) -> WorkspaceError {
    let target = fs::read_link(&link).unwrap_or_else(|_| link.clone());
    let target = link.parent().map_or(target.clone(), |folder| folder.join(&target));
    WorkspaceError::Link { wanted: target.join(mark), link, target }
}
