//! The commands' steps. Each command returns its exit code.

use anyhow::Result;

use crate::bench::{self, attribution, concept, data, endure, pictures, probe, site};
use crate::cli::{Bench, Benched, Serve, Setup, Task};
use crate::emoji::emoji;
use crate::fuzz::fuzz;
use crate::parity::parity;
use crate::programs::{Compiled, become_, compile};
use crate::run::{repository, run_quietly};
use crate::say::{self, say};
use crate::test::test;
use crate::torch::Libtorch;
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
        Task::Bench(Bench { what: Benched::Same(arguments) }) => bench::same::same(&arguments),
        Task::Bench(Bench { what: Benched::Concept(arguments) }) => concept::concept(&arguments),
        Task::Bench(Bench { what: Benched::Data(arguments) }) => data::data(&arguments),
        Task::Bench(Bench { what: Benched::Questions(arguments) }) => data::questions(&arguments),
        Task::Bench(Bench { what: Benched::Attribution(arguments) }) => {
            attribution::attribution(&arguments)
        }
        Task::Bench(Bench { what: Benched::React(arguments) }) => bench::react(&arguments),
        Task::Bench(Bench { what: Benched::Site(arguments) }) => site::site(&arguments),
        Task::Bench(Bench { what: Benched::Pictures(arguments) }) => pictures::pictures(&arguments),
        Task::Bench(Bench { what: Benched::Endure(arguments) }) => endure::endure(&arguments),
        Task::Bench(Bench { what: Benched::Scale(arguments) }) => bench::scale::scale(&arguments),
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
