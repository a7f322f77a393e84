//! Early answers: requests about a data set that is being scanned in; results over the shards that are scanned so far out.
//!
//! A request is answered when its first shard is scanned, and again each time twice as many are, so that a data set of
//! many shards causes a few early answers only. Together they take at most a tenth of the time of the scan, or a few
//! seconds: an answer that takes longer is stopped.

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
/// The time that an early answer may take in any case.
const LEAST: Duration = Duration::from_secs(3);

/// What was answered so far.
#[derive(Debug)]
pub struct Early {
    /// When the measurement that scans was begun.
    begun: Instant,
    /// The time that early answers have taken since then.
    spent: Duration,
    /// [`LEAST`].
    least: Duration,
    /// The number of shards of each request's last early answer.
    answered: HashMap<Digest, usize>,
}

impl Default for Early {
    fn default() -> Self {
        let (begun, spent) = (Instant::now(), Duration::ZERO);
        Self { begun, spent, least: LEAST, answered: HashMap::new() }
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
        let left = (self.begun.elapsed() / SHARE).saturating_sub(self.spent).max(self.least);
        let stops = &|| stops() || clock.elapsed() > left;
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

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::DatasetRef;
    use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
    use neuronotes_core::request::Inputs;
    use neuronotes_core::store::Record;
    use serde_json::{Value, json};

    use super::*;
    use crate::failure::Failure;

    /// A request about four shards, and its scans.
    fn request() -> Request {
        let model = ModelRef {
            name: "m".into(),
            path: "/m".into(),
            digest: Digest::of(b"m"),
            conventions: Conventions::default(),
        };
        let shard = |n: u8| json!({ "path": "/d", "digest": Digest::of(&[n]) });
        let shards: Vec<Value> = (0..4).map(shard).collect();
        let dataset = json!({ "name": "d", "format": "tar", "shards": shards });
        let dataset: DatasetRef = serde_json::from_value(dataset).expect("a data set");
        let (place, inputs) = (Place::Layer("a".into()), Inputs::default());
        let uses = scan::requests(&model, &dataset, &place, &inputs, Precision::F32);
        let first = uses[0].clone();
        Request { kind: "k".into(), dataset: Some(dataset), uses, ..first }
    }

    fn record(of: &Request) -> Record {
        Record::new(of.key(), &of.kind, of.impl_version, of.canonical())
    }

    fn scanned(store: &Store, scan: &Request) {
        let mut record = record(scan);
        let outcome = scan::Outcome { count: 10, skipped: vec![], ledger: None };
        record.set_result(store, &outcome).expect("a result");
        store.commit(&record).expect("stored");
    }

    #[test]
    fn each_time_twice_as_many_shards_are_scanned_there_is_an_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let (request, mut early) = (request(), Early::default());
        let mut said = Vec::new();
        for scan in [None, Some(0), Some(1), Some(2), Some(3)] {
            if let Some(at) = scan {
                scanned(&store, &request.uses[at]);
            }
            for _ in 0..2 {
                let measure = &mut |part: &Request, _: &dyn Fn() -> bool| Ok(record(part));
                let event = early.answer(&request, &store, measure, &|| false);
                said.push(event.map(|event| match event {
                    Event::Partial { key, images, shards, .. } => {
                        assert_eq!(key, request.key());
                        (images, shards)
                    }
                    other => panic!("{other:?}"),
                }));
            }
        }
        let (one, two) = (Some((10, 1)), Some((20, 2)));
        assert_eq!(said, [None, None, one, None, two, None, None, None, None, None]);
    }

    #[test]
    fn an_answer_that_takes_too_long_is_stopped_and_later_ones_wait() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let request = request();
        scanned(&store, &request.uses[2]);
        let mut early = Early { least: Duration::from_millis(20), ..Early::default() };
        assert!(early.has_time());
        let measure = &mut |_: &Request, stops: &dyn Fn() -> bool| {
            while !stops() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(Failure::Cancelled)
        };
        assert_eq!(early.answer(&request, &store, measure, &|| false), None);
        assert!(!early.has_time(), "{early:?}");
        early.begin();
        assert!(early.has_time());
    }
}
