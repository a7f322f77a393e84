//! Plans of notes, kept between changes of the garden; the result equals a new plan.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use neuronotes_core::files::FileDigests;

use super::planned::{Plan, Planned};
use super::planner::Planner;
use crate::config::Config;
use crate::note::Note;
use crate::resource::{Resources, Thawed};

/// Maximum fraction of time spent checking weights and data for changes: a folder of a million pictures must not be
/// walked at each save.
const SHARE: u32 = 20;

/// The last plan of each note.
#[derive(Debug, Default)]
pub struct Plans {
    notes: BTreeMap<String, (Arc<Note>, Arc<Planned>)>,
    resources: Resources,
    /// When weights and data are checked again.
    due: Option<Instant>,
}

impl Plans {
    /// Plans all notes of the garden in `root`, an absolute path without links. Only changed notes are planned again,
    /// and notes that name other blocks if one of these or a note's name (`renamed`) has changed.
    pub fn plan(
        &mut self,
        notes: &[Arc<Note>],
        renamed: bool,
        root: &Path,
        config: &Config,
        digests: &mut FileDigests,
    ) -> Plan {
        self.look_again(config, digests);
        let all: Vec<&Note> = notes.iter().map(|note| &**note).collect();
        let changed = |note: &Arc<Note>| match self.notes.get(&note.path) {
            Some((known, _)) => !Arc::ptr_eq(known, note),
            None => !note.blocks.is_empty(),
        };
        let known = notes.iter().filter(|note| self.notes.contains_key(&note.path)).count();
        let others = renamed || known < self.notes.len() || notes.iter().any(changed);
        let mut kept = BTreeMap::new();
        let mut planner = Planner::new(&all, root, config, &mut self.resources, digests);
        let nothing = Arc::new(Planned::default());
        let planned = notes.iter().map(|note| {
            if note.blocks.is_empty() && note.front.units.is_empty() {
                return Arc::clone(&nothing);
            }
            let known = self.notes.remove(&note.path).filter(|(known, _)| Arc::ptr_eq(known, note));
            let known = known.filter(|_| {
                !others || note.blocks.iter().all(|block| block.named_blocks().is_empty())
            });
            let (note, planned) =
                known.unwrap_or_else(|| (Arc::clone(note), Arc::new(planner.note(note))));
            kept.insert(note.path.clone(), (note, Arc::clone(&planned)));
            planned
        });
        let planned = planned.collect();
        self.notes = kept;
        Plan::of(planned, self.resources.ledgers(), config)
    }

    /// Plans for a garden; for a frozen one, weights and data are not read.
    pub fn of(thawed: Option<&Arc<Thawed>>) -> Self {
        Self { resources: Resources::of(thawed), ..Self::default() }
    }

    /// The configuration has changed.
    pub fn forget(&mut self) {
        self.notes.clear();
        self.resources.forget();
        self.due = None;
    }

    /// The models and data sets that were read.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Pictures of the garden have changed: notes that name some are planned again.
    pub fn forget_pictures(&mut self) {
        self.notes.retain(|_, (_, planned)| planned.folders.is_empty());
    }

    /// Checks whether weights or data have changed, unless that was done just now; then all notes are planned again.
    pub fn look_again(&mut self, config: &Config, digests: &mut FileDigests) -> bool {
        if self.due.is_some_and(|due| Instant::now() < due) {
            return false;
        }
        let begun = Instant::now();
        let changed = self.resources.look_again(config, digests);
        if changed {
            self.notes.clear();
        }
        let pause = begun.elapsed().saturating_mul(SHARE).max(Duration::from_millis(200));
        self.due = Some(Instant::now() + pause);
        changed
    }
}
