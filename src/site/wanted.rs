//! The requests of notes, and those missing in the store: requests of blocks, and scans that pages mention.

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

/// Requests without a result, each once, in the notes' order; then missing scans of existing results, since pages
/// mention these too. `is_stored` says which results exist.
fn missing<'a>(
    plan: &'a Plan,
    is_stored: &mut dyn FnMut(&Digest) -> bool,
) -> Vec<(Digest, &'a Request)> {
    let mut missing = Vec::new();
    // Measuring a result also measures its missing scans.
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

/// The requests of a garden's notes, and those without a result.
#[derive(Debug)]
pub struct Wishes {
    /// The plan.
    pub plan: Plan,
    /// The missing requests, as from [`Site::missing`].
    pub missing: Vec<(Digest, Request)>,
}

/// The requests of a garden's notes, without making a site.
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

/// Hint if frozen results are missing.
pub(super) const FREEZE: &str = "run `neuronotes freeze` again on a machine that has it measured";
