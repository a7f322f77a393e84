//! Gardens for tests, made in a temporary folder and built by the real program.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

#[cfg(target_os = "linux")]
pub mod fault;
pub mod history;
pub mod preview;
pub mod results;
pub mod server;
pub mod troubled;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use neuronotes::diagnostic::Diagnostic;

/// A garden in a temporary folder, removed at the end of its test.
pub struct Garden {
    folder: tempfile::TempDir,
}

impl Garden {
    /// An empty one with a configuration that names a model and a data set out of `assets`.
    pub fn new() -> Self {
        let garden = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let here = repository();
        garden.write(
            "neuronotes.yaml",
            &format!(
                "title: A test garden\nfooter: This line appears after every note.\nmodels:\n  emoji: {{ path: {} }}\n\
                 datasets:\n  emoji: {{ path: {} }}\ndefaults: {{ model: emoji, dataset: emoji }}\ndevice: cpu\n",
                here.join("models/emoji-clip.safetensors").display(),
                here.join("data/emoji.tar").display(),
            ),
        );
        garden
    }

    /// One with these notes, by name and text.
    pub fn of(notes: &[(&str, &str)]) -> Self {
        let garden = Self::new();
        for (name, text) in notes {
            garden.note(name, text);
        }
        garden
    }

    /// One that `neuronotes new` made.
    pub fn scaffold() -> (Self, Run) {
        let garden = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let mut command = Command::new(program());
        let output = command.arg("new").arg(garden.root()).output().expect("neuronotes runs");
        (garden, Run(output))
    }

    /// A copy of the folder `tests/gardens/NAME`.
    pub fn copy_of(name: &str) -> Self {
        let garden = Self::empty();
        for (name, bytes) in files(&repository().join("tests/gardens").join(name)) {
            let path = garden.path(&name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        garden
    }

    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn note(&self, name: &str, text: &str) {
        self.write(&format!("notes/{name}"), text);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("removed");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `neuronotes` with these arguments and `--root`.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run(self.command(arguments).output().expect("neuronotes runs"))
    }

    /// `neuronotes` with these arguments and `--root`; its lab is the one beside it where the tests have one.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let none = self.path("there-is-no-lab-in-these-tests");
        let lab = option_env!("CARGO_BIN_EXE_neuronotes-lab").map_or(none, PathBuf::from);
        let mut command = Command::new(program());
        command.args(arguments).arg("--root").arg(self.root()).env("NEURONOTES_LAB", lab);
        command.env_remove("NEURONOTES_DEVICE");
        command
    }

    pub fn build(&self) -> Run {
        self.run(&["build"])
    }

    /// Builds the site, which must succeed.
    pub fn built(&self) -> Run {
        let run = self.build();
        assert_eq!(run.code(), 0, "{}", run.stderr());
        run
    }

    /// A page of the site that was built last.
    pub fn page(&self, name: &str) -> String {
        self.read(&format!("output/{name}"))
    }

    /// The diagnostics of `neuronotes check`.
    pub fn reports(&self) -> Vec<Diagnostic> {
        self.run(&["check", "--format", "json"]).reports()
    }

    /// The same as text: of each its file, line, column and message, and its hint, if any, on a second line.
    pub fn said(&self) -> String {
        let text = |report: Diagnostic| {
            let hint = report.hint.as_ref().map(|hint| format!("\n    {hint}"));
            let (at, hint) = (place(&report), hint.unwrap_or_default());
            format!("{}:{at} {}{hint}", report.file, report.message)
        };
        self.reports().into_iter().map(text).collect::<Vec<_>>().join("\n")
    }

    /// Every file of the output with its bytes.
    pub fn output(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("output"))
    }

    /// What a clean build of the same notes, with the same store, puts out.
    pub fn clean_output(&self) -> BTreeMap<String, Vec<u8>> {
        let clean = tempfile::tempdir().expect("a temporary folder");
        let run = self.run(&["build", "--output", &clean.path().to_string_lossy()]);
        assert!(run.0.status.code().is_some_and(|code| code < 2), "{}", run.stderr());
        files(clean.path())
    }
}

/// An analysis block with these fields.
pub fn block(yaml: &str) -> String {
    format!("```yaml analysis\n{yaml}```\n\n")
}

/// A diagnostic's line and column.
pub fn place(report: &Diagnostic) -> String {
    format!("{}:{}", report.line, report.column)
}

/// The repository: this file is used from more than one package.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().find(|folder| folder.join("models").is_dir());
    root.expect("the repository").to_owned()
}

/// The program: of the package under test, else the one built beside these tests.
pub fn program() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_neuronotes") {
        return path.into();
    }
    let test = std::env::current_exe().expect("this test");
    let beside = test.ancestors().nth(2).expect("the target folder").join("neuronotes");
    assert!(beside.is_file(), "{} is not built: run `cargo xtask test`", beside.display());
    beside
}

/// Every file below `folder` with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).expect("below").to_string_lossy();
            out.insert(name.into_owned(), fs::read(entry.path()).expect("a file"));
        }
    }
    out
}

/// Whether a file of a site shows pictures of notes besides, or says what figures say, and leaves out what is not there.
pub fn shows_cards(name: &str) -> bool {
    name == "index.html"
        || ["notes", "tags", "units", "previews/", "cards/", "search/"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// What a run left.
pub struct Run(pub Output);

impl Run {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The diagnostics, of a run with `--format json`.
    pub fn reports(&self) -> Vec<Diagnostic> {
        let read = |line: &str| serde_json::from_str(line).expect("a diagnostic as JSON");
        // After the diagnostics, `check` lists the claims and the troubles of notes.
        let stdout = self.stdout();
        let is_other = |line: &&str| {
            ["trouble", "verdict"].iter().any(|key| line.contains(&format!("\"{key}\":")))
        };
        stdout.lines().filter(|line| !is_other(line)).map(read).collect()
    }

    /// The last line that counts, such as `3 notes: 0 figures measured …`.
    pub fn summary(&self) -> String {
        let stderr = self.stderr();
        let line = stderr.lines().find(|line| line.contains("measured,"));
        line.map(|line| line.split(" (").next().unwrap_or(line).to_owned()).unwrap_or(stderr)
    }
}
