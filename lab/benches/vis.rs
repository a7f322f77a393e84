//! How long the lab takes over feature visualisations: weights in; on standard input a line for each measurement, on
//! standard output a line of JSON for each.
//!
//! `cargo xtask bench vis` runs it in turns with Lucent. By hand: `echo visual.layer4.1 0,1,2 | vis --model FILE`,
//! where 0, 1 and 2 are units. What is measured is all between a loaded network and finished pictures, with Lucid's
//! transforms, in single precision.

mod common;

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Common;
use neuronotes_core::kind::feature_vis::{
    Objective, Parametrisation, Params, Sign, Start, Transforms,
};
use neuronotes_core::model::{Activation, Conventions, Given, Header, Stage};
use neuronotes_lab::clip::{Clip, Loading};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::vis::job::Job;
use neuronotes_lab::vis::objective::{Aim, Place, Target};
use neuronotes_lab::vis::optimise::{Picture, optimise};

#[derive(Debug, Parser)]
struct Arguments {
    /// The weights; MLPs are taken to have QuickGELU
    #[arg(long, required_unless_present = "where")]
    model: Option<PathBuf>,
    /// Side of the pictures, in pixels
    #[arg(long, default_value_t = 128)]
    size: u32,
    /// Steps of Adam
    #[arg(long, default_value_t = 32)]
    steps: u32,
    /// First steps in which silent ReLUs pass gradients on
    #[arg(long, default_value_t = 16)]
    redirect: u32,
    /// Threads; else as many as libtorch chooses
    #[arg(long)]
    threads: Option<i32>,
    /// `cpu`, or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.common.run(|| run(&arguments))
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let device = Device::open(arguments.device).map_err(failed)?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    let path = arguments.model.clone().unwrap_or_default();
    let header = Header::read(&path).map_err(failed)?;
    let given = Given { activation: Some(Activation::QuickGelu), ..Given::default() };
    let conventions = Conventions::of(&path, &header, &given).map_err(failed)?;
    let clip = Clip::load(&path, Loading::new(device.torch, conventions))?;
    let params = Params {
        layer: neuronotes_core::model::Place::Layer(String::new()),
        unit: None,
        direction: None,
        image: None,
        facet: None,
        objective: Objective::Channel,
        sign: Sign::Positive,
        cosine_power: 0.0,
        start: Start::Noise,
        parametrisation: Parametrisation::Fourier,
        size: arguments.size,
        steps: arguments.steps,
        learning_rate: 0.05,
        transforms: Transforms::Lucid,
        redirect: arguments.redirect,
        images: 1,
        diversity: 0.0,
        strength: 0.0,
        penalty: 0.0,
        frames: 0,
        seed: 0,
        shuffle: None,
    };
    print(&serde_json::json!({ "device": device.name, "threads": tch::get_num_threads() }))?;
    for line in io::stdin().lock().lines() {
        let (stage, units) = wanted(&clip, &line.map_err(failed)?)?;
        let begun = Instant::now();
        let made = visualise(&clip, stage, &units, &params)?;
        let passed = begun.elapsed().as_secs_f64();
        print(&serde_json::json!({
            "seconds": passed,
            "steps": made.iter().map(|made| made.values.len()).collect::<Vec<_>>(),
            "activation_at_start": made.iter().map(|made| made.activation_at_start).collect::<Vec<_>>(),
            "activation": made.iter().map(|made| made.activation).collect::<Vec<_>>(),
        }))?;
    }
    Ok(())
}

/// A line's layer and units.
fn wanted(clip: &Clip, line: &str) -> Result<(Stage, Vec<u32>), Failure> {
    let (name, units) =
        line.split_once(' ').ok_or_else(|| Failure::new("a line is `LAYER UNIT,…`"))?;
    let layer = clip.architecture.layer(name).map_err(|near| {
        Failure::new(format!("there is no layer `{name}`"))
            .hint(format!("near: {}", near.join(", ")))
    })?;
    let units: Result<Vec<u32>, _> = units.split(',').map(|unit| unit.trim().parse()).collect();
    let units = units.map_err(|_| Failure::new("units are numbers"))?;
    if let Some(unit) = units.iter().find(|unit| u64::from(**unit) >= layer.units as u64) {
        return Err(Failure::new(format!("`{name}` has no unit {unit}")));
    }
    Ok((layer.stage, units))
}

/// A picture for each unit.
fn visualise(
    clip: &Clip,
    stage: Stage,
    units: &[u32],
    params: &Params,
) -> Result<Vec<Picture>, Failure> {
    let jobs: Vec<Job> = units
        .iter()
        .map(|&unit| {
            let aim = Aim::Unit(unit, Place::Everywhere);
            Job { target: Target { stage, aim, sign: 1.0, cosine_power: 0.0 }, start: None }
        })
        .collect();
    let mut pictures = Vec::with_capacity(jobs.len());
    for made in optimise(clip, &jobs, None, params, false, &mut |_, _| Ok(())) {
        pictures.extend(made?.pictures);
    }
    Ok(pictures)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

fn print(value: &serde_json::Value) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}").and_then(|()| out.flush()).map_err(failed)
}
