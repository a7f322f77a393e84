//! The `neuronotes` command.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use neuronotes::cli::{self, Arguments};
use neuronotes::guard;
use neuronotes_core::{file, say};

/// Precedes the hint of an error.
const HINT: &str = "\nhint: ";

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    file::refuse_large_writes();
    let arguments = Arguments::parse();
    match guard::run("running the command", "neuronotes", || cli::run(arguments)) {
        Ok(Ok(code)) => code,
        Err(panicked) => {
            say::err(say::bounded(&format!("error: {panicked}{HINT}{}", guard::HINT)));
            ExitCode::from(2)
        }
        Ok(Err(error)) => {
            say::err(say::bounded(&format!("error: {}", told(&error))));
            ExitCode::from(2)
        }
    }
}

/// The error with its causes, each of them once, and then the hint.
fn told(error: &anyhow::Error) -> String {
    let first = error.to_string();
    let (message, hint) = match first.split_once(HINT) {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (&*first, None),
    };
    let mut message = message.to_owned();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message.push_str(&format!(": {cause}"));
        }
    }
    let of_disk = || error.chain().find_map(|cause| file::hint(cause.downcast_ref()?));
    match hint.or_else(|| of_disk().map(str::to_owned)) {
        Some(hint) => message + HINT + &hint,
        None => message,
    }
}
