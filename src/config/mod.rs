//! Reads `neuronotes.yaml` to a [`Config`] with resolved paths, source positions and diagnostics.

mod dataset;
mod dictionary;
mod jekyll;
pub mod layout;
mod math;
mod names;
mod remote;
mod source;
mod weights;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};

use neuronotes_core::model::Precision;
use neuronotes_core::suggest;

use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::yaml::{Entry, Node, Reader, Value};

pub use dataset::DatasetSource;
pub use dictionary::DictionarySource;
pub use jekyll::{Jekyll, parse as parse_jekyll};
pub use math::{Command, Mathematics};
pub use remote::Remote;
pub use source::Source;
pub use weights::{Place, Weights, names as known_models};

/// The configuration's file name.
pub const FILE: &str = "neuronotes.yaml";

/// Maximum size of a configuration in bytes.
pub const LONGEST: u64 = 4 << 20;

/// A garden's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Title of the garden.
    pub title: String,
    /// Description of the garden in a sentence, for search engines and feeds.
    pub description: Option<String>,
    /// Language of the notes, as BCP 47.
    pub language: String,
    /// The site's URL: an absolute `http` or `https` address without a final slash.
    pub url: Option<String>,
    /// The notes folder relative to the garden; empty for the garden itself, `None` to use the layout's.
    pub notes: Option<String>,
    /// Whether links to notes end in `.html`, such as `people/ada.html`. Otherwise they need a host that serves
    /// `people/ada.html` for `people/ada`, as most do; file names are the same in both cases.
    pub use_html_extension: bool,
    /// Whether ambiguous links and addresses that several notes claim are errors.
    pub strict_links: bool,
    /// Whether links to other sites open in a new tab.
    pub open_external_links_in_new_tab: bool,
    /// Whether notes may load from other hosts, and run scripts.
    pub remote: Remote,
    /// Settings of Jekyll's own configuration; `None` in other gardens.
    pub jekyll: Option<Jekyll>,
    /// Markdown: the line that appears after every note.
    pub footer: Option<String>,
    /// The bibliography: a BibTeX file.
    pub bibliography: Option<Source>,
    /// The citation style: `ieee`, `apa`, `nature` …
    pub citation_style: Option<String>,
    /// Macros for formulas.
    pub math: Mathematics,
    /// By name.
    pub models: BTreeMap<String, Weights>,
    /// By name.
    pub datasets: BTreeMap<String, DatasetSource>,
    /// By name.
    pub dictionaries: BTreeMap<String, DictionarySource>,
    /// Defaults for blocks.
    pub defaults: Defaults,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
}

impl Config {
    /// The absolute URL of a path below the site's root, if the site's URL is configured.
    pub fn absolute(&self, path: &str) -> Option<String> {
        self.url.as_ref().map(|url| format!("{}/{path}", url.trim_end_matches('/')))
    }

    /// The path of the site's root on its host, with `/` at both ends.
    pub fn base_path(&self) -> String {
        let path = self.url.as_ref().and_then(|url| url.split_once("://")).and_then(|(_, rest)| {
            let (_, path) = rest.split_once('/')?;
            Some(path.trim_matches('/'))
        });
        match path {
            None | Some("") => "/".to_owned(),
            Some(path) => format!("/{path}/"),
        }
    }
}

/// Hint for a path outside the garden.
pub const INSIDE: &str = "use an absolute path for weights or data outside the garden";

/// Defaults for blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    /// A model's name.
    pub model: Option<String>,
    /// A data set's name.
    pub dataset: Option<String>,
    /// Random seed.
    pub seed: i64,
    /// Precision of the forward pass.
    pub precision: Precision,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            title: "Neuronotes".into(),
            description: None,
            language: "en".into(),
            url: None,
            notes: None,
            use_html_extension: true,
            strict_links: false,
            open_external_links_in_new_tab: false,
            remote: Remote::default(),
            jekyll: None,
            footer: None,
            bibliography: None,
            citation_style: None,
            math: Mathematics::default(),
            models: BTreeMap::new(),
            datasets: BTreeMap::new(),
            dictionaries: BTreeMap::new(),
            defaults: Defaults::default(),
            device: "auto".into(),
        }
    }
}

const FIELDS: [&str; 18] = [
    "title",
    "description",
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
    "defaults",
    "device",
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

/// Reads the configuration's entries and collects diagnostics.
struct Settings<'a> {
    reader: Reader<'a>,
    root: &'a Path,
    problems: Vec<Diagnostic>,
}

/// A site's absolute `http` or `https` URL without a final slash; `None` if it is invalid.
fn absolute_url(written: &str) -> Option<String> {
    let written = written.trim().trim_end_matches('/');
    let rest = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://"))?;
    let host = rest.split('/').next().unwrap_or_default();
    let plain = !written.contains(|c: char| c.is_whitespace() || "?#\"'<>\\`{}".contains(c));
    (plain && !host.is_empty() && !host.starts_with(':')).then(|| written.to_owned())
}

impl Settings<'_> {
    /// The entries; empty if the text cannot be read.
    fn mapping(&mut self) -> Vec<Entry> {
        let is_known = |key: &str| FIELDS.contains(&key);
        self.kept(|reader| reader.mapping("the configuration", "title", &is_known))
            .unwrap_or_default()
    }

    /// The value, or `None` with its problem collected.
    fn kept<T>(&mut self, read: impl FnOnce(&Reader<'_>) -> Result<T, Diagnostic>) -> Option<T> {
        match read(&self.reader) {
            Ok(found) => Some(found),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn no_url(&mut self, entry: &Entry, written: &str) {
        let message = format!("`{}` must be an absolute address, not `{written}`", entry.key);
        let problem = self.reader.at_value(&entry.node, message);
        self.problems.push(problem.hint("write it as https://example.org/garden"));
    }

    fn flag(&mut self, entry: &Entry, default: bool) -> bool {
        match entry.node.value {
            Value::Null => default,
            _ => self.kept(|reader| reader.flag(&entry.node, &entry.key)).unwrap_or(default),
        }
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

    fn wrong(&mut self, node: &Node, field: &str, expected: &str) {
        self.problems.push(self.reader.wrong(node, field, expected));
    }

    fn unknown(&mut self, entry: &Entry, what: &str, known: &[&str]) {
        self.problems.push(self.reader.unknown(entry, what, known));
    }

    fn text(&mut self, entry: &Entry) -> Option<String> {
        match entry.node.value {
            Value::Null => None,
            _ => self.kept(|reader| reader.text(&entry.node, &entry.key)),
        }
    }

    fn config(&mut self, config: &mut Config, entries: &[Entry]) {
        for entry in entries {
            match entry.key.as_str() {
                "title" => config.title = self.text(entry).unwrap_or_default(),
                "description" => config.description = self.text(entry),
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
                "math" => config.math = self.mathematics(entry),
                "models" => config.models = self.each(entry, Self::model),
                "datasets" => config.datasets = self.each(entry, Self::dataset),
                "dictionaries" => config.dictionaries = self.each(entry, Self::dictionary),
                "defaults" => self.defaults(&mut config.defaults, &entry.node),
                _ => self.unknown(entry, "the configuration", &FIELDS),
            }
        }
        self.check_dictionaries(config);
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

    fn defaults(&mut self, defaults: &mut Defaults, node: &Node) {
        let Some(entries) = node.entries() else {
            return self.wrong(node, "defaults", "a mapping");
        };
        for entry in entries {
            match entry.key.as_str() {
                "model" => defaults.model = self.text(entry),
                "dataset" => defaults.dataset = self.text(entry),
                "seed" => match entry.node.value {
                    Value::Integer(seed) if seed >= 0 => defaults.seed = seed,
                    _ => self.wrong(&entry.node, "seed", "a whole number from 0"),
                },
                "precision" => match entry.node.text().as_deref().and_then(Precision::named) {
                    Some(precision) => defaults.precision = precision,
                    None => self.wrong(&entry.node, "precision", "`f32`, `bf16` or `f16`"),
                },
                _ => {
                    let known = ["model", "dataset", "seed", "precision"];
                    self.unknown(entry, "`defaults`", &known);
                }
            }
        }
    }

    fn each<T>(
        &mut self,
        entry: &Entry,
        read: fn(&mut Self, &Entry) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let Some(entries) = entry.node.entries() else {
            self.wrong(&entry.node, &entry.key, "a mapping of names to paths");
            return BTreeMap::new();
        };
        let read = |named: &Entry| Some((named.key.clone(), read(self, named)?));
        entries.iter().filter_map(read).collect()
    }

    /// The path of an entry, which is required.
    fn source(&mut self, named: &Entry, written: String) -> Option<Source> {
        let span = self.reader.key_span(named);
        if written.is_empty() {
            self.unplaced(named);
            return None;
        }
        if escapes(&written) {
            self.leaves(span.clone(), &written);
        }
        Some(Source::new(self.root, written, span))
    }

    fn unplaced(&mut self, named: &Entry) {
        let message = format!("`{}` has no `path`", named.key);
        let hint = format!("add one: {}: {{ path: … }}", named.key);
        self.problems.push(self.reader.at_key(named, message).hint(hint));
    }

    fn leaves(&mut self, span: Range<usize>, written: &str) {
        let message = format!("`{written}` is outside the garden");
        self.problems.push(self.reader.at.error(span, message).hint(INSIDE));
    }
}

/// Whether a relative path leaves its starting folder.
fn escapes(path: &str) -> bool {
    let mut depth = 0i32;
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use neuronotes_core::model::{Activation, Given};

    use super::*;

    #[test]
    fn a_whole_configuration() {
        let text = "title: A garden\nfooter: This line appears after every note.\nmodels:\n  emoji: { path: models/e.safetensors }\n\
                    datasets:\n  emoji: data/emoji.tar\ndefaults: { model: emoji, dataset: emoji, seed: 7 }\ndevice: cuda:1\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let Place::File(source) = &config.models["emoji"].place else { panic!("a file") };
        assert_eq!(source.path, Path::new("/garden/models/e.safetensors"));
        assert_eq!(config.datasets["emoji"].paths, ["data/emoji.tar"]);
        assert_eq!((config.defaults.seed, config.device.as_str()), (7, "cuda:1"));
    }

    #[test]
    fn a_garden_says_where_its_notes_and_its_site_are_and_how_links_look() {
        let text = "notes: ./my/notes/\nurl: https://a.org/b/\nuse_html_extension: false\ndescription: All of it.\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        assert_eq!(config.notes.as_deref(), Some("my/notes"));
        assert_eq!(config.url.as_deref(), Some("https://a.org/b"));
        assert!(!config.use_html_extension && !config.open_external_links_in_new_tab);
        assert_eq!(config.description.as_deref(), Some("All of it."));
        assert_eq!(parse("notes: .\n", Path::new("/garden")).0.notes.as_deref(), Some(""));
        let (base, _) = parse_jekyll("title: Theirs\nopen_external_links_in_new_tab: true\n");
        let (config, _) = parse_over(base, "title: Ours\n", Path::new("/garden"));
        assert_eq!(config.title, "Ours");
        assert!(config.open_external_links_in_new_tab, "what it does not say stays");
    }

    #[test]
    fn texts_are_as_they_are_written() {
        for text in
            ["yes", "off", "y", "007", "1.10", "0x10", "1e3", ".5", "1_000", "2024-01-01", "+5"]
        {
            let yaml = format!(
                "title: {text}\ndescription: {text}\nlanguage: {text}\nfooter: {text}\nnotes: {text}\nbibliography: {text}\n\
                 models:\n  {text}: {{ path: {text} }}\n  other: {text}\ndatasets:\n  {text}: [{text}, null]\n  one: {text}\n\
                 defaults: {{ model: {text}, dataset: {text} }}\nmath: {{ macros: {{ R: {text}, S: [{text}, 1, {text}] }} }}\n"
            );
            let (config, problems) = parse(&yaml, Path::new("/garden"));
            assert_eq!(problems, [], "{yaml}");
            assert_eq!((&*config.title, &*config.language), (text, text));
            let (description, footer) = (config.description.as_deref(), config.footer.as_deref());
            assert_eq!(
                (description, footer, config.notes.as_deref()),
                (Some(text), Some(text), Some(text))
            );
            assert_eq!(config.bibliography.map(|source| source.written).as_deref(), Some(text));
            for name in [text, "other"] {
                let Place::File(source) = &config.models[name].place else { panic!("a file") };
                assert_eq!(source.written, text);
            }
            assert_eq!(config.datasets[text].paths, [text, "null"]);
            assert_eq!(config.datasets["one"].paths, [text]);
            let defaults = (config.defaults.model.as_deref(), config.defaults.dataset.as_deref());
            assert_eq!(defaults, (Some(text), Some(text)));
            let commands: Vec<_> =
                config.math.macros.iter().map(|it| (&*it.body, it.default.as_deref())).collect();
            assert_eq!(commands, [(text, None), (text, Some(text))]);
            let (theirs, _) =
                parse_jekyll(&format!("title: {text}\ndescription: {text}\npermalink: {text}\n"));
            assert_eq!((&*theirs.title, theirs.description.as_deref()), (text, Some(text)));
            assert_eq!(theirs.jekyll.and_then(|it| it.permalink).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_key_in_quotes_has_a_place_in_the_text() {
        for text in
            ["\"\\x00\\u672b末末末末末\": x", "'a''b末末': x", "\"\\U0001F416🐖🐖\\\n x\":\n  y"]
        {
            for problem in parse(text, Path::new("/garden")).1 {
                assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
            }
        }
    }

    #[test]
    fn weights_with_an_unreadable_digest_are_not_used_unchecked() {
        let (config, problems) =
            parse("models:\n  a: { path: m, sha256: 12 }\n", Path::new("/garden"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(config.models.is_empty());
    }

    #[test]
    fn what_weights_do_not_say_can_be_said() {
        let text = "models:\n  a: { path: m, activation: gelu, mean: [0.5, 0.5, 1], deviation: [1, 1, 0.5] }\n  \
                    RN50: {}\n  b: m\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let given = |name: &str| config.models[name].given.clone();
        assert_eq!(given("a").activation, Some(Activation::Gelu));
        assert_eq!(given("a").mean, Some([0.5, 0.5, 1.0]));
        assert_eq!(given("a").deviation, Some([1.0, 1.0, 0.5]));
        // All models known by name are OpenAI's.
        assert_eq!(given("RN50").activation, Some(Activation::QuickGelu));
        assert_eq!(given("b"), Given::default());
    }

    #[test]
    fn a_known_name_needs_no_path() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let text = format!(
            "models:\n  RN50x4: {{}}\n  emoji:\n  vit-b-32:\n  RN50: {{ path: a.pt, sha256: {digest} }}\n"
        );
        let (config, problems) = parse(&text, Path::new("/garden"));
        assert_eq!(problems, []);
        let named = |name: &str| match &config.models[name].place {
            Place::Known(known) => known.name,
            Place::Bundled(_) => "bundled",
            Place::File(source) => &source.written,
        };
        assert_eq!(named("emoji"), "bundled");
        assert_eq!(
            (named("RN50x4"), named("vit-b-32"), named("RN50")),
            ("RN50x4", "ViT-B/32", "a.pt")
        );
        assert_eq!(config.models["RN50"].sha256.expect("a digest").to_string(), digest);
        let hint = parse("models:\n  RN5Ox4: {}\n", Path::new("/garden")).1.remove(0).hint;
        assert_eq!(hint.expect("a hint").split('`').nth(1), Some("RN50x4"));
    }

    #[test]
    fn every_mistake_has_its_place_and_a_hint() {
        let all: Vec<String> = [
            "titel: x\n",
            "notes: ../elsewhere\n",
            "url: example.org\n",
            "use_html_extension: maybe\n",
            "device: gpu\n",
            "models:\n  a: {}\n",
            "models:\n  RN50x3: {}\n",
            "models:\n  RN50x4: { path: }\n",
            "models:\n  RN50x4: [a]\n",
            "models:\n  RN50x4: { sha256: 12 }\n",
            "models:\n  a: { path: m, activation: relu, mean: [1, 2], deviation: [0, 0, 0] }\n",
            "datasets:\n  RN50x4: {}\n",
            "models:\n  a: ../../weights\n",
            "models:\n  emoji: m\ndefaults: {model: emojis}\n",
            "defaults: {seed: -1}\n",
            "models: [\n",
            "- a\n",
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
