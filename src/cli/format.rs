//! How commands print: formats, and counts in words.

use clap::ValueEnum;
use indicatif::DecimalBytes;

use crate::diagnostic::{Diagnostic, Severity};
use crate::freeze;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text with the source lines concerned
    Human,
    /// One JSON object per line, on standard output
    Json,
}

pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// How many units of work, which are no units of a network.
pub(super) fn count_units(n: usize) -> String {
    if n == 1 { "1 unit of work".to_owned() } else { format!("{n} units of work") }
}

/// How many errors and warnings there are.
pub(super) fn verdict(problems: &[Diagnostic]) -> String {
    let of = |severity, what| {
        let n = problems.iter().filter(|problem| problem.severity == severity).count();
        (n > 0).then(|| count(n, what))
    };
    let all =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let all: Vec<String> =
        all.into_iter().filter_map(|(severity, what)| of(severity, what)).collect();
    if all.is_empty() { "no problems found".into() } else { all.join(", ") }
}

/// What an export of results did.
pub(super) fn frozen(report: &freeze::Report) -> String {
    if report.failed {
        return format!("nothing was exported: {}", verdict(&report.problems));
    }
    format!(
        "{} exported to {}: {} written, {} unchanged, {} removed ({})",
        count(report.results, "result"),
        report.folder.display(),
        count(report.written, "file"),
        report.kept,
        report.removed,
        DecimalBytes(report.bytes),
    )
}
