//! The last lines of a build: what was measured and written, and what is wrong.

use std::time::Instant;

use super::format::{count, verdict};
use crate::build::Report;

pub(super) fn summary(report: &Report, begun: Instant) -> String {
    let changes = &report.changes;
    let (mut removed, mut left_out) = (String::new(), String::new());
    if report.left_out > 0 {
        left_out = format!(", {} left out", report.left_out);
    }
    if !changes.removed.is_empty() {
        removed = format!(", {} removed", changes.removed.len());
    }
    let mut measured = count(report.measured, "figure");
    if report.controls > 0 {
        measured = format!("{measured} and {}", count(report.controls, "control"));
    }
    format!(
        "{}: {measured} measured, {} stored{left_out}; {} written, {} unchanged{removed}; {} ({:.2} s)\n{}",
        count(report.site.notes(), "note"),
        report.stored,
        count(changes.written.len(), "file"),
        changes.kept,
        verdict(&report.problems),
        begun.elapsed().as_secs_f64(),
        report.output.join("index.html").display(),
    )
}
