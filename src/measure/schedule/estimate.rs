//! Estimates when each requested result will be there, from timings and the results that it depends on.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use super::queue::{Queue, Wish};
use super::status::Running;
use super::timings::Timings;

/// Estimates of the requested results.
#[derive(Debug)]
pub struct Estimates {
    timings: Timings,
    known: BTreeMap<Digest, Estimate>,
    places: OnceCell<Places>,
}

/// The time that a request will take, and the missing results that it depends on.
#[derive(Debug)]
struct Estimate {
    own: Option<f64>,
    uses: Vec<(Digest, Option<f64>)>,
}

/// Positions and estimates of all waiting requests.
#[derive(Debug, Default)]
pub struct Places {
    /// For a waiting request: number of requests before it, and seconds until its result.
    pub waiting: BTreeMap<Digest, (usize, Option<f64>)>,
    /// Seconds until all results are there.
    pub all: Option<f64>,
}

impl Estimates {
    /// Uses a store's timings.
    pub fn of(store: &Store) -> Self {
        let (known, places) = (BTreeMap::new(), OnceCell::new());
        Self { timings: Timings::of(store), known, places }
    }

    /// Something has changed: estimates must be computed again.
    pub fn stir(&mut self) {
        self.places = OnceCell::new();
    }

    /// Sets the requests.
    pub fn want(&mut self, queue: &Queue, store: &Store) {
        self.known.retain(|key, _| queue.wants(key));
        for wish in queue.iter() {
            self.known.entry(wish.key).or_insert_with(|| {
                let missing = used(&wish.request)
                    .into_iter()
                    .map(|used| (used.key(), used))
                    .filter(|(key, _)| store.record(key).is_none())
                    .map(|(key, used)| (key, self.timings.estimate(used)));
                Estimate { uses: missing.collect(), own: self.timings.estimate(&wish.request) }
            });
        }
    }

    /// The lab measures on this device.
    pub fn set_device(&mut self, device: &str, queue: &Queue, store: &Store) {
        if self.timings.set_device(device) {
            self.known.clear();
            self.want(queue, store);
        }
    }

    /// A request was measured: records its time and what it depends on.
    pub fn learn(&mut self, wish: &Wish, queue: &Queue, store: &Store) {
        let uses = self.known.remove(&wish.key).map(|estimate| estimate.uses);
        for used in used(&wish.request) {
            let key = used.key();
            let was_missing = uses.iter().flatten().any(|(missing, _)| *missing == key);
            if was_missing && let Some(record) = store.record(&key) {
                self.timings.add(used, &record);
            }
        }
        // Scans of other layers may have been measured in the same pass.
        let open = self.known.values().flat_map(|estimate| &estimate.uses);
        let open: BTreeSet<Digest> = open.map(|(other, _)| *other).collect();
        let stored: BTreeSet<Digest> =
            open.into_iter().filter(|other| store.record_path(other).exists()).collect();
        for estimate in self.known.values_mut() {
            estimate.uses.retain(|(other, _)| !stored.contains(other));
        }
        if let Some(record) = store.record(&wish.key) {
            self.timings.add(&wish.request, &record);
        }
        for (key, estimate) in self.known.iter_mut().filter(|(_, known)| known.own.is_none()) {
            let wish = queue.get(key);
            estimate.own = wish.and_then(|wish| self.timings.estimate(&wish.request));
        }
        self.timings.save();
    }

    /// Computes the estimates: running requests first, then those of the queue that `waits` accepts.
    pub fn places(
        &self,
        queue: &Queue,
        running: &BTreeMap<Digest, Running>,
        waits: impl Fn(&Digest) -> bool,
    ) -> &Places {
        self.places.get_or_init(|| {
            let mut sum = self.of_running(running);
            let mut counted = BTreeSet::new();
            let place = |(at, key): (usize, Digest)| {
                let own = self.known.get(&key).and_then(|estimate| {
                    let new = estimate.uses.iter().filter(|(used, _)| counted.insert(*used));
                    new.map(|(_, seconds)| *seconds).sum::<Option<f64>>().zip(estimate.own)
                });
                sum = sum.zip(own).map(|(sum, (uses, own))| sum + uses + own);
                (key, (running.len() + at, sum))
            };
            let waiting = queue.iter().map(|wish| wish.key).filter(|key| waits(key));
            let waiting = waiting.enumerate().map(place).collect();
            Places { waiting, all: sum }
        })
    }

    fn of_running(&self, running: &BTreeMap<Digest, Running>) -> Option<f64> {
        let left = |(key, at): (&Digest, &Running)| {
            let own = self.known.get(key).and_then(|estimate| estimate.own);
            // The lab's estimate is for all requests that it works on together.
            let said = at.seconds_left.map(|left| left / running.len() as f64);
            said.or(own.map(|own| own * (1.0 - at.fraction())))
        };
        running.iter().map(left).sum()
    }
}

/// The requests that a request depends on, directly and indirectly.
fn used(request: &Request) -> Vec<&Request> {
    request.uses.iter().flat_map(|used| std::iter::once(used).chain(self::used(used))).collect()
}
