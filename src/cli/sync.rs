//! `neuronotes store sync`: moves results between a store and an object store, and keeps them equal beside workers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::say;
use neuronotes_core::store::Store;

use super::format::{Format, count};
use super::garden::{Garden, root};
use super::kept::{explained, remember, say, size};
use crate::measure::progress::Reading;
use crate::sync::{self, Moved, News, Options, Remote, Report, Side, Wanted};
use crate::workspace::Workspace;

/// Most damaged files that are listed.
const LISTED: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// The object store: s3://BUCKET/FOLDER, or file:///FOLDER
    url: String,
    /// Only push: results that are here and not there
    #[arg(long)]
    push: bool,
    /// Only pull: results that are there and not here
    #[arg(long)]
    pull: bool,
    /// Go on until it is interrupted: whatever is new on one side arrives on the other within seconds
    #[arg(long, conflicts_with = "dry_run")]
    follow: bool,
    /// Only show what would move
    #[arg(long)]
    dry_run: bool,
    /// Pull only the results with these request keys, or first digits of them
    #[arg(long, value_name = "KEY", num_args = 1..)]
    only: Vec<String>,
    /// Pull everything: also results that this garden does not use, and outputs that only measuring needs
    #[arg(long)]
    all: bool,
    /// The store of workers in this folder, in place of a garden's; with --follow, it takes units of work for them
    #[arg(long, value_name = "DIR", conflicts_with = "root")]
    store: Option<PathBuf>,
    #[command(flatten)]
    garden: Garden,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(asked: Sync) -> anyhow::Result<ExitCode> {
    let remote = Remote::open(&asked.url).map_err(told)?;
    let both = asked.push == asked.pull;
    let (push, pull) = (both || asked.push, both || asked.pull);
    let named = match asked.only.is_empty() {
        true => None,
        false => Some(sync::resolve(&remote, &asked.only).map_err(told)?),
    };
    let (all, dry_run) = (asked.all, asked.dry_run);
    let mut garden = None;
    let (store, side, wanted) = match asked.store {
        Some(folder) => {
            let store = Store::open(&folder).map_err(explained)?;
            (store, Side::Worker, named.map_or(Wanted::All, Wanted::Whole))
        }
        None => {
            let folder = root(asked.garden.root)?;
            let workspace = Workspace::open(&folder)?;
            let store = workspace.store.clone();
            let wanted = match named {
                Some(keys) if all => Wanted::Whole(keys),
                Some(keys) => Wanted::Shown(keys),
                None if all => Wanted::All,
                None => {
                    let used = if pull { used(workspace) } else { BTreeSet::new() };
                    garden = pull.then_some(folder);
                    Wanted::Shown(used)
                }
            };
            (store, Side::Client, wanted)
        }
    };
    let mut options = Options { push, pull, dry_run, side, wanted };
    if asked.follow {
        return follow(&store, &remote, &options);
    }
    let mut report = once(&store, &remote, &options)?;
    // What some figures ask for is known only once others are here.
    while let (Some(folder), Wanted::Shown(before)) = (&garden, &options.wanted) {
        let wanted = match report.pulled.results > 0 && !dry_run {
            true => used(Workspace::open(folder)?),
            false => break,
        };
        let more: BTreeSet<Digest> = wanted.difference(before).copied().collect();
        if more.is_empty() {
            break;
        }
        let again = Options { push: false, wanted: Wanted::Shown(more), ..options.clone() };
        let next = once(&store, &remote, &again)?;
        let nothing_new = next.pulled.results == 0;
        report.add(next);
        if nothing_new {
            break;
        }
        options.wanted = Wanted::Shown(wanted);
    }
    say(asked.format, &report, &of_report(&report, &asked.url, &options));
    Ok(ExitCode::from(u8::from(!report.damaged.is_empty())))
}

/// The results that a garden uses.
fn used(workspace: Workspace) -> BTreeSet<Digest> {
    let folder = workspace.root.clone();
    let kept = remember(workspace);
    let root = kept.store.root(&folder).unwrap_or_default();
    root.requests.into_iter().chain(root.blocks.into_values().flatten()).collect()
}

fn once(store: &Store, remote: &Remote, options: &Options) -> anyhow::Result<Report> {
    let bar: Mutex<Option<(&'static str, Reading)>> = Mutex::new(None);
    let step = |doing: &'static str, done: u64, all: u64| {
        let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
        if bar.as_ref().is_none_or(|(known, _)| *known != doing) {
            *bar = Some((doing, Reading::new(doing)));
        }
        if let Some((_, reading)) = &mut *bar {
            reading.step(done, all);
        }
    };
    sync::once(store, remote, options, &step).map_err(told)
}

fn follow(store: &Store, remote: &Remote, options: &Options) -> anyhow::Result<ExitCode> {
    say::err(format!("{} follows {}; interrupt it to end", store.folder().display(), remote.url));
    let mut hear = |news: News<'_>| match news {
        News::Moved(report) => {
            for (done, moved) in [("pushed", &report.pushed), ("pulled", &report.pulled)] {
                if !moved.is_nothing() {
                    say::err(format!("{done} {}", of_moved(moved)));
                }
            }
            for damaged in &report.damaged {
                say::err(format!("error: {damaged}"));
            }
        }
        News::Trouble(problem) => {
            let again = Problem::new(format!("{}; trying again", problem.message));
            say::err(format!("warning: {}", again.hint(problem.hint.clone())));
        }
        News::Again => say::err("the object store can be used again"),
    };
    match sync::follow(store, remote, options, &mut hear).map_err(told)? {}
}

fn told(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!("{problem}")
}

/// `3 results (5 outputs) and 2 files, 1.2 MB`.
fn of_moved(moved: &Moved) -> String {
    let number = |n: u64, what: &str| count(usize::try_from(n).unwrap_or(usize::MAX), what);
    let mut parts = Vec::new();
    if moved.results > 0 || moved.blobs > 0 {
        let outputs = number(moved.blobs, "output");
        parts.push(format!("{} ({outputs})", number(moved.results, "result")));
    }
    if moved.files > 0 {
        parts.push(number(moved.files, "small file"));
    }
    format!("{}, {}", parts.join(" and "), size(moved.bytes))
}

fn of_report(report: &Report, url: &str, options: &Options) -> String {
    let mut out = String::new();
    let directions = [
        (options.push, "push", "to", &report.pushed),
        (options.pull, "pull", "from", &report.pulled),
    ];
    for (_, what, direction, moved) in directions.into_iter().filter(|(asked, ..)| *asked) {
        let _ = match (moved.is_nothing(), options.dry_run) {
            (true, _) => writeln!(out, "nothing to {what} {direction} {url}"),
            (_, true) => writeln!(out, "would {what} {} {direction} {url}", of_moved(moved)),
            (_, false) => writeln!(out, "{what}ed {} {direction} {url}", of_moved(moved)),
        };
    }
    if report.missing > 0 {
        let missing = count(usize::try_from(report.missing).unwrap_or(usize::MAX), "result");
        let _ = writeln!(out, "{missing} that this garden uses: on neither side yet");
    }
    for damaged in report.damaged.iter().take(LISTED) {
        let _ = writeln!(out, "error: {damaged}");
    }
    let rest = report.damaged.len().saturating_sub(LISTED);
    if rest > 0 {
        let _ = writeln!(out, "error: {} more", count(rest, "damaged file"));
    }
    if !report.damaged.is_empty() {
        let hint = "remove what is damaged there: a store that has the result pushes it again; `neuronotes store verify` looks here";
        let _ = writeln!(out, "hint: {hint}");
    }
    out
}
