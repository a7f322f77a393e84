//! `neuronotes reproduce`: measures stored results once more and says how far they are the same.

use std::process::ExitCode;

use clap::Args;
use neuronotes_core::say;

use super::format::{Format, count};
use super::garden::{Garden, root};
use crate::measure::progress::Bars;
use crate::reproduce::{self, Reproduced, Verdict};

/// What to measure again.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// A block, such as `coins#vis`, or a note, for all its blocks [default: all notes]
    #[arg(value_name = "NOTE[#ID]")]
    block: Option<String>,
    #[command(flatten)]
    garden: Garden,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Measures again, and prints what came of each result.
pub(super) fn run(asked: Asked) -> anyhow::Result<ExitCode> {
    let Asked { block, garden, format } = asked;
    let all = reproduce::reproduce(&root(garden.root)?, block.as_deref(), &mut Bars::new())?;
    for one in &all {
        match format {
            Format::Human => say::out(&one.text()),
            Format::Json => say::json(&serde_json::to_string(one)?),
        }
    }
    say::err(summary(&all));
    let failed = |one: &Reproduced| matches!(one.verdict, Verdict::Different | Verdict::Failed);
    Ok(ExitCode::from(u8::from(all.iter().any(failed))))
}

fn summary(all: &[Reproduced]) -> String {
    let verdicts =
        [Verdict::Same, Verdict::Noise, Verdict::Different, Verdict::Failed, Verdict::NotStored];
    let of = |verdict: Verdict| {
        let found = all.iter().filter(|one| one.verdict == verdict).count();
        (found > 0).then(|| format!("{found} {}", verdict.said()))
    };
    let counts: Vec<String> = verdicts.into_iter().filter_map(of).collect();
    match counts.is_empty() {
        true => "no results".to_owned(),
        false => format!("{}: {}", count(all.len(), "result"), counts.join(", ")),
    }
}
