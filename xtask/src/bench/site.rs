//! `cargo xtask bench site`: times building a whole site with this program and with other generators, in turns.
//!
//! Each gets the same notes in its own format and starts cold: its output and caches are deleted before. Every run
//! must write one page per note.

pub mod measured;
pub mod prose;
mod tools;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::cache;
use crate::cli::BenchSite;
use crate::failure::failure;
use crate::programs::{Compiled, compile};
use crate::run::{release_folder, repository};
use crate::say::{Step, out, say};
use crate::torch::on_path;
use measured::Taken;
use prose::Prose;
use tools::{OURS, TOOLS, Tool};

/// A generator that is installed.
struct Contender {
    tool: &'static Tool,
    program: PathBuf,
    version: String,
    /// The size of its site.
    folder: PathBuf,
    rounds: Vec<Taken>,
    written: Written,
}

/// Files in the folder of a site.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Written {
    files: u64,
    pages: u64,
    bytes: u64,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    version: String,
    /// The round with the median time.
    #[serde(flatten)]
    median: Taken,
    notes_per_second: f64,
    /// Its time divided by ours.
    ratio: f64,
    #[serde(flatten)]
    written: Written,
    rounds: Vec<Taken>,
    differs: &'static str,
}

/// Runs `bench site`.
pub fn site(arguments: &BenchSite) -> Result<i32> {
    let ours = match env::var_os("NEURONOTES").filter(|value| !value.is_empty()) {
        Some(named) => PathBuf::from(named),
        None => match compile(&repository()?)? {
            Compiled::Failed(code) => return Ok(code),
            Compiled::Programs(programs) => programs.neuronotes,
        },
    };
    // Beside what cargo builds: folders for temporary files often lie in memory, and a site does not.
    let target = release_folder()?;
    let target = target.parent().context("this program is not in a target folder")?;
    let folder = tempfile::Builder::new().prefix("bench-site-").tempdir_in(target)?;
    let mut contenders = vec![Contender::new(&OURS, ours, folder.path())?];
    let mut missing = Vec::new();
    for name in &arguments.with {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
            let known = TOOLS.map(|tool| tool.name).join(", ");
            return Err(failure(format!("unknown generator `{name}`"), format!("known: {known}")));
        };
        match find_program(tool.name)? {
            Some(program) => contenders.push(Contender::new(tool, program, folder.path())?),
            None => missing.push(tool),
        }
    }
    let prose = Prose::new(arguments.notes as usize);
    let step = Step::begin(format!("writing {} notes", prose.notes));
    for contender in &contenders {
        (contender.tool.write)(&contender.folder, &prose)?;
    }
    step.done();
    for round in 1..=arguments.rounds {
        for contender in &mut contenders {
            contender.build(prose.notes as u64)?;
            let taken = contender.rounds.last().copied().unwrap_or_default();
            let name = contender.tool.name;
            say(format_args!("round {round}, {name}: {:.2} s", taken.seconds));
        }
    }
    let rows = rows(contenders, prose.notes);
    if arguments.json {
        out(format_args!("{}\n", serde_json::to_string_pretty(&rows)?));
    } else {
        out(table(&rows, prose.notes, arguments.rounds));
    }
    for tool in missing {
        say(format_args!("{} was not found and is skipped ({})", tool.name, tool.get));
    }
    Ok(0)
}

/// Finds a generator's program: in the cache folder's `bench/bin`, or else on PATH.
pub fn find_program(name: &str) -> Result<Option<PathBuf>> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let kept = cache::folder()?.join("bench/bin").join(&name);
    Ok(kept.is_file().then_some(kept).or_else(|| on_path(Path::new(&name))))
}

impl Contender {
    fn new(tool: &'static Tool, program: PathBuf, folder: &Path) -> Result<Self> {
        let output = Command::new(&program).arg(tool.version).output();
        let output = output.with_context(|| format!("{} did not start", program.display()))?;
        let version = version(&String::from_utf8_lossy(&output.stdout));
        let folder = folder.join(tool.name);
        fs::create_dir_all(&folder)?;
        let program = fs::canonicalize(program)?;
        let (rounds, written) = (Vec::new(), Written::default());
        Ok(Self { tool, program, version, folder, rounds, written })
    }

    /// One cold run.
    fn build(&mut self, notes: u64) -> Result<()> {
        let output = self.folder.join(self.tool.output);
        // Moved aside and removed at the end: ext4 looks long for room among files that were removed moments ago.
        let aside = self.folder.with_extension(format!("{}.old", self.rounds.len()));
        fs::create_dir(&aside).with_context(|| format!("{}", aside.display()))?;
        for (number, left) in [self.tool.output].iter().chain(self.tool.kept).enumerate() {
            let left = self.folder.join(left);
            if left.exists() {
                fs::rename(&left, aside.join(number.to_string()))
                    .with_context(|| format!("{} could not be moved", left.display()))?;
            }
        }
        // Flushes what the previous program wrote, so that this one does not pay for it. Not every system has the
        // command.
        let _ = Command::new("sync").status();
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(self.tool.build);
        let log = self.folder.with_extension("log");
        self.rounds.push(measured::run(&mut command, &log)?);
        self.written = Written::below(&output)?;
        if self.written.pages < notes {
            bail!("{} wrote {} pages for {notes} notes", self.tool.name, self.written.pages);
        }
        Ok(())
    }
}

impl Written {
    fn below(folder: &Path) -> Result<Self> {
        let mut found = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder);
            for entry in entries.with_context(|| format!("{}", folder.display()))? {
                let entry = entry?;
                let about = entry.metadata()?;
                if about.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                found.files += 1;
                found.bytes += about.len();
                found.pages += u64::from(entry.path().extension().is_some_and(|e| e == "html"));
            }
        }
        Ok(found)
    }
}

/// Extracts the version number from a program's version output.
pub fn version(said: &str) -> String {
    let numbered = |word: &&str| {
        word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit())
    };
    let Some(word) = said.split_whitespace().find(numbered) else { return "?".to_owned() };
    let word = word.trim_start_matches('v');
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    word[..end].to_owned()
}

fn rows(contenders: Vec<Contender>, notes: usize) -> Vec<Row> {
    let ours = contenders.first().map_or(0.0, |ours| measured::median(&ours.rounds).seconds);
    let row = |contender: Contender| {
        let median = measured::median(&contender.rounds);
        Row {
            name: contender.tool.name,
            version: contender.version,
            median,
            notes_per_second: notes as f64 / median.seconds,
            ratio: median.seconds / ours,
            written: contender.written,
            rounds: contender.rounds,
            differs: contender.tool.differs,
        }
    };
    contenders.into_iter().map(row).collect()
}

/// The table's rows as Markdown.
fn table(rows: &[Row], notes: usize, rounds: u32) -> String {
    let mut text = format!(
        "{notes} notes, cold, median of {rounds} rounds\n\n\
         | | version | seconds | to ours | notes a second | processor seconds | peak MB | files | MB written |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let Row { median, written, .. } = row;
        text += &format!(
            "| {} | {} | {:.2} | {:.2} | {:.0} | {:.2} | {:.0} | {} | {:.1} |\n",
            row.name,
            row.version,
            median.seconds,
            row.ratio,
            row.notes_per_second,
            median.processor_seconds,
            median.peak_bytes as f64 / 1e6,
            written.files,
            written.bytes as f64 / 1e6,
        );
    }
    text.push('\n');
    for row in rows {
        text += &format!("- {}: {}.\n", row.name, row.differs);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_off_what_programs_say() {
        for (said, expected) in [
            ("neuronotes 0.1.0", "0.1.0"),
            ("hugo v0.111.3+extended linux/amd64 BuildDate=2023", "0.111.3"),
            ("mdbook v0.5.4", "0.5.4"),
            ("nothing", "?"),
        ] {
            assert_eq!(version(said), expected);
        }
    }

    #[test]
    fn the_others_are_compared_with_our_median() {
        let contender = |tool, seconds: [f64; 3]| Contender {
            tool,
            program: PathBuf::new(),
            version: "1.2".into(),
            folder: PathBuf::new(),
            rounds: seconds.map(|seconds| Taken { seconds, ..Taken::default() }).to_vec(),
            written: Written::default(),
        };
        let both = vec![contender(&OURS, [4.0, 2.0, 1.0]), contender(&TOOLS[0], [9.0, 1.0, 3.0])];
        let rows = rows(both, 300);
        assert_eq!((rows[0].ratio, rows[1].ratio), (1.0, 1.5));
        let text = table(&rows, 300, 3);
        assert!(text.contains("| hugo | 1.2 | 3.00 | 1.50 | 100 |"), "{text}");
    }
}
