//! Runs cargo and the programs that cargo has built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::failure::failure;
use crate::say::Step;

/// The repository of this xtask.
pub fn repository() -> Result<PathBuf> {
    // cargo gives the current path of the package; the one known at compile time is wrong if the clone was moved.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map(Path::to_owned).context("xtask is not in a repository")
}

/// The folder with the programs of the release build: beside the folder of this program, so that a custom target
/// folder is respected.
pub fn release_folder() -> Result<PathBuf> {
    let this = env::current_exe().context("this program's own path is unknown")?;
    let target = this.ancestors().nth(2).context("this program is not in a target folder")?;
    Ok(target.join("release"))
}

/// A cargo command in the repository, with the environment as it was before cargo started this program: build scripts
/// that depend on the package's variables would otherwise run again.
pub fn cargo(repository: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository).args(arguments);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a program to its end, prints its name and duration, and returns its exit code.
pub fn run(what: &str, command: &mut Command) -> Result<i32> {
    let step = Step::begin(what);
    let code = run_quietly(command)?;
    if code == 0 {
        step.done()
    } else {
        step.failed()
    }
    Ok(code)
}

/// Runs a program to its end, and returns its exit code.
pub fn run_quietly(command: &mut Command) -> Result<i32> {
    let program = command.get_program().to_owned();
    let status =
        command.status().with_context(|| format!("{} did not start", program.display()))?;
    // Without a code it was ended by a signal; the shell's convention needs more than std tells on every system.
    Ok(status.code().unwrap_or(1))
}

/// Makes sure that cargo has a component that a minimal installation of Rust lacks.
pub fn require_component(repository: &Path, component: &str) -> Result<()> {
    let subcommand = if component == "rustfmt" { "fmt" } else { component };
    let answers = |mut command: Command| command.output().is_ok_and(|out| out.status.success());
    if answers(cargo(repository, &[subcommand, "--version"])) {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(repository).args(["component", "add", component]);
    let added = run(&format!("rustup component add {component}"), &mut rustup);
    if added.is_ok_and(|code| code == 0) {
        return Ok(());
    }
    Err(failure(
        format!("cargo {subcommand} is not installed"),
        format!("run `rustup component add {component}`, or install your system's package of it"),
    ))
}
