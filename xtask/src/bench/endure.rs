//! `cargo xtask bench endure`: runs a preview over thousands of edits and prints its costs per thousand, so that
//! growth shows: time until the page shows an edit, processor time, memory, open files, and files on disk.
//!
//! Bounded edits replace one text by another, so nothing should grow. Growing edits add a paragraph and a broken link
//! each; costs may then grow no faster than the notes.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use super::site::prose::{Note, Prose};
use crate::programs::{Compiled, compile};
use crate::run::repository;
use crate::say::{out, say};

/// Pages that are open during the run.
const TABS: usize = 6;
/// Longest time that an edit may take to be shown.
const LONGEST: Duration = Duration::from_secs(30);

/// Arguments of `bench endure`.
#[derive(Debug, Args)]
pub struct BenchEndure {
    /// Number of edits
    #[arg(long = "edits", value_name = "N", default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub number: u32,
    /// Number of notes in the garden
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub notes: u32,
    /// Print a row every so many edits
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub every: u32,
    /// Kinds of edits, separated by commas
    #[arg(long = "mode", value_enum, value_name = "MODE,…", value_delimiter = ',', default_values_t = [Edits::Bounded, Edits::Growing])]
    pub edits: Vec<Edits>,
}

/// Kinds of edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Edits {
    /// Replaces one text by another
    Bounded,
    /// Adds a paragraph and a broken link
    Growing,
}

impl Edits {
    /// A description for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bounded => "one text in the place of another",
            Self::Growing => "another paragraph and broken link each",
        }
    }
}

/// Runs `bench endure`.
pub fn endure(arguments: &BenchEndure) -> Result<i32> {
    let program = match env::var_os("NEURONOTES").filter(|value| !value.is_empty()) {
        Some(program) => PathBuf::from(program),
        None => match compile(&repository()?)? {
            Compiled::Failed(code) => return Ok(code),
            Compiled::Programs(programs) => programs.neuronotes,
        },
    };
    for mode in &arguments.edits {
        run(&program, arguments, *mode)?;
    }
    Ok(0)
}

/// Runs one preview with all edits of one kind.
fn run(program: &Path, arguments: &BenchEndure, mode: Edits) -> Result<()> {
    let count = arguments.notes as usize;
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let prose = Prose::new(count);
    fs::create_dir_all(root.join("notes"))?;
    fs::write(root.join("neuronotes.yaml"), "title: Edited without end\n")?;
    let mut texts: Vec<String> = (0..count).map(|number| text(&prose.note(number))).collect();
    for (number, text) in texts.iter().enumerate() {
        fs::write(path(root, number), text)?;
    }
    let served = Served::of(program, root)?;
    let tabs: Vec<TcpStream> = (0..TABS.min(count))
        .map(|tab| served.tab(&format!("note-{}.html", tab * count / TABS)))
        .collect::<Result<_>>()?;
    say(format_args!("{} edits of {count} notes, {}", arguments.number, mode.name()));
    out(format_args!(
        "{:>7} {:>8} {:>8} {:>9} {:>8} {:>6} {:>9}\n",
        "edits", "p50 ms", "p95 ms", "cpu ms", "MB", "files", "state kB"
    ));
    let mut times = Vec::new();
    let (mut processor, begun) = (served.state()?.processor, Instant::now());
    for edit in 1..=arguments.number as usize {
        let number = (edit * 7919) % count;
        let marker = format!("edit-{edit}-");
        match mode {
            Edits::Bounded => {
                let base = text(&prose.note(number));
                texts[number] = base + &bounded(edit, &marker);
            }
            Edits::Growing => {
                texts[number] += &format!("A sentence, {marker} and [[nowhere {edit}]].\n\n");
            }
        }
        let at = Instant::now();
        fs::write(path(root, number), &texts[number])?;
        served.shows(&format!("note-{number}.html"), &marker)?;
        times.push(at.elapsed());
        if edit % (arguments.every as usize) == 0 {
            let state = served.state()?;
            times.sort();
            let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
            let each = (state.processor - processor) * 1e3 / times.len() as f64;
            out(format_args!(
                "{edit:>7} {:>8.1} {:>8.1} {each:>9.1} {:>8.1} {:>6} {:>9}\n",
                at(50),
                at(95),
                state.memory as f64 / 1e6,
                state.files,
                size(&root.join(".neuronotes")) >> 10,
            ));
            processor = state.processor;
            times.clear();
        }
    }
    say(format_args!("{:.0} s", begun.elapsed().as_secs_f64()));
    drop(tabs);
    Ok(())
}

/// The text that an edit puts at a note's end in place of the previous one: each kind of content that a note may
/// have.
fn bounded(edit: usize, marker: &str) -> String {
    match edit % 6 {
        0 => format!("A paragraph, {marker}\n"),
        1 => format!("## A heading {marker}\n\nText.\n"),
        2 => format!("A link, {marker} to [[nowhere {edit}]].\n"),
        3 => format!("```yaml analysis\nkind: nothing{edit}\n```\n\n{marker}\n"),
        4 => format!("A formula $x_{{{edit}}}$, {marker} and a value `= none.a`.\n"),
        _ => format!("> [!note] A callout\n> {marker}\n\n- [ ] and a list #tag-{edit}\n"),
    }
}

/// A note as Markdown.
fn text(note: &Note) -> String {
    let mut text = format!("---\ntitle: {}\ntags: [{}]\n---\n\n", note.title, note.tags.join(", "));
    for section in &note.sections {
        text += &format!("## {}\n\n", section.heading);
        for paragraph in &section.paragraphs {
            text += &paragraph.before;
            if let Some(to) = paragraph.link {
                text += &format!("[[note-{to}]]");
            }
            text += &paragraph.after;
            text += "\n\n";
        }
    }
    text
}

fn path(root: &Path, number: usize) -> PathBuf {
    root.join(format!("notes/note-{number}.md"))
}

/// Bytes of the files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            _ => entry.metadata().map_or(0, |meta| meta.len()),
        })
        .sum()
}

/// A running preview, ended when it is dropped.
struct Served {
    child: Child,
    address: String,
}

/// Resources that a process uses.
struct State {
    /// Processor seconds of all cores, including the system's work.
    processor: f64,
    /// Bytes in memory.
    memory: u64,
    /// Open files.
    files: usize,
}

impl Served {
    fn of(program: &Path, root: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0", "--root"]).arg(root).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{}", program.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("standard error")?).lines();
        let first = lines.next().context("the preview ended")??;
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = first.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.with_context(|| format!("no address in {first}"))?.to_owned();
        Ok(Self { child, address })
    }

    fn ask(&self, path: &str) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        let host = &self.address;
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        Ok(stream)
    }

    /// An open page that receives its updates.
    fn tab(&self, page: &str) -> Result<TcpStream> {
        let stream = self.ask(&format!("-/events?page={page}"))?;
        let mut heard = stream.try_clone()?;
        std::thread::spawn(move || std::io::copy(&mut heard, &mut std::io::sink()));
        Ok(stream)
    }

    /// Waits until a page shows a text.
    fn shows(&self, page: &str, text: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mut answer = Vec::new();
            self.ask(page)?.read_to_end(&mut answer)?;
            if String::from_utf8_lossy(&answer).contains(text) {
                return Ok(());
            }
            if begun.elapsed() > LONGEST {
                bail!("{page} does not show `{text}`");
            }
            std::thread::sleep(Duration::from_millis(4));
        }
    }

    /// Reads Linux's `/proc`.
    fn state(&self) -> Result<State> {
        let of = format!("/proc/{}", self.child.id());
        let stat = fs::read_to_string(format!("{of}/stat")).context("this needs Linux's /proc")?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        let ticks = ticks(12).zip(ticks(13)).context("processor time")?;
        let status = fs::read_to_string(format!("{of}/status"))?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|line| line.split_whitespace().next());
        let memory: u64 = memory.context("memory")?.parse()?;
        Ok(State {
            processor: (ticks.0 + ticks.1) / 100.0,
            memory: memory << 10,
            files: fs::read_dir(format!("{of}/fd"))?.count(),
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
