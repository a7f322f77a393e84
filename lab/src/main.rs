//! `neuronotes-lab`: parses arguments and returns the exit code.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Parser as _;
use neuronotes_core::{file, say};
use neuronotes_lab::cli::Cli;
use neuronotes_lab::failure::Failure;

/// OpenMP's wait policy. It is read when libtorch is loaded, before `main`.
const WAIT: &str = "OMP_WAIT_POLICY";
/// Number of spins before threads sleep, for GNU's OpenMP.
const SPINS: (&str, &str) = ("GOMP_SPINCOUNT", "10000");

fn main() -> ExitCode {
    file::refuse_large_writes();
    let cli = Cli::parse();
    // By default, OpenMP's threads spin while they wait. When other work shared the cores, that made a picture take 140
    // seconds instead of 9. When none did, sleeping at once made one take 1.1 seconds instead of 0.5. So they spin for
    // some microseconds, and to set this the process restarts itself once.
    if env::var_os(WAIT).is_none()
        && let Ok(program) = env::current_exe()
    {
        let mut again = Command::new(program);
        again.args(env::args_os().skip(1)).env(WAIT, "passive");
        if env::var_os(SPINS.0).is_none() {
            again.env(SPINS.0, SPINS.1);
        }
        let error = again.exec();
        say::err(format_args!("neuronotes-lab: threads will spin while they wait ({error})"));
    }
    // libtorch's errors come as panics that are caught at each request, with a page of stack in their text.
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| match Failure::of_panic(panic.payload()) {
        _ if env::var_os("RUST_BACKTRACE").is_some_and(|wish| wish == "full") => loud(panic),
        failure => {
            let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
            say::err(format_args!("neuronotes-lab: {failure}{place}"));
        }
    }));
    cli.run()
}
