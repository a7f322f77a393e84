//! The `neuronotes` command.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use neuronotes::cli::{self, Arguments};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match cli::run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
