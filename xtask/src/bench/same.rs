//! `cargo xtask bench same`: how far the results of a garden are the same with other numbers of threads and other vector
//! instructions.
//!
//! The garden is built, and `neuronotes reproduce` measures it once more under each setting; what it says is counted by kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::programs::{Compiled, compile};
use crate::run::repository;
use crate::say;

/// Arguments of `bench same`.
#[derive(Debug, Args)]
pub struct BenchSame {
    /// Folder of the garden [default: the repository, whose notes are the demonstration]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Only this block, such as `coins#vis`, or this note; can be repeated
    #[arg(long, value_name = "NOTE[#ID]")]
    pub note: Vec<String>,
    /// Numbers of threads
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 2, 3, 4, 8, 16])]
    pub threads: Vec<u32>,
    /// Leave out other instructions than the processor's
    #[arg(long)]
    pub only_threads: bool,
}

/// A way to measure: its name, and the environment of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    name: String,
    environment: Vec<(&'static str, String)>,
}

/// All settings, in order.
fn settings(arguments: &BenchSame) -> Vec<Setting> {
    let of_threads = |threads: &u32| Setting {
        name: format!("{threads} threads"),
        environment: vec![("OMP_NUM_THREADS", threads.to_string())],
    };
    let mut all: Vec<Setting> = arguments.threads.iter().map(of_threads).collect();
    let limits: [(&str, &[(&'static str, &str)]); 3] = [
        ("ATen avx2", &[("ATEN_CPU_CAPABILITY", "avx2")]),
        ("oneDNN AVX2", &[("ONEDNN_MAX_CPU_ISA", "AVX2")]),
        ("no AVX", &[("ATEN_CPU_CAPABILITY", "default"), ("ONEDNN_MAX_CPU_ISA", "SSE41")]),
    ];
    if !arguments.only_threads {
        all.extend(limits.map(|(name, limits)| Setting {
            name: name.to_owned(),
            environment: limits.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        }));
    }
    all
}

/// What was said of the results of a kind under a setting.
#[derive(Debug, Default, PartialEq)]
struct Count {
    verdicts: BTreeMap<String, usize>,
    /// The largest difference, divided by the largest number of its name.
    largest: f64,
    /// Texts, classes and units that are others.
    flipped: Vec<String>,
}

impl Count {
    fn add(&mut self, said: &Value) {
        let verdict = said["verdict"].as_str().unwrap_or_default();
        *self.verdicts.entry(verdict.to_owned()).or_default() += 1;
        for difference in said["differences"].as_array().into_iter().flatten() {
            match difference["relative"].as_f64() {
                Some(relative) => self.largest = self.largest.max(relative),
                None if difference["before"].is_string() && difference["now"].is_string() => {
                    let (name, path) = (said["name"].as_str(), difference["path"].as_str());
                    self.flipped.push(format!(
                        "{} {}: {} → {}",
                        name.unwrap_or_default(),
                        path.unwrap_or_default(),
                        difference["before"],
                        difference["now"]
                    ));
                }
                None => {}
            }
        }
    }
}

/// Counts what `reproduce` said, a line each, by kind.
fn counted(lines: &str, counts: &mut BTreeMap<String, Count>) -> Result<()> {
    for line in lines.lines() {
        let said: Value = serde_json::from_str(line).context("reproduce printed no JSON")?;
        let kind = said["kind"].as_str().unwrap_or_default().to_owned();
        counts.entry(kind).or_default().add(&said);
    }
    Ok(())
}

/// A row of the table for each kind.
fn table(setting: &str, counts: &BTreeMap<String, Count>) -> String {
    let mut out = String::new();
    for (kind, count) in counts {
        let of = |verdict: &str| count.verdicts.get(verdict).copied().unwrap_or_default();
        let rest = of("failed") + of("not_stored");
        out.push_str(&format!(
            "{setting:14} {kind:21} {:5} {:6} {:10} {rest:6}   {:.1e}\n",
            of("same"),
            of("noise"),
            of("different"),
            count.largest
        ));
        for flipped in &count.flipped {
            out.push_str(&format!("    {flipped}\n"));
        }
    }
    out
}

/// Runs `bench same`.
pub fn same(arguments: &BenchSame) -> Result<i32> {
    let repository = repository()?;
    let programs = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs,
    };
    let root = arguments.root.clone().unwrap_or_else(|| repository.clone());
    let root = std::path::absolute(&root).context("the garden's folder")?;
    let mut build = programs.neuronotes(&repository);
    build.args(["build", "--root"]).arg(&root);
    for note in &arguments.note {
        build.args(["--only", note]);
    }
    let built = build.status().context("neuronotes did not start")?;
    if built.code() != Some(0) {
        return Ok(built.code().unwrap_or(1));
    }
    say::out(
        "setting        kind                   same  noise  different   none   largest difference\n",
    );
    for setting in settings(arguments) {
        let mut counts = BTreeMap::new();
        let notes: Vec<Option<&String>> = match arguments.note.is_empty() {
            true => vec![None],
            false => arguments.note.iter().map(Some).collect(),
        };
        for note in notes {
            let mut again = programs.neuronotes(&repository);
            again.args(["reproduce", "--format", "json", "--root"]).arg(&root).args(note);
            again.envs(setting.environment.iter().map(|(name, value)| (name, value)));
            let output =
                again.stderr(Stdio::null()).output().context("neuronotes did not start")?;
            anyhow::ensure!(
                matches!(output.status.code(), Some(0 | 1)),
                "`neuronotes reproduce` failed ({})",
                output.status
            );
            counted(&String::from_utf8_lossy(&output.stdout), &mut counts)?;
        }
        say::out(table(&setting.name, &counts));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_counted_by_kind_with_the_largest_difference_and_what_flips() {
        let lines = concat!(
            r#"{"name":"a#x","kind":"probe","verdict":"same"}"#,
            "\n",
            r#"{"name":"a#y","kind":"probe","verdict":"noise","differences":[{"path":"b","before":1.0,"now":1.5,"relative":0.001}]}"#,
            "\n",
            r#"{"name":"a#z","kind":"zero_shot","verdict":"different","differences":[{"path":"c","before":"heart","now":"clock"}]}"#,
            "\n",
        );
        let mut counts = BTreeMap::new();
        counted(lines, &mut counts).expect("JSON");
        assert_eq!(counts["probe"].verdicts["same"], 1);
        assert_eq!(counts["probe"].largest, 0.001);
        assert_eq!(counts["zero_shot"].flipped, [r#"a#z c: "heart" → "clock""#]);
        assert!(table("1 threads", &counts).contains("a#z c:"));
        assert!(counted("nonsense", &mut counts).is_err());
    }

    #[test]
    fn settings_are_threads_and_then_instructions() {
        let mut arguments =
            BenchSame { root: None, note: vec![], threads: vec![1, 5], only_threads: true };
        let names = |arguments: &BenchSame| {
            settings(arguments).into_iter().map(|setting| setting.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&arguments), ["1 threads", "5 threads"]);
        arguments.only_threads = false;
        assert_eq!(names(&arguments).len(), 5);
    }
}
