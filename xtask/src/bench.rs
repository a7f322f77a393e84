//! `cargo xtask bench`: compares the lab's forward passes with open_clip, its feature visualisations with Lucent, its sparse
//! probes with scikit-learn's, its scans with a PyTorch DataLoader's and its attributions with the passes that they need;
//! measures questions to scans, and the preview from a save to the page and over thousands of edits; and compares whole sites
//! with other generators and smaller copies of pictures with Hugo and Pillow.
//!
//! tests/reference/bench_clip.py measures PyTorch, and in turns calls lab/benches/clip.rs, which measures the lab;
//! bench_vis.py and vis.rs, bench_probe.py and probe.rs, and bench_data.py and data.rs do the same. lab/benches/concept.rs,
//! attribution.rs and questions.rs measure the lab alone, and benches/react.rs measures the preview in a browser.

pub mod attribution;
pub mod concept;
pub mod data;
pub mod endure;
pub mod pictures;
pub mod probe;
pub mod same;
pub mod scale;
mod screen;
pub mod site;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cache;
use crate::chromium;
use crate::cli::{BenchClip, BenchReact, BenchVis};
use crate::programs::{Compiled, become_, compile};
use crate::run::{cargo, repository};
use crate::torch::{Libtorch, require_a_compiler};
use crate::venv;

/// Runs `bench clip`.
pub fn clip(arguments: &BenchClip) -> Result<i32> {
    compare("clip", venv::python, clip_options(arguments))
}

/// Runs `bench vis`.
pub fn vis(arguments: &BenchVis) -> Result<i32> {
    compare("vis", venv::python, vis_options(arguments))
}

/// Runs `bench react`.
pub fn react(arguments: &BenchReact) -> Result<i32> {
    let repository = repository()?;
    let programs = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs,
    };
    let browser = chromium::find_or_install()?;
    let libtorch = Libtorch::in_place(false)?;
    // The whole workspace, so that cargo chooses the same features as for the other commands.
    let mut bench = cargo(
        &repository,
        &["bench", "--profile", "release", "--workspace", "--bench", "react", "--"],
    );
    libtorch.show_to(&mut bench);
    bench.env("NEURONOTES_LAB", programs.lab).env("CHROMIUM", browser);
    let notes: Vec<String> = arguments.notes.iter().map(u32::to_string).collect();
    bench.arg(format!("--notes={}", notes.join(","))).arg(format!("--saves={}", arguments.saves));
    become_(&mut bench)
}

/// Runs a benchmark's Python script, which in turn runs the lab's side.
fn compare(name: &str, python: fn(&Path) -> Result<PathBuf>, options: Vec<String>) -> Result<i32> {
    let repository = repository()?;
    let python = python(&repository)?;
    let Some(bench) = compiled(&repository, name)? else { return Ok(1) };
    let folder = cache::folder()?;
    fs::create_dir_all(&folder)
        .with_context(|| format!("{} could not be created", folder.display()))?;
    let mut script = Command::new(python);
    script.arg(repository.join(format!("tests/reference/bench_{name}.py")));
    script.arg("--lab").arg(bench).arg("--folder").arg(folder).args(options);
    // As the lab sets it for itself, for either side: threads spin for microseconds while they wait, and then sleep.
    if env::var_os("OMP_WAIT_POLICY").is_none() {
        script.env("OMP_WAIT_POLICY", "passive");
        if env::var_os("GOMP_SPINCOUNT").is_none() {
            script.env("GOMP_SPINCOUNT", "10000");
        }
    }
    become_(&mut script)
}

/// The arguments of `bench clip`, as the script expects them.
fn clip_options(arguments: &BenchClip) -> Vec<String> {
    let BenchClip { models, precisions, batch, seconds, rounds, threads, texts } = arguments;
    let mut options = valued([
        ("batch", Some(batch.to_string())),
        ("seconds", Some(seconds.to_string())),
        ("rounds", Some(rounds.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
    ]);
    options.extend(precisions.iter().map(|precision| format!("--precision={}", precision.name())));
    options.extend(texts.then(|| "--texts".to_owned()));
    options.extend(models.iter().map(|model| model.name()));
    options
}

/// The arguments of `bench vis`, as the script expects them.
fn vis_options(arguments: &BenchVis) -> Vec<String> {
    let BenchVis { model, size, steps, rounds, threads } = arguments;
    valued([
        ("model", Some(model.name())),
        ("size", Some(size.to_string())),
        ("steps", Some(steps.to_string())),
        ("rounds", Some(rounds.to_string())),
        ("threads", threads.map(|threads| threads.to_string())),
    ])
}

/// Formats those options that have a value.
fn valued<const N: usize>(options: [(&str, Option<String>); N]) -> Vec<String> {
    let given = options.into_iter();
    given.filter_map(|(name, value)| value.map(|value| format!("--{name}={value}"))).collect()
}

/// Compiles the lab's side and returns its path, or `None` if compilation failed.
fn compiled(repository: &Path, name: &str) -> Result<Option<PathBuf>> {
    require_a_compiler()?;
    let libtorch = Libtorch::in_place(false)?;
    // The whole workspace, so that cargo chooses the same features as for the other commands.
    let mut bench = cargo(
        repository,
        &["bench", "--profile", "release", "--workspace", "--bench", name, "--", "--where"],
    );
    libtorch.show_to(&mut bench);
    let output = bench.stderr(Stdio::inherit()).output().context("cargo did not start")?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !path.is_empty()).then(|| path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::{Precision, Visualised};
    use crate::cli::model::Model;

    #[test]
    fn the_scripts_are_given_what_was_asked_for() {
        let arguments = BenchClip {
            models: vec![Model::ViTL14Px336],
            precisions: vec![Precision::F32, Precision::Bf16],
            batch: 8,
            seconds: 0.5,
            rounds: 3,
            threads: None,
            texts: true,
        };
        let expected = "--batch=8 --seconds=0.5 --rounds=3 --precision=f32 --precision=bf16 --texts \
                        ViT-L/14@336px";
        assert_eq!(clip_options(&arguments).join(" "), expected);

        let arguments = BenchVis {
            model: Visualised::Rn50x4,
            size: 224,
            steps: 512,
            rounds: 1,
            threads: Some(2),
        };
        let expected = "--model=RN50x4 --size=224 --steps=512 --rounds=1 --threads=2";
        assert_eq!(vis_options(&arguments).join(" "), expected);
    }
}
