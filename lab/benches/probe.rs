//! How long the lab takes over a sparse probe's path: a sample in a safetensors file in; on standard output a line of JSON.
//!
//! `cargo xtask bench probe` compares it with scikit-learn. The file has `rows`, `[images, units]` in single precision, and
//! `truth`, `[images]`, classes as whole numbers.

mod common;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Common;
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::fit::descent::Signs;
use neuronotes_lab::fit::multinomial::Sample;
use neuronotes_lab::fit::path::{Last, Options, path};
use neuronotes_lab::monitor::{Monitor, Progress};
use tch::{Kind, Tensor};

#[derive(Debug, Parser)]
struct Arguments {
    /// The sample
    #[arg(long, required_unless_present = "where")]
    sample: Option<PathBuf>,
    /// The last penalty, as a part of the greatest
    #[arg(long, default_value_t = 0.01)]
    least: f64,
    /// End behind so many weights for each class, on average
    #[arg(long, default_value_t = 30.0)]
    terms: f64,
    /// Only go to this penalty
    #[arg(long)]
    strength: Option<f64>,
    /// Penalties at most
    #[arg(long, default_value_t = 40)]
    points: usize,
    /// Duality gap, relative to the loss without weights
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Threads; else as many as libtorch chooses
    #[arg(long)]
    threads: Option<i32>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.common.run(|| run(&arguments))
}

/// Says on standard error at which penalty the path is.
struct Said(Instant);

impl Monitor for Said {
    fn progress(&mut self, progress: &Progress<'_>) {
        let passed = self.0.elapsed().as_secs_f64();
        eprintln!("{} of {} after {passed:.1} s", progress.step, progress.total);
    }

    fn stopped(&self) -> bool {
        false
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    Device::open(DeviceChoice::Cpu).map_err(failed)?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    let tensors = Tensor::read_safetensors(arguments.sample.clone().unwrap_or_default())?;
    let named = |name: &str| {
        let found = tensors.iter().find(|(own, _)| own == name).map(|(_, tensor)| tensor);
        found.ok_or_else(|| Failure::new(format!("the sample has no `{name}`")))
    };
    let rows = named("rows")?.to_kind(Kind::Float);
    let truth: Vec<i64> = Vec::try_from(named("truth")?.to_kind(Kind::Int64))?;
    let truth: Vec<u32> = truth.into_iter().map(|class| class as u32).collect();
    let classes = truth.iter().max().map_or(0, |most| *most as usize + 1);
    let begun = Instant::now();
    let sample = Sample::of(&rows, &truth, classes)?;
    let last = arguments.strength.map_or(Last::Part(arguments.least), Last::Strength);
    let options = Options {
        signs: Signs::Both,
        points: arguments.points,
        last,
        most_terms: arguments.terms,
        tolerance: arguments.tolerance,
    };
    let points = tch::no_grad(|| path(&sample, options, &mut Said(begun)))?;
    let passed = begun.elapsed().as_secs_f64();
    let of = |point: &neuronotes_lab::fit::point::Point| {
        serde_json::json!({
            "strength": point.strength, "value": point.value, "gap": point.gap,
            "terms": point.terms(), "steps": point.steps, "converged": point.converged,
        })
    };
    print(&serde_json::json!({
        "seconds": passed,
        "threads": tch::get_num_threads(),
        "points": points.iter().map(of).collect::<Vec<_>>(),
    }))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn print(value: &serde_json::Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}").and_then(|()| out.flush()).map_err(failed)
}
