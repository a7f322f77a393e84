//! Failures of requests, and which are retried.
//!
//! Failures of a request itself are remembered in the store. Requests that failed because no lab could run wait for
//! the next lab, and are shown as failed until then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Cause;
use neuronotes_core::store::{Remembered, Store};

use super::queue::Wish;
use crate::measure::lab::LabError;

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The message.
    pub message: String,
    /// What to do, if known.
    pub hint: Option<String>,
}

impl From<LabError> for Reason {
    fn from(LabError { message, hint, .. }: LabError) -> Self {
        Self { message, hint }
    }
}

/// Known failures.
#[derive(Debug, Default)]
pub struct Failures {
    reasons: BTreeMap<Digest, Reason>,
    /// Those of them that wait for a lab.
    labless: BTreeSet<Digest>,
    /// Requests during which memory ran out.
    halved: BTreeSet<Digest>,
    /// Requests during which a lab died.
    deadly: BTreeSet<Digest>,
}

impl Failures {
    /// Why it failed.
    pub fn get(&self, key: &Digest) -> Option<&Reason> {
        self.reasons.get(key)
    }

    /// The failed requests.
    pub fn keys(&self) -> Vec<Digest> {
        self.reasons.keys().copied().collect()
    }

    /// Whether a lab may measure it.
    pub fn may_ask(&self, key: &Digest) -> bool {
        !self.reasons.contains_key(key) || self.labless.contains(key)
    }

    /// Keeps only requests that `wanted` accepts. If the others are requested again later, they are retried unless
    /// the store remembers their failure.
    pub fn retain(&mut self, wanted: impl Fn(&Digest) -> bool) {
        self.reasons.retain(|key, _| wanted(key));
        for keys in [&mut self.labless, &mut self.halved, &mut self.deadly] {
            keys.retain(|key| wanted(key));
        }
    }

    /// Forgets its failures.
    pub fn forget(&mut self, key: &Digest) {
        self.reasons.remove(key);
        for keys in [&mut self.labless, &mut self.halved, &mut self.deadly] {
            keys.remove(key);
        }
    }

    /// Checks whether the store remembers that it failed with this version of the lab.
    pub fn recall(&mut self, store: &Store, key: Digest, version: &str) -> bool {
        match store.failure(&key) {
            Some(failure) if failure.lab == version => {
                self.reasons.insert(key, remembered(failure));
                true
            }
            Some(_) => {
                store.forget_failure(&key);
                false
            }
            None => false,
        }
    }

    /// Records a failure, in the store too if it would recur.
    pub fn fail(&mut self, store: &Store, wish: &Wish, cause: LabError, version: &str) {
        if cause.cause == Cause::Deterministic {
            let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
            // If this cannot be stored, the request only fails once more.
            let _ = store.put_failure(&Remembered {
                key: wish.key,
                kind: wish.request.kind.clone(),
                impl_version: wish.request.impl_version,
                lab: version.to_owned(),
                time: now.to_string(),
                message: cause.message.clone(),
                hint: cause.hint.clone(),
            });
        }
        self.reasons.insert(wish.key, cause.into());
    }

    /// It failed because something that it uses did.
    pub fn put(&mut self, key: Digest, reason: Reason) {
        self.reasons.insert(key, reason);
    }

    /// No lab could run for it; returns whether that is new.
    pub fn wait_for_lab(&mut self, key: Digest, reason: Reason) -> bool {
        self.reasons.insert(key, reason);
        self.labless.insert(key)
    }

    /// A lab is available again.
    pub fn lab_is_here(&mut self) {
        for key in std::mem::take(&mut self.labless) {
            self.reasons.remove(&key);
        }
    }

    /// Memory ran out during it; returns whether for the first time.
    pub fn halve(&mut self, key: Digest) -> bool {
        self.halved.insert(key)
    }

    /// Memory ran out during these together.
    pub fn halve_all(&mut self, keys: &BTreeSet<Digest>) {
        self.halved.extend(keys);
    }

    /// Whether memory ran out during it.
    pub fn is_halved(&self, key: &Digest) -> bool {
        self.halved.contains(key)
    }

    /// A lab died during these together.
    pub fn kill_all(&mut self, keys: &BTreeSet<Digest>) {
        self.deadly.extend(keys);
    }

    /// A lab died during it; returns whether for the first time.
    pub fn kill(&mut self, key: Digest) -> bool {
        self.deadly.insert(key)
    }
}

fn remembered(failure: Remembered) -> Reason {
    let again = "it failed this way before; `neuronotes build --retry` measures it again";
    let hint = failure.hint.map_or_else(|| again.to_owned(), |hint| format!("{hint}; {again}"));
    Reason { message: failure.message, hint: Some(hint) }
}
