//! Requests in, committed results out: feeds the lab, listens to it, and starts it again where it dies.
//!
//! A lab that dies takes the request with it that it was at; the others are asked again.

use std::collections::BTreeMap;
use std::sync::mpsc;

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
    let mut failures = Failures::new();
    let mut open: Vec<&(Digest, Request)> = requests.iter().collect();
    while !open.is_empty() {
        let before = open.len();
        let end = run(&mut open, &mut failures, store, device, watcher);
        let Err(error) = end else { break };
        // A lab that dies before it has done or begun anything would die again.
        let fatal = !error.begun && open.len() == before;
        let count = if fatal { open.len() } else { usize::from(error.begun) };
        for (key, request) in open.drain(..count.min(before)) {
            watcher.ended(request, Err(&error.cause.message));
            failures.insert(*key, (error.cause.message.clone(), error.cause.hint.clone()));
        }
    }
    failures
}

struct Death {
    cause: LabError,
    /// Whether it was at a request, which is the first of those open.
    begun: bool,
}

fn run(
    open: &mut Vec<&(Digest, Request)>,
    failures: &mut Failures,
    store: &Store,
    device: &str,
    watcher: &mut dyn Watcher,
) -> Result<(), Death> {
    let dead = |cause| Death { cause, begun: false };
    let program = lab::find().map_err(dead)?;
    let (sender, events) = mpsc::channel();
    let mut lab =
        Lab::start(&program, store.folder(), device, sender, |event| event).map_err(dead)?;
    for (_, request) in &*open {
        lab.run(request);
    }
    let mut begun = false;
    let mut unusable = None;
    while !open.is_empty() {
        let event = match events.recv() {
            Ok(LabEvent::Said(event)) => event,
            Ok(LabEvent::Gone(cause)) => {
                return Err(Death { cause: unusable.unwrap_or(cause), begun });
            }
            Err(_) => break,
        };
        let at = |key: &Digest| open.iter().position(|(open, _)| open == key);
        match &event {
            Event::Ready { device, device_name, .. } => watcher.ready(device, device_name),
            Event::Unusable { message, hint } => {
                unusable = Some(LabError { message: message.clone(), hint: hint.clone() });
            }
            Event::Progress { key, .. } => {
                if let Some(index) = at(key) {
                    begun = true;
                    // The one that it is at stands first, so that its death is known to be its own.
                    let current = open.remove(index);
                    open.insert(0, current);
                    watcher.progress(&current.1, &event);
                }
            }
            Event::Done { key, seconds } => {
                if let Some(index) = at(key) {
                    begun = false;
                    watcher.ended(&open.remove(index).1, Ok(*seconds));
                }
            }
            Event::Failed { key, message, hint } => {
                if let Some(index) = at(key) {
                    begun = false;
                    watcher.ended(&open.remove(index).1, Err(message));
                    failures.insert(*key, (message.clone(), hint.clone()));
                }
            }
            Event::Cancelled { key } => {
                if let Some(index) = at(key) {
                    begun = false;
                    watcher.ended(&open.remove(index).1, Err("it was given up"));
                    failures.insert(*key, ("it was given up".into(), None));
                }
            }
        }
    }
    Ok(())
}
