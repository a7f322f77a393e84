//! `cargo xtask test`: every check of the code, and every test.

mod lanes;
mod program;
mod skipped;

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::axe;
use crate::chromium;
use crate::cli::{Half, Test};
use crate::cluster;
use crate::editors;
use crate::programs::{Compiled, Programs, compile};
use crate::run::{cargo, repository, require_component, run};
use crate::say::{Step, say};
use crate::torch::{Libtorch, require_a_compiler};
use crate::venv;

/// The profile of tests. It has the dependencies of the release build, and shares its folder, so that nothing in it is
/// compiled twice; our own crates are not optimised in it, and check their sums.
const PROFILE: &str = "bench";

/// Environment variable with a Python that has a server that speaks S3.
const S3: &str = "NEURONOTES_S3";

/// Runs all checks and tests. A failing one does not stop the others.
pub fn test(arguments: &Test) -> Result<i32> {
    let repository = repository()?;
    let (lint, tests) = match arguments.only {
        None => (true, true),
        Some(Half::Lint) => (true, false),
        Some(Half::Tests) => (false, true),
    };
    let environment = if tests { environment(&repository, arguments)? } else { Vec::new() };
    if lint {
        require_component(&repository, "rustfmt")?;
        require_component(&repository, "clippy")?;
    }
    require_a_compiler()?;
    let libtorch = Libtorch::in_place(false)?;

    let mut failed: Vec<String> = Vec::new();
    if lint {
        for (name, mut command) in lints(&repository) {
            libtorch.show_to(&mut command);
            if run(name, &mut command)? != 0 {
                failed.push(name.to_owned());
            }
        }
    }
    if tests {
        let ran = all(&repository, &libtorch, arguments, &environment)?;
        failed.extend(ran.failed);
        if let Some(summary) = skipped::summary(&ran.not_tested) {
            say(summary);
        }
    }
    if failed.is_empty() {
        say("no problems found");
        return Ok(0);
    }
    say(format_args!("failed: {}", failed.join(", ")));
    if failed.iter().any(|name| name == "cargo fmt") {
        say("hint: `cargo fmt --all` formats the code");
    }
    Ok(1)
}

/// The variables that tell the tests of programs that they need. Missing programs are reported before minutes are spent.
fn environment(repository: &Path, arguments: &Test) -> Result<Vec<(&'static str, Option<String>)>> {
    let validators = venv::validators(repository)?.display().to_string();
    let mut variables = vec![("NEURONOTES_VALIDATORS", Some(validators))];
    if env::var_os(S3).is_none_or(|value| value.is_empty()) {
        match venv::s3(repository) {
            Ok(python) => variables.push((S3, Some(python.display().to_string()))),
            // The tests themselves say so once more.
            Err(error) => say(format_args!("NOT TESTED: object stores over S3 ({error})")),
        }
    }
    if arguments.no_browser {
        say("skipping the tests that open pages in a browser (--no-browser)");
        variables.push(("NEURONOTES_NO_BROWSER", Some("1".to_owned())));
    } else {
        let text = |path: std::path::PathBuf| Some(path.display().to_string());
        variables.push(("CHROMIUM", text(chromium::find_or_install()?)));
        variables.push(("AXE", text(axe::find_or_fetch()?)));
        variables.push(("NEURONOTES_NO_BROWSER", None));
    }
    if arguments.no_editors {
        say("skipping the tests that save notes with editors and rsync (--no-editors)");
        variables.push(("NEURONOTES_NO_EDITORS", Some("1".to_owned())));
    } else {
        editors::find_or_install()?;
        variables.push(("NEURONOTES_NO_EDITORS", None));
    }
    if arguments.no_cluster {
        say("skipping the tests that start Slurm and Ray (--no-cluster)");
        variables.push((cluster::NONE, Some("1".to_owned())));
    } else {
        variables.extend(cluster::find_or_install(repository));
    }
    Ok(variables)
}

/// The checks of the code. They check the release build, whose build scripts `site` has compiled.
fn lints(repository: &Path) -> [(&'static str, Command); 3] {
    let clippy = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let mut doc = cargo(repository, &["doc", "--release", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    [
        ("cargo fmt", cargo(repository, &["fmt", "--all", "--check"])),
        ("cargo clippy", cargo(repository, &clippy)),
        ("cargo doc", doc),
    ]
}

/// What came of running the tests.
#[derive(Debug, Default)]
struct Ran {
    /// The names of what failed.
    failed: Vec<String>,
    /// What was not tested, and why.
    not_tested: Vec<String>,
}

impl Ran {
    fn failed(name: &str) -> Self {
        Self { failed: vec![name.to_owned()], not_tested: Vec::new() }
    }
}

/// Compiles and runs the tests.
fn all(
    repository: &Path,
    libtorch: &Libtorch,
    arguments: &Test,
    environment: &[(&str, Option<String>)],
) -> Result<Ran> {
    // Tests start the programs as a user would, and a single test may need the lab: the whole workspace is compiled.
    let compiling = Step::begin("cargo test --no-run");
    let Some(tests) = program::compiled(repository, libtorch, PROFILE)? else {
        compiling.failed();
        return Ok(Ran::failed("cargo test --no-run"));
    };
    compiling.done();
    // Compiling the tests has put programs that are not optimised where those that are published were.
    let programs = || -> Result<Option<Programs>> {
        match compile(repository)? {
            Compiled::Programs(programs) => Ok(Some(programs)),
            Compiled::Failed(_) => Ok(None),
        }
    };
    let Some(published) = programs()? else { return Ok(Ran::failed("cargo build")) };
    let prepare = |command: &mut Command| {
        libtorch.show_to(command);
        command.env("NEURONOTES_LAB", &published.lab);
        for (name, value) in environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    };
    if arguments.args.is_empty() {
        return lanes::run(tests, &prepare);
    }
    let chosen = ["test", "--profile", PROFILE, "--workspace", "--no-fail-fast"];
    let mut command = cargo(repository, &chosen);
    command.args(&arguments.args);
    prepare(&mut command);
    let (code, not_tested) = skipped::run("cargo test", &mut command)?;
    programs()?;
    let failed = if code == 0 { Vec::new() } else { vec!["cargo test".to_owned()] };
    Ok(Ran { failed, not_tested })
}
