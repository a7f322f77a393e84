//! The `neuronotes` command.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use neuronotes::cli::{self, Arguments};
use neuronotes::guard;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match guard::run("doing what was asked for", "neuronotes", || cli::run(arguments)) {
        Ok(Ok(code)) => code,
        Err(panicked) => {
            eprintln!("error: {panicked}\nhint: {}", guard::HINT);
            ExitCode::from(2)
        }
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
