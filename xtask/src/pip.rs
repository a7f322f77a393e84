//! Downloads wheels with the user's own pip, and so with its mirror, proxy and certificates.
//!
//! pip is asked for a fixed Python version and platform, so that the Python it runs on does not matter.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::failure::failure;
use crate::platform::Platform;

/// Python version of the requested wheels. Only their headers and libraries are used.
const PYTHON: &str = "3.11";

/// Ways to call pip, the most likely first.
const CALLS: [&[&str]; 4] =
    [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"]];

/// What to download from a package index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the folder that keeps the wheels until they are unpacked.
    pub name: &'static str,
    /// A description for messages.
    pub title: &'static str,
    /// Requirements in pip's syntax: `torch==2.11.0`.
    pub requirements: Vec<String>,
    /// Whether to download the packages' dependencies too.
    pub with_dependencies: bool,
}

/// A source of wheels; tests use one that needs no network.
pub trait Source {
    /// Downloads the wheels into an existing, empty folder.
    fn download(&self, wanted: &Wanted, into: &Path) -> Result<()>;
}

/// The user's pip.
pub struct Pip {
    /// The platform of the requested wheels.
    pub platform: Platform,
}

impl Source for Pip {
    fn download(&self, wanted: &Wanted, into: &Path) -> Result<()> {
        let call = find()?;
        let mut command = Command::new(call[0]);
        command
            .args(&call[1..])
            .args(arguments(self.platform, wanted, into))
            // Nothing is installed, so a rule that installs go into a virtual environment does not apply.
            .env("PIP_REQUIRE_VIRTUALENV", "0");
        let status = command.status().with_context(|| format!("{} did not start", call[0]))?;
        if status.success() {
            return Ok(());
        }
        Err(failure(
            format!("pip failed to download {} ({status})", wanted.requirements.join(", ")),
            "see pip's message above; after fixing it, run the same command again to resume",
        ))
    }
}

/// The first pip that works.
fn find() -> Result<&'static [&'static str]> {
    let answers = |call: &&[&str]| {
        let mut command = Command::new(call[0]);
        command.args(&call[1..]).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    CALLS.into_iter().find(answers).ok_or_else(|| {
        failure(
            "pip, which downloads libtorch, was not found",
            "install it (Debian: apt-get install python3-pip), or set LIBTORCH to your own libtorch",
        )
    })
}

/// pip's arguments. No index is given, since that is up to the user's configuration.
fn arguments(platform: Platform, wanted: &Wanted, into: &Path) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["download", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
            .map(str::to_owned)
            .to_vec();
    arguments.extend(["--implementation", "cp", "--python-version", PYTHON].map(str::to_owned));
    for tag in platform.wheel_tags() {
        arguments.extend(["--platform".to_owned(), tag]);
    }
    if !wanted.with_dependencies {
        arguments.push("--no-deps".to_owned());
    }
    arguments.extend(["--dest".to_owned(), into.display().to_string()]);
    arguments.extend(wanted.requirements.iter().cloned());
    arguments
}

/// The wheels in a folder, sorted by name.
pub fn wheels(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_is_asked_for_a_fixed_python_and_no_index() {
        let wanted = Wanted {
            name: "torch",
            title: "torch",
            requirements: vec!["torch==2.11.0".to_owned()],
            with_dependencies: false,
        };
        let line = arguments(Platform::Linux("x86_64"), &wanted, Path::new("/cache")).join(" ");
        for part in [
            "--only-binary=:all:",
            "--implementation cp --python-version 3.11",
            "--platform manylinux_2_28_x86_64",
            "--platform manylinux2014_x86_64",
            "--no-deps --dest /cache torch==2.11.0",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("index"), "{line}");
    }
}
