//! The commands' steps. Each command returns its exit code.

use std::process::Command;

use anyhow::Result;

use crate::axe;
use crate::bench::{self, endure, pictures, probe, site};
use crate::chromium;
use crate::cli::{Bench, Benched, Half, Serve, Setup, Task, Test};
use crate::editors;
use crate::emoji::emoji;
use crate::fuzz::fuzz;
use crate::parity::parity;
use crate::programs::{Compiled, Programs, become_, compile};
use crate::run::{cargo, repository, require_component, run, run_quietly};
use crate::say::{self, say};
use crate::torch::{Libtorch, require_a_compiler};
use crate::torture::torture;

/// Runs a command.
pub fn perform(task: Task) -> Result<i32> {
    match task {
        Task::Site => site(),
        Task::Serve(arguments) => serve(&arguments),
        Task::Test(arguments) => test(&arguments),
        Task::Setup(arguments) => setup(&arguments),
        Task::Parity(arguments) => parity(&arguments),
        Task::Emoji(arguments) => emoji(&arguments),
        Task::Bench(Bench { what: Benched::Clip(arguments) }) => bench::clip(&arguments),
        Task::Bench(Bench { what: Benched::Vis(arguments) }) => bench::vis(&arguments),
        Task::Bench(Bench { what: Benched::Probe(arguments) }) => probe::probe(&arguments),
        Task::Bench(Bench { what: Benched::React(arguments) }) => bench::react(&arguments),
        Task::Bench(Bench { what: Benched::Site(arguments) }) => site::site(&arguments),
        Task::Bench(Bench { what: Benched::Pictures(arguments) }) => pictures::pictures(&arguments),
        Task::Bench(Bench { what: Benched::Endure(arguments) }) => endure::endure(&arguments),
        Task::Torture(arguments) => torture(&arguments),
        Task::Fuzz(arguments) => fuzz(&arguments),
    }
}

/// Sets up, compiles, and builds the demonstration site.
fn site() -> Result<i32> {
    let repository = repository()?;
    match compile(&repository)? {
        Compiled::Failed(code) => Ok(code),
        Compiled::Programs(programs) => run_quietly(programs.neuronotes(&repository).arg("build")),
    }
}

/// Sets up, compiles, and runs the preview until it is ended.
fn serve(arguments: &Serve) -> Result<i32> {
    let repository = repository()?;
    match compile(&repository)? {
        Compiled::Failed(code) => Ok(code),
        Compiled::Programs(programs) => {
            let mut neuronotes = programs.neuronotes(&repository);
            become_(neuronotes.args(["serve", "--open"]).args(&arguments.args))
        }
    }
}

/// Sets up libtorch only.
fn setup(arguments: &Setup) -> Result<i32> {
    let libtorch = Libtorch::in_place(arguments.cuda)?;
    let cuda = match (libtorch.has_cuda(), libtorch.is_fetched()) {
        (true, _) => "with CUDA",
        (false, true) => "without CUDA (cargo xtask setup --cuda fetches it)",
        (false, false) => "without CUDA",
    };
    say(format_args!("its libraries are in {}, {cuda}", libtorch.lib.display()));
    say("to compile the lab with cargo itself, set");
    if libtorch.is_fetched() || std::env::var_os("LIBTORCH_USE_PYTORCH").is_none() {
        say::out(format_args!("export LIBTORCH={}\n", libtorch.link.display()));
    } else {
        let link = libtorch.link.display();
        say::out(format_args!("unset LIBTORCH_USE_PYTORCH; export LIBTORCH={link}\n"));
    }
    Ok(0)
}

/// Runs all checks and tests. A failing one does not stop the others.
///
/// They use the release build, since that is what is published, `site` has compiled most of it, and compiling the C++
/// between Rust and libtorch a second time would take minutes.
fn test(arguments: &Test) -> Result<i32> {
    let repository = repository()?;
    let (lint, tests) = match arguments.only {
        None => (true, true),
        Some(Half::Lint) => (true, false),
        Some(Half::Tests) => (false, true),
    };
    // Missing programs are reported before minutes are spent.
    let browser = match (tests, arguments.no_browser) {
        (true, true) => {
            say("skipping the tests that open pages in a browser (--no-browser)");
            None
        }
        (true, false) => Some((chromium::find_or_install()?, axe::find_or_fetch()?)),
        (false, _) => None,
    };
    match (tests, arguments.no_editors) {
        (true, true) => {
            say("skipping the tests that save notes with editors and rsync (--no-editors)");
        }
        (true, false) => editors::find_or_install()?,
        (false, _) => {}
    }
    if lint {
        require_component(&repository, "rustfmt")?;
        require_component(&repository, "clippy")?;
    }
    require_a_compiler()?;
    let libtorch = Libtorch::in_place(false)?;

    let mut failed = Vec::new();
    let mut check = |name: &'static str, mut command: Command| -> Result<()> {
        libtorch.show_to(&mut command);
        if run(name, &mut command)? != 0 {
            failed.push(name);
        }
        Ok(())
    };
    if lint {
        check("cargo fmt", cargo(&repository, &["fmt", "--all", "--check"]))?;
        let clippy =
            ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
        check("cargo clippy", cargo(&repository, &clippy))?;
        let mut doc = cargo(&repository, &["doc", "--release", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        check("cargo doc", doc)?;
    }
    if tests {
        // Tests start the programs as a user would, and a single test may need the lab. `cargo build` would use other
        // features of the dependencies, and so compile them twice.
        let all = ["test", "--release", "--workspace", "--no-run"];
        check("cargo test --no-run", cargo(&repository, &all))?;
        let mut test = cargo(&repository, &["test", "--release", "--workspace", "--no-fail-fast"]);
        test.args(&arguments.args).env("NEURONOTES_LAB", Programs::in_place()?.lab);
        match browser {
            Some((browser, axe)) => {
                test.env("CHROMIUM", browser).env("AXE", axe).env_remove("NEURONOTES_NO_BROWSER")
            }
            None => test.env("NEURONOTES_NO_BROWSER", "1"),
        };
        match arguments.no_editors {
            false => test.env_remove("NEURONOTES_NO_EDITORS"),
            true => test.env("NEURONOTES_NO_EDITORS", "1"),
        };
        check("cargo test", test)?;
    }
    if failed.is_empty() {
        say("no problems found");
        return Ok(0);
    }
    say(format_args!("failed: {}", failed.join(", ")));
    if failed.contains(&"cargo fmt") {
        say("hint: `cargo fmt --all` formats the code");
    }
    Ok(1)
}
