//! The command line. Exit codes: 0 if no problems were found, 1 if something in the garden is wrong, 2 if the command
//! itself failed.

mod archive;
mod claims;
mod dataset;
mod diff;
mod explain;
mod extent;
mod format;
mod garden;
mod jobs;
mod kept;
mod kinds;
mod model;
mod new;
mod pool;
mod reproduce;
mod review;
mod store;
mod summary;
mod sync;
mod watching;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use neuronotes_core::say;

use crate::build::{self, Options, Results};
use crate::diagnostic::{Diagnostic, Severity};
use crate::freeze::FreezeError;
use crate::measure::interrupt::CODE as INTERRUPTED;
use crate::measure::progress::Bars;
use crate::workspace::Workspace;
use crate::{diagnostic, freeze, preview};
use format::{Format, count, verdict};
use garden::{Garden, root};
use pool::Pool;
use summary::summary;
use watching::Watching;

/// Publishes research notes about a network's neurons as a linked site whose figures are measured
///
/// A garden is a folder with `neuronotes.yaml` and a folder `notes` of Markdown, a Jekyll site made from the
/// digital-garden template, or an Obsidian vault. A note requests a figure in a fenced block whose info string is
/// `yaml analysis`; `neuronotes kinds` lists the kinds of figures.
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
    /// The build continues after an error. Problems are reported with file, line and column, and the exit code is
    /// then 1. Building an unchanged garden again measures nothing and writes nothing.
    Build {
        #[command(flatten)]
        garden: Garden,
        /// Folder for the site [default: `output` in the garden]
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// Also measure figures again that failed before, even if nothing has changed since
        #[arg(long)]
        retry: bool,
        /// Measure only this block, such as `coins#vis`, or all blocks of this note; can be repeated
        ///
        /// The whole site is published. Other figures are shown if they have been measured before; those that have not
        /// are left out, with a warning each.
        #[arg(long, value_name = "NOTE[#ID]", conflicts_with = "frozen")]
        only: Vec<String>,
        #[command(flatten)]
        pool: Pool,
        #[command(flatten)]
        frozen: Frozen,
        #[command(flatten)]
        report: Reporting,
    },
    /// Preview the site in a browser and update it while you edit
    ///
    /// When a note is saved, its open page is patched in place; figures appear as they are measured. To publish, use
    /// `neuronotes build`. The server listens on this machine only; it can be reached through a forwarded port (`ssh
    /// -L 8000:localhost:4321`).
    Serve {
        #[command(flatten)]
        garden: Garden,
        /// Port to listen on; if it is taken, the next free one is used
        #[arg(long, default_value_t = 4321)]
        port: u16,
        /// Open the preview in the browser
        #[arg(long)]
        open: bool,
        /// How to detect changes
        #[arg(long, value_enum, default_value_t = Watching::Auto, value_name = "HOW")]
        watch: Watching,
        /// Also accept requests for this host name, such as that of a reverse proxy; can be repeated
        #[arg(long, value_name = "NAME")]
        allow_host: Vec<preview::Name>,
        /// Path under which a reverse proxy serves the preview, if the proxy does not strip it
        #[arg(long, value_name = "PATH", default_value = "/", hide_default_value = true)]
        base: preview::Base,
        /// Listen on this address, so that other machines can connect. Browsers then need the printed URL with its
        /// token
        #[arg(long, value_name = "ADDR")]
        listen: Option<IpAddr>,
        /// Show every problem; by default, past ten of one kind the rest are counted by file
        #[arg(long)]
        all: bool,
        /// Measure with the workers of this profile under `run` in neuronotes.yaml, such as `slurm`
        ///
        /// The page shows where each figure stands: waiting in the cluster's queue, running on a machine. When the preview ends, what
        /// it asked for and is not measured yet is withdrawn, and workers without work end.
        #[arg(long, value_name = "PROFILE")]
        on: Option<String>,
    },
    /// Report problems without measuring or writing anything
    Check {
        #[command(flatten)]
        garden: Garden,
        /// Also list numerals in prose (`4.2`, `seven`) that are neither shown as values nor part of a claim's sentence
        ///
        /// They are reported as notes, which `--strict` does not count. Headings, links, code, formulas, dates, years, and
        /// numbers that name something, such as unit 89, are not listed.
        #[arg(long)]
        numbers: bool,
        #[command(flatten)]
        frozen: Frozen,
        #[command(flatten)]
        report: Reporting,
    },
    /// Export all results that the site needs, to publish it on another machine
    ///
    /// `neuronotes build --frozen` builds the same site, byte for byte, from that folder and the notes, on a machine
    /// without a lab, a GPU, weights or data. Files are named by their content and written only if they differ, so
    /// the folder can be kept in git. Results that the site does not show, such as the activations of whole data
    /// sets, are left out. If a figure has not been measured yet, nothing is written and the exit code is 1.
    Freeze {
        #[command(flatten)]
        garden: Garden,
        /// Folder for the results [default: `frozen` in the garden]
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
        #[command(flatten)]
        report: Reporting,
    },
    /// Export the garden as an RO-Crate, for an archive such as Zenodo
    ///
    /// The folder contains the notes, the results that their figures show, CITATION.cff, and ro-crate-metadata.json, which states
    /// how each result was made (RO-Crate 1.1 with the profile Process Run Crate 0.5). Weights and data are named by their
    /// digests, but not copied. Nothing is measured: missing results are counted. The garden needs `license:` and
    /// `description:`, and at least one note needs a date. The same garden and results always give the same bytes.
    Crate {
        /// Folder to write to; it must be empty, not exist yet, or contain a crate
        dir: PathBuf,
        #[command(flatten)]
        garden: Garden,
        #[command(flatten)]
        frozen: Frozen,
        #[command(flatten)]
        report: Reporting,
    },
    /// Explain why a figure will be measured, or measured again
    ///
    /// Prints a block's request key and everything that it covers (parameters, digests of weights and data), and
    /// when, where and by which program its result was measured. If the block's last result has another key, prints
    /// what changed since: a parameter, the weights, the data, or the result of another block that it uses.
    Explain {
        /// A block, such as `coins#vis`; a note, for all its blocks; or the first digits of a request key
        #[arg(value_name = "NOTE#ID|KEY")]
        block: String,
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Record that you have reviewed a note or one of its figures
    ///
    /// Appends an entry to `reviews/NOTE.yaml` with your name, the time, your verdict, and digests of the text as it reads now, of
    /// each figure's result and of the claims. The note's page then shows the review and what has changed since. If something has
    /// changed since your last review of it, the command first prints what, and writes nothing; run it again to record the review.
    Review(review::Asked),
    /// Measure stored results again and report whether they are the same
    ///
    /// Results are measured into a temporary store; the garden's store is only read. Scans and blocks that a figure uses are
    /// measured again too. A result has the same bytes, is within its own noise (`neuronotes kinds KIND` states the rule of each
    /// kind), or is different; the largest differences are listed. The exit code is 1 if a result is different or cannot be
    /// measured. Figures that have not been measured yet are listed, but not counted as different.
    Reproduce(reproduce::Asked),
    /// Show what differs between two states of the garden, and why
    ///
    /// Lists claims that changed sides, sentences that read differently although nobody edited them, figures by the size of
    /// their change and grouped by cause (data, weights, a parameter), edited text word by word, and links. Nothing is measured:
    /// each side is planned from its notes, and its results are looked up in the store. A missing result is listed with the
    /// command that measures it.
    Diff(diff::Arguments),
    /// List the workers that `--on PROFILE` started on other machines
    ///
    /// Lists each profile of `run` in neuronotes.yaml with its workers: their jobs, as the engine (such as Slurm) describes
    /// them, what each worker is at, how much it has measured, and how many units of work are left.
    Jobs(jobs::Arguments),
    /// Inspect, verify and clean up the result store
    Store {
        #[command(subcommand)]
        command: store::Command,
    },
    /// Create a new garden with three figures, or a note about a unit
    ///
    /// The figures use a small CLIP and pictures that come with the program, so nothing has to be downloaded. `neuronotes new
    /// note` creates a note; for a garden in a folder of that name, write `./note`.
    #[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
    New {
        /// Folder to create; it must be empty or not exist yet
        dir: Option<PathBuf>,
        #[command(subcommand)]
        command: Option<new::Command>,
    },
    /// List models, fetch their weights, and show their layers
    Model {
        #[command(subcommand)]
        command: model::Command,
    },
    /// List data sets, and show what was read from each and what was skipped
    #[command(after_help = dataset::formats())]
    Dataset {
        #[command(subcommand)]
        command: dataset::Command,
    },
    /// Document the kinds of analysis
    Kinds {
        /// Show only this kind, with all its fields
        kind: Option<String>,
        /// Print a JSON Schema of blocks, by which editors complete and check them
        #[arg(long, conflicts_with = "kind")]
        schema: bool,
    },
}

#[derive(Debug, Args)]
struct Frozen {
    /// Use the results that `neuronotes freeze` exported, and measure nothing [default folder: `frozen` in the
    /// garden]
    ///
    /// Neither a lab nor weights nor data are needed. Results that are missing from the folder are listed, and the
    /// exit code is then 1.
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
    /// Treat warnings, such as links to missing notes, as errors
    #[arg(long)]
    strict: bool,
    /// Show every problem; by default, past ten of one kind the rest are counted by file
    #[arg(long)]
    all: bool,
    /// Output format of problems
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Runs the command and returns its exit code.
///
/// # Errors
/// If the command could not do its work at all.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Build { garden, output, retry, only, pool, frozen, report } => {
            let root = root(garden.root)?;
            let begun = Instant::now();
            let results = frozen.results();
            let strict = report.strict;
            let Pool { on, dry_run, limit } = pool;
            let options = Options { root, output, strict, retry, results, only, on, limit };
            if dry_run {
                let (lines, refused) = build::work(&options)?;
                lines.iter().for_each(|line| say::out(&format!("{line}\n")));
                return refused.map_or(Ok(ExitCode::SUCCESS), |problem| Err(problem.into()));
            }
            let result = match build::build(&options, &mut Bars::new()) {
                Err(FreezeError::Interrupted(said)) => {
                    say::err(said);
                    return Ok(ExitCode::from(INTERRUPTED as u8));
                }
                result => result?,
            };
            list(&result.site.workspace, &result.problems, &report);
            say::err(summary(&result, begun));
            if let Some(expected) = claims::expected(&result.site) {
                say::err(expected);
            }
            Ok(ExitCode::from(u8::from(result.failed)))
        }
        Command::Check { garden, numbers, frozen, report } => {
            let (mut site, mut problems) = build::check(&root(garden.root)?, &frozen.results())?;
            let typed = if numbers { claims::typed(&site.workspace) } else { Vec::new() };
            let count_typed = typed.len();
            problems.extend(typed);
            list(&site.workspace, &problems, &report);
            if report.format == Format::Json {
                claims::list(&mut site)?;
                review::list(&mut site)?;
            }
            let worst = if report.strict { Severity::Warning } else { Severity::Error };
            let failed = problems.iter().any(|problem| problem.severity >= worst);
            let checked = count(site.notes(), "note");
            say::err(format_args!("{checked} checked: {}", verdict(&problems)));
            if let Some(expected) = claims::expected(&site) {
                say::err(expected);
            }
            if numbers {
                let found = count(count_typed, "numeral");
                say::err(format_args!("{found} in prose that neither a value nor a claim covers"));
            }
            Ok(ExitCode::from(u8::from(failed)))
        }
        Command::Serve { garden, port, open, watch, allow_host: hosts, base, listen, all, on } => {
            let watch = watch.mode();
            let options = preview::Options { port, open, watch, listen, hosts, base, all, on };
            preview::serve(&root(garden.root)?, options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Freeze { garden, to, report } => {
            let frozen = freeze::freeze(&root(garden.root)?, to.as_deref())?;
            list(&frozen.site.workspace, &frozen.problems, &report);
            let counts = |problem: &Diagnostic| problem.severity >= Severity::Warning;
            let warned = report.strict && frozen.problems.iter().any(counts);
            say::err(format::frozen(&frozen));
            Ok(ExitCode::from(u8::from(frozen.failed || warned)))
        }
        Command::Crate { dir, garden, frozen, report } => {
            let from = frozen.frozen.as_ref().map(|folder| folder.as_deref());
            let made = crate::archive::make(&root(garden.root)?, &dir, from)?;
            list(&made.site.workspace, &made.problems, &report);
            say::err(archive::summary(&made, &verdict(&made.problems)));
            let warned = report.strict && (!made.problems.is_empty() || made.missing > 0);
            Ok(ExitCode::from(u8::from(made.failed || warned)))
        }
        Command::Explain { block, garden, format } => {
            explain::run(&root(garden.root)?, &block, format)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Review(asked) => review::run(&asked),
        Command::Reproduce(asked) => reproduce::run(asked),
        Command::Diff(arguments) => Ok(ExitCode::from(u8::from(diff::run(arguments)?))),
        Command::Jobs(arguments) => jobs::run(arguments),
        Command::Store { command } => store::run(command),
        Command::New { dir, command } => {
            new::run(dir, command)?;
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
        Command::Kinds { kind, schema } => {
            kinds::run(kind.as_deref(), schema)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(workspace: &Workspace, problems: &[Diagnostic], report: &Reporting) {
    if report.format == Format::Json {
        for problem in problems {
            say::json(&serde_json::to_string(problem).unwrap_or_default());
        }
        return;
    }
    let colour = say::has_colour();
    let summary = diagnostic::summary::summary(problems, report.all);
    for problem in summary.shown {
        let shown = format!("{}\n", problem.terminal(workspace.source(&problem.file), colour));
        if colour { say::styled(shown) } else { say::err(shown) }
    }
    for line in &summary.rest {
        say::err(say::name(line));
    }
    if !summary.rest.is_empty() {
        say::err("hint: `--all` or `--format json` shows all of them\n");
    }
}
