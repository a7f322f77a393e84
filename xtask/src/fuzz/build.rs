//! Compiles the fuzz targets with LLVM's instrumentation, in a target folder of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{cargo, run};
use crate::torch::require_a_compiler;

/// Instruments each edge and each comparison. `fuzzing` is the flag that cargo-fuzz sets too: a few libraries then
/// skip checksums.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The outcome of compiling.
pub enum Built {
    /// The path of the compiled program.
    Program(PathBuf),
    /// The compiler failed with this exit code and has printed why.
    Failed(i32),
}

/// The folder for everything that this command makes, except failing inputs.
pub fn folder(repository: &Path) -> PathBuf {
    repository.join("target/fuzz")
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Compiles it.
pub fn build(repository: &Path) -> Result<Built> {
    require_a_compiler()?;
    let host = host()?;
    // With a target that is named, build scripts and macros are compiled without the instrumentation.
    let arguments = [
        "build",
        "--quiet",
        "--profile",
        "fuzz",
        "--package",
        "neuronotes-fuzz",
        "--features",
        "coverage",
        "--target",
        &host,
    ];
    let mut command = cargo(repository, &arguments);
    command.arg("--target-dir").arg(folder(repository)).env("RUSTFLAGS", INSTRUMENTED);
    command.env_remove("CARGO_ENCODED_RUSTFLAGS");
    match run("compiling the targets (some minutes the first time)", &mut command)? {
        0 => {
            let name = format!("neuronotes-fuzz{}", std::env::consts::EXE_SUFFIX);
            Ok(Built::Program(folder(repository).join(&host).join("fuzz").join(name)))
        }
        code => Ok(Built::Failed(code)),
    }
}

/// The host's target triple, as rustc prints it.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output().context("rustc did not start")?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc printed no host triple")
}
