//! The programs that cargo has compiled of tests.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run::cargo;
use crate::torch::Libtorch;

/// A test program.
#[derive(Debug, PartialEq, Eq)]
pub struct TestProgram {
    /// What it tests, such as `look`, `lab suite` or `neuronotes_core`.
    pub name: String,
    path: PathBuf,
    /// The folder of its package, in which cargo runs it.
    package: PathBuf,
    /// The folders of libraries that it loads when it starts.
    libraries: Vec<PathBuf>,
}

impl TestProgram {
    /// A command that runs it as cargo does.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.package).env("CARGO_MANIFEST_DIR", &self.package);
        let name = if cfg!(target_os = "macos") {
            "DYLD_FALLBACK_LIBRARY_PATH"
        } else if cfg!(windows) {
            "PATH"
        } else {
            "LD_LIBRARY_PATH"
        };
        let before = env::var_os(name).unwrap_or_default();
        let folders = self.libraries.iter().cloned().chain(env::split_paths(&before));
        // A folder whose name cannot be in a list is in no list of cargo's either.
        let folders = env::join_paths(folders).unwrap_or_else(|_| OsString::from(&before));
        command.env(name, folders);
        command
    }
}

/// A line of cargo's messages.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        manifest_path: PathBuf,
        target: Target,
        profile: Profile,
        executable: Option<PathBuf>,
    },
    BuildScriptExecuted {
        linked_paths: Vec<String>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Compiles all tests of the workspace in a profile; `None` if the compiler failed, which has then printed why.
pub fn compiled(
    repository: &Path,
    libtorch: &Libtorch,
    profile: &str,
) -> Result<Option<Vec<TestProgram>>> {
    let all = ["test", "--profile", profile, "--workspace", "--no-run"];
    let mut command = cargo(repository, &all);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    libtorch.show_to(&mut command);
    let mut child = command.spawn().context("cargo did not start")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let lines: std::io::Result<Vec<String>> = BufReader::new(output).lines().collect();
    let succeeded = child.wait()?.success();
    let lines = lines.context("cargo's messages could not be read")?;
    let programs = programs(&lines, repository)?;
    Ok(succeeded.then_some(programs))
}

/// The test programs that cargo's messages name.
fn programs(lines: &[String], repository: &Path) -> Result<Vec<TestProgram>> {
    let mut libraries: Vec<PathBuf> = Vec::new();
    let mut programs = Vec::new();
    for line in lines {
        let message = serde_json::from_str(line)
            .with_context(|| format!("cargo's message is not understood: {line}"))?;
        match message {
            Message::CompilerArtifact { manifest_path, target, profile, executable } => {
                let (Some(path), true) = (executable, profile.test) else { continue };
                let package = manifest_path.parent().context("a package without a folder")?;
                let is_unit = target.kind.iter().any(|kind| kind != "test" && kind != "bench");
                let folder = package.strip_prefix(repository).unwrap_or(package).display();
                let name = if is_unit { target.name } else { format!("{folder} {}", target.name) };
                programs.push(TestProgram {
                    name: name.trim_start().to_owned(),
                    path,
                    package: package.to_owned(),
                    libraries: Vec::new(),
                });
            }
            Message::BuildScriptExecuted { linked_paths } => {
                for path in linked_paths {
                    let folder = path.split_once('=').map_or(&*path, |(_, folder)| folder);
                    libraries.push(folder.into());
                }
            }
            Message::Other => {}
        }
    }
    for program in &mut programs {
        program.libraries.clone_from(&libraries);
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_names_its_test_programs() {
        let lines = [
            r#"{"reason":"build-script-executed","package_id":"x","linked_libs":[],"linked_paths":["native=/torch/lib","/other"],"cfgs":[],"env":[],"out_dir":"/o"}"#,
            r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/r/lab/Cargo.toml","target":{"kind":["lib"],"name":"neuronotes_lab"},"profile":{"test":false},"executable":null}"#,
            r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/r/lab/Cargo.toml","target":{"kind":["lib"],"name":"neuronotes_lab"},"profile":{"test":true},"executable":"/t/neuronotes_lab-1"}"#,
            r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/r/lab/Cargo.toml","target":{"kind":["test"],"name":"suite"},"profile":{"test":true},"executable":"/t/suite-1"}"#,
            r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/r/Cargo.toml","target":{"kind":["test"],"name":"look"},"profile":{"test":true},"executable":"/t/look-1"}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ]
        .map(str::to_owned);
        let found = programs(&lines, Path::new("/r")).expect("messages");
        let names: Vec<&str> = found.iter().map(|program| &*program.name).collect();
        assert_eq!(names, ["neuronotes_lab", "lab suite", "look"]);
        assert_eq!(found[1].package, Path::new("/r/lab"));
        assert_eq!(found[0].libraries, [Path::new("/torch/lib"), Path::new("/other")]);
        assert!(programs(&["no JSON".to_owned()], Path::new("/r")).is_err());
    }
}
