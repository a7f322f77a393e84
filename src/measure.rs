//! Measures requests to their end: waits until a lab, or the workers of a pool, have a result or failure for each.

pub mod interrupt;
pub mod lab;
pub mod measurer;
pub mod progress;
pub mod remote;
pub mod schedule;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use crate::measure::interrupt::Interrupts;
use crate::measure::measurer::{Measurer, News};
use crate::measure::remote::{Overview, Remote, Setup};
use crate::measure::schedule::{Rank, Scheduler, Update, Wish};

/// Time in which workers must have been cancelled.
const CANCELLED: Duration = Duration::from_secs(30);

/// Called with the number of finished smaller copies and their total, from any thread.
pub type CopyProgress = dyn Fn(usize, usize) + Sync;

/// Receives progress of measurements and of smaller copies of pictures.
pub trait Watcher {
    /// A line about what is going to be measured.
    fn announce(&mut self, _line: &str) {}
    /// The lab is ready.
    fn ready(&mut self, device: &str, device_name: &str);
    /// A pool is so far; `left` estimates the seconds until all requests have ended.
    fn pool(&mut self, _overview: &Overview, _left: Option<f64>) {}
    /// The program is to end: whether the workers of the pool are to be cancelled.
    fn cancels(&mut self) -> bool {
        false
    }
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
    let tell = move |news| drop(sender.send(News::Lab(news)));
    let scheduler = Scheduler::new(store.clone(), device.to_owned(), tell);
    let mut measurer = Measurer::Here(Box::new(scheduler));
    if retry {
        requests.iter().for_each(|(key, _)| measurer.retry(key));
    }
    run(&mut measurer, &news, requests, watcher).failures
}

/// What has become of requests that the workers of a pool measure.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Those that failed.
    pub failures: Failures,
    /// What was said when the program was interrupted; then the others may not have ended.
    pub interrupted: Option<String>,
}

/// Measures all `requests` by the workers of a pool. `retry` repeats those that the store remembers as failed. Ctrl-C ends it:
/// then the watcher is asked what becomes of the workers.
pub fn measure_there(
    setup: Setup,
    requests: &[(Digest, Request)],
    retry: bool,
    watcher: &mut dyn Watcher,
) -> Outcome {
    let (sender, news) = mpsc::channel();
    let words = left(&setup.name);
    let interrupted = sender.clone();
    let tell = move || drop(interrupted.send(News::Interrupted));
    let _interrupts = Interrupts::to(tell, words.clone());
    let (name, store) = (setup.name.clone(), setup.store.clone());
    let tell = move |news| drop(sender.send(News::Pool(Box::new(news))));
    if retry {
        requests.iter().for_each(|(key, _)| store.forget_failure(key));
    }
    let mut measurer = Measurer::There(Box::new(Remote::new(setup, tell)));
    let mut outcome = run(&mut measurer, &news, requests, watcher);
    if let (Some(said), Measurer::There(remote)) = (&mut outcome.interrupted, &mut measurer) {
        *said = match watcher.cancels() {
            false => words,
            true => match remote.close(true, CANCELLED) {
                Ok(()) => format!(
                    "the workers of `{name}` were cancelled; what they have measured is kept"
                ),
                Err(problem) => {
                    format!("the workers of `{name}` could not be cancelled: {problem}")
                }
            },
        };
    }
    outcome
}

/// What is said of workers that are left.
fn left(pool: &str) -> String {
    format!(
        "the workers of `{pool}` go on; `neuronotes build --on {pool}` finds their results, and `neuronotes jobs cancel {pool}` ends them"
    )
}

/// The same with a given measurer, whose events arrive through `news`.
fn run(
    measurer: &mut Measurer,
    news: &Receiver<News>,
    requests: &[(Digest, Request)],
    watcher: &mut dyn Watcher,
) -> Outcome {
    let mut open: BTreeMap<Digest, &Request> = requests.iter().map(|(k, r)| (*k, r)).collect();
    let mut failures = Failures::new();
    let wish = |(key, request): &(Digest, Request)| {
        let (request, rank) = (request.clone(), Rank::Rest);
        Wish { key: *key, request, rank }
    };
    measurer.want(requests.iter().map(wish).collect());
    while !open.is_empty() {
        let heard = match measurer.next_tick() {
            None => news.recv().ok(),
            Some(at) => news.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
        };
        let told = match heard {
            Some(News::Interrupted) => {
                return Outcome { failures, interrupted: Some(String::new()) };
            }
            Some(news) => {
                let progress = match news.event() {
                    Some(event @ Event::Progress { key, .. }) => {
                        open.get(key).map(|request| (*request, event.clone()))
                    }
                    _ => None,
                };
                let told = measurer.hear(news);
                if let Some((request, event)) = progress {
                    watcher.progress(request, &event, measurer.seconds_left());
                }
                if let Measurer::There(remote) = &measurer {
                    watcher.pool(&remote.overview(), remote.seconds_left());
                }
                told
            }
            None => measurer.tick(),
        };
        for told in told {
            match told {
                Update::Ready { device, device_name } => watcher.ready(&device, &device_name),
                Update::Said(line) => watcher.announce(&line),
                Update::Progress { .. } | Update::Partial { .. } => {}
                Update::Done { key, seconds } => {
                    if let Some(request) = open.remove(&key) {
                        watcher.ended(request, Ok(seconds));
                    }
                }
                Update::Failed { key } => {
                    if let (Some(request), Some(reason)) =
                        (open.remove(&key), measurer.failed(&key))
                    {
                        watcher.ended(request, Err(&reason.message));
                        failures.insert(key, (reason.message.clone(), reason.hint.clone()));
                    }
                }
            }
        }
    }
    Outcome { failures, interrupted: None }
}

#[cfg(all(test, unix))]
mod tests;
