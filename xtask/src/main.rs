//! Set-up and developer commands of Neuronotes; `cargo xtask --help` lists them.
//!
//! It needs a machine with Rust, a C++ compiler and Python's pip. It fetches libtorch into a cache folder, compiles
//! the programs, and runs builds, tests and benchmarks. It knows nothing of notes or networks.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod apt;
mod axe;
mod bench;
mod cache;
mod chromium;
mod cli;
mod cluster;
mod editors;
mod emoji;
mod failure;
mod files;
mod fuzz;
mod parity;
mod pip;
mod platform;
mod programs;
mod run;
mod say;
mod task;
mod test;
mod torch;
mod torture;
mod unpack;
mod venv;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match task::perform(cli::Arguments::parse().command) {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            say::plain(failure::report(&error));
            ExitCode::FAILURE
        }
    }
}
