//! `neuronotes store`: a garden's store in; what is in it, whether it is whole, and what nobody wants any more, out.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use indicatif::{DecimalBytes, HumanDuration};
use neuronotes_core::say;
use neuronotes_core::store::{Collected, DAY, Options, Stats, StoreError, Tally, Verified};

use super::{Format, Garden, count, root};
use crate::build;
use crate::measure::progress::Reading;
use crate::site;
use crate::workspace::Workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Count what is in the store, and what `gc` would take
    ///
    /// Results are counted by kind, with the room that their outputs take and the seconds that measuring them took,
    /// which is what losing them would cost.
    Stats {
        #[command(flatten)]
        garden: Garden,
        /// How to report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Read everything in the store and set aside what is damaged
    ///
    /// Every result is compared with its key, its checksum and the digests of its outputs. What is damaged is moved to
    /// `tmp` in the store, under a name that begins with `bad-`; the next build measures it again. Files that the store
    /// did not make are named and left alone. The exit code is 1 where anything was damaged. It is safe at any time.
    Verify {
        #[command(flatten)]
        garden: Garden,
        /// How to report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Take away results that no note asks for any more
    ///
    /// What this garden's notes ask for now stays, with what that rests on, and what any other garden that uses this
    /// store asked for when it was last built. The last result of a block stays until it has a new one. Nothing younger
    /// than a day is taken. It is safe while others build, preview and measure; were too much taken, it would be
    /// measured again.
    Gc {
        #[command(flatten)]
        garden: Garden,
        /// Only say what would be taken
        #[arg(long)]
        dry_run: bool,
        /// Take nothing younger than this many days; 1 is the least
        #[arg(long, value_name = "DAYS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=36500))]
        older_than: u32,
        /// How to report
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Stats { garden, format } => {
            let workspace = open(garden.root)?;
            // So that what would be taken is what `gc` would take.
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

/// A store whose list of what the garden wants is up to date, or why it is not.
struct Kept {
    store: neuronotes_core::store::Store,
    error: Option<StoreError>,
}

fn remember(mut workspace: Workspace) -> Kept {
    let wishes = site::wishes(&mut workspace);
    let error = build::remember(
        &workspace,
        &wishes.plan,
        &wishes.missing.iter().map(|(key, _)| *key).collect(),
    )
    .err();
    workspace.save_digests();
    Kept { store: workspace.store, error }
}

fn explained(error: StoreError) -> anyhow::Error {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    anyhow::anyhow!("{error}{hint}")
}

fn say(format: Format, value: &impl serde::Serialize, text: &str) {
    match format {
        Format::Human => say::out(text),
        Format::Json => say::json(&serde_json::to_string(value).unwrap_or_default()),
    }
}

fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
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
            "{} wanted or young; `neuronotes store gc` would free {}",
            results(done.kept),
            size(done.bytes())
        ),
        None => writeln!(out, "a garden's list of what it wants is damaged; build it again"),
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
        let _ = writeln!(out, "{foreign}: not the store's; it is left alone");
    }
    let _ = write!(
        out,
        "{}, {} and {} are whole ({} read)",
        results(report.records),
        count(usize::try_from(report.blobs).unwrap_or(usize::MAX), "output"),
        count(usize::try_from(report.drawings).unwrap_or(usize::MAX), "drawing"),
        size(report.bytes)
    );
    if report.unsealed > 0 {
        let _ =
            write!(out, "; {} by an earlier version, without a checksum", results(report.unsealed));
    }
    let _ = match report.wrong.len() {
        0 => writeln!(out, "; all is well"),
        n => writeln!(out, "; {} set aside", count(n, "damaged file")),
    };
    out
}

fn of_collected(done: &Collected, dry_run: bool) -> String {
    let mut out = String::new();
    for garden in &done.gardens {
        let what = "is gone for more than a month; its results are not wanted any more";
        let _ = writeln!(out, "{} {what}", garden.display());
    }
    for (what, tally) in [
        ("results", done.records),
        ("outputs", done.blobs),
        ("drawings", done.drawings),
        ("failures", done.failures),
        ("leftovers", done.leftovers),
    ] {
        if tally != Tally::default() {
            let _ = writeln!(out, "{what:<10} {:>8}  {:>10}", tally.count, size(tally.bytes));
        }
    }
    let (would, bytes) = (if dry_run { "would free" } else { "freed" }, size(done.bytes()));
    let stay = if dry_run { "would stay" } else { "stay" };
    let _ = writeln!(out, "{would} {bytes}; {} {stay}", results(done.kept));
    out
}
