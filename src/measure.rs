//! Requests in, committed results out: feeds the lab, listens to it, and starts it again where it dies.
//!
//! A lab may be at several requests at once. One that dies takes the request with it that it was at; where it was at
//! several, they are asked for again one at a time, so that the one at fault fails alone.

mod suspect;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc;

pub use suspect::{Suspects, Verdict};

use crate::digest::Digest;
use crate::lab::{self, Lab, LabError, LabEvent};
use crate::protocol::Event;
use crate::request::Request;
use crate::store::Store;

/// What is told while measurements run.
pub trait Watcher {
    /// The lab is up.
    fn ready(&mut self, device: &str, device_name: &str);
    /// A request has begun or has gone a step further.
    fn progress(&mut self, request: &Request, event: &Event);
    /// A request has ended: its seconds, or why it failed.
    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>);
}

/// Why requests have no result: what is wrong, and what to do.
pub type Failures = BTreeMap<Digest, (String, Option<String>)>;

/// Measures all of `requests`; returns those that failed.
pub fn measure(
    requests: &[(Digest, Request)],
    store: &Store,
    device: &str,
    watcher: &mut dyn Watcher,
) -> Failures {
    measure_by(&lab::find, requests, store, device, watcher)
}

/// The same by a lab that `find` gives.
fn measure_by(
    find: &dyn Fn() -> Result<PathBuf, LabError>,
    requests: &[(Digest, Request)],
    store: &Store,
    device: &str,
    watcher: &mut dyn Watcher,
) -> Failures {
    let mut work = Work {
        open: requests.iter().collect(),
        suspects: Suspects::default(),
        failures: Failures::new(),
        watcher,
    };
    while !work.open.is_empty() {
        let before = work.open.len();
        let Err(death) = work.run(find, store, device) else { break };
        match work.suspects.died(death.up) {
            Verdict::One(key) => work.fail(&key, &death.cause),
            // A lab that dies before it has done or begun anything would die again.
            Verdict::Nobody if work.open.len() == before => {
                let keys: Vec<Digest> = work.open.iter().map(|(key, _)| *key).collect();
                for key in keys {
                    work.fail(&key, &death.cause);
                }
            }
            Verdict::Nobody | Verdict::Several => {}
        }
    }
    work.failures
}

struct Death {
    cause: LabError,
    /// Whether it had been ready.
    up: bool,
}

struct Work<'a> {
    /// What has not ended, in order.
    open: Vec<&'a (Digest, Request)>,
    suspects: Suspects,
    failures: Failures,
    watcher: &'a mut dyn Watcher,
}

impl Work<'_> {
    /// One lab's life: until nothing is open, or until it dies.
    fn run(
        &mut self,
        find: &dyn Fn() -> Result<PathBuf, LabError>,
        store: &Store,
        device: &str,
    ) -> Result<(), Death> {
        let dead = |cause| Death { cause, up: false };
        let program = find().map_err(dead)?;
        let (sender, events) = mpsc::channel();
        let mut lab =
            Lab::start(&program, store.folder(), device, sender, |event| event).map_err(dead)?;
        let mut asked = BTreeSet::new();
        self.ask(&mut lab, &mut asked);
        let mut up = false;
        let mut unusable = None;
        while !self.open.is_empty() {
            let event = match events.recv() {
                Ok(LabEvent::Said(event)) => event,
                Ok(LabEvent::Gone(cause)) => {
                    return Err(Death { cause: unusable.unwrap_or(cause), up });
                }
                Err(_) => break,
            };
            match &event {
                Event::Ready { device, device_name, .. } => {
                    up = true;
                    self.watcher.ready(device, device_name);
                }
                Event::Unusable { message, hint } => {
                    unusable = Some(LabError { message: message.clone(), hint: hint.clone() });
                }
                Event::Progress { key, .. } => {
                    if let Some((_, request)) = self.open.iter().find(|(open, _)| open == key) {
                        self.suspects.begin(*key);
                        self.watcher.progress(request, &event);
                    }
                }
                Event::Done { key, seconds } => self.end(key, Ok(*seconds)),
                Event::Failed { key, message, hint } => {
                    self.fail(key, &LabError { message: message.clone(), hint: hint.clone() });
                }
                Event::Cancelled { key } => {
                    let message = "it was given up".to_owned();
                    self.fail(key, &LabError { message, hint: None });
                }
            }
            // What waited for another's end may be asked for now.
            self.ask(&mut lab, &mut asked);
        }
        Ok(())
    }

    /// Asks for all that may be asked for and was not yet.
    fn ask(&self, lab: &mut Lab, asked: &mut BTreeSet<Digest>) {
        for (key, request) in &self.open {
            if self.suspects.may_ask(key) && asked.insert(*key) {
                lab.run(request);
            }
        }
    }

    fn fail(&mut self, key: &Digest, cause: &LabError) {
        if self.open.iter().any(|(open, _)| open == key) {
            self.failures.insert(*key, (cause.message.clone(), cause.hint.clone()));
            self.end(key, Err(&cause.message));
        }
    }

    fn end(&mut self, key: &Digest, outcome: Result<f64, &str>) {
        self.suspects.end(key);
        if let Some(index) = self.open.iter().position(|(open, _)| open == key) {
            let (_, request) = self.open.remove(index);
            self.watcher.ended(request, outcome);
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
