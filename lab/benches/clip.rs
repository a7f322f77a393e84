//! How many images or texts a second the lab embeds: weights in; on standard input a line for each measurement, on
//! standard output a line of JSON for each.
//!
//! `cargo xtask bench clip` runs it in turns with open_clip. By hand: `echo images 3 | clip --model FILE`, where 3 are
//! seconds. What is measured is what the lab computes for data sets: BatchNorm is part of the convolutions.

mod common;

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use common::Common;
use neuronotes_core::model::Precision;
use neuronotes_core::model::{Activation, Conventions, Given, Header, Stage};
use neuronotes_lab::clip::{Clip, Loading};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::failure::Failure;
use tch::{Kind, Tensor};

#[derive(Debug, Parser)]
struct Arguments {
    /// The weights; MLPs are taken to have QuickGELU
    #[arg(long, required_unless_present = "where")]
    model: Option<PathBuf>,
    /// `f32`, `bf16`, or on a GPU `f16`
    #[arg(long, default_value = "f32")]
    precision: String,
    /// Images or texts at once
    #[arg(long, default_value_t = 8)]
    batch: i64,
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
    let of_system = |error: io::Error| Failure::new(error.to_string());
    let device = Device::open(arguments.device).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    let precision: Precision = serde_json::from_value(arguments.precision.as_str().into())
        .map_err(|error| Failure::new(error.to_string()))?;
    let path = arguments.model.clone().unwrap_or_default();
    let header = Header::read(&path).map_err(|error| Failure::new(error.to_string()))?;
    let given = Given { activation: Some(Activation::QuickGelu), ..Given::default() };
    let conventions =
        Conventions::of(&path, &header, &given).map_err(|error| Failure::new(error.to_string()))?;
    let loading = Loading { precision, ..Loading::new(device.torch, conventions) };
    let clip = Clip::load(&path, loading)?;
    let (n, side) = (arguments.batch, i64::from(clip.architecture.image_size));
    let images = Tensor::randn([n, 3, side, side], (Kind::Float, device.torch));
    let context = clip.context()? as i64;
    let tokens = Tensor::randint(40_000, [n, context], (Kind::Int64, device.torch));
    print(&serde_json::json!({ "device": device.name, "threads": tch::get_num_threads() }))
        .map_err(of_system)?;
    for line in io::stdin().lock().lines() {
        let line = line.map_err(of_system)?;
        let (what, seconds) = line.split_once(' ').unwrap_or((&line, "1"));
        let seconds: f64 = seconds.parse().map_err(|_| Failure::new("seconds are a number"))?;
        let pass = || match what {
            "images" => clip.encode_images(&images),
            "texts" => Ok(clip.read(&tokens, &[Stage::Embedding])?.get(Stage::Embedding)?.copy()),
            other => Err(Failure::new(format!("`{other}` is neither `images` nor `texts`"))),
        };
        let begun = Instant::now();
        let mut done = 0;
        // At least one; the last is waited for, which on a GPU takes a look at its numbers.
        while done == 0 || begun.elapsed() < Duration::from_secs_f64(seconds) {
            let embedding = tch::no_grad(pass)?;
            let _ = embedding.double_value(&[0, 0]);
            done += n;
        }
        let passed = begun.elapsed().as_secs_f64();
        print(&serde_json::json!({ "done": done, "seconds": passed })).map_err(of_system)?;
    }
    Ok(())
}

fn print(value: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
