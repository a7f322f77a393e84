//! What the units that drawings name are called on a page, and where units are used: from the plan and from the drawings
//! of all notes, when a page is made. So a stored drawing stays valid if notes rename its units.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Known;
use super::scene::Scene;
use super::settled::Settled;
use crate::figure::{Drawing, UnitRef};
use crate::plan::{Measurement, NamedUnit, Plan, Wanted};
use crate::view::{LinkView, UnitNameView, UsedView};

/// Maximum number of figures listed for a unit.
const MOST: usize = 40;

impl<'a> Scene<'a> {
    /// The names of the units that a drawing refers to, by its references.
    pub(super) fn unit_names<'d>(
        &self,
        page: &str,
        drawings: impl IntoIterator<Item = &'d Drawing>,
    ) -> BTreeMap<String, UnitNameView<'a>> {
        let units = drawings.into_iter().flat_map(Drawing::units);
        units.map(|unit| (unit.to_string(), self.unit_name(page, unit))).collect()
    }

    fn unit_name(&self, page: &str, unit: &UnitRef) -> UnitNameView<'a> {
        let key = named(unit);
        let known = self.known_units().get(&key);
        let home = known.and_then(|known| known.home.as_ref());
        // The page of the note itself has nowhere further to lead to than the unit's own.
        let elsewhere = home.map(|(note, _)| &self.garden.pages[*note]).filter(|at| *at != page);
        UnitNameView {
            unit: unit.unit,
            name: home.map(|(_, name)| name.clone()),
            picture: known.and_then(|known| self.picture_of(known.figures.iter().copied())),
            href: match (elsewhere, known) {
                (Some(at), _) => Some(self.href(page, at, None)),
                (None, Some(known)) => Some(self.unit_href(page, &key, &known.model, &known.layer)),
                (None, None) => None,
            },
        }
    }

    /// For each unit that a note declares, the figures of other notes that are about it or name it.
    pub(super) fn used_in(&self, index: usize) -> Vec<UsedView> {
        let page = &self.garden.pages[index];
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (declared, unit) in self.plan.named(index).iter().zip(self.unit_links(page, index)) {
            let figures = self.uses().get(&declared.unit);
            let figures = figures.into_iter().flatten().filter(|(note, _)| *note != index);
            let mut figures: Vec<LinkView> = figures
                .map(|(note, block)| {
                    let id = &self.notes[*note].blocks[*block].id;
                    let title = self.figure_label(page, *note, Some(id)).unwrap_or_default();
                    LinkView { title, href: self.href(page, &self.garden.pages[*note], Some(id)) }
                })
                .collect();
            if figures.is_empty() || !seen.insert(&declared.unit) {
                continue;
            }
            let more = figures.len().saturating_sub(MOST);
            figures.truncate(MOST);
            all.push(UsedView { unit, figures, more });
        }
        all
    }

    /// The names that notes give to the units in a figure, for the search.
    pub(super) fn names_in(&self, settled: &Settled) -> Vec<&str> {
        let units = settled.drawings().into_iter().flat_map(Drawing::units);
        let home = |unit: &UnitRef| {
            let (_, name) = self.known_units().get(&named(unit))?.home.as_ref()?;
            Some(name.as_str())
        };
        units.filter_map(home).collect()
    }

    /// All units that have a page.
    fn known_units(&self) -> &BTreeMap<NamedUnit, Known> {
        self.shared.known.get_or_init(|| {
            let mut all: BTreeMap<NamedUnit, Known> = BTreeMap::new();
            for note in 0..self.notes.len() {
                for named in self.plan.named(note) {
                    let known = all.entry(named.unit.clone()).or_default();
                    known.model.clone_from(&named.model);
                    known.layer.clone_from(&named.layer);
                    known.home.get_or_insert_with(|| (note, named.name.clone()));
                }
            }
            for (unit, measurement, figure) in about(self.plan, self.notes.len()) {
                let known = all.entry(unit).or_default();
                known.model.clone_from(&measurement.request.model.name);
                measurement.layer_shown().clone_into(&mut known.layer);
                known.figures.push(figure);
            }
            all
        })
    }

    /// For each unit the figures that are about it or name it: note and block, in the garden's order.
    fn uses(&self) -> &BTreeMap<NamedUnit, BTreeSet<(usize, usize)>> {
        self.shared.uses.get_or_init(|| {
            let mut all: BTreeMap<NamedUnit, BTreeSet<(usize, usize)>> = BTreeMap::new();
            for note in 0..self.notes.len() {
                for (block, wanted) in self.plan.wanted(note).iter().enumerate() {
                    let about = wanted.measurements().into_iter().filter_map(|m| m.named());
                    let settled = self.figures[note].get(block);
                    let drawings = settled.map(Settled::drawings).unwrap_or_default();
                    let drawn = drawings.into_iter().flat_map(Drawing::units).map(named);
                    for unit in about.chain(drawn) {
                        all.entry(unit).or_default().insert((note, block));
                    }
                }
            }
            all
        })
    }
}

/// The measurements that are about a unit: that, and the note, the block and the cell of a sweep.
fn about(
    plan: &Plan,
    notes: usize,
) -> impl Iterator<Item = (NamedUnit, &Measurement, (usize, usize, Option<usize>))> {
    let blocks = (0..notes).flat_map(move |note| {
        plan.wanted(note).iter().enumerate().map(move |(block, wanted)| (note, block, wanted))
    });
    blocks.flat_map(|(note, block, wanted)| {
        let sweeps = matches!(wanted, Wanted::Sweep(_));
        wanted.measurements().into_iter().enumerate().filter_map(move |(cell, measurement)| {
            Some((measurement.named()?, measurement, (note, block, sweeps.then_some(cell))))
        })
    })
}

/// The notes with figures about units that these drawings name: their pictures stand beside the names.
pub fn pictured<'d>(
    drawings: impl IntoIterator<Item = &'d Drawing>,
    plan: &Plan,
    notes: usize,
) -> BTreeSet<usize> {
    let units = drawings.into_iter().flat_map(Drawing::units);
    let units: BTreeSet<NamedUnit> = units.map(named).collect();
    if units.is_empty() {
        return BTreeSet::new();
    }
    let all = about(plan, notes).filter(|(unit, ..)| units.contains(unit));
    all.map(|(_, _, (note, ..))| note).collect()
}

fn named(unit: &UnitRef) -> NamedUnit {
    (unit.model, unit.place.clone(), unit.unit)
}
