//! `neuronotes new note --unit`: a garden's configuration and a unit in; a note about it, with the figures to begin with, out. A
//! file that exists is never written to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use neuronotes_core::dataset::Said;
use neuronotes_core::file;
use neuronotes_core::kind::labels::Truth;
use neuronotes_core::problem::Problem;

use crate::config::Config;
use crate::field::layer_named;
use crate::note::file_slug;
use crate::resource::Resources;
use crate::workspace::Workspace;

/// What a note is to be about.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The layer or dictionary, a slash, and the unit.
    pub unit: String,
    /// A model's name; the configuration's default if it is left out.
    pub model: Option<String>,
    /// What the note calls the unit.
    pub name: Option<String>,
    /// The note's title.
    pub title: Option<String>,
    /// Its file, relative to the notes folder.
    pub file: Option<PathBuf>,
}

/// The figures: those of any unit, those that need a data set, and those that need its words.
const FIGURES: &str = include_str!("unit.md");
/// The most captions, or labels, that a unit is described by in a new note: each goes through the text tower once.
const NAMES: usize = 2_000;
/// The name of a unit that nobody has named yet.
const UNNAMED: &str = "unnamed";

/// Writes the note and returns its path.
///
/// # Errors
/// If the model has no such unit, the file exists or is outside the notes folder, or cannot be written.
pub fn make(workspace: &mut Workspace, wanted: &Wanted) -> anyhow::Result<PathBuf> {
    let subject = Subject::of(workspace, wanted).map_err(|problem| {
        let hint = problem.hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        anyhow::anyhow!("{}{hint}", problem.message)
    })?;
    let title = wanted.title.clone().or_else(|| wanted.name.clone());
    let title = title.unwrap_or_else(|| format!("Unit {} of {}", subject.unit, subject.layer));
    let name = match &wanted.file {
        Some(file) => inside(file)?,
        None => PathBuf::from(format!("{}.md", file_slug(&title.replace('/', "-")))),
    };
    let path = workspace.root.join(workspace.layout.file("")).join(name);
    let text = subject.text(&title, wanted.name.as_deref().unwrap_or(UNNAMED));
    match write_new(&path, text.as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => anyhow::bail!(
            "{} exists and is left as it is\nhint: name another file with `--file`, or give the note another `--title`",
            path.display()
        ),
        Err(error) => {
            let hint = file::hint(&error).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow::bail!("{} cannot be written: {error}{hint}", path.display())
        }
    }
}

/// A file of the notes folder: a relative path that ends in `.md` and does not lead out.
fn inside(file: &Path) -> anyhow::Result<PathBuf> {
    let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
    if !file.components().all(plain) {
        anyhow::bail!(
            "{} is not a path inside the notes folder\nhint: give it relative to that folder, such as `units/rackets.md`",
            file.display()
        );
    }
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("md" | "markdown") => Ok(file.to_owned()),
        _ => anyhow::bail!("{} is not a note\nhint: its name must end in `.md`", file.display()),
    }
}

/// Writes a file that is not there yet; one that cannot be completed is removed again.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// A unit that exists, and what can be asked about it.
#[derive(Debug)]
struct Subject {
    /// The model, where it is not the configuration's default.
    model: Option<String>,
    layer: String,
    unit: u32,
    /// The data set: `None` if there is none, and an empty name if it is the configuration's default.
    dataset: Option<String>,
    /// What the data set says of its pictures, `caption` or `label`, if units can be described by that.
    words: Option<&'static str>,
}

impl Subject {
    fn of(workspace: &mut Workspace, wanted: &Wanted) -> Result<Self, Problem> {
        let (layer, unit) = split(&wanted.unit)?;
        let config = &workspace.config;
        let defaults = &config.defaults;
        let over = config.dictionaries.get(layer).and_then(|source| config.model_of(source));
        let model = wanted.model.as_deref().or(over).or(defaults.model.as_deref());
        let model = model.ok_or_else(|| {
            let problem = Problem::new("no model is named, and the garden has no default one");
            problem.hint("name one with `--model`; `models:` in neuronotes.yaml lists them")
        })?;
        let (model, digests) = (model.to_owned(), &mut workspace.digests);
        let mut resources = Resources::default();
        let found = resources.model(config, digests, &model)?;
        let (units, what) = match config.dictionaries.contains_key(layer) {
            true => {
                let dictionary = resources.dictionary(config, digests, layer)?;
                if dictionary.model.digest != found.reference.digest {
                    let message = format!(
                        "the dictionary `{layer}` is over a layer of the model `{}`, not of `{model}`",
                        dictionary.model.name
                    );
                    return Err(Problem::new(message).hint("leave `--model` out"));
                }
                (dictionary.features, "features")
            }
            false => {
                let others = config.dictionaries.keys().map(String::as_str);
                let of = (&*found.reference.name, &*found.architecture);
                (layer_named(of, layer, others)?.units, "units")
            }
        };
        if unit >= units {
            let message =
                format!("`{layer}` has no unit {unit}; its {units} {what} are counted from 0");
            return Err(Problem::new(message));
        }
        let dataset = dataset(config);
        let words = match (&found.architecture.text, &dataset) {
            (Some(_), Some(name)) => {
                let name = if name.is_empty() { defaults.dataset.as_ref() } else { Some(name) };
                let found = name.and_then(|name| resources.dataset(config, digests, name).ok());
                let said = found.and_then(|found| resources.said(digests, &found));
                said.and_then(|said| words(&said))
            }
            _ => None,
        };
        Ok(Self {
            words,
            model: (defaults.model.as_deref() != Some(&model)).then_some(model),
            layer: layer.to_owned(),
            unit,
            dataset,
        })
    }

    /// The note.
    fn text(&self, title: &str, name: &str) -> String {
        let Self { model, layer, unit, dataset, words } = self;
        let place = format!("layer: {}, unit: {unit}", yaml(layer));
        let model = model.as_ref().map(|model| yaml(model));
        let of_model = model.as_ref().map(|m| format!("model: {m}, ")).unwrap_or_default();
        let mut text = format!(
            "---\ntitle: {}\nunits:\n  - {{ {of_model}{place}, name: {} }}  # figures show this name for the unit, and link to this note\n---\n",
            yaml(title),
            yaml(name)
        );
        let _ = writeln!(text, "What does unit {unit} of `{layer}` respond to?\n");
        let model = model.as_ref().map(|m| format!("model: {m}\n")).unwrap_or_default();
        let place = format!("{model}layer: {}\nunit: {unit}\n", yaml(layer));
        let name = dataset.as_deref().unwrap_or_default();
        let dataset_line =
            if name.is_empty() { String::new() } else { format!("dataset: {}\n", yaml(name)) };
        let (alone, rest) = FIGURES.split_once("{data}\n").unwrap_or((FIGURES, ""));
        let (with_data, with_words) = rest.split_once("{words}\n").unwrap_or((rest, ""));
        let mut figures = alone.to_owned();
        if dataset.is_some() {
            figures.push_str(with_data);
        }
        if let Some(words) = words {
            figures.push_str(&with_words.replace("{truth}", words));
        }
        text.push_str(&figures.replace("{place}", &place).replace("{dataset}", &dataset_line));
        text
    }
}

/// What a data set says of its pictures that units can be described by: captions, if they are few enough to be names.
fn words(said: &Said) -> Option<&'static str> {
    let count = |texts: &Option<BTreeMap<String, u64>>| texts.as_ref().map_or(0, BTreeMap::len);
    match (count(&said.captions), count(&said.labels)) {
        (2..=NAMES, _) => Some(Truth::Caption.word()),
        (_, 2..=NAMES) => Some(Truth::Label.word()),
        _ => None,
    }
}

/// A data set to show pictures of; empty for the configuration's default.
fn dataset(config: &Config) -> Option<String> {
    match &config.defaults.dataset {
        Some(_) => Some(String::new()),
        None => config.datasets.keys().next().cloned(),
    }
}

/// The place and the unit that `LAYER/UNIT` names.
fn split(text: &str) -> Result<(&str, u32), Problem> {
    let parts = text.rsplit_once('/').and_then(|(layer, unit)| Some((layer, unit.parse().ok()?)));
    parts.filter(|(layer, _)| !layer.is_empty()).ok_or_else(|| {
        let problem = Problem::new(format!("`{text}` names no unit"));
        problem.hint("write the layer or dictionary, a slash, and the unit, such as `image_block_4/1/Add_6/545`")
    })
}

/// A text as YAML has it: as it is if that is safe, or else in quotes.
fn yaml(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word = word.iter().any(|word| text.eq_ignore_ascii_case(word));
    match begins && !is_word && text.chars().all(plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A text in double quotes, which JSON and YAML have in common.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_named_by_its_layer_and_number() {
        assert_eq!(split("image_block_4/1/Add_6/545").ok(), Some(("image_block_4/1/Add_6", 545)));
        assert_eq!(split("parts/3").ok(), Some(("parts", 3)));
        for wrong in ["545", "/545", "image_block_4/1/Add_6", "a/-1", "a/4294967296", ""] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_note_about_a_unit_has_the_figures_to_begin_with() {
        let subject = Subject {
            model: Some("ViT-B/32".to_owned()),
            layer: "visual.layer4.1.add".to_owned(),
            unit: 545,
            dataset: Some("my pictures".to_owned()),
            words: Some("caption"),
        };
        insta::assert_snapshot!(subject.text("Coins: round \"things\"", "coins"));
        let alone = Subject { model: None, dataset: None, words: None, ..subject };
        let text = alone.text("A unit", "no");
        assert!(text.contains("name: \"no\"") && !text.contains("dataset"), "{text}");
    }

    #[test]
    fn a_unit_is_described_by_names_and_not_by_sentences() {
        let counts = |count: usize| Some((0..count).map(|n| (n.to_string(), 1)).collect());
        let said = |captions, labels| {
            words(&Said { captions: counts(captions), labels: counts(labels), ..Said::default() })
        };
        assert_eq!(said(498, 8), Some("caption"));
        assert_eq!(said(9_000, 8), Some("label"));
        assert_eq!((said(0, 1), said(9_000, 0)), (None, None));
    }

    #[test]
    fn a_file_stays_inside_the_notes_and_is_a_note() {
        for file in ["a.md", "units/a.markdown"] {
            assert!(inside(Path::new(file)).is_ok(), "{file}");
        }
        for file in ["../a.md", "/a.md", "a/../../b.md", "a.txt", "a"] {
            assert!(inside(Path::new(file)).is_err(), "{file}");
        }
    }

    #[test]
    fn what_exists_is_not_written_to() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("deep/note.md");
        write_new(&path, b"mine").expect("written");
        let again = write_new(&path, b"yours").expect_err("it exists");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("bytes"), b"mine");
    }
}
