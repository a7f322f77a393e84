//! The data for pages that list others: the order of the notes, their tags, and the units that they mention.

use std::collections::{BTreeMap, BTreeSet};

use super::{HOME, Scene, generated};
use crate::plan::{NamedUnit, Wanted};

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

impl Index {
    /// Collects the index of a scene.
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        let is_aside = |index: usize| scene.garden.routes.is_aside(scene.notes[index]);
        let listed = |index: &usize| scene.garden.pages[*index] != HOME && !is_aside(*index);
        let mut newest: Vec<usize> = (0..scene.notes.len()).filter(listed).collect();
        let keyed: Vec<_> = (0..scene.notes.len()).map(|index| scene.changed(index)).collect();
        newest.sort_by(|a, b| {
            let titles = || scene.notes[*a].title.cmp(&scene.notes[*b].title);
            keyed[*b].cmp(&keyed[*a]).then_with(titles)
        });
        let mut index = Self { newest, ..Self::default() };
        index.read_tags(scene);
        index.read_units(scene);
        index
    }

    fn read_tags(&mut self, scene: &Scene<'_>) {
        let mut spellings: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        let home = scene.garden.pages.iter().position(|page| page == HOME);
        for note in self.newest.iter().copied().chain(home) {
            for tag in &scene.notes[note].tags {
                let page = generated::tag_page(tag);
                let notes = &mut self.tags.entry(page.clone()).or_default().notes;
                if notes.last() != Some(&note) {
                    notes.push(note);
                }
                *spellings.entry(page).or_default().entry(tag).or_default() += 1;
            }
        }
        for (page, spellings) in spellings {
            let most = spellings.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
            if let (Some(tag), Some((name, _))) = (self.tags.get_mut(&page), most) {
                (*name).clone_into(&mut tag.name);
            }
        }
    }

    fn read_units(&mut self, scene: &Scene<'_>) {
        let mut units: BTreeMap<NamedUnit, Unit> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for note in 0..scene.notes.len() {
            for named in scene.plan.named(note) {
                let unit = units.entry(named.unit.clone()).or_default();
                unit.model.clone_from(&named.model);
                unit.layer.clone_from(&named.layer);
                unit.unit = named.unit.2;
                unit.is_feature = named.unit.1.dictionary().is_some();
                if known.insert((named.unit.clone(), named.name.clone())) {
                    unit.names.push(named.name.clone());
                }
                unit.notes.entry(note).or_default();
            }
            for (block, wanted) in scene.plan.wanted(note).iter().enumerate() {
                for (cell, measurement) in wanted.measurements().into_iter().enumerate() {
                    let Some(key) = measurement.named() else { continue };
                    let unit = units.entry(key.clone()).or_default();
                    unit.model.clone_from(&measurement.request.model.name);
                    measurement.layer_shown().clone_into(&mut unit.layer);
                    unit.unit = key.2;
                    unit.is_feature = key.1.dictionary().is_some();
                    let cell = matches!(wanted, Wanted::Sweep(_)).then_some(cell);
                    unit.notes.entry(note).or_default().push((block, cell));
                }
            }
        }
        let mut taken = BTreeSet::new();
        for (key, unit) in units {
            let mut page = generated::unit_page(&unit.model, &unit.layer, unit.unit);
            // Two models of one name, at different times.
            while !taken.insert(page.clone()) {
                page = page.replace(".html", &format!("-{}.html", key.0.short()));
            }
            self.unit_pages.insert(key, page.clone());
            let layer = self.layers.entry((unit.model.clone(), unit.layer.clone())).or_default();
            layer.push((unit.unit, page.clone()));
            self.units.insert(page, unit);
        }
        self.layers.values_mut().for_each(|units| units.sort_unstable());
    }
}
