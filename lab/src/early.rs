//! Early answers: requests about a data set that is being scanned in; results over the shards that are scanned so far out.
//!
//! A request is answered when its first shard is scanned, and again each time twice as many are, so that a data set of
//! many shards causes a few early answers only. Together they take at most a tenth of the time of the scan.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use crate::monitor::MeasurePart;

/// The time since the scan began, divided by the time that early answers may take.
const SHARE: u32 = 10;

/// What was answered so far.
#[derive(Debug)]
pub struct Early {
    /// When the measurement that scans was begun.
    begun: Instant,
    /// The time that early answers have taken since then.
    spent: Duration,
    /// The number of shards of each request's last early answer.
    answered: HashMap<Digest, usize>,
}

impl Default for Early {
    fn default() -> Self {
        Self { begun: Instant::now(), spent: Duration::ZERO, answered: HashMap::new() }
    }
}

impl Early {
    /// A measurement begins, which may scan.
    pub fn begin(&mut self) {
        (self.begun, self.spent) = (Instant::now(), Duration::ZERO);
    }

    /// A request has ended.
    pub fn ended(&mut self, key: &Digest) {
        self.answered.remove(key);
    }

    /// Whether there is time for an early answer.
    pub fn has_time(&self) -> bool {
        self.spent * SHARE <= self.begun.elapsed()
    }

    /// Answers a request over the shards of its data set that are scanned, if some but not all are, and if they are twice as
    /// many as before.
    pub fn answer(
        &mut self,
        request: &Request,
        store: &Store,
        measure: MeasurePart<'_>,
        stops: &dyn Fn() -> bool,
    ) -> Option<Event> {
        let clock = Instant::now();
        let event = self.answered(request, store, measure, stops);
        self.spent += clock.elapsed();
        event
    }

    fn answered(
        &mut self,
        request: &Request,
        store: &Store,
        measure: MeasurePart<'_>,
        stops: &dyn Fn() -> bool,
    ) -> Option<Event> {
        let is_stored = &mut |used: &Request| store.record(&used.key()).is_some();
        let scan::Part { request: part, scans } = scan::part(request, is_stored)?;
        let (key, shards) = (request.key(), scans.len());
        if self.answered.get(&key).is_some_and(|before| shards < 2 * before) {
            return None;
        }
        let result = measure(&part, stops);
        self.answered.insert(key, shards);
        // A failure may be due to what the other shards have, such as a label: the answer to the whole decides.
        let record = result.ok()?;
        let outcome = |scan: &Digest| store.record(scan)?.result::<scan::Outcome>(store);
        let images = scans.iter().filter_map(outcome).map(|outcome| outcome.count).sum();
        Some(Event::Partial { key, part: record.key, images, shards })
    }
}
