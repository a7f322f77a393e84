//! What a plan wants and the store does not have: requests to be measured, and what is to be said of scans that no block
//! asks for itself.

use std::collections::BTreeSet;

use super::{Progress, Wishes};
use crate::analysis::scan;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::progress::describe;
use crate::request::Request;
use crate::store::Store;

/// Requests without a result in the store, each once, in the notes' order; then scans that are not there though the
/// results are that rest on them, since pages speak of these too.
pub fn missing(plan: &Plan, store: &Store) -> Vec<(Digest, Request)> {
    let is_missing = |(key, _): &&(Digest, Request)| store.record(key).is_none();
    let mut missing: Vec<_> = plan.requests.iter().filter(is_missing).cloned().collect();
    // Whoever measures a result measures the scans that it lacks.
    let mut seen: BTreeSet<Digest> =
        missing.iter().flat_map(|(_, request)| &request.uses).map(Request::key).collect();
    let scans = plan.requests.iter().flat_map(|(_, request)| &request.uses);
    for scan in scans.filter(|used| used.kind == scan::NAME) {
        let key = scan.key();
        if seen.insert(key) && store.record(&key).is_none() {
            missing.push((key, scan.clone()));
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
