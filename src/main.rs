//! The `neuronotes` command.

use std::process::ExitCode;

use clap::Parser as _;
use neuronotes::cli::{self, Arguments};

fn main() -> ExitCode {
    match cli::run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
