//! A unit of work while it is measured: a lab's events and deaths in; what to send it, and what has ended, out.
//!
//! A request that fails for lack of memory is tried again with half the batch size. A lab that dies while working on several
//! requests is followed by one that gets them one at a time; the request at which labs die, the second time alone, fails.
//! Whatever else ends a lab is no request's fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::lab::LabError;
use neuronotes_core::pool::{At, Unit};
use neuronotes_core::protocol::{Cause, Command, ELSEWHERE, Event};
use neuronotes_core::request::Request;
use neuronotes_core::suspect::{Suspects, Verdict};

/// A request that has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// It is stored; its seconds.
    Done(Digest, f64),
    /// It failed.
    Failed(Digest, LabError),
    /// Something outside the request failed, perhaps the store. The request is still open: see [`Work::again`] and
    /// [`Work::close`].
    Outside(Digest, LabError),
}

/// What the end of a lab tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Death {
    /// This request is at fault.
    Of(Ended),
    /// Something will be tried in another way.
    Learned,
    /// Nothing: no request had begun, or it was ended from outside.
    Nothing,
}

/// A unit of work that is being measured.
#[derive(Debug)]
pub struct Work {
    /// The requests that have not ended, in the unit's order.
    open: Vec<(Digest, Request)>,
    halve: bool,
    asked: BTreeSet<Digest>,
    suspects: Suspects,
    halved: BTreeSet<Digest>,
    /// Requests during which a lab died.
    deadly: BTreeSet<Digest>,
    /// How often each was tried again for reasons outside it.
    outside: BTreeMap<Digest, u32>,
    at: BTreeMap<Digest, (At, Instant)>,
    /// The kind of each request, and its version.
    kinds: BTreeMap<Digest, (String, u32)>,
}

impl Work {
    /// Begins with the requests that `wanted` accepts.
    pub fn new(unit: &Unit, mut wanted: impl FnMut(&Digest) -> bool) -> Self {
        let requests = unit.requests.iter().map(|request| (request.key(), request.clone()));
        let kind = |request: &Request| (request.kind.clone(), request.impl_version);
        Self {
            kinds: unit.requests.iter().map(|one| (one.key(), kind(one))).collect(),
            open: requests.filter(|(key, _)| wanted(key)).collect(),
            halve: unit.halve,
            asked: BTreeSet::new(),
            suspects: Suspects::default(),
            halved: BTreeSet::new(),
            deadly: BTreeSet::new(),
            outside: BTreeMap::new(),
            at: BTreeMap::new(),
        }
    }

    /// The requests that have not ended.
    pub fn open(&self) -> impl Iterator<Item = &Request> {
        self.open.iter().map(|(_, request)| request)
    }

    /// An open request.
    pub fn get(&self, key: &Digest) -> Option<&Request> {
        self.open.iter().find(|(other, _)| other == key).map(|(_, request)| request)
    }

    /// The kind of a request, and its version.
    pub fn kind(&self, key: &Digest) -> Option<(String, u32)> {
        self.kinds.get(key).cloned()
    }

    /// Whether all have ended.
    pub fn is_finished(&self) -> bool {
        self.open.is_empty()
    }

    /// How far the requests are that a lab works on.
    pub fn at(&self) -> Vec<At> {
        self.at.values().map(|(at, _)| at.clone()).collect()
    }

    /// The requests that a lab works on, and since when.
    pub fn running(&self) -> impl Iterator<Item = (Digest, Instant)> {
        self.at.iter().map(|(key, (_, since))| (*key, *since))
    }

    /// The commands that a lab must be sent now.
    pub fn commands(&mut self) -> Vec<Command> {
        let may = |key: &Digest| !self.asked.contains(key) && self.suspects.may_ask(key);
        let new: Vec<&(Digest, Request)> = self.open.iter().filter(|(key, _)| may(key)).collect();
        let run = |(key, request): &&(Digest, Request)| Command::Run {
            request: Box::new(request.clone()),
            halve: self.halve || self.halved.contains(key),
        };
        let commands = new.iter().map(run).collect();
        self.asked.extend(new.iter().map(|(key, _)| *key));
        commands
    }

    /// Whether a lab has been sent this request, and has not said that it ended.
    pub fn is_asked(&self, key: &Digest) -> bool {
        self.asked.contains(key)
    }

    /// A lab said something.
    pub fn said(&mut self, event: Event) -> Option<Ended> {
        match event {
            Event::Progress { key, stage, step, total, unit, seconds_left, picture } => {
                if self.asked.contains(&key) {
                    match stage.as_str() {
                        ELSEWHERE => self.suspects.pause(&key),
                        _ => self.suspects.begin(key),
                    }
                    let picture = picture.is_some()
                        || self.at.get(&key).is_some_and(|(at, _)| at.picture && at.stage == stage);
                    let since = self.at.get(&key).map_or_else(Instant::now, |(_, since)| *since);
                    let at = At { key, stage, step, total, unit, seconds_left, picture };
                    self.at.insert(key, (at, since));
                }
                None
            }
            Event::Done { key, seconds } => {
                self.get(&key)?;
                self.close(&key);
                Some(Ended::Done(key, seconds))
            }
            Event::Failed { key, message, hint, cause } => {
                self.get(&key)?;
                let error = LabError { message, hint, cause };
                self.paused(&key);
                self.suspects.end(&key);
                match cause {
                    Cause::Resource if self.halved.insert(key) => None,
                    Cause::Environment => Some(Ended::Outside(key, error)),
                    _ => Some(self.failed(key, error)),
                }
            }
            Event::Cancelled { key } => {
                // It is sent again if it is still open.
                self.paused(&key);
                self.suspects.pause(&key);
                None
            }
            Event::Ready { .. }
            | Event::Unusable { .. }
            | Event::Along { .. }
            | Event::Partial { .. } => None,
        }
    }

    /// The lab is gone; `ready` says whether it had been ready.
    pub fn gone(&mut self, cause: &LabError, ready: bool) -> Death {
        let begun = self.suspects.begun().clone();
        let memory = cause.cause == Cause::Resource;
        let halves = memory && begun.iter().any(|key| !self.halved.contains(key));
        let verdict = match cause.cause {
            Cause::Environment => Verdict::Nobody,
            _ if halves => Verdict::Several,
            _ => self.suspects.died(ready && !self.asked.is_empty()),
        };
        self.restart();
        match verdict {
            Verdict::One(key) if !memory && self.deadly.insert(key) => {
                self.suspects.isolate(key);
                Death::Learned
            }
            Verdict::One(key) => Death::Of(self.failed(key, cause.clone())),
            Verdict::Several => {
                let known = if memory { &mut self.halved } else { &mut self.deadly };
                known.extend(&begun);
                Death::Learned
            }
            Verdict::Nobody => Death::Nothing,
        }
    }

    /// Another lab begins with all that is open.
    pub fn restart(&mut self) {
        self.suspects.acquit();
        self.asked.clear();
        self.at.clear();
    }

    /// A request that failed for a reason outside it is sent again; returns how often that was done.
    pub fn again(&mut self, key: &Digest) -> u32 {
        let times = self.outside.entry(*key).or_default();
        *times += 1;
        *times
    }

    /// A request has ended.
    pub fn close(&mut self, key: &Digest) {
        self.paused(key);
        self.suspects.end(key);
        self.open.retain(|(other, _)| other != key);
    }

    fn failed(&mut self, key: Digest, error: LabError) -> Ended {
        self.close(&key);
        Ended::Failed(key, error)
    }

    fn paused(&mut self, key: &Digest) {
        self.asked.remove(key);
        self.at.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use neuronotes_core::model::Conventions;
    use serde_json::json;

    use super::*;

    fn request(number: u32) -> Request {
        let request = json!({
            "kind": "feature_vis", "impl_version": 2, "params": { "unit": number },
            "model": {
                "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default(),
            },
            "precision": "f32",
        });
        serde_json::from_value(request).expect("a request")
    }

    fn key(number: u32) -> Digest {
        request(number).key()
    }

    fn work(numbers: &[u32]) -> Work {
        let requests = numbers.iter().map(|number| request(*number)).collect();
        Work::new(&Unit { requests, seconds: None, halve: false }, |_| true)
    }

    /// The keys that are sent, each with whether by halves.
    fn sent(work: &mut Work) -> Vec<(Digest, bool)> {
        let sent = work.commands().into_iter().map(|command| match command {
            Command::Run { request, halve } => (request.key(), halve),
            other => panic!("{other:?}"),
        });
        sent.collect()
    }

    fn begin(work: &mut Work, number: u32) {
        let progress = Event::Progress {
            key: key(number),
            stage: "optimising".into(),
            step: 1,
            total: 2,
            unit: "step".into(),
            seconds_left: None,
            picture: None,
        };
        assert_eq!(work.said(progress), None);
    }

    fn death(cause: Cause) -> LabError {
        LabError { message: "the lab crashed".into(), hint: None, cause }
    }

    fn failure(number: u32, cause: Cause) -> Event {
        Event::Failed { key: key(number), message: "no".into(), hint: None, cause }
    }

    #[test]
    fn each_request_is_sent_once_and_its_end_is_told_once() {
        let mut work = work(&[1, 2]);
        assert_eq!(sent(&mut work), [(key(1), false), (key(2), false)]);
        assert_eq!(sent(&mut work), []);
        begin(&mut work, 1);
        assert_eq!(work.at().len(), 1);
        let done = Event::Done { key: key(1), seconds: 2.0 };
        assert_eq!(work.said(done.clone()), Some(Ended::Done(key(1), 2.0)));
        assert_eq!(work.said(done), None);
        assert!(work.at().is_empty() && !work.is_finished());
        let failed = work.said(failure(2, Cause::Deterministic));
        assert!(matches!(failed, Some(Ended::Failed(found, _)) if found == key(2)), "{failed:?}");
        assert!(work.is_finished());
    }

    #[test]
    fn a_lab_that_dies_at_several_is_followed_by_one_that_gets_them_alone() {
        let mut work = work(&[1, 2, 3]);
        sent(&mut work);
        begin(&mut work, 1);
        begin(&mut work, 2);
        assert_eq!(work.gone(&death(Cause::Deterministic), true), Death::Learned);
        let mut alone = sent(&mut work);
        assert_eq!(alone.len(), 1);
        let (first, _) = alone.remove(0);
        let second = if first == key(1) { key(2) } else { key(1) };
        work.said(Event::Done { key: first, seconds: 1.0 });
        assert_eq!(sent(&mut work), [(second, false)]);
        // It was there the first time, too.
        let failed = Ended::Failed(second, death(Cause::Deterministic));
        assert_eq!(work.gone(&death(Cause::Deterministic), true), Death::Of(failed));
        assert_eq!(sent(&mut work), [(key(3), false)]);
    }

    #[test]
    fn one_alone_has_two_tries_and_half_the_memory_before_it_fails() {
        let mut alone = work(&[1]);
        for last in [false, true] {
            assert_eq!(sent(&mut alone), [(key(1), false)]);
            begin(&mut alone, 1);
            let told = alone.gone(&death(Cause::Deterministic), true);
            assert_eq!(matches!(told, Death::Of(_)), last, "{told:?}");
        }
        let mut killed = work(&[1]);
        for last in [false, true] {
            assert_eq!(sent(&mut killed), [(key(1), last)]);
            begin(&mut killed, 1);
            let told = killed.gone(&death(Cause::Resource), true);
            assert_eq!(matches!(told, Death::Of(_)), last, "{told:?}");
        }
        let mut failing = work(&[1]);
        assert_eq!(sent(&mut failing), [(key(1), false)]);
        assert_eq!(failing.said(failure(1, Cause::Resource)), None);
        assert_eq!(sent(&mut failing), [(key(1), true)]);
        assert!(matches!(failing.said(failure(1, Cause::Resource)), Some(Ended::Failed(..))));
    }

    #[test]
    fn what_ends_a_lab_from_outside_is_no_requests_fault() {
        let mut work = work(&[1]);
        for _ in 0..5 {
            assert_eq!(sent(&mut work), [(key(1), false)]);
            begin(&mut work, 1);
            assert_eq!(work.gone(&death(Cause::Environment), true), Death::Nothing);
        }
        assert_eq!(sent(&mut work), [(key(1), false)]);
        let outside = work.said(failure(1, Cause::Environment));
        assert!(matches!(outside, Some(Ended::Outside(..))) && !work.is_finished());
        assert_eq!([work.again(&key(1)), work.again(&key(1))], [1, 2]);
        assert_eq!(sent(&mut work), [(key(1), false)]);
        // Another lab gets it anew.
        work.restart();
        assert_eq!(sent(&mut work), [(key(1), false)]);
        // What another process is measuring is not being worked on here.
        let elsewhere = Event::Progress {
            key: key(1),
            stage: ELSEWHERE.into(),
            step: 0,
            total: 0,
            unit: "step".into(),
            seconds_left: None,
            picture: None,
        };
        work.said(elsewhere);
        assert!(work.suspects.begun().is_empty());
    }
}
