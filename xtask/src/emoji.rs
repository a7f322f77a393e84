//! `cargo xtask emoji`: rebuilds Emoji-CLIP and its data.
//!
//! `neuronotes-emoji` draws the pictures, and the lab trains and evaluates. This module runs npm and both programs,
//! and copies their files.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cli::Emoji;
use crate::failure::failure;
use crate::programs::{Compiled, compile};
use crate::run::{cargo, release_folder, repository, run, run_quietly};

/// The files of a training that are committed, and their names beside the weights.
const TAKEN: [(&str, &str); 4] = [
    ("model.safetensors", "emoji-clip.safetensors"),
    ("log.jsonl", "emoji-clip.log.jsonl"),
    ("curves.svg", "emoji-clip.curves.svg"),
    ("run.json", "emoji-clip.run.json"),
];

/// Runs the requested steps in the order of their dependencies, and stops at the first failure.
pub fn emoji(arguments: &Emoji) -> Result<i32> {
    let repository = repository()?;
    let places = Places::new(&repository)?;
    if arguments.data {
        let code = data(&repository, &places)?;
        if code != 0 {
            return Ok(code);
        }
    }
    if !arguments.train && !arguments.report {
        return Ok(0);
    }
    places.require_train_set()?;
    let lab = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs.lab,
    };
    if arguments.train {
        let mut train = Command::new(&lab);
        train.current_dir(&repository).args(places.train()).args(&arguments.args);
        let code = run("training Emoji-CLIP", &mut train)?;
        if code != 0 {
            return Ok(code);
        }
        places.take_over()?;
    }
    if arguments.report {
        return run_quietly(Command::new(&lab).current_dir(&repository).args(places.report()));
    }
    Ok(0)
}

/// Compiles and runs the program that draws the sets. It needs no libtorch.
fn data(repository: &Path, places: &Places) -> Result<i32> {
    if !places.folder.join("packages").exists() {
        require_npm()?;
    }
    let mut build = cargo(repository, &["build", "--release", "--package", "neuronotes-emoji"]);
    let code = run_quietly(&mut build)?;
    if code != 0 {
        return Ok(code);
    }
    let program = format!("neuronotes-emoji{}", std::env::consts::EXE_SUFFIX);
    let mut make = Command::new(release_folder()?.join(program));
    make.arg("--repository").arg(repository).arg("--folder").arg(&places.folder);
    run("drawing pictures and words", &mut make)
}

/// Checks for npm before minutes are spent on compiling; only needed the first time, since packages are kept.
fn require_npm() -> Result<()> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut npm = Command::new(program);
    npm.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if npm.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(failure(
        "npm, which downloads the emoji and fonts, was not found",
        "install Node.js with npm (Debian: apt-get install npm)",
    ))
}

/// Paths of the files.
struct Places {
    /// Files that are not committed: packages, the training set, the training's own files.
    folder: PathBuf,
    /// Committed data: names, pictures, words.
    data: PathBuf,
    /// Committed weights, the training's recipe, and the README with the report.
    models: PathBuf,
}

impl Places {
    fn new(repository: &Path) -> Result<Self> {
        // Beside the folder of the release build, wherever the user has cargo put that.
        let release = release_folder()?;
        let target = release.parent().context("this program is not in a target folder")?;
        Ok(Self {
            folder: target.join("emoji"),
            data: repository.join("data"),
            models: repository.join("models"),
        })
    }

    fn set(&self) -> PathBuf {
        self.folder.join("train.tar")
    }

    fn require_train_set(&self) -> Result<()> {
        if self.set().exists() {
            return Ok(());
        }
        Err(failure(
            format!("the training set is missing: {} does not exist", self.set().display()),
            "cargo xtask emoji --data draws it; it can be combined with --train and --report",
        ))
    }

    /// Copies the files of a finished training beside the committed weights.
    fn take_over(&self) -> Result<()> {
        let run = self.run();
        for (from, to) in TAKEN {
            let to = self.models.join(to);
            // It appears under its name only when it is whole.
            let mut part = to.clone().into_os_string();
            part.push(".part");
            let copied = fs::copy(run.join(from), &part).and_then(|_| fs::rename(&part, &to));
            copied.with_context(|| format!("{} could not be written", to.display()))?;
        }
        Ok(())
    }

    /// The training's own folder.
    fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// The lab's arguments for training.
    fn train(&self) -> Vec<OsString> {
        let options = [
            ("--recipe", self.models.join("emoji-clip.recipe.json")),
            ("--set", self.set()),
            ("--names", self.data.join("concepts.json")),
            ("--out", self.run()),
        ];
        arguments("train", &options)
    }

    /// The lab's arguments for measuring what the weights can do.
    fn report(&self) -> Vec<OsString> {
        let options = [
            ("--model", self.models.join("emoji-clip.safetensors")),
            ("--set", self.set()),
            ("--names", self.data.join("concepts.json")),
            ("--pictures", self.data.join("emoji.tar")),
            ("--words", self.data.join("words.txt")),
            ("--readme", self.models.join("README.md")),
        ];
        arguments("report", &options)
    }
}

fn arguments(command: &str, options: &[(&str, PathBuf)]) -> Vec<OsString> {
    let options = options.iter().flat_map(|(name, path)| [(*name).into(), path.into()]);
    std::iter::once(command.into()).chain(options).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path) -> Places {
        Places { folder: folder.to_owned(), data: "data".into(), models: "models".into() }
    }

    #[test]
    fn the_lab_is_told_where_everything_is() {
        let places = places(Path::new("e"));
        let value = |arguments: &[OsString], name: &str| {
            let at = arguments.iter().position(|argument| argument == name).expect("an option");
            PathBuf::from(&arguments[at + 1])
        };
        let (train, report) = (places.train(), places.report());
        assert_eq!((&train[0], &report[0]), (&"train".into(), &"report".into()));
        assert_eq!(value(&train, "--recipe"), Path::new("models/emoji-clip.recipe.json"));
        assert_eq!(value(&train, "--out"), Path::new("e/run"));
        assert_eq!(value(&report, "--model"), Path::new("models/emoji-clip.safetensors"));
        assert_eq!(value(&report, "--readme"), Path::new("models/README.md"));
        for arguments in [train, report] {
            assert_eq!(value(&arguments, "--set"), Path::new("e/train.tar"));
            assert_eq!(value(&arguments, "--names"), Path::new("data/concepts.json"));
        }
    }

    #[test]
    fn a_finished_training_takes_the_place_of_the_one_before() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let models = folder.path().join("models");
        let places = Places { models: models.clone(), ..places(folder.path()) };
        fs::create_dir_all(places.run())?;
        fs::create_dir_all(&models)?;
        fs::write(models.join("emoji-clip.safetensors"), "old")?;
        for (from, _) in TAKEN {
            fs::write(places.run().join(from), from)?;
        }
        places.take_over()?;
        for (from, to) in TAKEN {
            assert_eq!(fs::read_to_string(models.join(to))?, from);
        }
        assert_eq!(fs::read_dir(&models)?.count(), TAKEN.len());
        Ok(())
    }

    #[test]
    fn without_a_training_set_one_is_told_how_to_make_it() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let error = places(folder.path()).require_train_set().expect_err("there is none");
        let text = crate::failure::report(&error);
        assert!(text.contains("hint: cargo xtask emoji --data"), "{text}");
        Ok(())
    }
}
