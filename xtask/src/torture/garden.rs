//! The tortured garden: notes with quick figures, random edits, and the checks of its store and site.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

use super::Lost;
use super::damage::timeless;
use super::dice::Dice;
use crate::programs::Programs;

/// Number of notes.
const NOTES: u64 = 6;

/// A garden in a folder of its own.
#[derive(Debug)]
pub struct Garden {
    folder: tempfile::TempDir,
}

impl Garden {
    /// Creates the garden with notes and the bundled network.
    pub fn new(repository: &Path, dice: &mut Dice) -> Result<Self> {
        let garden = Self { folder: tempfile::tempdir()? };
        let config = format!(
            "title: Torture\nmodels:\n  emoji: {{ path: {} }}\ndatasets:\n  words: {{ path: words.txt }}\n\
             defaults: {{ model: emoji, dataset: words }}\ndevice: cpu\n",
            repository.join("models/emoji-clip.safetensors").display()
        );
        fs::write(garden.root().join("neuronotes.yaml"), config)?;
        fs::write(garden.root().join("words.txt"), "bank\napple\nmoon\nfinance\nsmile\ntree\n")?;
        fs::create_dir(garden.root().join("notes"))?;
        for _ in 0..2 * NOTES {
            garden.edit(dice)?;
        }
        Ok(garden)
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The program's own folder in it.
    pub fn state(&self) -> PathBuf {
        self.root().join(".neuronotes")
    }

    /// Keeps the folder from being removed, and returns its path.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Changes, adds, renames or removes a note.
    pub fn edit(&self, dice: &mut Dice) -> Result<()> {
        let path = |number: u64| self.root().join(format!("notes/note-{number}.md"));
        let note = path(dice.below(NOTES));
        match dice.below(8) {
            0 => drop(fs::remove_file(note)),
            1 => drop(fs::rename(note, path(dice.below(NOTES)))),
            way => {
                let text = text(dice);
                if way % 2 == 0 {
                    fs::write(note, text)?;
                } else {
                    let beside = note.with_extension("md~");
                    fs::write(&beside, text)?;
                    fs::rename(beside, note)?;
                }
            }
        }
        Ok(())
    }

    /// Builds the site completely.
    pub fn build(&self, programs: &Programs) -> Result<String> {
        let output = self.run(programs, &["build"])?;
        said("build", &output)
    }

    /// Builds the site completely, sometimes into an empty folder, and returns the output.
    pub fn build_anew(
        &self,
        programs: &Programs,
        dice: &mut Dice,
    ) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        if dice.below(2) == 0 {
            let _ = fs::remove_dir_all(self.root().join("output"));
        }
        self.build(programs)?;
        site(&self.root().join("output"))
    }

    /// Runs `store verify` until it finds nothing wrong; afterwards everything has to be drawn again.
    pub fn verify_twice(&self, programs: &Programs) -> Result<()> {
        let first = self.run(programs, &["store", "verify"])?;
        if !matches!(first.status.code(), Some(0 | 1)) {
            bail!("store verify ended with {}", first.status);
        }
        said("store verify", &self.run(programs, &["store", "verify"])?)?;
        for made in ["store/v1/figures", "cache/pictures", "cache/digests.json"] {
            let path = self.state().join(made);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
        Ok(())
    }

    /// Checks that pages shown earlier equal the site's, except for the figures' durations.
    pub fn check_shown(&self, shown: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        let now = site(&self.root().join("output"))?;
        let same = |path: &PathBuf| match (shown.get(path), now.get(path)) {
            (Some(shown), Some(now)) => shown == now || timeless(shown) == timeless(now),
            _ => false,
        };
        match shown.keys().chain(now.keys()).find(|path| !same(path)) {
            Some(path) => bail!("{} was shown wrong after damage", path.display()),
            None => Ok(()),
        }
    }

    fn run(&self, programs: &Programs, arguments: &[&str]) -> Result<Output> {
        let mut command = programs.command();
        command.args(arguments).arg("--root").arg(self.root());
        command.stdin(Stdio::null()).output().context("neuronotes did not start")
    }

    /// Makes everything in the store three days old, so that it can be collected.
    pub fn age(&self) -> Result<()> {
        let then = SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
        for path in files(&self.root().join(".neuronotes/store"))?.into_keys() {
            fs::File::options().write(true).open(path)?.set_modified(then)?;
        }
        Ok(())
    }

    /// Checks that everything is intact, and remembers the committed results.
    pub fn check(
        &self,
        programs: &Programs,
        committed: &mut BTreeSet<PathBuf>,
        lost: Lost,
    ) -> Result<()> {
        said("store verify", &self.run(programs, &["store", "verify"])?)?;
        if lost == Lost::Nothing {
            let gone = committed.iter().find(|record| !record.exists());
            if let Some(record) = gone {
                bail!("a committed result is gone: {}", record.display());
            }
        }
        let summary = self.build(programs)?;
        // Before the collection everything was measured.
        if lost == Lost::Unwanted && !summary.contains(": 0 figures measured") {
            bail!("a result that is wanted was collected: {summary}");
        }
        let clean = tempfile::tempdir()?;
        let output = clean.path().to_string_lossy();
        let again = said("clean build", &self.run(programs, &["build", "--output", &output])?)?;
        if !again.contains(": 0 figures measured") {
            bail!("a clean build measured again what was there: {again}");
        }
        let (here, anew) = (site(&self.root().join("output"))?, site(clean.path())?);
        if let Some(path) =
            here.keys().chain(anew.keys()).find(|path| here.get(*path) != anew.get(*path))
        {
            bail!("{} is not that of a clean build", path.display());
        }
        *committed =
            files(&self.root().join(".neuronotes/store/v1/records"))?.into_keys().collect();
        Ok(())
    }
}

/// The files of a site by path.
fn site(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let files = files(folder)?.into_iter();
    let within = |path: PathBuf| Some(path.strip_prefix(folder).ok()?.to_owned());
    Ok(files.filter_map(|(path, bytes)| Some((within(path)?, bytes))).collect())
}

/// The output of a run that must have succeeded.
fn said(what: &str, output: &Output) -> Result<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    match output.status.success() {
        true => Ok(text),
        false => bail!("{what} ended with {}:\n{text}", output.status),
    }
}

/// Makes a note with some paragraphs and figures.
fn text(dice: &mut Dice) -> String {
    let mut text = format!("# Note {}\n\n", dice.below(100));
    for number in 0..dice.below(4) {
        text += &format!("See [[note-{}]] about {}.\n\n", dice.below(NOTES), dice.below(1000));
        let (unit, steps) = (dice.below(400), 2 + dice.below(30));
        let layer = "image_block_4/0/Add_6";
        text += &match dice.below(4) {
            0 => format!(
                "```yaml analysis\nid: b{number}\nkind: dataset_examples\nlayer: {layer}\nunit: {unit}\ntop: 3\n```\n\n"
            ),
            1 => format!(
                "```yaml analysis\nid: b{number}\nkind: feature_vis\nlayer: {layer}\nsize: 32\nsteps: {steps}\n\
                 sweep: {{ unit: [{unit}, {}] }}\n```\n\n",
                unit + 1
            ),
            _ => format!(
                "```yaml analysis\nid: b{number}\nkind: feature_vis\nlayer: {layer}\nunit: {unit}\nsize: 32\nsteps: {steps}\n```\n\n\
                 It reaches `= b{number}.activation | .2f`.\n\n"
            ),
        };
    }
    text
}

/// All files below a folder with their bytes. Files that disappear meanwhile are skipped.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else if let Ok(bytes) = fs::read(entry.path()) {
                all.insert(entry.path(), bytes);
            }
        }
    }
    Ok(all)
}
