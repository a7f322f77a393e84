//! Tests of engines with the engines themselves, which are started here. Where one is not installed, its tests say so in a line that
//! begins with `NOT TESTED: `, and pass.

#[path = "../common/mod.rs"]
mod common;
mod ray;
#[cfg(target_os = "linux")]
mod slurm;

use std::io::{self, Write as _};

/// Says that something is not tested. `cargo xtask test` counts these lines. The test's own output is not shown if it passes, so the
/// line goes past it.
fn not_tested(what: &str) {
    let _ = writeln!(io::stderr(), "NOT TESTED: {what}");
}

/// Whether the tests that start engines are left out on purpose.
fn is_left_out() -> bool {
    std::env::var_os("NEURONOTES_NO_CLUSTER").is_some_and(|value| !value.is_empty())
}

/// The first line that is not the same in two files of a site, apart from how long measuring took, and on how many threads: Ray
/// gives a worker as many as it has processor cores.
fn different(one: &[u8], other: &[u8]) -> Option<(String, String)> {
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        let varies = |line: &str| {
            ["time taken", "device"].iter().any(|name| line.contains(&format!("<dt>{name}</dt>")))
        };
        let steady = text.lines().filter(|line| !varies(line));
        steady.map(str::to_owned).collect()
    };
    let (one, other) = (lines(one), lines(other));
    let at = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at))?;
    let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
    Some((line(&one), line(&other)))
}
