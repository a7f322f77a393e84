//! What all benchmarks have in common: the flags that cargo and `cargo xtask bench` pass, and how they end.

use std::fmt::Display;
use std::process::ExitCode;

use clap::Args;

/// Flags of every benchmark.
#[derive(Debug, Args)]
pub struct Common {
    /// Only print where this program lies
    #[arg(long)]
    r#where: bool,
    /// Cargo says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Common {
    /// Runs the benchmark, unless only its place is asked for.
    pub fn run<E: Display>(&self, benchmark: impl FnOnce() -> Result<(), E>) -> ExitCode {
        let ended = match self.r#where {
            true => std::env::current_exe()
                .map(|path| println!("{}", path.display()))
                .map_err(|error| error.to_string()),
            false => benchmark().map_err(|error| error.to_string()),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
