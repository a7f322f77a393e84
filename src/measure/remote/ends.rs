//! What has ended: results that are in the store, and failures, as journals announce them or units of work disappear.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::{Cause, Event};

use super::group::Open;
use super::keeper::{Keeper, Told};
use crate::measure::lab::LabError;
use crate::measure::schedule::{Reason, Wish};

/// How long a result that a worker has announced may be invisible.
const APPEARS: Duration = Duration::from_secs(90);

impl Keeper {
    /// Reads what workers have finished.
    pub(super) fn read_journals(&mut self, now: Instant, told: &mut Vec<Told>) {
        for entry in self.tail.read(&self.pool).unwrap_or_default() {
            if let Some(job) = &entry.job {
                self.crew.useful(job);
            }
            match entry.event {
                Event::Done { key, .. }
                    if self.open.contains_key(&key) && !self.is_done(&key, told) =>
                {
                    self.announced.entry(key).or_insert(now);
                }
                Event::Failed { key, message, hint, cause } if self.open.contains_key(&key) => {
                    let at = match &entry.job {
                        Some(job) => format!("on {}, job {job}", entry.host),
                        None => format!("on {}", entry.host),
                    };
                    let log = entry.log.filter(|log| !message.contains(log.trim()));
                    let log = log.map(|log| format!("; its log ends:\n{}", log.trim_end()));
                    let message = format!("{message} ({at}){}", log.unwrap_or_default());
                    self.fail(key, LabError { message, hint, cause }, told);
                }
                _ => {}
            }
        }
    }

    /// Looks for what has become of requests that no unit of work has any more.
    pub(super) fn look_at_gone(&mut self, now: Instant, told: &mut Vec<Told>) {
        let covered: BTreeSet<Digest> =
            self.units.values().flat_map(|unit| unit.keys.clone()).collect();
        let gone: Vec<Digest> =
            self.open.keys().filter(|key| !covered.contains(*key)).copied().collect();
        self.uncovered.retain(|key, _| !covered.contains(key));
        for key in gone {
            if self.is_done(&key, told) {
                continue;
            }
            if self.failures.recall(&self.store, key, &self.version) {
                self.failed(key, told);
                continue;
            }
            match self.announced.get(&key) {
                Some(since) if now.duration_since(*since) > APPEARS => {
                    let message =
                        "a worker has announced the result, and it is not in this store".to_owned();
                    let hint = Some("see that `store:` in the profile names this store".to_owned());
                    let cause = Cause::Environment;
                    self.fail(key, LabError { message, hint, cause }, told);
                }
                Some(_) => {}
                None => *self.uncovered.entry(key).or_default() += 1,
            }
        }
    }

    /// Whether the result of an open request is in the store; if so, it has ended.
    pub(super) fn is_done(&mut self, key: &Digest, told: &mut Vec<Told>) -> bool {
        let Some(record) = self.store.record(key) else { return false };
        let Some(open) = self.open.remove(key) else { return false };
        self.ended(key);
        self.timings.set_device(&record.provenance.device);
        self.timings.add(&open.request, &record);
        for other in self.open.values_mut() {
            other.needs.retain(|need| need != key);
        }
        self.units.values_mut().for_each(|unit| _ = unit.needs.remove(key));
        told.push(Told::Done { key: *key, seconds: record.provenance.seconds });
        true
    }

    pub(super) fn ended(&mut self, key: &Digest) {
        self.done += 1;
        self.announced.remove(key);
        self.uncovered.remove(key);
        self.running.remove(key);
        self.needed.remove(key);
    }

    /// A request has failed by itself.
    pub(super) fn fail(&mut self, key: Digest, cause: LabError, told: &mut Vec<Told>) {
        let Some(open) = self.open.get(&key) else { return };
        let wish = Wish { key, request: open.request.clone(), rank: open.rank };
        self.failures.fail(&self.store, &wish, cause, &self.version);
        self.failed(key, told);
    }

    /// A failure is known: what needs that result has failed too.
    pub(super) fn failed(&mut self, key: Digest, told: &mut Vec<Told>) {
        let Some(reason) = self.failures.get(&key).cloned() else { return };
        let mut dead = vec![key];
        while let Some(key) = dead.pop() {
            if self.open.remove(&key).is_none() {
                continue;
            }
            self.ended(&key);
            self.failures.put(key, reason.clone());
            told.push(Told::Failed { key, reason: reason.clone() });
            let needs = |open: &&Open| open.needs.contains(&key);
            dead.extend(self.open.values().filter(needs).map(|open| open.key));
        }
        self.drop_unwanted();
    }

    /// Nothing can be measured: everything fails until something changes.
    pub(super) fn fail_all(&mut self, reason: &Reason) -> Vec<Told> {
        let mut told = Vec::new();
        for key in std::mem::take(&mut self.open).into_keys() {
            self.failures.wait_for_lab(key, reason.clone());
            told.push(Told::Failed { key, reason: reason.clone() });
        }
        self.running.clear();
        self.uncovered.clear();
        self.drop_unwanted();
        told
    }
}
