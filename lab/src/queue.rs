//! The queue between the thread that reads commands and the one that measures: commands in; the requests to measure next out.
//!
//! A request can be moved or cancelled until it is taken.

pub mod companions;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Command;
use neuronotes_core::request::Request;

use crate::kind::Measure;

/// How long a request that can share work waits for others to share it with.
const GATHER: Duration = Duration::from_millis(10);

/// How often to look again at a request that another process is measuring, if there is nothing else to do.
const LATER: Duration = Duration::from_millis(100);

/// How many requests are measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The most requests at once.
    most: usize,
    /// Whether less urgent requests may join urgent ones.
    mixed: bool,
}

impl Capacity {
    /// The capacity of a device. A processor takes twice as long for two, so there urgent requests are measured without less
    /// urgent ones, and few at a time.
    pub fn of(device: tch::Device) -> Self {
        match device {
            tch::Device::Cpu => Self { most: 8, mixed: false },
            _ => Self { most: 64, mixed: true },
        }
    }
}

/// The queue that the reading and the measuring thread share.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    capacity: Capacity,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    waiting: Vec<Waiting>,
    /// The group of each ordered request, and its place there.
    order: HashMap<Digest, (usize, usize)>,
    /// The requests that are being measured, each with its flag to stop.
    running: BTreeMap<Digest, Arc<AtomicBool>>,
    /// Whether requests are also answered from the scanned part of their data set.
    partial: bool,
    closed: bool,
}

#[derive(Debug)]
struct Waiting {
    key: Digest,
    request: Request,
    halve: bool,
    batch_key: Option<Digest>,
    /// Another process is measuring it: it is looked at again when there is nothing else to do.
    later: bool,
}

/// A request to be measured now.
#[derive(Debug)]
pub struct Job {
    /// Its key.
    pub key: Digest,
    /// What is measured.
    pub request: Request,
    /// Whether to halve the batch size.
    pub halve: bool,
    /// Set when it is to stop.
    pub stop: Arc<AtomicBool>,
}

impl State {
    /// A request's group, and its place there. A request that no order names comes last.
    fn place(&self, key: &Digest) -> (usize, usize) {
        self.order.get(key).copied().unwrap_or((usize::MAX, 0))
    }

    /// The index of the request that comes next.
    fn first(&self) -> Option<usize> {
        (0..self.waiting.len()).min_by_key(|at| {
            let waiting = &self.waiting[*at];
            (waiting.later, self.place(&waiting.key), *at)
        })
    }

    /// Takes the request that comes next, and those that can be measured with it.
    fn take(&mut self, capacity: Capacity) -> Vec<Waiting> {
        let Some(first) = self.first() else { return Vec::new() };
        let first = self.waiting.remove(first);
        let most = if first.halve { capacity.most / 2 } else { capacity.most };
        let group = self.place(&first.key).0;
        let joins = |other: &Waiting| {
            let same = first.batch_key.is_some() && other.batch_key == first.batch_key;
            let urgent = capacity.mixed || self.place(&other.key).0 == group;
            same && urgent && other.halve == first.halve && other.later == first.later
        };
        let mut joining: Vec<usize> =
            (0..self.waiting.len()).filter(|at| joins(&self.waiting[*at])).collect();
        joining.sort_by_key(|at| (self.place(&self.waiting[*at].key), *at));
        joining.truncate(most.saturating_sub(1));
        let order: HashMap<usize, usize> = joining.into_iter().zip(0..).collect();
        let all = std::mem::take(&mut self.waiting).into_iter().enumerate();
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for (at, waiting) in all {
            match order.get(&at) {
                Some(place) => joined.push((*place, waiting)),
                None => left.push(waiting),
            }
        }
        self.waiting = left;
        joined.sort_by_key(|(place, _)| *place);
        std::iter::once(first).chain(joined.into_iter().map(|(_, waiting)| waiting)).collect()
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(capacity: Capacity) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), capacity }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next request, and takes it with those that can be measured together with it; `None` once the queue is
    /// closed.
    pub fn next(&self) -> Option<Vec<Job>> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            match state.first().map(|first| &state.waiting[first]) {
                Some(Waiting { later: true, .. }) => {
                    let wait = self.arrived.wait_timeout(state, LATER);
                    state = wait.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some(Waiting { batch_key: Some(_), .. }) => state = self.gather(state),
                Some(_) => {}
                None => {
                    state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            }
            let all = state.take(self.capacity);
            if all.is_empty() {
                continue;
            }
            let run = |Waiting { key, request, halve, .. }: Waiting| {
                let stop = Arc::new(AtomicBool::new(state.closed));
                state.running.insert(key, Arc::clone(&stop));
                Job { key, request, halve, stop }
            };
            return Some(all.into_iter().map(run).collect());
        }
    }

    /// Waits until no more requests arrive: many are sent at once, and the first of them should not run alone, ahead of
    /// the others.
    fn gather<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        loop {
            let before = state.waiting.len();
            let wait = self.arrived.wait_timeout(state, GATHER);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
            if state.waiting.len() <= before || state.closed {
                return state;
            }
        }
    }

    /// Puts a request back that another process is measuring, to be looked at when there is nothing else to do. Returns
    /// `false`, and does nothing, if it is to stop.
    pub fn put_back(&self, job: &Job) -> bool {
        let mut state = self.state();
        if job.stop.load(Ordering::Relaxed) {
            return false;
        }
        state.running.remove(&job.key);
        let (key, request, halve) = (job.key, job.request.clone(), job.halve);
        let batch_key = Measure::batch_key(&request);
        state.waiting.push(Waiting { key, request, halve, batch_key, later: true });
        true
    }

    /// Whether requests are also answered from the scanned part of their data set.
    pub fn is_partial(&self) -> bool {
        self.state().partial
    }

    /// The keys of the waiting requests, in the order in which they will be measured.
    pub fn waiting(&self) -> Vec<Digest> {
        let state = self.state();
        let mut all: Vec<usize> = (0..state.waiting.len()).collect();
        all.sort_by_key(|at| (state.place(&state.waiting[*at].key), *at));
        all.into_iter().map(|at| state.waiting[at].key).collect()
    }

    /// A waiting request.
    pub fn waiting_request(&self, key: &Digest) -> Option<Request> {
        let state = self.state();
        state.waiting.iter().find(|one| one.key == *key).map(|one| one.request.clone())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.state().waiting.is_empty()
    }

    /// Marks a request as ended.
    pub fn ended(&self, key: &Digest) {
        self.state().running.remove(key);
    }

    /// Carries out a command. Returns the key of a request that was waiting and has been cancelled.
    pub fn obey(&self, command: Command) -> Option<Digest> {
        let mut state = self.state();
        match command {
            Command::Run { request, halve } => {
                let key = request.key();
                let goes_on = |stop: &Arc<AtomicBool>| !stop.load(Ordering::Relaxed);
                if let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.key == key) {
                    waiting.halve = halve;
                } else if !state.running.get(&key).is_some_and(goes_on) {
                    let batch_key = Measure::batch_key(&request);
                    state.waiting.push(Waiting {
                        key,
                        request: *request,
                        halve,
                        batch_key,
                        later: false,
                    });
                    self.arrived.notify_one();
                }
            }
            Command::Order { groups } => {
                let places = groups.into_iter().enumerate().flat_map(|(group, keys)| {
                    keys.into_iter().enumerate().map(move |(place, key)| (key, (group, place)))
                });
                state.order = places.collect();
            }
            Command::Cancel { key } => {
                let before = state.waiting.len();
                state.waiting.retain(|waiting| waiting.key != key);
                let waited = state.waiting.len() < before;
                if let Some(stop) = state.running.get(&key) {
                    stop.store(true, Ordering::Relaxed);
                }
                return waited.then_some(key);
            }
            Command::Partial => state.partial = true,
        }
        None
    }

    /// Closes the queue: what waits is dropped, and what is being measured is to stop.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.running.values().for_each(|stop| stop.store(true, Ordering::Relaxed));
        self.arrived.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use neuronotes_core::model::Conventions;
    use serde_json::json;

    use super::*;

    /// A visualisation of a unit; those of one size can be measured together.
    fn request(unit: u32, size: u32) -> Request {
        let version = neuronotes_core::kind::feature_vis::KIND.impl_version;
        let request = json!({
            "kind": "feature_vis", "impl_version": version, "params": { "unit": unit, "size": size },
            "model": {
                "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default(),
            },
            "precision": "f32",
        });
        serde_json::from_value(request).expect("a request")
    }

    fn queue(capacity: Capacity, requests: &[(u32, u32)]) -> Queue {
        let queue = Queue::new(capacity);
        for &(unit, size) in requests {
            run(&queue, unit, size, false);
        }
        queue
    }

    fn run(queue: &Queue, unit: u32, size: u32, halve: bool) {
        let request = Box::new(request(unit, size));
        assert_eq!(queue.obey(Command::Run { request, halve }), None);
    }

    fn order(queue: &Queue, groups: &[&[(u32, u32)]]) {
        let key = |&(unit, size): &(u32, u32)| request(unit, size).key();
        let groups = groups.iter().map(|group| group.iter().map(key).collect()).collect();
        queue.obey(Command::Order { groups });
    }

    /// The units that are taken together next; they end at once.
    fn next(queue: &Queue) -> Vec<u64> {
        let all = queue.next().expect("something");
        all.iter().for_each(|job| queue.ended(&job.key));
        all.iter().map(|job| job.request.params["unit"].as_u64().expect("a unit")).collect()
    }

    #[test]
    fn an_order_holds_for_what_waits_and_for_what_is_still_to_come() {
        let queue = queue(Capacity::of(tch::Device::Cpu), &[(1, 8), (2, 16), (3, 24)]);
        order(&queue, &[&[(3, 24)], &[(4, 32), (2, 16)]]);
        run(&queue, 4, 32, false);
        assert_eq!([next(&queue), next(&queue), next(&queue)], [[3], [4], [2]]);
        // A request that is not in the order comes last.
        assert_eq!(next(&queue), [1]);
    }

    #[test]
    fn requests_join_in_order_and_a_processor_keeps_the_urgent_apart() {
        let all: Vec<(u32, u32)> = (1..=12).map(|unit| (unit, 8)).collect();
        let urgent: &[(u32, u32)] = &[(12, 8), (5, 8)];
        let rest: Vec<(u32, u32)> =
            all.iter().filter(|one| !urgent.contains(one)).copied().collect();
        let slow = queue(Capacity::of(tch::Device::Cpu), &all);
        order(&slow, &[urgent, &rest]);
        assert_eq!(next(&slow), [12, 5]);
        assert_eq!(next(&slow), [1, 2, 3, 4, 6, 7, 8, 9], "no more than it gains by");
        assert_eq!(next(&slow), [10, 11]);
        let fast = queue(Capacity::of(tch::Device::Cuda(0)), &all);
        order(&fast, &[urgent, &rest]);
        assert_eq!(next(&fast), [12, 5, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn by_halves_fewer_are_job_and_only_with_their_like() {
        let queue = Queue::new(Capacity::of(tch::Device::Cpu));
        for unit in 1..=9 {
            run(&queue, unit, 8, unit != 2);
        }
        assert_eq!(
            [next(&queue), next(&queue), next(&queue)],
            [vec![1, 3, 4, 5], vec![2], vec![6, 7, 8, 9]]
        );
    }

    #[test]
    fn what_another_process_is_at_comes_after_everything_else() {
        let queue = queue(Capacity::of(tch::Device::Cpu), &[(1, 8), (2, 16), (3, 24)]);
        let first = queue.next().expect("one").remove(0);
        assert!(queue.put_back(&first) && !queue.is_empty());
        order(&queue, &[&[(1, 8), (3, 24)]]);
        assert_eq!([next(&queue), next(&queue)], [[3], [2]]);
        let again = queue.next().expect("one").remove(0);
        assert_eq!(again.key, first.key);
        queue.obey(Command::Cancel { key: again.key });
        assert!(!queue.put_back(&again) && queue.is_empty(), "it is to stop");
    }

    #[test]
    fn what_waits_or_runs_is_not_job_twice_and_what_waits_can_be_given_up() {
        let queue = queue(Capacity::of(tch::Device::Cpu), &[(1, 8), (1, 8), (2, 16)]);
        let key = request(1, 8).key();
        let first = queue.next().expect("one");
        assert_eq!(first.len(), 1);
        run(&queue, 1, 8, false);
        let other = request(2, 16).key();
        assert_eq!(queue.obey(Command::Cancel { key: other }), Some(other));
        assert_eq!(queue.obey(Command::Cancel { key }), None, "it runs: its worker says so");
        assert!(first[0].stop.load(Ordering::Relaxed));
        // Requested again before it has stopped, it starts anew.
        run(&queue, 1, 8, false);
        queue.ended(&key);
        assert_eq!(next(&queue), [1]);
        queue.close();
        assert!(queue.next().is_none());
    }
}
