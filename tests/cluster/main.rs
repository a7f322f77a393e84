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
