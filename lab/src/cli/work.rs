//! Arguments of `work`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::device::DeviceChoice;
use crate::work::{self, Options};

#[derive(Debug, Args)]
pub struct Work {
    /// The store's folder as this machine sees it; it must exist
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The pool: the name of the profile in `run:` of neuronotes.yaml
    #[arg(long, value_name = "NAME")]
    pool: String,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Threads of one operation on the CPU [default: libtorch's choice]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// The engine's time limit, counted from the worker's start
    ///
    /// A unit of work is begun only if its estimated time fits into the rest, less half a minute for ending; one without an estimate
    /// only in the first half.
    #[arg(long, value_name = "M", value_parser = positive)]
    minutes: Option<f64>,
    /// End after so many seconds without a unit of work in the pool
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    idle: u64,
    /// First check this machine as the client's probe of this name asks, and report; end there if there is a problem
    #[arg(long, value_name = "NAME")]
    probe: Option<String>,
}

/// A number of minutes, at most a year.
fn positive(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    match minutes > 0.0 && minutes <= 527_040.0 {
        true => Ok(minutes),
        false => Err("it must be more than 0 and at most 527040, a year".to_owned()),
    }
}

/// Runs a worker to its end.
pub fn run(wanted: Work) -> ExitCode {
    let Work { store, pool, device, threads, minutes, idle, probe } = wanted;
    let idle = Duration::from_secs(idle);
    work::run(Options { store, pool, device, threads, minutes, idle, probe })
}
