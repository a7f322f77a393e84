//! `neuronotes store`: counts, verifies and cleans up what is in a garden's result store.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use indicatif::HumanDuration;
use neuronotes_core::store::{Collected, DAY, Options, Stats, Tally, Verified};

use super::format::{Format, count};
use super::garden::{Garden, root};
use super::kept::{explained, remember, say, size};
use crate::measure::progress::Reading;
use crate::workspace::Workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Count what is in the store, and what `gc` would remove
    ///
    /// Results are counted by kind, with the disk space that their outputs take and the seconds that measuring them
    /// took.
    Stats {
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Read everything in the store and set damaged files aside
    ///
    /// Each result is compared with its key, its checksum and the digests of its outputs. Damaged files are moved to
    /// `tmp` in the store, under a name that begins with `bad-`; the next build measures those results again. Files
    /// that do not belong to the store are listed and left alone. The exit code is 1 if anything was damaged. It is
    /// safe to run at any time.
    Verify {
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Move results to and from an object store, such as an S3 bucket
    ///
    /// What is here and not there is pushed, and what is there and not here is pulled; --push or --pull does only one of these.
    /// Results are never overwritten, and each is compared with its digest when it arrives; a damaged one is not taken, and the exit
    /// code is then 1. A garden pulls the results that its notes use, with the outputs that pages show; --all pulls everything. It is
    /// safe to interrupt at any moment and to run in several places at once.
    ///
    /// Credentials and addresses come from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
    /// AWS_REGION, and AWS_ENDPOINT_URL for servers other than Amazon's.
    Sync(super::sync::Sync),
    /// Remove results that no note uses any more
    ///
    /// Results that this garden's notes use now are kept, together with the results that those depend on, and results
    /// that any other garden with the same store used when it was last built. A block's last result is kept until it
    /// has a new one. Results younger than a day are kept. It is safe to run while other processes build, preview and
    /// measure: a result that was removed too early is measured again.
    Gc {
        #[command(flatten)]
        garden: Garden,
        /// Only show what would be removed
        #[arg(long)]
        dry_run: bool,
        /// Keep everything younger than this many days; at least 1
        #[arg(long, value_name = "DAYS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=36500))]
        older_than: u32,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Stats { garden, format } => {
            let workspace = open(garden.root)?;
            // So that the report counts what `gc` would remove.
            let kept = remember(workspace);
            let stats = kept.store.stats().map_err(explained)?;
            say(format, &stats, &of_stats(&stats));
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { garden, format } => {
            let workspace = open(garden.root)?;
            let mut bar = Reading::new("verifying");
            let report = workspace.store.verify(&mut |done, all| bar.step(done, all));
            drop(bar);
            let report = report.map_err(explained)?;
            say(format, &report, &of_verified(&report));
            Ok(ExitCode::from(u8::from(!report.wrong.is_empty())))
        }
        Command::Sync(asked) => super::sync::run(asked),
        Command::Gc { garden, dry_run, older_than, format } => {
            let kept = remember(open(garden.root)?);
            if let Some(error) = kept.error.filter(|_| !dry_run) {
                return Err(explained(error));
            }
            let options = Options { older_than: DAY * older_than, dry_run };
            let done = kept.store.collect(options).map_err(explained)?;
            say(format, &done, &of_collected(&done, dry_run));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn open(garden: Option<PathBuf>) -> anyhow::Result<Workspace> {
    Ok(Workspace::open(&root(garden)?)?)
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s => HumanDuration(Duration::from_secs_f64(s.min(1e12))).to_string(),
    }
}

fn of_stats(stats: &Stats) -> String {
    let mut out = format!("{:<22} {:>8}  {:>10}  measured in\n", "kind", "results", "outputs");
    let mut all = (0, 0.0);
    for (kind, of) in &stats.kinds {
        all = (all.0 + of.count, all.1 + of.seconds);
        let (bytes, seconds) = (size(of.bytes), time(of.seconds));
        let _ = writeln!(out, "{kind:<22} {:>8}  {bytes:>10}  {seconds}", of.count);
    }
    let (bytes, seconds) = (size(stats.blobs.bytes), time(all.1));
    let _ = writeln!(out, "{:<22} {:>8}  {bytes:>10}  {seconds}", "all", all.0);
    out.push('\n');
    for (what, tally) in [
        ("drawings", stats.drawings),
        ("indexes of data sets", stats.indexes),
        ("claims", stats.claims),
        ("failures", stats.failures),
        ("unfinished pictures", stats.partial),
        ("temporary files", stats.temporary),
    ] {
        let _ = writeln!(out, "{what:<22} {:>8}  {:>10}", tally.count, size(tally.bytes));
    }
    if stats.damaged > 0 {
        let records = count(usize::try_from(stats.damaged).unwrap_or(usize::MAX), "record");
        let _ = writeln!(out, "\n{records} cannot be read; `neuronotes store verify` names them");
    }
    out.push('\n');
    for (garden, written) in &stats.gardens {
        let day = written.get(..10).unwrap_or(written);
        let _ = writeln!(out, "used by {}, last on {day}", garden.display());
    }
    let _ = match &stats.collectable {
        Some(done) => writeln!(
            out,
            "{} in use or recent; `neuronotes store gc` would free {}",
            results(done.kept),
            size(done.bytes())
        ),
        None => writeln!(
            out,
            "the list of results that a garden uses is damaged\nhint: build that garden again"
        ),
    };
    out
}

fn results(n: u64) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), "result")
}

fn of_verified(report: &Verified) -> String {
    let mut out = String::new();
    for wrong in &report.wrong {
        let _ = writeln!(out, "{}: {}", wrong.file, wrong.message);
    }
    for foreign in &report.foreign {
        let _ = writeln!(out, "{foreign}: does not belong to the store; left alone");
    }
    let _ = write!(
        out,
        "{}, {} and {} are intact ({} read)",
        results(report.records),
        count(usize::try_from(report.blobs).unwrap_or(usize::MAX), "output"),
        count(usize::try_from(report.drawings).unwrap_or(usize::MAX), "drawing"),
        size(report.bytes)
    );
    if report.unsealed > 0 {
        let _ = write!(
            out,
            "; {} from an earlier version, without a checksum",
            results(report.unsealed)
        );
    }
    let _ = match report.wrong.len() {
        0 => writeln!(out, "; no problems found"),
        n => writeln!(out, "; {} set aside", count(n, "damaged file")),
    };
    out
}

fn of_collected(done: &Collected, dry_run: bool) -> String {
    let mut out = String::new();
    for garden in &done.gardens {
        let what = "has been missing for more than a month; its results are no longer kept";
        let _ = writeln!(out, "{} {what}", garden.display());
    }
    for (what, tally) in [
        ("results", done.records),
        ("outputs", done.blobs),
        ("drawings", done.drawings),
        ("indexes", done.indexes),
        ("failures", done.failures),
        ("leftovers", done.leftovers),
    ] {
        if tally != Tally::default() {
            let _ = writeln!(out, "{what:<10} {:>8}  {:>10}", tally.count, size(tally.bytes));
        }
    }
    let (would, bytes) = (if dry_run { "would free" } else { "freed" }, size(done.bytes()));
    let stay = if dry_run { "would be kept" } else { "kept" };
    let _ = writeln!(out, "{would} {bytes}; {} {stay}", results(done.kept));
    out
}
