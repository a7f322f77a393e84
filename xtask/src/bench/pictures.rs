//! `cargo xtask bench pictures`: times smaller copies of a site's pictures, made by this program, Hugo and Pillow in
//! turns.
//!
//! Each starts cold and makes the same widths of the same pictures, with a Lanczos filter and JPEG at quality 85, on
//! all cores.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::screen::{SIZE, Screen};
use super::site::find_program;
use super::site::measured::{self, Taken};
use crate::cli::BenchPictures;
use crate::programs::{Compiled, compile};
use crate::run::{release_folder, repository};
use crate::say::{Step, out, say};
use crate::venv;

/// Widths of the copies in pixels, as the program makes them.
const WIDTHS: [u32; 3] = [480, 960, 1600];

/// A program that makes the copies.
struct Contender {
    name: &'static str,
    version: String,
    folder: PathBuf,
    command: Vec<String>,
    /// Files to delete before a cold run.
    made: &'static [&'static str],
    /// Folder of the finished copies.
    copies: &'static str,
    rounds: Vec<Taken>,
    written: u64,
    differs: &'static str,
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    version: String,
    #[serde(flatten)]
    median: Taken,
    pictures_per_second: f64,
    /// Its time divided by ours.
    ratio: f64,
    /// Size of all copies in bytes.
    written: u64,
    differs: &'static str,
}

/// Runs `bench pictures`.
pub fn pictures(arguments: &BenchPictures) -> Result<i32> {
    let repository = repository()?;
    let ours = match env::var_os("NEURONOTES").filter(|value| !value.is_empty()) {
        Some(named) => PathBuf::from(named),
        None => match compile(&repository)? {
            Compiled::Failed(code) => return Ok(code),
            Compiled::Programs(programs) => programs.neuronotes,
        },
    };
    let target = release_folder()?;
    let target = target.parent().context("this program is not in a target folder")?;
    let folder = tempfile::Builder::new().prefix("bench-pictures-").tempdir_in(target)?;
    let count = arguments.pictures as usize;
    let step = Step::begin(format!("drawing {count} screenshots"));
    let drawn = folder.path().join("drawn");
    fs::create_dir(&drawn)?;
    let mut bytes = 0;
    for number in 0..count {
        let file = drawn.join(format!("{number}.png"));
        let png = Screen::of(number as u32).png()?;
        fs::write(&file, png).context("a screenshot could not be written")?;
        bytes += fs::metadata(&file)?.len();
    }
    step.done();
    let mut contenders = vec![neuronotes(&ours, folder.path(), &drawn, count)?];
    for name in &arguments.with {
        match name.as_str() {
            "hugo" => match find_program("hugo")? {
                Some(program) => contenders.push(hugo(&program, folder.path(), &drawn, count)?),
                None => say("Hugo was not found and is skipped (apt-get install hugo)"),
            },
            "pillow" => {
                let python = venv::pillow(&repository)?;
                let script = repository.join("tests/reference/bench_pictures.py");
                contenders.push(pillow(&python, &script, folder.path(), &drawn)?);
            }
            other => {
                bail!("unknown program `{other}`; known: hugo, pillow")
            }
        }
    }
    for round in 1..=arguments.rounds {
        for contender in &mut contenders {
            contender.run(count)?;
            let taken = contender.rounds.last().copied().unwrap_or_default();
            say(format_args!("round {round}, {}: {:.2} s", contender.name, taken.seconds));
        }
    }
    let rows = rows(contenders, count);
    match arguments.json {
        true => out(format_args!("{}\n", serde_json::to_string_pretty(&rows)?)),
        false => out(table(&rows, count, bytes, arguments.rounds)),
    }
    Ok(0)
}

/// Puts the pictures into a contender's folder.
fn place(drawn: &Path, into: &Path, count: usize) -> Result<()> {
    fs::create_dir_all(into)?;
    for number in 0..count {
        let name = format!("{number}.png");
        fs::copy(drawn.join(&name), into.join(&name))?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(path, text).with_context(|| format!("{} could not be written", path.display()))
}

/// Ten pictures per note.
fn notes(count: usize) -> impl Iterator<Item = (usize, String)> {
    (0..count).step_by(10).map(move |first| {
        let shown = (first..(first + 10).min(count)).map(|number| format!("![]({number}.png)\n\n"));
        (first / 10, shown.collect())
    })
}

fn version(program: &Path, argument: &str) -> Result<String> {
    let output = Command::new(program).arg(argument).output();
    let output = output.with_context(|| format!("{} did not start", program.display()))?;
    Ok(super::site::version(&String::from_utf8_lossy(&output.stdout)))
}

fn neuronotes(program: &Path, folder: &Path, drawn: &Path, count: usize) -> Result<Contender> {
    let folder = folder.join("neuronotes");
    put(&folder.join("neuronotes.yaml"), "title: Screenshots\n")?;
    for (note, text) in notes(count) {
        put(&folder.join(format!("notes/note-{note}.md")), &text)?;
    }
    place(drawn, &folder.join("notes"), count)?;
    Ok(Contender {
        name: "neuronotes",
        version: version(program, "--version")?,
        command: vec![program.display().to_string(), "build".to_owned()],
        made: &["output", ".neuronotes"],
        copies: "output/figures/smaller",
        differs: "the whole site; copies that would take more bytes than the picture are left out",
        rounds: Vec::new(),
        written: 0,
        folder,
    })
}

fn hugo(program: &Path, folder: &Path, drawn: &Path, count: usize) -> Result<Contender> {
    let folder = folder.join("hugo");
    let configured =
        "title = 'Screenshots'\ndisableKinds = ['taxonomy', 'term', 'RSS', 'sitemap']\n";
    put(&folder.join("hugo.toml"), configured)?;
    put(&folder.join("layouts/_default/single.html"), "{{ .Content }}\n")?;
    put(
        &folder.join("layouts/index.html"),
        "{{ range .Site.RegularPages }}{{ .Title }}{{ end }}\n",
    )?;
    let widths = WIDTHS.map(|width| width.to_string()).join(" ");
    let image = format!(
        "{{{{- $picture := .Page.Resources.GetMatch .Destination -}}}}<img src=\"{{{{ $picture.RelPermalink }}}}\" srcset=\"\
         {{{{- range (slice {widths}) }}}}{{{{ ($picture.Resize (printf \"%dx jpg q85 Lanczos\" .)).RelPermalink }}}} \
         {{{{ . }}}}w, {{{{ end -}}}}\">\n"
    );
    put(&folder.join("layouts/_default/_markup/render-image.html"), &image)?;
    for (note, text) in notes(count) {
        let bundle = folder.join(format!("content/note-{note}"));
        put(&bundle.join("index.md"), &format!("---\ntitle: Note {note}\n---\n{text}"))?;
        for number in note * 10..(note * 10 + 10).min(count) {
            let name = format!("{number}.png");
            fs::copy(drawn.join(&name), bundle.join(&name))?;
        }
    }
    Ok(Contender {
        name: "hugo",
        version: version(program, "version")?,
        command: [&*program.display().to_string(), "--quiet", "--ignoreCache"]
            .map(str::to_owned)
            .into(),
        made: &["public", "resources"],
        copies: "resources/_gen/images",
        differs: "the whole site, with minimal pages",
        rounds: Vec::new(),
        written: 0,
        folder,
    })
}

fn pillow(python: &Path, script: &Path, folder: &Path, drawn: &Path) -> Result<Contender> {
    let folder = folder.join("pillow");
    fs::create_dir(&folder)?;
    let version =
        Command::new(python).args(["-c", "import PIL; print(PIL.__version__)"]).output()?;
    let widths = WIDTHS.map(|width| width.to_string());
    let mut command = vec![python.display().to_string(), script.display().to_string()];
    command.extend([drawn.display().to_string(), "copies".to_owned()]);
    command.extend(widths);
    Ok(Contender {
        name: "pillow",
        version: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
        command,
        made: &["copies"],
        copies: "copies",
        differs: "the copies alone, one process per core",
        rounds: Vec::new(),
        written: 0,
        folder,
    })
}

impl Contender {
    /// One cold run.
    fn run(&mut self, pictures: usize) -> Result<()> {
        for made in self.made {
            let path = self.folder.join(made);
            if path.exists() {
                fs::remove_dir_all(&path)?;
            }
        }
        // Flushes what the previous program wrote, so that this one does not pay for it. Not every system has the
        // command.
        let _ = Command::new("sync").status();
        let (program, arguments) = self.command.split_first().context("a command")?;
        let mut command = Command::new(program);
        command.current_dir(&self.folder).args(arguments);
        self.rounds.push(measured::run(&mut command, &self.folder.with_extension("log"))?);
        let (mut files, mut bytes) = (0, 0);
        let mut folders = vec![self.folder.join(self.copies)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
                let entry = entry?;
                let about = entry.metadata()?;
                match about.is_dir() {
                    true => folders.push(entry.path()),
                    false => (files, bytes) = (files + 1, bytes + about.len()),
                }
            }
        }
        if files < pictures * WIDTHS.len() {
            bail!("{} made {files} copies of {pictures} pictures", self.name);
        }
        self.written = bytes;
        Ok(())
    }
}

fn rows(contenders: Vec<Contender>, pictures: usize) -> Vec<Row> {
    let ours = contenders.first().map_or(0.0, |ours| measured::median(&ours.rounds).seconds);
    let row = |contender: Contender| {
        let median = measured::median(&contender.rounds);
        Row {
            name: contender.name,
            version: contender.version,
            median,
            pictures_per_second: pictures as f64 / median.seconds,
            ratio: median.seconds / ours,
            written: contender.written,
            differs: contender.differs,
        }
    };
    contenders.into_iter().map(row).collect()
}

/// The rows as Markdown.
fn table(rows: &[Row], pictures: usize, bytes: u64, rounds: u32) -> String {
    let (width, height) = SIZE;
    let mut text = format!(
        "{pictures} PNG screenshots of {width} × {height} ({:.1} MB), {} copies of each, cold, median of {rounds} rounds\n\n\
         | | version | seconds | to ours | pictures a second | processor seconds | peak MB | MB of copies |\n\
         |---|---|---|---|---|---|---|---|\n",
        bytes as f64 / 1e6,
        WIDTHS.len(),
    );
    for row in rows {
        text += &format!(
            "| {} | {} | {:.2} | {:.2} | {:.1} | {:.2} | {:.0} | {:.1} |\n",
            row.name,
            row.version,
            row.median.seconds,
            row.ratio,
            row.pictures_per_second,
            row.median.processor_seconds,
            row.median.peak_bytes as f64 / 1e6,
            row.written as f64 / 1e6,
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
    fn notes_show_every_picture_once() {
        let all: String = notes(23).map(|(_, text)| text).collect();
        assert_eq!(notes(23).count(), 3);
        assert!((0..23).all(|number| all.matches(&format!("({number}.png)")).count() == 1));
    }
}
