//! The programs of the release build: compiled, found, started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::{cargo, release_folder, run_quietly};
use crate::torch::{Libtorch, require_a_compiler};

/// The two programs.
pub struct Programs {
    /// The publisher.
    pub neuronotes: PathBuf,
    /// The lab.
    pub lab: PathBuf,
}

impl Programs {
    /// Where cargo puts them.
    pub fn in_place() -> Result<Self> {
        Self::of(&release_folder()?)
    }

    /// Those in a folder.
    pub fn of(folder: &Path) -> Result<Self> {
        let folder = std::path::absolute(folder)?;
        let program = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { neuronotes: program("neuronotes"), lab: program("neuronotes-lab") })
    }

    /// `neuronotes`, which measures by the lab beside it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.neuronotes);
        command.env("NEURONOTES_LAB", &self.lab);
        command
    }

    /// The same on the repository's own garden.
    pub fn neuronotes(&self, repository: &Path) -> Command {
        let mut command = self.command();
        command.current_dir(repository);
        command
    }
}

/// How compiling ended.
pub enum Compiled {
    /// Well.
    Programs(Programs),
    /// With that exit code; the compiler has said why.
    Failed(i32),
}

/// Set-up and compilation in release mode.
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

/// Lets a program take this one's place, so that keys and signals reach it alone.
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
