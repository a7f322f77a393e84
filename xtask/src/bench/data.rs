//! `cargo xtask bench data`: how many pictures a second the lab takes in, compared with a PyTorch DataLoader, Pillow and
//! open_clip; and `cargo xtask bench questions`: how long a question to a stored scan takes.
//!
//! lab/benches/data.rs measures the one and tests/reference/bench_data.py the other; lab/benches/questions.rs measures
//! questions.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use clap::Args;

use super::{compare, compiled, valued};
use crate::apt;
use crate::programs::become_;
use crate::run::{cargo, repository, run};
use crate::say::say;
use crate::torch::{Libtorch, on_path};
use crate::venv;

/// What assembles the decoder's vector instructions on x86.
const NASM: &str = "nasm";

/// Arguments of `bench data`.
#[derive(Debug, Args)]
pub struct BenchData {
    /// Number of pictures of 500 x 375; a twelfth as many of 4000 x 3000
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(32..))]
    pub pictures: u32,
    /// Number of rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Threads of each side [default: as many as PyTorch chooses]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// Instead, scan this many small pictures in archives, and print how much memory the process has at each tenth of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["pictures", "rounds", "threads"])]
    pub grow: Option<u32>,
}

/// Arguments of `bench questions`.
#[derive(Debug, Args)]
pub struct BenchQuestions {
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub images: u32,
    /// Number of units
    #[arg(long, value_name = "N", default_value_t = 2_560, value_parser = clap::value_parser!(u32).range(16..))]
    pub units: u32,
    /// Only questions of this kind
    #[arg(long, value_name = "KIND")]
    pub only: Option<String>,
}

/// Runs `bench data`.
pub fn data(arguments: &BenchData) -> Result<i32> {
    if cfg!(target_arch = "x86_64") && on_path(Path::new(NASM)).is_none() {
        install_nasm()?;
    }
    match arguments.grow {
        Some(count) => grow(count),
        None => compare("data", venv::python, data_options(arguments)),
    }
}

/// Runs the lab's side alone, which says how its memory grows.
fn grow(count: u32) -> Result<i32> {
    let Some(bench) = compiled(&repository()?, "data")? else { return Ok(1) };
    let mut command = Command::new(bench);
    Libtorch::in_place(false)?.show_to(&mut command);
    let mut child = command.stdin(Stdio::piped()).spawn().context("the benchmark did not start")?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "grow {count}")?;
    }
    Ok(child.wait()?.code().unwrap_or(1))
}

/// Installs nasm where that is possible, and says so where it is not.
fn install_nasm() -> Result<()> {
    if !apt::is_usable() {
        say(
            "nasm was not found: JPEGs are decoded without vector instructions, which takes twice as long",
        );
        return Ok(());
    }
    say("installing nasm, which assembles the vector instructions of the JPEG decoder");
    apt::install(&[NASM], "install nasm, or run the benchmark as another user to do without")?;
    // The decoder was compiled without them.
    let mut clean = cargo(&repository()?, &["clean", "--release", "--package", "mozjpeg-sys"]);
    run("removing the JPEG decoder, so that it is compiled again", &mut clean)?;
    Ok(())
}

/// Runs `bench questions`.
pub fn questions(arguments: &BenchQuestions) -> Result<i32> {
    let Some(bench) = compiled(&repository()?, "questions")? else { return Ok(1) };
    let mut command = Command::new(bench);
    Libtorch::in_place(false)?.show_to(&mut command);
    become_(command.args(questions_options(arguments)))
}

/// The arguments of `bench data`, as the script expects them.
fn data_options(arguments: &BenchData) -> Vec<String> {
    let BenchData { pictures, rounds, threads, grow: _ } = arguments;
    valued([
        ("pictures", Some(pictures.to_string())),
        ("rounds", Some(rounds.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
    ])
}

/// The arguments of `bench questions`, as the benchmark expects them.
fn questions_options(arguments: &BenchQuestions) -> Vec<String> {
    let BenchQuestions { images, units, only } = arguments;
    valued([
        ("images", Some(images.to_string())),
        ("units", Some(units.to_string())),
        ("only", only.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmarks_are_given_what_was_asked_for() {
        let arguments = BenchData { pictures: 96, rounds: 5, threads: Some(2), grow: None };
        assert_eq!(data_options(&arguments).join(" "), "--pictures=96 --rounds=5 --threads=2");
        let arguments = BenchQuestions { images: 5000, units: 256, only: None };
        assert_eq!(questions_options(&arguments).join(" "), "--images=5000 --units=256");
        let arguments = BenchQuestions { only: Some("labels".to_owned()), ..arguments };
        assert!(questions_options(&arguments).contains(&"--only=labels".to_owned()));
    }
}
