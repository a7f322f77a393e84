//! Arguments in, an exit code out: 0 where all is well, 1 where something in the garden is wrong, 2 where
//! the command itself could not work.

mod dataset;
mod kinds;
mod model;
mod store;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::DecimalBytes;
use neuronotes_core::kind::KINDS;
use neuronotes_core::{say, suggest};

use crate::build::{self, Options, Report, Results};
use crate::config::layout;
use crate::config::layout::Kind;
use crate::diagnostic::{Diagnostic, Severity};
use crate::field::document;
use crate::measure::progress::Bars;
use crate::plan::explain;
use crate::watch::Mode;
use crate::workspace::Workspace;
use crate::{diagnostic, freeze, preview, scaffold, site};

/// Research notes about a network's neurons, whose figures are measured, published as a linked site.
///
/// A garden is a folder with `neuronotes.yaml` and a folder `notes` of Markdown, a Jekyll site of the digital-garden
/// template, or an Obsidian vault. A note asks for a figure in a
/// fenced block whose info string is `yaml analysis`; `neuronotes kinds` lists what it can ask for.
#[derive(Debug, Parser)]
#[command(name = "neuronotes", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure what is missing and write the site
    ///
    /// Everything that can be done is done; what is wrong is reported with file, line and column, and the
    /// exit code is 1. A second build of an unchanged garden measures nothing and writes nothing.
    Build {
        #[command(flatten)]
        garden: Garden,
        /// The folder of the site [default: `output` in the garden]
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// Measure again what failed by itself before, though nothing has changed since
        #[arg(long)]
        retry: bool,
        #[command(flatten)]
        frozen: Frozen,
        #[command(flatten)]
        report: Reporting,
    },
    /// Show the site in a browser and keep it right while notes are edited
    ///
    /// A saved note's page is patched in the open browser; figures appear as they are measured. Publishes nothing:
    /// `neuronotes build` does. Listens on this machine only, also through a forwarded port (`ssh -L 8000:localhost:4321`).
    Serve {
        #[command(flatten)]
        garden: Garden,
        /// The port; where it is taken, the next free one
        #[arg(long, default_value_t = 4321)]
        port: u16,
        /// Open the browser
        #[arg(long)]
        open: bool,
        /// How to learn of changes
        #[arg(long, value_enum, default_value_t = Watching::Auto, value_name = "HOW")]
        watch: Watching,
        /// Also answer to this name, such as that of a proxy in front; may be repeated
        #[arg(long, value_name = "NAME")]
        allow_host: Vec<preview::Name>,
        /// The path below which a proxy shows the preview, where the proxy does not take it off
        #[arg(long, value_name = "PATH", default_value = "/", hide_default_value = true)]
        base: preview::Base,
        /// Listen at this address, beyond this machine. Browsers then need the address that is printed, with its token
        #[arg(long, value_name = "ADDR")]
        listen: Option<IpAddr>,
        /// Show every problem; without, past ten of one kind the rest are counted by file
        #[arg(long)]
        all: bool,
    },
    /// Report what is wrong without measuring or writing
    Check {
        #[command(flatten)]
        garden: Garden,
        #[command(flatten)]
        frozen: Frozen,
        #[command(flatten)]
        report: Reporting,
    },
    /// Keep all results that the site needs in a folder, to be published elsewhere
    ///
    /// `neuronotes build --frozen` makes the same site of that folder and the notes, byte for byte, on a machine without
    /// a lab, a GPU, weights or data. Files are named by their content and written only where they differ, so that the
    /// folder can be kept in git. What the site does not show, such as activations of whole data sets, is left out.
    /// Where a figure is not measured yet, nothing is written, and the exit code is 1.
    Freeze {
        #[command(flatten)]
        garden: Garden,
        /// The folder [default: `frozen` in the garden]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        #[command(flatten)]
        report: Reporting,
    },
    /// Say why a figure is measured, or is to be measured again
    ///
    /// Names the request key of a block and all that it covers (parameters, digests of weights and data), when, where and by
    /// which program its result was measured, and, where that is not the block's last result, which parts of the key changed
    /// since: a parameter, the weights, the data, or something of what it rests on.
    Explain {
        /// A block, such as `coins#vis`, a note with all its blocks, or the first digits of a request key
        #[arg(value_name = "NOTE#ID|KEY")]
        block: String,
        #[command(flatten)]
        garden: Garden,
        /// How to report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Look into the store of results, check it, and clear it of what nobody wants
    Store {
        #[command(subcommand)]
        command: store::Command,
    },
    /// Make a new garden whose first build measures three figures
    ///
    /// They are about a small CLIP and pictures that come with the program, so that nothing has to be fetched.
    New {
        /// The folder; it must not exist yet, or be empty
        dir: PathBuf,
    },
    /// List models, fetch their weights, and show every layer that a note can name
    Model {
        #[command(subcommand)]
        command: model::Command,
    },
    /// List data sets, and show what was read of each and what was skipped
    #[command(after_help = dataset::formats())]
    Dataset {
        #[command(subcommand)]
        command: dataset::Command,
    },
    /// Document the analyses that a note can ask for
    Kinds {
        /// Only this one, with all its fields
        kind: Option<String>,
    },
}

#[derive(Debug, Args)]
struct Garden {
    /// The garden [default: the nearest folder upwards with `neuronotes.yaml`, or that is a Jekyll garden or a vault]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Frozen {
    /// Publish what `neuronotes freeze` kept, and measure nothing [default folder: `frozen` in the garden]
    ///
    /// Neither a lab nor weights nor data are needed. What is not among the frozen results is listed, and the exit code
    /// is 1.
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    frozen: Option<Option<PathBuf>>,
}

impl Frozen {
    fn results(self) -> Results {
        self.frozen.map_or(Results::Measured, Results::Frozen)
    }
}

#[derive(Debug, Args)]
struct Reporting {
    /// Count warnings, such as links to notes that are not there, as errors
    #[arg(long)]
    strict: bool,
    /// Show every problem; without, past ten of one kind the rest are counted by file
    #[arg(long)]
    all: bool,
    /// How to report what is wrong
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the lines that are meant
    Human,
    /// One JSON object a line, on standard output
    Json,
}

/// How a preview learns of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Watching {
    /// By file events, unless the garden lies on a file system that gives none for changes made elsewhere, such as
    /// NFS, SMB, sshfs or a virtual machine's shared folder. Which one is in use is printed
    Auto,
    /// By file events in any case. A page is right some milliseconds after a save
    Native,
    /// By looking at all files every 0.7 s. Works everywhere, and is what helps where saves are not noticed
    Poll,
}

impl Watching {
    fn mode(self) -> Mode {
        match self {
            Self::Auto => Mode::Auto,
            Self::Native => Mode::Native,
            Self::Poll => Mode::Poll,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where it could not work at all.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Build { garden, output, retry, frozen, report } => {
            let root = root(garden.root)?;
            let begun = Instant::now();
            let results = frozen.results();
            let options = Options { root, output, strict: report.strict, retry, results };
            let result = build::build(&options, &mut Bars::new())?;
            list(&result.site.workspace, &result.problems, &report);
            say::err(summary(&result, begun));
            Ok(ExitCode::from(u8::from(result.failed)))
        }
        Command::Check { garden, frozen, report } => {
            let (site, problems) = build::check(&root(garden.root)?, &frozen.results())?;
            list(&site.workspace, &problems, &report);
            let worst = if report.strict { Severity::Warning } else { Severity::Error };
            let failed = problems.iter().any(|problem| problem.severity >= worst);
            say::err(format_args!(
                "{} checked: {}",
                count(site.notes(), "note"),
                verdict(&problems)
            ));
            Ok(ExitCode::from(u8::from(failed)))
        }
        Command::Serve { garden, port, open, watch, allow_host: hosts, base, listen, all } => {
            let watch = watch.mode();
            let options = preview::Options { port, open, watch, listen, hosts, base, all };
            preview::serve(&root(garden.root)?, options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Freeze { garden, to, report } => {
            let frozen = freeze::freeze(&root(garden.root)?, to.as_deref())?;
            list(&frozen.site.workspace, &frozen.problems, &report);
            let warned = report.strict && !frozen.problems.is_empty();
            say::err(frozen_summary(&frozen));
            Ok(ExitCode::from(u8::from(frozen.failed || warned)))
        }
        Command::Explain { block, garden, format } => {
            explain_block(&root(garden.root)?, &block, format)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Store { command } => store::run(command),
        Command::New { dir } => {
            scaffold::make(&dir)?;
            say::out(&scaffold::next(&dir));
            Ok(ExitCode::SUCCESS)
        }
        Command::Model { command } => {
            model::run(command)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Dataset { command } => {
            dataset::run(command)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Kinds { kind: None } => {
            say::out(&kinds::shown(&document::overview()));
            Ok(ExitCode::SUCCESS)
        }
        Command::Kinds { kind: Some(name) } => match neuronotes_core::kind::Kind::named(&name) {
            Some(kind) => {
                say::out(&kinds::shown(&document::kind(kind, &kinds::local())));
                Ok(ExitCode::SUCCESS)
            }
            None => {
                let hint = suggest::hint(&name, KINDS.iter().map(|kind| kind.name));
                anyhow::bail!("there is no kind `{name}`\nhint: {}", hint.unwrap_or_default())
            }
        },
    }
}

fn explain_block(root: &Path, block: &str, format: Format) -> anyhow::Result<()> {
    let mut workspace = Workspace::open(root)?;
    let plan = site::wishes(&mut workspace).plan;
    workspace.save_digests();
    let shared = workspace.notes();
    let notes: Vec<_> = shared.iter().map(|note| &**note).collect();
    let kept = workspace.store.root(&workspace.root);
    for one in explain::explain(&notes, &plan, &workspace.store, kept.as_ref(), block)? {
        match format {
            Format::Human => say::out(&one.text()),
            Format::Json => say::json(&serde_json::to_string(&one)?),
        }
    }
    Ok(())
}

/// The garden: the one that was asked for, else the nearest folder upwards that is one.
fn root(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(root) = asked {
        return Ok(root);
    }
    let here = std::env::current_dir()?;
    match nearest_garden(&here) {
        Some(root) => Ok(root.to_owned()),
        None => anyhow::bail!(
            "neither {} nor a folder above it is a garden: {}\nhint: `neuronotes new DIR` makes a garden",
            here.display(),
            layout::LOOKS
        ),
    }
}

fn nearest_garden(here: &Path) -> Option<&Path> {
    let configured = |folder: &&Path| folder.join(crate::config::FILE).is_file();
    // A folder `notes` alone, as in a home, makes none of the folders around it a garden.
    let foreign =
        |folder: &&Path| matches!(layout::looks_like(folder), Some(Kind::Jekyll | Kind::Vault));
    let plain = || (layout::looks_like(here).is_some()).then_some(here);
    here.ancestors().find(|folder| configured(folder) || foreign(folder)).or_else(plain)
}

fn list(workspace: &Workspace, problems: &[Diagnostic], report: &Reporting) {
    if report.format == Format::Json {
        for problem in problems {
            say::json(&serde_json::to_string(problem).unwrap_or_default());
        }
        return;
    }
    let colour = say::has_colour();
    let summary = diagnostic::summary(problems, report.all);
    for problem in summary.shown {
        let shown = format!("{}\n", problem.terminal(workspace.source(&problem.file), colour));
        if colour { say::styled(shown) } else { say::err(shown) }
    }
    for line in &summary.rest {
        say::err(say::name(line));
    }
    if !summary.rest.is_empty() {
        say::err("hint: `--all` shows every one of them, and so does `--format json`\n");
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn verdict(problems: &[Diagnostic]) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    match (errors, warnings) {
        (0, 0) => "all is well".into(),
        (0, n) => count(n, "warning"),
        (n, 0) => count(n, "error"),
        (e, w) => format!("{}, {}", count(e, "error"), count(w, "warning")),
    }
}

fn frozen_summary(report: &freeze::Report) -> String {
    if report.failed {
        return format!("nothing is frozen: {}", verdict(&report.problems));
    }
    format!(
        "{} frozen in {}: {} written, {} unchanged, {} removed ({})",
        count(report.results, "result"),
        report.folder.display(),
        count(report.written, "file"),
        report.kept,
        report.removed,
        DecimalBytes(report.bytes),
    )
}

fn summary(report: &Report, begun: Instant) -> String {
    let changes = &report.changes;
    let mut removed = String::new();
    if !changes.removed.is_empty() {
        removed = format!(", {} removed", changes.removed.len());
    }
    format!(
        "{}: {} measured, {} stored; {} written, {} unchanged{removed}; {} ({:.2} s)\n{}",
        count(report.site.notes(), "note"),
        count(report.measured, "figure"),
        report.stored,
        count(changes.written.len(), "file"),
        changes.kept,
        verdict(&report.problems),
        begun.elapsed().as_secs_f64(),
        report.output.join("index.html").display(),
    )
}
