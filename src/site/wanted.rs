//! What the notes want, and what of it the store does not have: requests of blocks, and scans that pages speak of.

use std::collections::{BTreeSet, HashSet};

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use super::Site;
use crate::diagnostic::Diagnostic;
use crate::measure::progress::describe;
use crate::plan::{Plan, Plans, Wanted};
use crate::resource::Resources;
use crate::workspace::Workspace;

/// Requests without a result, each once, in the notes' order; then scans that are not there though the results are that
/// rest on them, since pages speak of these too. `is_stored` says which results there are.
fn missing<'a>(
    plan: &'a Plan,
    is_stored: &mut dyn FnMut(&Digest) -> bool,
) -> Vec<(Digest, &'a Request)> {
    let mut missing = Vec::new();
    // Whoever measures a result measures the scans that it lacks.
    let mut theirs: HashSet<Digest> = HashSet::new();
    for (key, request) in &plan.requests {
        if !is_stored(key) {
            missing.push((*key, &**request));
            theirs.extend(
                request.uses.iter().filter(|used| used.kind == scan::NAME).map(Request::key),
            );
        }
    }
    for (key, scan) in &plan.scans {
        if !theirs.contains(key) && !is_stored(key) {
            missing.push((*key, scan));
        }
    }
    missing
}

/// What the notes of a garden want, and what of it has no result.
#[derive(Debug)]
pub struct Wishes {
    /// What each block wants.
    pub plan: Plan,
    /// As [`Site::missing`] gives it.
    pub missing: Vec<(Digest, Request)>,
}

/// What the notes of a garden want, for those who make no site of it.
pub fn wishes(workspace: &mut Workspace) -> Wishes {
    let notes = workspace.notes();
    let mut plans = Plans::of(workspace.thawed.as_ref());
    let Workspace { root, config, digests, .. } = workspace;
    let plan = plans.plan(&notes, true, root, config, digests);
    workspace.notice(plans.resources().notices(&workspace.config));
    let missing = missing(&plan, &mut |key| workspace.store.record(key).is_some());
    let missing = missing.into_iter().map(|(key, request)| (key, request.clone())).collect();
    Wishes { plan, missing }
}

impl Site {
    /// Requests without a result in the store, each once, in the notes' order; then scans that are not there though the
    /// results are that rest on them, since pages speak of these too.
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
                let message = format!("figures rest on a {}: {why}", describe(request));
                Diagnostic::of_file(crate::config::FILE, message).hint(hint)
            })
            .collect()
    }

    /// What each block wants.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The models and data sets that the plan is made with.
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

/// What to do where frozen results are not enough.
pub(super) const FREEZE: &str = "`neuronotes freeze`, where it is measured, brings it along";
