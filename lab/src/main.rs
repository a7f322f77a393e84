//! `neuronotes-lab`: arguments in, exit code out.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Parser as _;
use neuronotes_lab::cli::Cli;

/// How OpenMP's threads wait for each other. It is read when libtorch is loaded, before `main`.
const WAIT: &str = "OMP_WAIT_POLICY";

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Unless told otherwise, OpenMP's threads spin while they wait. Where other work shares the cores, that
    // has been seen to make a picture take 140 seconds instead of 9. So start over once, as the same process.
    if env::var_os(WAIT).is_none()
        && let Ok(program) = env::current_exe()
    {
        let error = Command::new(program).args(env::args_os().skip(1)).env(WAIT, "passive").exec();
        eprintln!("neuronotes-lab: threads will spin while they wait ({error})");
    }
    cli.run()
}
