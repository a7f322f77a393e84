//! `cargo xtask bench concept`: how long the lab takes over a concept. lab/benches/concept.rs measures it.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::{compiled, valued};
use crate::programs::become_;
use crate::run::repository;
use crate::torch::Libtorch;

/// Arguments of `bench concept`.
#[derive(Debug, Args)]
pub struct BenchConcept {
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub images: u32,
    /// Number of units
    #[arg(long, value_name = "N", default_value_t = 2_560, value_parser = clap::value_parser!(u32).range(2..))]
    pub units: u32,
    /// Threads [default: as many as libtorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
}

/// Runs `bench concept`.
pub fn concept(arguments: &BenchConcept) -> Result<i32> {
    let Some(bench) = compiled(&repository()?, "concept")? else { return Ok(1) };
    let mut command = Command::new(bench);
    Libtorch::in_place(false)?.show_to(&mut command);
    become_(command.args(options(arguments)))
}

/// The arguments of `bench concept`, as the benchmark expects them.
fn options(arguments: &BenchConcept) -> Vec<String> {
    let BenchConcept { images, units, threads } = arguments;
    valued([
        ("images", Some(images.to_string())),
        ("units", Some(units.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmark_is_given_what_was_asked_for() {
        let arguments = BenchConcept { images: 5000, units: 256, threads: Some(2) };
        assert_eq!(options(&arguments).join(" "), "--images=5000 --units=256 --threads=2");
    }
}
