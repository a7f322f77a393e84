//! The plan of all notes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use super::baseline::Baselines;
use super::control::{Control, Lacking};
use super::named::{Named, NamedUnit};
use super::wanted::{Cell, Measurement, Wanted};
use crate::config::Config;
use crate::diagnostic::Diagnostic;

/// The plan of all notes.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each note, in the garden's order.
    notes: Vec<Arc<Planned>>,
    /// For each of them and each of its blocks, the controls that are measured.
    controls: Vec<Vec<Vec<Arc<Control>>>>,
    /// The same for the controls that are left out.
    lacking: Vec<Vec<Vec<Lacking>>>,
    /// Each request once, in the order of the notes and their blocks; those of controls after all others.
    pub requests: Vec<(Digest, Arc<Request>)>,
    /// How many of them blocks ask for; the rest are of controls only.
    pub of_blocks: usize,
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
    /// The controls of each of them.
    pub(super) controls: Vec<Vec<Arc<Control>>>,
    /// The controls that each of them lacks.
    pub(super) lacking: Vec<Vec<Lacking>>,
    /// Its names of units.
    pub(super) names: Vec<Named>,
    /// Errors in its list of units.
    pub(super) unit_problems: Vec<Diagnostic>,
    /// Folders, relative to the garden, of pictures that its blocks name, even if these are missing.
    pub(super) folders: BTreeSet<String>,
}

/// Requests and their scans, each once.
#[derive(Default)]
struct Gathered {
    requests: Vec<(Digest, Arc<Request>)>,
    scans: Vec<(Digest, Request)>,
    seen: HashSet<Digest>,
    scanned: HashSet<Digest>,
}

impl Gathered {
    fn add(&mut self, wanted: &Wanted) {
        for measurement in wanted.measurements() {
            if !self.seen.insert(measurement.key) {
                continue;
            }
            self.requests.push((measurement.key, Arc::clone(&measurement.request)));
            let uses = measurement.request.uses.iter();
            let scans = uses.filter(|used| used.kind == scan::NAME);
            for (key, scan) in measurement.scans.iter().zip(scans) {
                if self.scanned.insert(*key) {
                    self.scans.push((*key, scan.clone()));
                }
            }
        }
    }
}

impl Plan {
    pub(super) fn of(
        notes: Vec<Arc<Planned>>,
        ledgers: BTreeMap<String, Arc<Ledger>>,
        config: &Config,
    ) -> Self {
        let mut plan = Self { ledgers, ..Self::default() };
        let mut all = Gathered::default();
        notes.iter().flat_map(|note| &note.wanted).for_each(|wanted| all.add(wanted));
        plan.of_blocks = all.requests.len();
        let by_blocks = all.scanned.clone();
        let is_measured = |control: &&Arc<Control>| {
            let all = control.wanted.measurements();
            let mut scans = all.iter().flat_map(|measurement| &measurement.scans);
            !control.if_scanned || scans.all(|key| by_blocks.contains(key))
        };
        for note in &notes {
            let (mut controls, mut lacking) = (vec![], note.lacking.clone());
            for (all, lacking) in note.controls.iter().zip(&mut lacking) {
                let (measured, unscanned): (Vec<&Arc<Control>>, Vec<_>) =
                    all.iter().partition(is_measured);
                lacking.splice(0..0, unscanned.into_iter().map(|it| it.unscanned()));
                controls.push(measured.into_iter().map(Arc::clone).collect());
            }
            plan.controls.push(controls);
            plan.lacking.push(lacking);
        }
        let controls = plan.controls.iter().flatten().flatten();
        controls.for_each(|control| all.add(&control.wanted));
        (plan.notes, plan.requests, plan.scans) = (notes, all.requests, all.scans);
        for note in &plan.notes {
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

    /// The controls of each block of a note.
    pub fn controls(&self, note: usize) -> &[Vec<Arc<Control>>] {
        self.controls.get(note).map_or(&[], Vec::as_slice)
    }

    /// The controls that each block of a note lacks although its controls are on.
    pub fn lacking(&self, note: usize) -> &[Vec<Lacking>] {
        self.lacking.get(note).map_or(&[], Vec::as_slice)
    }

    /// All measurements of all blocks and their controls, possibly repeated.
    pub fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        (0..self.notes.len()).flat_map(|note| self.measurements_of(note))
    }

    /// The measurements of a note's blocks and their controls, possibly repeated.
    pub fn measurements_of(&self, note: usize) -> impl Iterator<Item = &Measurement> {
        let controls = self.controls(note).iter().flatten().map(|control| &control.wanted);
        self.wanted(note).iter().chain(controls).flat_map(Wanted::measurements)
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
