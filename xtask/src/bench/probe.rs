//! `cargo xtask bench probe`: compares the lab's sparse probes with scikit-learn's.
//!
//! lab/benches/probe.rs measures the one and tests/reference/bench_probe.py the other.

use anyhow::Result;
use clap::Args;

use super::{compare, valued};
use crate::venv;

/// Arguments of `bench probe`.
#[derive(Debug, Args)]
pub struct BenchProbe {
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub images: u32,
    /// Number of units
    #[arg(long, value_name = "N", default_value_t = 2_560, value_parser = clap::value_parser!(u32).range(10..))]
    pub units: u32,
    /// Number of classes
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    pub classes: u32,
    /// Time that saga may take
    #[arg(long, value_name = "S", default_value_t = 1800.0)]
    pub most: f64,
    /// Threads of the lab [default: as many as libtorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
}

/// Runs `bench probe`.
pub fn probe(arguments: &BenchProbe) -> Result<i32> {
    compare("probe", venv::scikit_learn, options(arguments))
}

/// The arguments of `bench probe`, as the script expects them.
fn options(arguments: &BenchProbe) -> Vec<String> {
    let BenchProbe { images, units, classes, most, threads } = arguments;
    valued([
        ("images", Some(images.to_string())),
        ("units", Some(units.to_string())),
        ("classes", Some(classes.to_string())),
        ("most", Some(most.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_given_what_was_asked_for() {
        let arguments =
            BenchProbe { images: 5000, units: 256, classes: 20, most: 60.0, threads: Some(2) };
        let expected = "--images=5000 --units=256 --classes=20 --most=60 --threads=2";
        assert_eq!(options(&arguments).join(" "), expected);
    }
}
