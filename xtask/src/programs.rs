//! Compiles, finds and starts the programs of the release build.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, release_folder, run_quietly};
use crate::torch::{Libtorch, require_a_compiler};

/// The two programs.
pub struct Programs {
    /// `neuronotes`.
    pub neuronotes: PathBuf,
    /// `neuronotes-lab`.
    pub lab: PathBuf,
}

impl Programs {
    /// The programs in cargo's target folder.
    pub fn in_place() -> Result<Self> {
        Self::of(&release_folder()?)
    }

    /// The programs in a given folder.
    pub fn of(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        let program = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { neuronotes: program("neuronotes"), lab: program("neuronotes-lab") })
    }

    /// A `neuronotes` command that measures with the lab beside it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.neuronotes);
        command.env("NEURONOTES_LAB", &self.lab);
        command
    }

    /// A `neuronotes` command on the repository's own garden.
    pub fn neuronotes(&self, repository: &Path) -> Command {
        let mut command = self.command();
        command.current_dir(repository);
        command
    }
}

/// The outcome of compiling.
pub enum Compiled {
    /// Compiling succeeded.
    Programs(Programs),
    /// The compiler failed with this exit code and has printed why.
    Failed(i32),
}

/// Sets up and compiles in release mode.
pub fn compile(repository: &Path) -> Result<Compiled> {
    require_a_compiler()?;
    let libtorch = Libtorch::in_place(false)?;
    // Only what is run. The tests reuse all of it: `tests/structure.rs` holds their features to these.
    let mut command =
        cargo(repository, &["build", "--release", "-p", "neuronotes", "-p", "neuronotes-lab"]);
    libtorch.show_to(&mut command);
    match run_quietly(&mut command)? {
        0 => Ok(Compiled::Programs(Programs::in_place()?)),
        code => Ok(Compiled::Failed(code)),
    }
}

/// Replaces this process by a program, so that keys and signals reach it alone.
#[cfg(unix)]
pub fn become_(command: &mut Command) -> Result<i32> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(anyhow::Error::new(error)
        .context(format!("{} did not start", command.get_program().display())))
}

#[cfg(not(unix))]
pub fn become_(command: &mut Command) -> Result<i32> {
    run_quietly(command)
}
