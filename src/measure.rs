//! Measures requests to their end: waits until the scheduler has a result or failure for each.

pub mod lab;
pub mod progress;
pub mod schedule;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use crate::measure::schedule::{LabNews, Rank, Scheduler, Update, Wish};

/// Called with the number of finished smaller copies and their total, from any thread.
pub type CopyProgress = dyn Fn(usize, usize) + Sync;

/// Receives progress of measurements and of smaller copies of pictures.
pub trait Watcher {
    /// A line about what is going to be measured.
    fn announce(&mut self, _line: &str) {}
    /// The lab is ready.
    fn ready(&mut self, device: &str, device_name: &str);
    /// A request has begun or progressed; `left` estimates the seconds until all requests have ended.
    fn progress(&mut self, request: &Request, event: &Event, left: Option<f64>);
    /// A request has ended: its seconds, or its failure.
    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>);
    /// Smaller copies of pictures will be made: returns the callback for their progress.
    fn copy_progress(&mut self) -> Box<CopyProgress> {
        Box::new(|_, _| {})
    }
}

/// Why requests have no result: messages and hints.
pub type Failures = BTreeMap<Digest, (String, Option<String>)>;

/// Measures all `requests` and returns those that failed. `retry` repeats those that the store remembers as failed.
pub fn measure(
    requests: &[(Digest, Request)],
    store: &Store,
    device: &str,
    retry: bool,
    watcher: &mut dyn Watcher,
) -> Failures {
    let (sender, news) = mpsc::channel();
    let tell = move |news| drop(sender.send(news));
    let mut scheduler = Scheduler::new(store.clone(), device.to_owned(), tell);
    if retry {
        requests.iter().for_each(|(key, _)| scheduler.retry(key));
    }
    run(&mut scheduler, &news, requests, watcher)
}

/// The same with a given scheduler, whose events arrive through `news`.
fn run(
    scheduler: &mut Scheduler,
    news: &Receiver<LabNews>,
    requests: &[(Digest, Request)],
    watcher: &mut dyn Watcher,
) -> Failures {
    let mut open: BTreeMap<Digest, &Request> = requests.iter().map(|(k, r)| (*k, r)).collect();
    let mut failures = Failures::new();
    let wish = |(key, request): &(Digest, Request)| {
        let (request, rank) = (request.clone(), Rank::Rest);
        Wish { key: *key, request, rank }
    };
    scheduler.want(requests.iter().map(wish).collect());
    while !open.is_empty() {
        let heard = match scheduler.next_tick() {
            None => news.recv().ok(),
            Some(at) => news.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
        };
        let told = match heard {
            Some(news) => {
                let progress = match news.event() {
                    Some(event @ Event::Progress { key, .. }) => {
                        open.get(key).map(|request| (*request, event.clone()))
                    }
                    _ => None,
                };
                let told = scheduler.hear(news);
                if let Some((request, event)) = progress {
                    watcher.progress(request, &event, scheduler.seconds_left());
                }
                told
            }
            None => scheduler.tick(),
        };
        for told in told {
            match told {
                Update::Ready { device, device_name } => watcher.ready(&device, &device_name),
                Update::Progress { .. } | Update::Partial { .. } => {}
                Update::Done { key, seconds } => {
                    if let Some(request) = open.remove(&key) {
                        watcher.ended(request, Ok(seconds));
                    }
                }
                Update::Failed { key } => {
                    if let (Some(request), Some(reason)) =
                        (open.remove(&key), scheduler.failed(&key))
                    {
                        watcher.ended(request, Err(&reason.message));
                        failures.insert(key, (reason.message.clone(), reason.hint.clone()));
                    }
                }
            }
        }
    }
    failures
}

#[cfg(all(test, unix))]
mod tests;
