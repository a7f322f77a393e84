//! What failed, and what is tried once more: causes in; reasons for people out.
//!
//! What fails by itself is remembered in the store. What fails for want of a lab waits for the next one, and is shown as
//! failed until then.

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
    /// What is wrong.
    pub message: String,
    /// What to do, where known.
    pub hint: Option<String>,
}

impl From<LabError> for Reason {
    fn from(LabError { message, hint, .. }: LabError) -> Self {
        Self { message, hint }
    }
}

/// What is known of failures.
#[derive(Debug, Default)]
pub struct Failures {
    reasons: BTreeMap<Digest, Reason>,
    /// Of those, which wait for a lab.
    labless: BTreeSet<Digest>,
    /// Memory ran out over these.
    halved: BTreeSet<Digest>,
    /// A lab died at these.
    deadly: BTreeSet<Digest>,
}

impl Failures {
    /// Why it failed.
    pub fn get(&self, key: &Digest) -> Option<&Reason> {
        self.reasons.get(key)
    }

    /// Those that failed.
    pub fn keys(&self) -> Vec<Digest> {
        self.reasons.keys().copied().collect()
    }

    /// Whether a lab may be asked for it.
    pub fn may_ask(&self, key: &Digest) -> bool {
        !self.reasons.contains_key(key) || self.labless.contains(key)
    }

    /// Only those that `wanted` says are wanted still. Wanted again later, others are tried again, unless the store
    /// remembers.
    pub fn retain(&mut self, wanted: impl Fn(&Digest) -> bool) {
        self.reasons.retain(|key, _| wanted(key));
        for keys in [&mut self.labless, &mut self.halved, &mut self.deadly] {
            keys.retain(|key| wanted(key));
        }
    }

    /// Begins anew with it.
    pub fn forget(&mut self, key: &Digest) {
        self.reasons.remove(key);
        for keys in [&mut self.labless, &mut self.halved, &mut self.deadly] {
            keys.remove(key);
        }
    }

    /// Looks whether the store remembers that it failed in this version of the lab.
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

    /// It failed. Where it would again, the store remembers.
    pub fn fail(&mut self, store: &Store, wish: &Wish, cause: LabError, version: &str) {
        if cause.cause == Cause::Deterministic {
            let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
            // Without it, it only fails once more.
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

    /// There is no lab for it; whether that is new.
    pub fn wait_for_lab(&mut self, key: Digest, reason: Reason) -> bool {
        self.reasons.insert(key, reason);
        self.labless.insert(key)
    }

    /// There is one.
    pub fn lab_is_here(&mut self) {
        for key in std::mem::take(&mut self.labless) {
            self.reasons.remove(&key);
        }
    }

    /// Memory ran out over it; whether for the first time.
    pub fn halve(&mut self, key: Digest) -> bool {
        self.halved.insert(key)
    }

    /// Memory ran out over these together.
    pub fn halve_all(&mut self, keys: &BTreeSet<Digest>) {
        self.halved.extend(keys);
    }

    /// Whether memory ran out over it.
    pub fn is_halved(&self, key: &Digest) -> bool {
        self.halved.contains(key)
    }

    /// A lab died at these together.
    pub fn kill_all(&mut self, keys: &BTreeSet<Digest>) {
        self.deadly.extend(keys);
    }

    /// A lab died at it; whether for the first time.
    pub fn kill(&mut self, key: Digest) -> bool {
        self.deadly.insert(key)
    }
}

fn remembered(failure: Remembered) -> Reason {
    let again = "it failed so before; `neuronotes build --retry` measures it again nevertheless";
    let hint = failure.hint.map_or_else(|| again.to_owned(), |hint| format!("{hint}; {again}"));
    Reason { message: failure.message, hint: Some(hint) }
}
