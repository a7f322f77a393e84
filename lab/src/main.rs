//! `neuronotes-lab`: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser as _;
use neuronotes_lab::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
