//! `cargo xtask bench scale`: what a pool of workers and the store carry.
//!
//! First, real workers on this machine (`real.rs`); then, a simulated cluster.
//!
//! core/benches/scale.rs simulates a cluster: workers that claim and commit requests which are no work. System calls are counted by
//! `strace` in runs of their own, since it slows a program down many times; those of a run without requests are subtracted.

mod real;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;

use super::compiled;
use crate::run::repository;
use crate::say::{out, say};
use crate::torch::on_path;

/// Arguments of `bench scale`.
#[derive(Debug, Args)]
pub struct BenchScale {
    /// Requests
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests: u32,
    /// Requests of a unit of work
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub unit: u32,
    /// Numbers of workers, separated by commas
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 20, 200])]
    pub workers: Vec<u32>,
    /// Requests of a run in which system calls are counted, for each worker; 0 counts none
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub counted: u32,
    /// Numbers of real workers, separated by commas; without a number, none are started
    #[arg(long, value_name = "N,…", value_delimiter = ',', num_args = 0.., default_values_t = [1, 2, 4])]
    pub real: Vec<u32>,
    /// Visualisations that the real workers measure
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub figures: u32,
    /// A folder for the stores, for example on a network file system [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// What the simulation prints.
#[derive(Debug, Deserialize)]
struct Ran {
    putting: f64,
    seconds: f64,
}

/// Operations of the file system, by their system calls.
const OPERATIONS: [(&str, &[&str]); 7] = [
    ("open", &["open", "openat", "creat"]),
    (
        "stat",
        &["stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink"],
    ),
    ("list", &["getdents", "getdents64"]),
    ("rename", &["rename", "renameat", "renameat2"]),
    ("link", &["link", "linkat"]),
    ("remove", &["unlink", "unlinkat", "rmdir"]),
    ("other", &["mkdir", "mkdirat", "utimensat", "fchmod", "chmod", "ftruncate"]),
];
/// System calls that wait for the disk.
const SYNCS: &[&str] = &["fsync", "fdatasync"];

/// Runs `bench scale`.
pub fn scale(arguments: &BenchScale) -> Result<i32> {
    let parent = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    if !arguments.real.is_empty() {
        let code = real::real(&arguments.real, arguments.figures, &parent)?;
        if code != 0 {
            return Ok(code);
        }
    }
    let Some(program) = compiled(&repository()?, "scale")? else { return Ok(1) };
    let strace = on_path(Path::new("strace")).filter(|_| arguments.counted > 0);
    if strace.is_none() {
        say("system calls are not counted: strace is not on PATH, or --counted is 0");
    }
    out(format_args!("{}\n", header(strace.is_some())));
    for workers in &arguments.workers {
        let simulate = |requests: u32, under: Option<(&Path, &Path)>| {
            simulate(&program, arguments, requests, *workers, under)
        };
        let ran = simulate(arguments.requests, None)?;
        let mut line = format!(
            "{workers:>8} {:>9} {:>9.2} {:>9.1} {:>11.0}",
            arguments.requests,
            ran.putting,
            ran.seconds,
            f64::from(arguments.requests) / ran.seconds
        );
        if let Some(strace) = &strace {
            let table = tempfile::NamedTempFile::new()?;
            let counted = |requests: u32| -> Result<BTreeMap<String, u64>> {
                simulate(requests, Some((strace, table.path())))?;
                calls(&fs::read_to_string(table.path())?)
            };
            let requests = arguments.counted * workers;
            let (with, without) = (counted(requests)?, counted(0)?);
            line += &columns(&with, &without, requests);
        }
        out(format_args!("{line}\n"));
    }
    Ok(0)
}

/// One run of the simulation, under `strace`, which writes its table into a file, if asked for.
fn simulate(
    program: &Path,
    arguments: &BenchScale,
    requests: u32,
    workers: u32,
    under: Option<(&Path, &Path)>,
) -> Result<Ran> {
    let parent = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let store = tempfile::tempdir_in(&parent)
        .with_context(|| format!("{} cannot be used", parent.display()))?;
    let mut command = match under {
        Some((strace, table)) => {
            let mut command = Command::new(strace);
            command.args(["-f", "-c", "-o"]).arg(table).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.arg("--store").arg(store.path());
    command.args([
        format!("--requests={requests}"),
        format!("--unit={}", arguments.unit),
        format!("--workers={workers}"),
    ]);
    let output =
        command.stderr(Stdio::inherit()).output().context("the simulation did not start")?;
    if !output.status.success() {
        bail!("the simulation of {workers} workers failed");
    }
    serde_json::from_slice(&output.stdout).context("the simulation printed no JSON")
}

/// The numbers of calls in a table of `strace -c`.
fn calls(table: &str) -> Result<BTreeMap<String, u64>> {
    let mut calls = BTreeMap::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = fields.get(3).and_then(|field| field.parse::<u64>().ok());
        if let (Some(number), Some(name), true) = (number, fields.last(), fields.len() >= 5) {
            *calls.entry((*name).to_owned()).or_default() += number;
        }
    }
    calls.remove("total");
    if calls.is_empty() {
        bail!("strace counted nothing: it may not be allowed to watch programs here");
    }
    Ok(calls)
}

fn header(counted: bool) -> String {
    let mut line = format!(
        "{:>8} {:>9} {:>9} {:>9} {:>11}",
        "workers", "requests", "put s", "work s", "requests/s"
    );
    if counted {
        line += "   operations/request:";
        for (name, _) in OPERATIONS {
            line += &format!(" {name:>7}");
        }
        line += &format!(" {:>7} {:>7}", "all", "syncs");
    }
    line
}

/// Operations a request, by kind.
fn columns(with: &BTreeMap<String, u64>, without: &BTreeMap<String, u64>, requests: u32) -> String {
    let each = |names: &[&str]| {
        let sum = |calls: &BTreeMap<String, u64>| {
            names.iter().filter_map(|name| calls.get(*name)).sum::<u64>() as f64
        };
        (sum(with) - sum(without)) / f64::from(requests)
    };
    let mut line = " ".repeat(22);
    let numbers = OPERATIONS.map(|(_, names)| each(names));
    for number in numbers {
        line += &format!(" {number:>7.1}");
    }
    line + &format!(" {:>7.1} {:>7.1}", numbers.iter().sum::<f64>(), each(SYNCS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 65.00    0.000065           1        60        10 openat
 20.00    0.000020           1        20           fsync
 15.00    0.000015           1        10           linkat
  0.00    0.000000           0       500           futex
------ ----------- ----------- --------- --------- ----------------
100.00    0.000100           1       590        10 total
";

    #[test]
    fn calls_are_counted_for_each_request() -> Result<()> {
        let with = calls(TABLE)?;
        assert_eq!(with.get("openat"), Some(&60));
        assert_eq!(with.len(), 4);
        let without = BTreeMap::from([("openat".to_owned(), 20)]);
        let line = columns(&with, &without, 10);
        let numbers: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(numbers, ["4.0", "0.0", "0.0", "0.0", "1.0", "0.0", "0.0", "5.0", "2.0"]);
        assert_eq!(header(true).len(), header(false).len() + line.len());
        assert!(calls("strace: ptrace: Operation not permitted").is_err());
        Ok(())
    }
}
