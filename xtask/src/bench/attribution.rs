//! `cargo xtask bench attribution`: an attribution by integrated gradients beside the passes that it cannot do without.
//!
//! lab/benches/attribution.rs measures it, on a network with random weights.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use super::{compiled, valued};
use crate::programs::become_;
use crate::run::repository;
use crate::torch::Libtorch;

/// Arguments of `bench attribution`.
#[derive(Debug, Args)]
pub struct BenchAttribution {
    /// Number of nodes of the integral
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub nodes: u32,
    /// Rounds, of which the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads [default: as many as libtorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// `cpu`, or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: String,
}

/// Runs `bench attribution`.
pub fn attribution(arguments: &BenchAttribution) -> Result<i32> {
    let Some(bench) = compiled(&repository()?, "attribution")? else { return Ok(1) };
    let mut command = Command::new(bench);
    Libtorch::in_place(false)?.show_to(&mut command);
    become_(command.args(options(arguments)))
}

/// The arguments of `bench attribution`, as the benchmark expects them.
fn options(arguments: &BenchAttribution) -> Vec<String> {
    let BenchAttribution { nodes, rounds, threads, device } = arguments;
    valued([
        ("nodes", Some(nodes.to_string())),
        ("rounds", Some(rounds.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
        ("device", Some(device.clone())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmark_is_given_what_was_asked_for() {
        let arguments =
            BenchAttribution { nodes: 8, rounds: 2, threads: None, device: "cuda:0".to_owned() };
        assert_eq!(options(&arguments).join(" "), "--nodes=8 --rounds=2 --device=cuda:0");
    }
}
