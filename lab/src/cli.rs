//! Arguments of `neuronotes-lab`.

use std::fs;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use neuronotes::protocol::Event;
use neuronotes::request::Request;
use neuronotes::store::Store;

use crate::device::{Device, LIBTORCH, Unusable, Wish};
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::serve::{Events, serve};
use crate::session::Session;

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
    /// Commands: `{"type":"run","request":{…}}` and `{"type":"cancel","key":"…"}`. Events: `ready` or
    /// `unusable` first, then `progress`, `done`, `failed` and `cancelled`. The log goes to standard error.
    /// At the end of its input it stops at its next step and exits.
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
            Sub::Run { common, file } => match run_one(&common, &file) {
                Ok(key) => {
                    println!("{key}");
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    eprintln!("error: {error}");
                    if let Failure::Failed { hint: Some(hint), .. } = error {
                        eprintln!("hint: {hint}");
                    }
                    ExitCode::FAILURE
                }
            },
        }
    }
}

fn run_serve(common: &Common) -> ExitCode {
    let events: &'static Events<_> = Box::leak(Box::new(Events::new(io::stdout())));
    match common.open() {
        Ok((mut session, device)) => {
            events.send(&Event::Ready {
                device: device.label,
                device_name: device.name,
                libtorch: LIBTORCH.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            });
            serve(&mut session, BufReader::new(io::stdin()), events);
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
    let (mut session, _) = common.open().map_err(|Unusable { message, hint }| {
        let failure = Failure::new(message);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
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
            let bar = ProgressBar::new(progress.total).with_message(progress.stage.to_owned());
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
