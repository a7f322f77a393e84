//! The data for pages that list others: the order of the notes, their tags, and the units that they mention.

use std::collections::BTreeMap;

use crate::plan::NamedUnit;

/// Tags, units and the order of the notes.
#[derive(Debug, Default)]
pub struct Index {
    /// Notes, the newest first, without the home page and standalone pages.
    pub newest: Vec<usize>,
    /// Tags by path of their page.
    pub tags: BTreeMap<String, Tag>,
    /// Units by path of their page.
    pub units: BTreeMap<String, Unit>,
    /// Pages of units.
    pub unit_pages: BTreeMap<NamedUnit, String>,
    /// For each model its layers and dictionaries, with their units in order and their pages.
    pub layers: BTreeMap<(String, String), Vec<(u32, String)>>,
}

/// A tag.
#[derive(Debug, Default)]
pub struct Tag {
    /// The spelling that most notes use.
    pub name: String,
    /// Notes that have it, the newest first.
    pub notes: Vec<usize>,
}

/// A unit that notes mention.
#[derive(Debug, Default)]
pub struct Unit {
    /// The model's name.
    pub model: String,
    /// The layer's or the dictionary's name for readers.
    pub layer: String,
    /// Channel or feature, from 0.
    pub unit: u32,
    /// Whether it is a feature of a dictionary.
    pub is_feature: bool,
    /// Its names in notes, each once.
    pub names: Vec<String>,
    /// Notes that mention it, each with the indices of its blocks that measure it, and the cell of a sweep.
    pub notes: BTreeMap<usize, Vec<(usize, Option<usize>)>>,
}

impl Unit {
    /// `Unit 5`, or `Feature 5` of a dictionary.
    pub(super) fn title(&self) -> String {
        self.numbered(self.unit)
    }

    /// The title of another unit of its layer.
    pub(super) fn numbered(&self, unit: u32) -> String {
        format!("{} {unit}", if self.is_feature { "Feature" } else { "Unit" })
    }
}
