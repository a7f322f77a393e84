//! `neuronotes crate`: exports the garden as a research object.

use super::format::count;
use crate::archive::Report;

/// What became of a crate, for people; `verdict` counts its problems.
pub(super) fn summary(report: &Report, verdict: &str) -> String {
    if report.failed {
        return format!("nothing was written: {verdict}");
    }
    let missing = match report.missing {
        0 => String::new(),
        n => format!(
            "\n{} not measured yet and not in the crate; `neuronotes build` measures {}",
            count(n, "result"),
            if n == 1 { "it" } else { "them" }
        ),
    };
    format!(
        "{} in {}: {} written, {} unchanged, {} removed{missing}",
        count(report.results, "result"),
        report.folder.display(),
        count(report.written, "file"),
        report.kept,
        report.removed,
    )
}
