//! The requests of a garden's notes, and those without a result.

use std::collections::HashSet;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use crate::plan::{Plan, Plans};
use crate::workspace::Workspace;

/// Requests without a result, each once, in the notes' order; then missing scans of existing results, since pages
/// mention these too. `is_stored` says which results exist.
pub(super) fn missing<'a>(
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
    /// The missing requests, as from [`super::Site::missing`].
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
