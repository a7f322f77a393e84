//! The plan of all notes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use super::baseline::Baselines;
use super::named::{Named, NamedUnit};
use super::wanted::{Cell, Measurement, Wanted};
use crate::config::Config;
use crate::diagnostic::Diagnostic;

/// The plan of all notes.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each note, in the garden's order.
    notes: Vec<Arc<Planned>>,
    /// Each request once, in the order of the notes and their blocks.
    pub requests: Vec<(Digest, Arc<Request>)>,
    /// The scans that these use, each once.
    pub scans: Vec<(Digest, Request)>,
    /// Names of units from front matter.
    pub names: BTreeMap<NamedUnit, String>,
    /// The ledgers of the data sets that blocks name.
    pub ledgers: BTreeMap<String, Arc<Ledger>>,
    baselines: Baselines,
}

/// The plan of one note.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// The requests of each of its blocks.
    pub(super) wanted: Vec<Wanted>,
    /// Its names of units.
    pub(super) names: Vec<Named>,
    /// Errors in its list of units.
    pub(super) unit_problems: Vec<Diagnostic>,
    /// Folders, relative to the garden, of pictures that its blocks name, even if these are missing.
    pub(super) folders: BTreeSet<String>,
}

impl Plan {
    pub(super) fn of(
        notes: Vec<Arc<Planned>>,
        ledgers: BTreeMap<String, Arc<Ledger>>,
        config: &Config,
    ) -> Self {
        let mut plan = Self { notes, ledgers, ..Self::default() };
        let (mut seen, mut scanned) = (HashSet::new(), HashSet::new());
        for note in &plan.notes {
            for measurement in note.wanted.iter().flat_map(Wanted::measurements) {
                if seen.insert(measurement.key) {
                    plan.requests.push((measurement.key, Arc::clone(&measurement.request)));
                    let uses = measurement.request.uses.iter();
                    let scans = uses.filter(|used| used.kind == scan::NAME);
                    for (key, scan) in measurement.scans.iter().zip(scans) {
                        if scanned.insert(*key) {
                            plan.scans.push((*key, scan.clone()));
                        }
                    }
                }
            }
            for named in &note.names {
                plan.names.entry(named.unit.clone()).or_insert_with(|| named.name.clone());
            }
        }
        plan.baselines = Baselines::of(&plan.requests, config.defaults.dataset.as_deref());
        plan
    }

    /// The requests of each block of a note.
    pub fn wanted(&self, note: usize) -> &[Wanted] {
        self.notes.get(note).map_or(&[], |planned| &planned.wanted)
    }

    /// All measurements of all blocks, possibly repeated.
    pub fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.notes.iter().flat_map(|note| &note.wanted).flat_map(Wanted::measurements)
    }

    /// A note's names of units.
    pub fn named(&self, note: usize) -> &[Named] {
        self.notes.get(note).map_or(&[], |planned| &planned.names)
    }

    /// Errors in a note's list of units.
    pub fn unit_problems(&self, note: usize) -> &[Diagnostic] {
        self.notes.get(note).map_or(&[], |planned| &planned.unit_problems)
    }

    /// Folders, relative to the garden, of pictures that blocks name, even if these are missing.
    pub fn folders(&self) -> BTreeSet<String> {
        self.notes.iter().flat_map(|planned| &planned.folders).cloned().collect()
    }

    /// A scan of the same layer that the garden requests elsewhere, for comparison: the data set's name and the
    /// scan's key.
    pub fn baseline(&self, measurement: &Measurement) -> Option<(String, Digest)> {
        self.baselines.find(measurement)
    }

    /// A description of a sweep's measurement: `unit 89 · finance, recipe maco`.
    pub fn caption(&self, cell: &Cell) -> String {
        let name = cell.measurement.named().and_then(|unit| self.names.get(&unit));
        cell.said(name.map(String::as_str))
    }
}
