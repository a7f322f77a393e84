//! How long the lab takes over a concept: a made-up scan, compared in every way that the kind `concept` compares; on standard
//! output a line of JSON, on standard error how long each step took.
//!
//! Activations are those of a layer behind a ReLU: sparse sums of 64 hidden causes and noise, of which the first is the concept.
//! The time is that from a scan's numbers, in half precision, to the result: reading the scan from the store is not in it.

mod common;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Common;
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::kind::concept::{Side, Task, compared};
use neuronotes_lab::monitor::{Monitor, Progress};
use tch::{Kind, Tensor};

/// Hidden causes of the activations.
const CAUSES: i64 = 64;
/// Directions that are projected out.
const CONTROLS: i64 = 4;

#[derive(Debug, Parser)]
struct Arguments {
    /// Images of the scan
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(i64).range(100..))]
    images: i64,
    /// Units of the layer
    #[arg(long, default_value_t = 2_560, value_parser = clap::value_parser!(i64).range(2..))]
    units: i64,
    /// The fraction of images that show the concept
    #[arg(long, default_value_t = 0.02)]
    share: f64,
    /// The L2 penalty of the regressions
    #[arg(long, default_value_t = 0.01)]
    regularisation: f64,
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

/// Says on standard error when each step begins.
struct Said(Instant);

impl Monitor for Said {
    fn progress(&mut self, progress: &Progress<'_>) {
        let passed = self.0.elapsed().as_secs_f64();
        eprintln!("step {} of {} after {passed:.2} s", progress.step + 1, progress.total);
    }

    fn stopped(&self) -> bool {
        false
    }
}

/// A scan in half precision, of which the first `positive` images show the concept.
fn scan(images: i64, units: i64, positive: i64) -> Tensor {
    let on = (Kind::Float, tch::Device::Cpu);
    let causes = Tensor::rand([images, CAUSES], on).gt(0.9).to_kind(Kind::Float);
    let concept = causes.select(1, 0);
    let _ = concept.narrow(0, 0, positive).fill_(1.0);
    let _ = concept.narrow(0, positive, images - positive).fill_(0.0);
    let strength = Tensor::randn([CAUSES, units], on);
    let noise = Tensor::randn([images, units], on) * 2.0 - 1.0;
    (causes.matmul(&strength) + noise).relu().to_kind(Kind::Half)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    Device::open(DeviceChoice::Cpu).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    let Arguments { images, units, share, regularisation, .. } = *arguments;
    tch::manual_seed(0);
    let positive = ((images as f64 * share) as i64).clamp(4, images - 4);
    let halves = scan(images, units, positive);
    let written = scan(1_000.min(images), units, 100);
    let written = written.to_kind(Kind::Float);
    let written = [written.narrow(0, 0, 100), written.narrow(0, 100, written.size()[0] - 100)];
    let controls = Tensor::randn([CONTROLS, units], (Kind::Double, tch::Device::Cpu));
    let lengths = controls.norm_scalaropt_dim(2.0, [1i64].as_slice(), true);
    let controls = Vec::<f64>::try_from((controls / lengths).view(-1))?;
    let controls: Vec<Vec<f64>> = controls.chunks(units as usize).map(<[f64]>::to_vec).collect();
    let begun = Instant::now();
    let rows = halves.to_kind(Kind::Float);
    let part = |start: i64, count: i64| {
        let held = count * 3 / 10;
        (rows.narrow(0, start, count - held), rows.narrow(0, start + count - held, held))
    };
    let (train, held) = part(0, positive);
    let (others, held_others) = part(positive, images - positive);
    let train = Side::of(&train, &others, 0);
    let held_out = Side::of(&held, &held_others, 0);
    let task = Task { train: &train, held_out: &held_out, regularisation, seed: 0 };
    let (outcome, _) = tch::no_grad(|| compared(&task, &controls, &written, &mut Said(begun)))?;
    let passed = begun.elapsed().as_secs_f64();
    print(&serde_json::json!({
        "seconds": passed,
        "threads": tch::get_num_threads(),
        "images": images,
        "units": units,
        "verdict": outcome.verdict(),
        "unit": outcome.unit.auc.area,
        "direction": outcome.linear().area,
        "curved": outcome.curved.area,
        "chance": outcome.chance,
    }))
}

fn print(value: &impl std::fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{value}").and_then(|()| out.flush());
    written.map_err(|error| Failure::new(error.to_string()))
}
