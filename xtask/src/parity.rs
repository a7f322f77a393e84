//! `cargo xtask parity`: compares the lab with open_clip at full size.
//!
//! tests/reference/parity.py compares; this module sets up its Python, the lab and a folder.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache;
use crate::cli::Parity;
use crate::programs::{Compiled, become_, compile};
use crate::run::repository;
use crate::venv;

/// Runs the command; the exit code is 1 if something differs.
pub fn parity(arguments: &Parity) -> Result<i32> {
    let repository = repository()?;
    let python = venv::python(&repository)?;
    let programs = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs,
    };
    // Files of a gigabyte do not belong into a folder that may lie in memory.
    let folder = cache::folder()?;
    fs::create_dir_all(&folder)
        .with_context(|| format!("{} could not be created", folder.display()))?;
    let mut script = Command::new(python);
    script.arg(repository.join("tests/reference/parity.py"));
    script.arg("--lab").arg(programs.lab).arg("--folder").arg(folder);
    script.args(arguments.keep.then_some("--keep"));
    script.args(arguments.models.iter().map(|model| model.name()));
    become_(&mut script)
}
