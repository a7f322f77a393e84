//! Reads `neuronotes.yaml` to a [`Config`] with resolved paths, source positions and diagnostics.

mod author;
mod controls;
mod dataset;
mod defaults;
mod dictionary;
mod draw;
mod duration;
mod garden;
mod jekyll;
pub mod layout;
mod license;
mod list;
mod math;
mod names;
mod on;
mod profile;
mod remote;
mod review;
mod run;
mod settings;
mod source;
mod url;
mod weights;

use std::path::Path;

use neuronotes_core::kind::controlled::FIELD as CONTROLS;
use neuronotes_core::suggest;

use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::yaml::{Entry, Reader};

pub use controls::{Controls, Drawn};
pub use dataset::DatasetSource;
pub use defaults::Defaults;
pub use dictionary::DictionarySource;
pub use draw::DrawSource;
pub use garden::{Config, FILE, Jekyll, LONGEST};
pub use jekyll::parse as parse_jekyll;
pub use license::{License, Terms};
pub use list::List;
pub use math::{Command, Mathematics};
pub use on::{On, There};
pub use remote::Remote;
pub use review::Reviewing;
pub use run::{EngineName, Profile};
pub use settings::INSIDE;
use settings::Settings;
pub use source::Source;
use url::absolute_url;
pub use weights::{Place, Weights, names as known_models};

const FIELDS: [&str; 25] = [
    "title",
    "description",
    "authors",
    "license",
    "language",
    "url",
    "notes",
    "use_html_extension",
    "links",
    "open_external_links_in_new_tab",
    "remote",
    "footer",
    "bibliography",
    "citation_style",
    "math",
    "models",
    "datasets",
    "dictionaries",
    "lists",
    "defaults",
    CONTROLS,
    "device",
    "run",
    "review_in",
    "review_url",
];

/// Reads a configuration. Invalid entries are reported and keep their defaults.
pub fn parse(text: &str, root: &Path) -> (Config, Vec<Diagnostic>) {
    parse_over(Config::default(), text, root)
}

/// Reads a configuration over another one: a field that it has replaces the other's.
pub fn parse_over(base: Config, text: &str, root: &Path) -> (Config, Vec<Diagnostic>) {
    let lines = Lines::of(text);
    let reader = Reader::of_file(SourceFile { file: FILE, text, lines: &lines });
    let mut settings = Settings { reader, root, problems: Vec::new() };
    let mut config = base;
    let entries = settings.mapping();
    settings.config(&mut config, &entries);
    (config, settings.problems)
}

/// Whether `text` names a device: `auto`, `cpu`, `cuda` or `cuda:N`.
pub fn is_device(text: &str) -> bool {
    matches!(text, "auto" | "cpu" | "cuda")
        || text.strip_prefix("cuda:").is_some_and(|n| n.parse::<u8>().is_ok())
}

impl Settings<'_> {
    /// The entries; empty if the text cannot be read.
    fn mapping(&mut self) -> Vec<Entry> {
        let is_known = |key: &str| FIELDS.contains(&key);
        self.kept(|reader| reader.mapping("the configuration", "title", &is_known))
            .unwrap_or_default()
    }

    /// The notes folder, which must be inside the garden.
    fn notes(&mut self, entry: &Entry) -> Option<String> {
        let written = self.text(entry)?;
        let folder = layout::inside(&written);
        if folder.is_none() {
            let message = format!("`{written}` is outside the garden");
            let problem = self.reader.at_value(&entry.node, message);
            self.problems.push(problem.hint("use a folder of the garden, such as `notes: notes`"));
        }
        folder
    }

    /// Checks that each dictionary has a model.
    fn check_dictionaries(&mut self, config: &Config) {
        let names = config.model_names();
        for (name, dictionary) in &config.dictionaries {
            let (message, hint) = match config.model_of(dictionary) {
                None => (
                    format!("the dictionary `{name}` has no `model`"),
                    Some("name the model whose layer it is over".to_owned()),
                ),
                Some(model) if config.model(model).is_none() => (
                    format!(
                        "the dictionary `{name}` is over the model `{model}`, which is not among `models`"
                    ),
                    suggest::hint(model, &names),
                ),
                Some(_) => continue,
            };
            self.problems.push(self.reader.at.error(dictionary.span.clone(), message).hint(hint));
        }
    }

    /// Checks that each profile that `on` names is there. `profiles` are those that are written, also if wrong.
    fn check_on(&mut self, config: &Config, profiles: &[&str]) {
        let models = config.models.values().flat_map(|model| &model.on);
        let datasets = config.datasets.values().flat_map(|dataset| &dataset.on);
        for (name, there) in models.chain(datasets) {
            if config.run.contains_key(name) || profiles.contains(&name.as_str()) {
                continue;
            }
            let message = format!("`on` names the profile `{name}`, which is not among `run`");
            let hint = suggest::hint(name, config.run.keys())
                .unwrap_or_else(|| format!("add it: run: {{ {name}: {{ engine: slurm }} }}"));
            self.problems.push(self.reader.at.error(there.span.clone(), message).hint(hint));
        }
    }

    fn config(&mut self, config: &mut Config, entries: &[Entry]) {
        for entry in entries {
            match entry.key.as_str() {
                "title" => config.title = self.text(entry).unwrap_or_default(),
                "description" => config.description = self.text(entry),
                "authors" => config.authors = self.authors(entry),
                "license" => config.license = self.license(entry),
                "url" => {
                    if let Some(written) = self.text(entry) {
                        config.url = absolute_url(&written);
                        if config.url.is_none() {
                            self.no_url(entry, &written);
                        }
                    }
                }
                "notes" => config.notes = self.notes(entry),
                "use_html_extension" => {
                    config.use_html_extension = self.flag(entry, config.use_html_extension);
                }
                "links" => match self.text(entry).as_deref() {
                    Some("strict") => config.strict_links = true,
                    Some("lenient") | None => config.strict_links = false,
                    Some(_) => self.wrong(&entry.node, &entry.key, "`strict` or `lenient`"),
                },
                "open_external_links_in_new_tab" => {
                    let before = config.open_external_links_in_new_tab;
                    config.open_external_links_in_new_tab = self.flag(entry, before);
                }
                "remote" => config.remote = self.remote(entry),
                "language" => config.language = self.text(entry).unwrap_or_else(|| "en".into()),
                "footer" => config.footer = self.text(entry),
                "bibliography" => {
                    let written = self.text(entry).unwrap_or_default();
                    config.bibliography =
                        self.source(entry, written).filter(|source| !source.leaves());
                }
                "citation_style" => config.citation_style = self.text(entry),
                "device" => match self.text(entry) {
                    Some(device) if is_device(&device) => config.device = device,
                    _ => self.wrong(&entry.node, "device", "`auto`, `cpu` or `cuda:N`"),
                },
                "run" => config.run = self.profiles(entry),
                "math" => config.math = self.mathematics(entry),
                "review_in" => config.review.within = self.review_in(entry),
                "review_url" => config.review.url = self.review_url(entry),
                "models" => config.models = self.each(entry, Self::model),
                "datasets" => config.datasets = self.each(entry, Self::dataset),
                "dictionaries" => config.dictionaries = self.each(entry, Self::dictionary),
                "lists" => config.lists = self.each(entry, Self::named_list),
                "defaults" => self.defaults(&mut config.defaults, &entry.node),
                CONTROLS => config.controls = self.controls(entry),
                _ => self.unknown(entry, "the configuration", &FIELDS),
            }
        }
        self.check_dictionaries(config);
        let run = entries.iter().find(|entry| entry.key == "run");
        let run = run.and_then(|entry| entry.node.entries()).unwrap_or_default();
        let profiles: Vec<&str> = run.iter().map(|profile| profile.key.as_str()).collect();
        self.check_on(config, &profiles);
        let models = config.model_names();
        let datasets = config.dataset_names();
        // A known model's name may be written in several ways.
        let has_model =
            config.defaults.model.as_ref().is_some_and(|name| config.model(name).is_some());
        for (field, name, known) in [
            ("model", &config.defaults.model, &models),
            ("dataset", &config.defaults.dataset, &datasets),
        ] {
            if let Some(name) = name
                && !known.contains(&name.as_str())
                && !(field == "model" && has_model)
            {
                let message = format!("the default {field} `{name}` is not among `{field}s`");
                let defaults = entries.iter().find(|entry| entry.key == "defaults");
                let at = defaults.map_or(0..0, |entry| self.reader.key_span(entry));
                let problem = self.reader.at.error(at, message);
                self.problems.push(problem.hint(suggest::hint(name, known)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
