//! Models and data sets by name, with those that need no entry in the configuration: bundled ones and OpenAI's models.

use std::borrow::Cow;

use super::dictionary::DictionarySource;
use super::garden::Config;
use super::weights::{self, Weights};
use crate::bundled;

impl Config {
    /// The model with that name: the garden's own, or else a known one.
    pub fn model(&self, name: &str) -> Option<Cow<'_, Weights>> {
        let own = self.models.get(name).map(Cow::Borrowed);
        own.or_else(|| Weights::by_name(name).map(Cow::Owned))
    }

    /// The names of all models, the garden's own first.
    pub fn model_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.models.keys().map(String::as_str).collect();
        for known in weights::names().filter(|name| !self.models.contains_key(*name)) {
            names.push(known);
        }
        names
    }

    /// The names of all data sets, the garden's own first.
    pub fn dataset_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.datasets.keys().map(String::as_str).collect();
        for known in bundled::DATASETS.iter().filter(|name| !self.datasets.contains_key(**name)) {
            names.push(known);
        }
        names
    }

    /// The model that a dictionary is over: its own, else the default one, else the garden's only one.
    pub fn model_of<'a>(&'a self, dictionary: &'a DictionarySource) -> Option<&'a str> {
        let only = || (self.models.len() == 1).then(|| self.models.keys().next()).flatten();
        let named = dictionary.model.as_ref().or(self.defaults.model.as_ref());
        named.or_else(only).map(String::as_str)
    }
}
