//! The garden that a command is about.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::layout::{self, Kind};

#[derive(Debug, Args)]
pub(super) struct Garden {
    /// Folder of the garden [default: the nearest parent folder with `neuronotes.yaml`, or that is a Jekyll garden or
    /// a vault]
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

/// The garden's folder: the given one, or else the nearest parent folder that is a garden.
pub(super) fn root(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(root) = asked {
        return Ok(root);
    }
    let here = std::env::current_dir()?;
    match nearest_garden(&here) {
        Some(root) => Ok(root.to_owned()),
        None => anyhow::bail!(
            "neither {} nor a parent folder is a garden: {}\nhint: `neuronotes new DIR` creates a garden",
            here.display(),
            layout::LOOKS
        ),
    }
}

pub(super) fn nearest_garden(here: &Path) -> Option<&Path> {
    let configured = |folder: &&Path| folder.join(crate::config::FILE).is_file();
    // A folder `notes` alone, as in a home folder, does not make the folders around it gardens.
    let foreign =
        |folder: &&Path| matches!(layout::looks_like(folder), Some(Kind::Jekyll | Kind::Vault));
    let plain = || (layout::looks_like(here).is_some()).then_some(here);
    here.ancestors().find(|folder| configured(folder) || foreign(folder)).or_else(plain)
}
