//! What a plan asks for and the store does not have: requests of blocks, and scans that pages speak of.

use std::collections::HashSet;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use super::{Progress, Wishes};
use crate::diagnostic::Diagnostic;
use crate::measure::progress::describe;
use crate::plan::Plan;

/// Requests without a result in the store, each once, in the notes' order; then scans that are not there though the
/// results are that rest on them, since pages speak of these too.
pub fn missing(plan: &Plan, store: &Store) -> Vec<(Digest, Request)> {
    let missing = missing_by(plan, &mut |key| store.record(key).is_some());
    missing.into_iter().map(|(key, request)| (key, request.clone())).collect()
}

/// The same where `is_stored` says which results there are.
pub(super) fn missing_by<'a>(
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

/// Scans that no page can speak of though it should, each once; no block asks for one itself.
pub fn unscanned(wishes: &Wishes, store: &Store, progress: &Progress) -> Vec<Diagnostic> {
    let scans = wishes.missing.iter().filter(|(_, request)| request.kind == scan::NAME);
    let scans = scans.filter(|(key, _)| store.record(key).is_none());
    scans
        .map(|(key, request)| {
            let failed = progress.failed.get(key).cloned();
            let (why, hint) = match store.is_frozen() {
                false => failed.unwrap_or_else(|| ("it was not measured".to_owned(), None)),
                true => ("it is not among the frozen results".to_owned(), Some(FREEZE.to_owned())),
            };
            let message = format!("figures rest on a {}: {why}", describe(request));
            Diagnostic::of_file(crate::config::FILE, message).hint(hint)
        })
        .collect()
}

/// What to do where frozen results are not enough.
pub(super) const FREEZE: &str = "`neuronotes freeze`, where it is measured, brings it along";
