//! Collects the notes, tags and units that pages list.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{Index, Unit};
use super::path::{tag_page, unit_page};
use super::scene::{HOME, Scene};
use crate::plan::{NamedUnit, Wanted};

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
                let page = tag_page(tag);
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
            let mut page = unit_page(&unit.model, &unit.layer, unit.unit);
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
