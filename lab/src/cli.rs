//! Arguments of `neuronotes-lab`.

mod vis;

use std::fs;
use std::io::{self, BufReader, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use neuronotes_core::model::Activation;
use neuronotes_core::model::Precision;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::say;
use neuronotes_core::store::Store;

use crate::device::{Device, LIBTORCH, Unusable, Wish};
use crate::export::{self, Wanted};
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::report;
use crate::serve::{Events, serve};
use crate::session::Session;
use crate::train::{self, Places, Recipe};

/// The lab of Neuronotes: measures what notes ask for, and commits it to the store.
///
/// `neuronotes` starts it by itself; by hand it is of use to developers.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Obey commands from standard input, one JSON value a line, and write events to standard output.
    ///
    /// Commands: `{"type":"run","request":{…}}`, `{"type":"order","groups":[["…"]]}` and `{"type":"cancel","key":"…"}`.
    /// Events: `ready` or `unusable` first, then `progress`, `done`, `failed` and `cancelled`. The log goes to standard
    /// error. At the end of its input it stops at its next step and exits.
    ///
    /// Models stay loaded as long as they fit into a quarter of the device's memory, or into NEURONOTES_MODEL_MEMORY (bytes,
    /// or `500M`, `4G`). With `0`, one stays.
    Serve {
        #[command(flatten)]
        common: Common,
    },
    /// Measure one request, and print the key that its record lies under.
    Run {
        #[command(flatten)]
        common: Common,
        /// A file with the request as JSON, such as one in a `run` command of `serve`; `-` for standard
        /// input.
        file: PathBuf,
    },
    /// Write what a model makes of images and texts to a file of safetensors, to hold against other programs
    ///
    /// The file has `pixels` (preprocessed), `tokens`, `image_features`, `text_features` (not normalised), `logits`,
    /// each layer by its name, and `gradient/LAYER:UNIT`. `neuronotes model info` lists a model's layers.
    Activations(Activations),
    /// Make pictures that excite units of a model as strongly as can be, without a garden
    ///
    /// Writes a PNG for each unit, whose text `neuronotes` says what made it, and with `--frames` an animated WebP of how
    /// it came about. Many units share their steps, and cost far less than as many runs.
    Vis(vis::Vis),
    /// Train a small CLIP from nothing, or go on where a training was cut off
    ///
    /// Writes checkpoint.safetensors every two minutes, with the weights as they then are (model.safetensors) and their
    /// curves (curves.svg); log.jsonl; and at the end run.json, which says what made which weights.
    /// Cut off anyhow, by Ctrl-C too, it goes on from the last checkpoint when it is started again.
    Train(Train),
    /// Measure what a CLIP that `train` made can do, and print it as Markdown
    ///
    /// Names found for pictures and words that were held out of its training, typographic attacks, and units that stand
    /// for the same thing in pictures and words, by a rule that is stated.
    Report(Report),
}

#[derive(Debug, Args)]
struct Report {
    /// The weights
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The training set, for what was held out of it
    #[arg(long, value_name = "FILE")]
    set: PathBuf,
    /// The names that were learned
    #[arg(long, value_name = "FILE")]
    names: PathBuf,
    /// The demonstration pictures, a tar whose captions are names
    #[arg(long, value_name = "FILE")]
    pictures: PathBuf,
    /// The demonstration words, a list of names
    #[arg(long, value_name = "FILE")]
    words: PathBuf,
    /// Of the words that attack, and of the units that are drawn by lot
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Put it into this README too, in place of what stands between its marks
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// `auto` (the first GPU, else the processor), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
}

#[derive(Debug, Args)]
struct Train {
    /// The recipe, a JSON file such as models/emoji-clip.recipe.json
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// The training set, a tar as `cargo xtask emoji --data` makes it
    #[arg(long, value_name = "FILE")]
    set: PathBuf,
    /// The names to learn, as in data/concepts.json
    #[arg(long, value_name = "FILE")]
    names: PathBuf,
    /// The folder to write to, and to go on from
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Measure on what is held out every N steps
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// `auto` (the first GPU, else the processor), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
    /// Threads on the processor; another number gives another rounding
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

#[derive(Debug, Args)]
struct Activations {
    /// The weights: safetensors, a state dict of PyTorch, or OpenAI's .pt
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Layers of either tower, in any spelling, with commas between them; `all` for every one
    #[arg(long, value_name = "LAYER,…", value_delimiter = ',')]
    layers: Vec<String>,
    /// Picture files, with commas between them
    #[arg(long, value_name = "FILE,…", value_delimiter = ',', conflicts_with = "pixels")]
    image: Vec<PathBuf>,
    /// Show the tensor `pixels`, `[n, 3, side, side]`, of a file of safetensors instead of pictures
    #[arg(long, value_name = "FILE")]
    pixels: Option<PathBuf>,
    /// Texts, with commas between them
    #[arg(long, value_name = "TEXT,…", value_delimiter = ',')]
    text: Vec<String>,
    /// A file with more texts, one a line, which may have commas
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// Cut texts that are longer than the model reads
    #[arg(long)]
    truncate: bool,
    /// Write the gradient of a unit's mean over positions with respect to the preprocessed image
    #[arg(long, value_name = "LAYER:UNIT,…", value_delimiter = ',', value_parser = unit)]
    gradient: Vec<(String, u32)>,
    /// The nonlinearity of the MLPs, where nothing in or beside the weights says it
    #[arg(long, value_name = "NAME", value_parser = activation)]
    activation: Option<Activation>,
    /// `f32`, `bf16`, or on a GPU `f16`; all is written in f32
    #[arg(long, value_name = "NAME", default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// `auto` (the first GPU, else the processor), `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
}

/// `LAYER:UNIT`.
fn unit(text: &str) -> Result<(String, u32), String> {
    text.rsplit_once(':')
        .and_then(|(layer, unit)| Some((layer.to_owned(), unit.parse().ok()?)))
        .ok_or_else(|| "write it as `image_block_4/5/Add_6:89`".to_owned())
}

/// A word as it stands in JSON.
fn word<T: serde::de::DeserializeOwned>(text: &str, known: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("known are {known}"))
}

fn activation(text: &str) -> Result<Activation, String> {
    word(text, "gelu and quick_gelu")
}

fn precision(text: &str) -> Result<Precision, String> {
    word(text, "f32, bf16 and f16")
}

#[derive(Debug, Args)]
struct Common {
    /// The store's folder, usually `.neuronotes/store`; made where it is missing.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// `auto` (the first GPU, else the processor), `cpu`, or `cuda:N`.
    ///
    /// For a GPU, `libtorch_cuda.so` has to lie beside `libtorch_cpu.so`, or in the folder that the variable
    /// NEURONOTES_TORCH_CUDA names.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wish,
    /// Threads of one operation on the processor; libtorch's own choice unless given.
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
    /// Does what was asked for.
    pub fn run(self) -> ExitCode {
        match self.command {
            Sub::Serve { common } => run_serve(&common),
            Sub::Run { common, file } => told(run_one(&common, &file)),
            Sub::Vis(wanted) => {
                let done = catch_unwind(AssertUnwindSafe(|| vis::run(&wanted)));
                told(done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))))
            }
            Sub::Train(wanted) => {
                let done = catch_unwind(AssertUnwindSafe(|| train(&wanted)));
                told(done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))))
            }
            Sub::Report(wanted) => {
                let done = catch_unwind(AssertUnwindSafe(|| report(&wanted)));
                told(done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))))
            }
            Sub::Activations(wanted) => {
                // libtorch's errors come as panics of tch's plain functions.
                let done = catch_unwind(AssertUnwindSafe(|| activations(wanted)));
                told(done.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref()))))
            }
        }
    }
}

/// Prints what came of a command, and ends with it.
fn told(result: Result<String, Failure>) -> ExitCode {
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

/// Writes the file, and says what is in it.
fn activations(wanted: Activations) -> Result<String, Failure> {
    let mut texts = wanted.text;
    if let Some(path) = &wanted.texts {
        let read = fs::read_to_string(path);
        let read = read.map_err(|error| Failure::new(format!("{} ({error})", path.display())))?;
        texts.extend(read.lines().map(str::to_owned));
    }
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    let what = Wanted {
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

/// Trains, and says where the weights are.
fn train(wanted: &Train) -> Result<String, Failure> {
    let recipe = Recipe::open(&wanted.recipe)?;
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    if let Some(threads) = wanted.threads {
        tch::set_num_threads(threads.into());
    }
    let places =
        Places { set: wanted.set.clone(), names: wanted.names.clone(), out: wanted.out.clone() };
    let mut bar = Bar::default();
    let result = train::train(&recipe, &places, device.torch, wanted.every, &mut bar);
    bar.clear();
    Ok(format!("{}", result?.display()))
}

/// Measures a trained network, and says what came out.
fn report(wanted: &Report) -> Result<String, Failure> {
    let device = Device::open(wanted.device).map_err(Failure::from)?;
    let places = report::Places {
        model: wanted.model.clone(),
        set: wanted.set.clone(),
        names: wanted.names.clone(),
        pictures: wanted.pictures.clone(),
        words: wanted.words.clone(),
    };
    let mut bar = Bar::default();
    let result = report::report(&places, &device, wanted.seed, &mut bar);
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
        Failure::new(format!("{} cannot be read as a request ({why})", file.display()))
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

/// Shows progress on the terminal.
#[derive(Debug, Default)]
struct Bar(Option<(String, ProgressBar)>);

impl Bar {
    fn clear(&self) {
        if let Some((_, bar)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for Bar {
    fn progress(&mut self, progress: &Progress<'_>) {
        if self.0.as_ref().is_none_or(|(stage, _)| stage != progress.stage) {
            self.clear();
            let bar = match say::has_cursor() {
                true => ProgressBar::new(progress.total),
                false => ProgressBar::hidden(),
            };
            let bar = bar.with_message(progress.stage.to_owned());
            let template = format!(
                "{{msg}} {{wide_bar}} {{pos}}/{{len}} {}s, {{per_sec}}, {{eta}} left",
                progress.unit
            );
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            self.0 = Some((progress.stage.to_owned(), bar));
        }
        if let Some((_, bar)) = &self.0 {
            bar.set_position(progress.step);
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}
