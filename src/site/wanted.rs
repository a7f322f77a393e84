//! The requests of notes, and those missing in the store: requests of blocks, and scans that pages mention.

use std::collections::BTreeSet;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use super::Site;
use super::fault::FREEZE;
use super::wishes::missing;
use crate::diagnostic::Diagnostic;
use crate::measure::progress::describe;
use crate::page::Settled;
use crate::plan::{Plan, Wanted};
use crate::resource::Resources;

impl Site {
    /// Requests without a result in the store, each once, in the notes' order; then missing scans of existing
    /// results, since pages mention these too.
    pub fn missing(&mut self) -> Vec<(Digest, Request)> {
        let Self { plan, stored, workspace, .. } = self;
        let missing = missing(plan, &mut |key| {
            stored.contains(key) || {
                let found = workspace.store.record(key).is_some();
                if found {
                    stored.insert(*key);
                }
                found
            }
        });
        missing.into_iter().map(|(key, request)| (key, request.clone())).collect()
    }

    /// Looks again at blocks that are shown as waiting or failed although [`Site::missing`] found their results. Returns
    /// whether there are any.
    ///
    /// A result can enter the store at any moment, also between the look-up for a page and the one for the requests, and
    /// another process may have measured it. Since it is not missing, no event of the lab will announce it.
    pub fn arrived(&mut self) -> bool {
        let mut arrived = BTreeSet::new();
        for index in (0..self.notes.len()).filter(|index| !self.unsettled[*index]) {
            let controls = self.controls[index].iter().flatten();
            let of_controls = self.plan.controls(index).iter().flatten().map(|it| &it.wanted);
            let own = self.settled[index].iter().zip(self.plan.wanted(index));
            for (settled, wanted) in own.chain(controls.zip(of_controls)) {
                let cells = match settled {
                    Settled::Sweep(cells) => cells.as_slice(),
                    one => std::slice::from_ref(one),
                };
                for (cell, measurement) in cells.iter().zip(wanted.measurements()) {
                    let key = &measurement.key;
                    let is_open = match cell {
                        Settled::Waiting { .. } => true,
                        Settled::Failed(_) => self.progress.failed.contains_key(key),
                        Settled::Done { .. } | Settled::Missing(_) | Settled::Sweep(_) => false,
                    };
                    if is_open && self.stored.contains(key) {
                        arrived.insert(*key);
                    }
                }
            }
        }
        for key in &arrived {
            self.progress.running.remove(key);
            self.progress.partial.remove(key);
            self.progress.failed.remove(key);
            self.ended(key);
        }
        !arrived.is_empty()
    }

    /// An error for each scan among `missing` that has no result; no block asks for one itself.
    pub fn unscanned(&self, missing: &[(Digest, Request)]) -> Vec<Diagnostic> {
        let store = &self.workspace.store;
        let scans = missing.iter().filter(|(_, request)| request.kind == scan::NAME);
        let scans = scans.filter(|(key, _)| store.record(key).is_none());
        scans
            .map(|(key, request)| {
                let failed = self.progress.failed.get(key).cloned();
                let (why, hint) = match store.is_frozen() {
                    false => failed.unwrap_or_else(|| ("it was not measured".to_owned(), None)),
                    true => {
                        ("it is not among the frozen results".to_owned(), Some(FREEZE.to_owned()))
                    }
                };
                let message = format!("figures depend on a {}: {why}", describe(request));
                Diagnostic::of_file(crate::config::FILE, message).hint(hint)
            })
            .collect()
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The models and data sets of the plan.
    pub fn resources(&self) -> &Resources {
        self.plans.resources()
    }

    /// The requests of a note, by its path.
    pub fn requests_of(&self, note: &str) -> BTreeSet<Digest> {
        let index = self.notes.binary_search_by(|known| known.path.as_str().cmp(note)).ok();
        let wanted = index.map(|index| self.plan.wanted(index)).unwrap_or_default();
        wanted.iter().flat_map(Wanted::measurements).map(|measurement| measurement.key).collect()
    }
}
