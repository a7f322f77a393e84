//! Arguments of `neuronotes-lab`.

mod argument;
mod bar;
mod vis;
mod work;

use std::fs;
use std::io::{self, BufReader, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use neuronotes_core::model::Activation;
use neuronotes_core::model::Precision;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::say;
use neuronotes_core::store::Store;

use crate::device::{Device, DeviceChoice, LIBTORCH, Unusable};
use crate::export::{self, Options};
use crate::failure::Failure;
use crate::report;
use crate::serve::{Events, serve};
use crate::session::Session;
use crate::train::{self, Paths, Recipe};
use argument::{activation, precision, unit};
use bar::Bar;

/// The lab of Neuronotes: measures what notes request, and commits results to the store.
///
/// `neuronotes` starts it automatically; running it by hand is useful for developers.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Run commands from standard input, one JSON value per line, and write events to standard output.
    ///
    /// Commands: `{"type":"run","request":{…}}`, `{"type":"order","groups":[["…"]]}` and
    /// `{"type":"cancel","key":"…"}`. Events: `ready` or `unusable` first, then `progress`, `done`, `failed` and
    /// `cancelled`. The log goes to standard error. At the end of its input it stops at its next step and exits.
    ///
    /// Models stay loaded as long as they fit into a quarter of the device's memory, or into NEURONOTES_MODEL_MEMORY
    /// (bytes, or `500M`, `4G`). With `0`, only one stays loaded.
    Serve {
        #[command(flatten)]
        common: Common,
    },
    /// Measure one request, and print the key of its record
    Run {
        #[command(flatten)]
        common: Common,
        /// A file with the request as JSON, such as the one in a `run` command of `serve`; `-` for standard input.
        file: PathBuf,
    },
    /// Measure what a pool of workers has to do, until nothing is left
    ///
    /// `neuronotes build --on PROFILE` starts workers through Slurm, Ray or on this machine; each of their jobs runs this command.
    /// Any number of workers may share a pool, on any machines that see the store. A worker takes one unit of work after the
    /// other, which it claims in the store, has a lab of its own measure it, and writes its progress to
    /// `v1/pools/NAME/` of the store. The log goes to standard error.
    ///
    /// USR1, TERM, INT and HUP end a worker at the next step of what it measures, after five seconds at the latest. It frees its
    /// claims and exits with 0. However it ends, results that are stored stay, and other workers do the rest.
    Work(work::Work),
    /// Write a model's activations for images and texts to a safetensors file, for comparison with other programs
    ///
    /// The file contains `pixels` (preprocessed), `tokens`, `image_features`, `text_features` (not normalised),
    /// `logits`, each layer by name, and `gradient/LAYER:UNIT`. `neuronotes model info` lists a model's layers.
    Activations(Activations),
    /// Make pictures that maximise units of a model, without a garden
    ///
    /// Writes a PNG for each unit, with its parameters in the PNG text `neuronotes`, and with `--frames` an animated
    /// WebP of the optimisation. Many units are optimised together, which takes much less time than separate runs.
    Vis(vis::Vis),
    /// Train a small CLIP from scratch, or resume an interrupted training
    ///
    /// Every two minutes it writes checkpoint.safetensors, the current weights (model.safetensors) and their curves
    /// (curves.svg). It also writes log.jsonl, and at the end run.json, which records the inputs of the training. If
    /// interrupted, by Ctrl-C or otherwise, it resumes from the last checkpoint when started again.
    Train(Train),
    /// Evaluate a CLIP that `train` made, and print a report as Markdown
    ///
    /// The report has the accuracy on held-out pictures and words, typographic attacks, and the units that stand for
    /// the same thing in pictures and words, with the rule that decides this.
    Report(Report),
}

#[derive(Debug, Args)]
struct Report {
    /// The weights
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The training set, for its held-out pictures and words
    #[arg(long, value_name = "FILE")]
    set: PathBuf,
    /// The list of names
    #[arg(long, value_name = "FILE")]
    names: PathBuf,
    /// The demonstration pictures, a tar whose captions are names
    #[arg(long, value_name = "FILE")]
    pictures: PathBuf,
    /// The demonstration words, a list of names
    #[arg(long, value_name = "FILE")]
    words: PathBuf,
    /// Random seed for the attacking words and the random sample of units
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Also write the report to this README, between its two marks
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
}

#[derive(Debug, Args)]
struct Train {
    /// The recipe, a JSON file such as models/emoji-clip.recipe.json
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// The training set, a tar made by `cargo xtask emoji --data`
    #[arg(long, value_name = "FILE")]
    set: PathBuf,
    /// The list of names, such as data/concepts.json
    #[arg(long, value_name = "FILE")]
    names: PathBuf,
    /// The folder to write to and to resume from
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Evaluate on held-out pictures and words every N steps
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Threads on the CPU; another number gives different rounding
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Debug, Args)]
struct Activations {
    /// The weights: safetensors, a PyTorch state dict, or OpenAI's .pt
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Layers of either tower, in any spelling, separated by commas; `all` for every layer
    #[arg(long, value_name = "LAYER,…", value_delimiter = ',')]
    layers: Vec<String>,
    /// Picture files, separated by commas
    #[arg(long, value_name = "FILE,…", value_delimiter = ',', conflicts_with = "pixels")]
    image: Vec<PathBuf>,
    /// Use the tensor `pixels`, `[n, 3, side, side]`, of a safetensors file instead of pictures
    #[arg(long, value_name = "FILE")]
    pixels: Option<PathBuf>,
    /// Texts, separated by commas
    #[arg(long, value_name = "TEXT,…", value_delimiter = ',')]
    text: Vec<String>,
    /// A file with more texts, one per line, which may contain commas
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// Truncate texts that are longer than the model's context
    #[arg(long)]
    truncate: bool,
    /// Also write the gradient of a unit's mean over positions with respect to the preprocessed image
    #[arg(long, value_name = "LAYER:UNIT,…", value_delimiter = ',', value_parser = unit)]
    gradient: Vec<(String, u32)>,
    /// Activation function of the MLPs, if neither the weights nor the files beside them specify it
    #[arg(long, value_name = "NAME", value_parser = activation)]
    activation: Option<Activation>,
    /// `f32`, `bf16`, or on a GPU `f16`; output is in f32
    #[arg(long, value_name = "NAME", default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
}

#[derive(Debug, Args)]
struct Common {
    /// The store's folder, usually `.neuronotes/store`; created if it is missing.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// `auto` (the first GPU, or else the CPU), `cpu`, or `cuda:N`.
    ///
    /// A GPU needs `libtorch_cuda.so` beside `libtorch_cpu.so` or in the folder given by NEURONOTES_TORCH_CUDA.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Threads of one operation on the CPU [default: libtorch's choice].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl Common {
    fn open(&self) -> Result<(Session, Device), Unusable> {
        let device = Device::open(self.device)?;
        if let Some(threads) = self.threads {
            tch::set_num_threads(threads.into());
        }
        let store = Store::open(&self.store)
            .map_err(|error| Unusable { message: error.to_string(), hint: None })?;
        Ok((Session::new(store, device.clone()), device))
    }
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        match self.command {
            Sub::Serve { common } => run_serve(&common),
            Sub::Run { common, file } => finish(run_one(&common, &file)),
            Sub::Work(wanted) => work::run(wanted),
            Sub::Vis(wanted) => guarded(|| vis::run(&wanted)),
            Sub::Train(wanted) => guarded(|| train(&wanted)),
            Sub::Report(wanted) => guarded(|| report(&wanted)),
            Sub::Activations(wanted) => guarded(|| activations(wanted)),
        }
    }
}

/// Runs a command; libtorch's errors come as panics of tch's plain functions.
fn guarded(command: impl FnOnce() -> Result<String, Failure>) -> ExitCode {
    let done = catch_unwind(AssertUnwindSafe(command));
    finish(done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))))
}

/// Prints the outcome of a command and exits accordingly.
fn finish(result: Result<String, Failure>) -> ExitCode {
    match result {
        Ok(text) => {
            say::out(&format!("{text}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say::err(say::bounded(&format!("error: {error}")));
            if let Failure::Failed { hint: Some(hint), .. } = error {
                say::err(format_args!("hint: {hint}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes the file and prints its contents.
fn activations(wanted: Activations) -> Result<String, Failure> {
    let mut texts = wanted.text;
    if let Some(path) = &wanted.texts {
        let read = fs::read_to_string(path);
        let read = read.map_err(|error| Failure::new(format!("{} ({error})", path.display())))?;
        texts.extend(read.lines().map(str::to_owned));
    }
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    let what = Options {
        model: wanted.model,
        activation: wanted.activation,
        precision: wanted.precision,
        layers: wanted.layers,
        images: wanted.image,
        pixels: wanted.pixels,
        texts,
        truncate: wanted.truncate,
        gradients: wanted.gradient,
    };
    let tensors = export::compute(&what, &device)?;
    export::write(&tensors, &wanted.out)?;
    let line = |(name, tensor): (&String, &tch::Tensor)| format!("{name} {:?}", tensor.size());
    Ok(tensors.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Trains, and prints the path of the weights.
fn train(wanted: &Train) -> Result<String, Failure> {
    let recipe = Recipe::open(&wanted.recipe)?;
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    if let Some(threads) = wanted.threads {
        tch::set_num_threads(threads.into());
    }
    let paths =
        Paths { set: wanted.set.clone(), names: wanted.names.clone(), out: wanted.out.clone() };
    let mut bar = Bar::default();
    let result = train::train(&recipe, &paths, device.torch, wanted.every, &mut bar);
    bar.clear();
    Ok(format!("{}", result?.display()))
}

/// Evaluates a trained network and prints the report.
fn report(wanted: &Report) -> Result<String, Failure> {
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    let paths = report::Paths {
        model: wanted.model.clone(),
        set: wanted.set.clone(),
        names: wanted.names.clone(),
        pictures: wanted.pictures.clone(),
        words: wanted.words.clone(),
    };
    let mut bar = Bar::default();
    let result = report::report(&paths, &device, wanted.seed, &mut bar);
    bar.clear();
    let page = report::page(&result?);
    if let Some(readme) = &wanted.readme {
        report::put(&page, readme)?;
    }
    Ok(page)
}

fn run_serve(common: &Common) -> ExitCode {
    let events: &'static Events<_> = Box::leak(Box::new(Events::new(io::stdout())));
    match common.open() {
        Ok((session, device)) => {
            events.send(&Event::Ready {
                device: device.label,
                device_name: device.name,
                libtorch: LIBTORCH.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            });
            serve(&session, BufReader::new(io::stdin()), events);
            ExitCode::SUCCESS
        }
        Err(Unusable { message, hint }) => {
            events.send(&Event::Unusable { message, hint });
            ExitCode::FAILURE
        }
    }
}

fn run_one(common: &Common, file: &Path) -> Result<String, Failure> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(format!("{} is not a valid request ({why})", file.display()))
    };
    let mut bytes = Vec::new();
    match file == Path::new("-") {
        true => io::stdin().read_to_end(&mut bytes).map(drop),
        false => fs::read(file).map(|read| bytes = read),
    }
    .map_err(|error| unreadable(&error))?;
    let request: Request = serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?;
    let (session, _) = common.open()?;
    let mut bar = Bar::default();
    let result = session.measure(&request, &mut bar);
    bar.clear();
    Ok(result?.key.hex())
}
