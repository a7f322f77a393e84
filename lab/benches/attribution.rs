//! How long an attribution by integrated gradients takes beside the passes that it cannot do without: a network of RN50x4's shape
//! with random weights, on one picture.
//!
//! `cargo xtask bench attribution` runs it. For each layer it takes in turns
//!
//! - one forward and backward pass of the whole network, the unit of all other times,
//! - the ideal: one forward pass below the layer and one forward and backward pass above it for each node, in the same batches, and
//!   nothing else,
//! - integrated gradients by as many nodes, as `attribution` computes them.

mod common;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use common::Common;
use neuronotes_core::kind::attribution::Baseline;
use neuronotes_core::model::{Architecture, Conventions, ResNetSizes, Stage, Visual};
use neuronotes_lab::attribution::gradient::{Question, integrated};
use neuronotes_lab::attribution::logit::Logit;
use neuronotes_lab::batch::Batch;
use neuronotes_lab::clip::{Clip, Loading};
use neuronotes_lab::device::{Device, DeviceChoice};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::monitor::Silent;
use tch::{Kind, Tensor};

/// RN50x4: width, blocks, length of an embedding, side of a picture.
const WIDTH: u32 = 80;
const BLOCKS: [u32; 4] = [4, 6, 10, 6];
const EMBEDDING: u32 = 640;
const SIDE: u32 = 288;
/// The layers, from the last on: the article's, the middle of the last stage, and the end of the stage before.
const LAYERS: [&str; 3] =
    ["image_block_4/5/Add_6", "image_block_4/2/Add_6", "image_block_3/9/Add_6"];

#[derive(Debug, Parser)]
struct Arguments {
    /// Nodes of the integral
    #[arg(long, default_value_t = 50)]
    nodes: usize,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
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
    let device = Device::open(arguments.device).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(threads) = arguments.threads {
        tch::set_num_threads(threads);
    }
    tch::manual_seed(0);
    let clip = network(device.torch)?;
    let side = i64::from(SIDE);
    let input = Tensor::randn([1, 3, side, side], (Kind::Float, device.torch));
    let direction = vec![1.0 / f64::from(EMBEDDING).sqrt(); EMBEDDING as usize];
    let logit = Logit::new(&direction, 100.0, device.torch);
    let nodes = arguments.nodes.max(1);
    println!(
        "{} with {} threads, {nodes} nodes, medians of {} rounds",
        device.name,
        tch::get_num_threads(),
        arguments.rounds.max(1)
    );
    for name in LAYERS {
        let stage = clip.layer(name)?.stage;
        let question =
            Question { clip: &clip, input: &input, stage, dictionary: None, logit: &logit };
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        // The first round only warms up.
        for round in 0..=arguments.rounds.max(1) {
            let measured = [
                seconds(|| whole(&question))?,
                seconds(|| ideal(&question, nodes))?,
                seconds(|| integrated(&question, nodes, Baseline::Zero, &mut Silent).map(drop))?,
            ];
            for (all, one) in times.iter_mut().zip(measured).filter(|_| round > 0) {
                all.push(one);
            }
        }
        let [pass, ideal, found] = times.map(median);
        println!(
            "{name}: a pass {pass:.3} s; ideal {ideal:.3} s = {:.2} passes; integrated gradients {found:.3} s = {:.2} passes, \
             {:+.2} from the ideal; ratio {:.2}",
            ideal / pass,
            found / pass,
            (found - ideal) / pass,
            found / ideal,
        );
    }
    Ok(())
}

/// The time that work takes.
fn seconds(work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Waits for a gradient, which on a GPU takes a look at its numbers.
fn gradient(logits: &Tensor, of: &Tensor) -> Result<(), Failure> {
    let sum = logits.f_sum(Kind::Double)?;
    let found = Tensor::f_run_backward(&[sum], &[of], false, false)?;
    let _ = found[0].sum(Kind::Double).double_value(&[]);
    Ok(())
}

/// One forward and backward pass of the whole network.
fn whole(question: &Question<'_>) -> Result<(), Failure> {
    let input = question.input.detach().set_requires_grad(true);
    let found = question.clip.look(&input, &[Stage::Embedding])?;
    gradient(&question.logit.of(found.get(Stage::Embedding)?), &input)
}

/// So many passes above the layer in batches, each with one pass below it.
fn ideal(question: &Question<'_>, nodes: usize) -> Result<(), Failure> {
    Batch::on(question.clip.device).run(nodes, |range| {
        let mut leaf = None;
        let mut replace = |x: &Tensor| {
            let mut size = x.size();
            size[0] = range.len() as i64;
            let many = x.f_expand(&*size, false)?.f_contiguous()?.f_detach()?;
            let many = many.set_requires_grad(true);
            leaf = Some(many.shallow_clone());
            Ok(many)
        };
        let wanted = [Stage::Embedding];
        let Question { clip, input, stage, .. } = *question;
        let found = clip.look_replacing(input, &wanted, stage, &mut replace)?;
        let leaf = leaf.ok_or_else(|| Failure::new("the pass did not reach its layer"))?;
        gradient(&question.logit.of(found.get(Stage::Embedding)?), &leaf)
    })
}

/// A network of RN50x4's shape with random weights and no text tower.
fn network(device: tch::Device) -> Result<Clip, Failure> {
    let mut made = Made { tensors: BTreeMap::new(), device };
    let (width, channels) = (i64::from(WIDTH), i64::from(WIDTH) * 32);
    for (at, from, to) in [(1, 3, width / 2), (2, width / 2, width / 2), (3, width / 2, width)] {
        made.convolution(&format!("visual.conv{at}"), &format!("visual.bn{at}"), [to, from, 3]);
    }
    let mut from = width;
    for (stage, blocks) in (1..).zip(BLOCKS) {
        let planes = width << (stage - 1);
        for block in 0..blocks {
            let key = format!("visual.layer{stage}.{block}");
            for (at, shape) in
                [(1, [planes, from, 1]), (2, [planes, planes, 3]), (3, [planes * 4, planes, 1])]
            {
                made.convolution(&format!("{key}.conv{at}"), &format!("{key}.bn{at}"), shape);
            }
            if block == 0 {
                let key = format!("{key}.downsample");
                made.convolution(&format!("{key}.0"), &format!("{key}.1"), [planes * 4, from, 1]);
            }
            from = planes * 4;
        }
    }
    let cells = i64::from(SIDE / 32);
    made.random("visual.attnpool.positional_embedding", &[cells * cells + 1, channels], 0.02);
    for (name, to) in [
        ("q_proj", channels),
        ("k_proj", channels),
        ("v_proj", channels),
        ("c_proj", i64::from(EMBEDDING)),
    ] {
        let key = format!("visual.attnpool.{name}");
        made.random(&format!("{key}.weight"), &[to, channels], (channels as f64).powf(-0.5));
        made.random(&format!("{key}.bias"), &[to], 0.01);
    }
    let sizes = ResNetSizes { width: WIDTH, blocks: BLOCKS, pool_heads: WIDTH / 2 };
    let architecture = Architecture {
        image_size: SIDE,
        embedding: EMBEDDING,
        visual: Visual::ResNet(sizes),
        text: None,
    };
    Clip::of(&made.tensors, architecture, Loading::new(device, Conventions::default()))
}

/// Random tensors by OpenAI's names.
struct Made {
    tensors: BTreeMap<String, Tensor>,
    device: tch::Device,
}

impl Made {
    fn random(&mut self, name: &str, shape: &[i64], deviation: f64) {
        let tensor = Tensor::randn(shape, (Kind::Float, self.device)) * deviation;
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// A convolution, `[to, from, side]`, and its BatchNorm.
    fn convolution(&mut self, name: &str, norm: &str, [to, from, side]: [i64; 3]) {
        let inputs = (from * side * side) as f64;
        self.random(&format!("{name}.weight"), &[to, from, side, side], (2.0 / inputs).sqrt());
        for (part, value) in
            [("weight", 0.5), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)]
        {
            let tensor = Tensor::full([to], value, (Kind::Float, self.device));
            self.tensors.insert(format!("{norm}.{part}"), tensor);
        }
    }
}
