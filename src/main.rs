//! The `neuronotes` command.

// What is printed goes through `say`: a stream that is closed or full ends nothing.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use neuronotes::cli::{self, Arguments};
use neuronotes::{file, say};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    file::refuse_large_writes();
    match cli::run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            say::err(say::bounded(&format!("error: {error:#}")));
            ExitCode::from(2)
        }
    }
}
