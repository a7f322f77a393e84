//! Another state of a garden, of which only the files that differ are on disk.

use std::path::PathBuf;

use neuronotes_core::files::FileDigests;

use super::{Workspace, WorkspaceError};
use crate::config::{DatasetSource, Place};
use crate::garden::dates::GitDates;
use crate::render::Renderer;

impl Workspace {
    /// Another state of this garden: `root`, an absolute path without links, has its configuration and its version of
    /// each of the `changed` files, which are gone if they are not there. Other notes and files are as here, and are not
    /// parsed again. Results are looked up in the same store; dates are not known.
    ///
    /// # Errors
    /// If the built-in templates cannot be used.
    pub fn revision<'a>(
        &self,
        root: PathBuf,
        changed: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, WorkspaceError> {
        let mut other = Self {
            root,
            config: self.config.clone(),
            layout: self.layout.clone(),
            store: self.store.clone(),
            thawed: self.thawed.clone(),
            digests: FileDigests::load(&self.cache("digests.json")),
            renderer: Renderer::new(None).map_err(WorkspaceError::Template)?,
            git: GitDates::default(),
            commits: Default::default(),
            library: Default::default(),
            reviews: Default::default(),
            drafts: self.drafts,
            files: self.files.clone(),
            config_text: self.config_text.clone(),
            jekyll_text: self.jekyll_text.clone(),
            defined: self.defined.clone(),
            outputs: self.outputs.clone(),
            includes: self.includes.clone(),
            unincluded: Vec::new(),
            notes: self.notes.clone(),
            links: self.links.clone(),
            config_problems: Vec::new(),
            notices: Vec::new(),
            template_problem: None,
            date_problem: None,
            liquid_problem: None,
            unread: self.unread.clone(),
            passing: Default::default(),
        };
        other.apply(changed);
        Ok(other)
    }

    /// Reads weights and data in another state of this garden, `from`, except for those of which `differs` says, given a path
    /// as written in the configuration, that their content differs there.
    pub fn borrow_data(&mut self, from: &Self, differs: impl Fn(&str) -> bool) {
        let own = self.root.clone();
        let root = |differs: bool| if differs { &own } else { &from.root };
        for weights in self.config.models.values_mut() {
            if let Place::File(source) = &mut weights.place {
                source.path = root(differs(&source.written)).join(&source.written);
            }
        }
        for set in self.config.datasets.values_mut() {
            let differing = written(set).any(&differs);
            set.root = root(differing).clone();
        }
        for dictionary in self.config.dictionaries.values_mut() {
            let source = &mut dictionary.source;
            source.path = root(differs(&source.written)).join(&source.written);
        }
    }

    /// The YAML of all blocks.
    pub fn blocks(&self) -> impl Iterator<Item = &str> {
        let blocks = self.notes.values().flat_map(|parsed| &parsed.published().blocks);
        blocks.map(|block| block.yaml.as_str())
    }

    /// The paths of weights and data, as written in the configuration.
    pub fn data(&self) -> Vec<&str> {
        let weights = self.config.models.values().filter_map(|weights| match &weights.place {
            Place::File(source) => Some(source.written.as_str()),
            _ => None,
        });
        let sets = self.config.datasets.values().flat_map(written);
        let dictionaries = self.config.dictionaries.values().map(|one| one.source.written.as_str());
        weights.chain(sets).chain(dictionaries).collect()
    }
}

/// The paths of a data set's files, as written.
fn written(set: &DatasetSource) -> impl Iterator<Item = &str> {
    let fonts = set.draw.iter().flat_map(|draw| &draw.fonts).map(|(font, _)| font);
    set.paths.iter().chain(&set.pictures).chain(fonts).map(String::as_str)
}
