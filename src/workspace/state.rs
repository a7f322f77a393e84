//! Checks the program's own folder in a garden, which may have come with the garden, so that nothing is written
//! elsewhere through links.
//!
//! To keep it on another disk, it or the store in it may be a link to a folder that already contains the program's
//! files; a link that came with a garden therefore does not lead anywhere unintended.

use std::fs;
use std::path::{Path, PathBuf};

use neuronotes_core::place;

use super::fault::WorkspaceError;
use crate::config::layout::STATE;

/// Folders that may be links, each with the marker folder that its target must contain.
const MOVED: [(&str, &str); 2] = [("", "store/v1"), ("store", "v1")];
/// Folders that must never be links out of the program's own folder.
const OWN: [&str; 3] = ["cache", "cache/tmp", "cache/pictures"];

/// Checks the folder of the garden in `root`, if it exists.
///
/// # Errors
/// If something in it leads to another place.
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
