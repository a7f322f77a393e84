//! `neuronotes new`: creates a garden, or a note about a unit.

use std::path::PathBuf;

use clap::Subcommand;
use neuronotes_core::say;

use super::garden::{Garden, root};
use crate::scaffold::{self, note};
use crate::workspace::Workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a note about a unit, with the figures to begin with
    ///
    /// The note has the unit in its front matter, so that figures link to it, and blocks for what the unit looks for, the
    /// pictures that activate it most, and its activations over the data set. A file that exists is never written to.
    Note {
        /// The unit: a layer, or a dictionary of the garden, a slash, and the number, such as image_block_4/1/Add_6/545
        #[arg(long, value_name = "LAYER/UNIT")]
        unit: String,
        /// The model, by its name in `models:` [default: the one in `defaults:`]
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// What the note calls the unit [default: unnamed]
        #[arg(long)]
        name: Option<String>,
        /// The note's title [default: the name, or else the unit and its layer]
        #[arg(long)]
        title: Option<String>,
        /// The note's file in the notes folder [default: its title with the ending `.md`]
        #[arg(long)]
        file: Option<PathBuf>,
        #[command(flatten)]
        garden: Garden,
    },
}

pub(super) fn run(dir: Option<PathBuf>, command: Option<Command>) -> anyhow::Result<()> {
    match (dir, command) {
        (_, Some(Command::Note { unit, model, name, title, file, garden })) => {
            let root = root(garden.root)?;
            let mut workspace = Workspace::open(&root)?;
            let wanted = note::Wanted { unit, model, name, title, file };
            let path = note::make(&mut workspace, &wanted)?;
            workspace.save_digests();
            say::out(&format!("Created {}.\n", path.display()));
        }
        (Some(dir), None) => {
            scaffold::make(&dir)?;
            say::out(&scaffold::next(&dir));
        }
        (None, None) => {
            anyhow::bail!("name the folder of the new garden\nhint: `neuronotes new DIR`")
        }
    }
    Ok(())
}
