//! The configuration of a garden.

use std::collections::BTreeMap;

use super::controls::Controls;
use super::dataset::DatasetSource;
use super::defaults::Defaults;
use super::dictionary::DictionarySource;
use super::license::License;
use super::list::List;
use super::math::Mathematics;
use super::remote::Remote;
use super::review::Reviewing;
use super::run::Profile;
use super::source::Source;
use super::weights::Weights;
use crate::author::Author;

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
    /// Authors of the notes that name none.
    pub authors: Vec<Author>,
    /// The licence of the notes and their figures.
    pub license: Option<License>,
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
    /// Lists of texts, by name.
    pub lists: BTreeMap<String, List>,
    /// Defaults for blocks.
    pub defaults: Defaults,
    /// What figures are compared with that nobody chose.
    pub controls: Controls,
    /// `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// How workers are started on other machines, by name.
    pub run: BTreeMap<String, Profile>,
    /// How notes are reviewed.
    pub review: Reviewing,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            title: "Neuronotes".into(),
            description: None,
            authors: Vec::new(),
            license: None,
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
            lists: BTreeMap::new(),
            defaults: Defaults::default(),
            controls: Controls::default(),
            device: "auto".into(),
            run: BTreeMap::new(),
            review: Reviewing::default(),
        }
    }
}

/// Settings of Jekyll gardens only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jekyll {
    /// The site's path on its host, such as `/garden`, without a final slash; usually empty.
    pub base: String,
    /// `collections.notes.permalink`: a pattern such as `/:slug`.
    pub notes: Option<String>,
    /// `permalink`: the default style, such as `pretty`, or pattern.
    pub permalink: Option<String>,
}
