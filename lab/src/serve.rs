//! `serve`: commands in, a line each; events out, a line each.
//!
//! One thread reads, so that a cancellation is heard while something is measured; the thread that calls
//! [`serve`] owns the device and does all the work. Requests that can share work are taken together. Nothing else may
//! write to the output.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use neuronotes::digest::Digest;
use neuronotes::protocol::{Command, Event};
use neuronotes::request::Request;
use neuronotes::store::Store;

use crate::analysis::Measure;
use crate::failure::Failure;
use crate::monitor::{Every, Monitor, Progress};
use crate::session::Session;

/// How often a stage's progress is told, where it is steady.
const NEWS: Duration = Duration::from_millis(200);
/// How long a request that can have company waits for more of it.
const GATHER: Duration = Duration::from_millis(30);
/// Most requests that are measured together.
const TOGETHER: usize = 64;

/// What the reading and the working thread share.
#[derive(Debug, Default)]
struct Desk {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Request>,
    /// What is being measured, each with the wish that it stop.
    running: BTreeMap<Digest, Arc<AtomicBool>>,
    closed: bool,
}

/// What is to be measured next.
type Next = Vec<(Request, Arc<AtomicBool>)>;

impl Desk {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next request, and takes those along that keep it company; `None` at the end of the input.
    fn next(&self) -> Option<Next> {
        let mut queue = self.queue();
        let first = loop {
            if queue.closed {
                return None;
            }
            // Until it is taken it can be cancelled.
            match queue.waiting.front().map(Measure::company) {
                Some(Some(_)) => queue = self.gather(queue),
                Some(None) => {}
                None => {
                    queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            }
            if let Some(request) = queue.waiting.pop_front() {
                break request;
            }
        };
        let mut all = vec![first];
        if let Some(company) = Measure::company(&all[0]) {
            for request in std::mem::take(&mut queue.waiting) {
                match all.len() < TOGETHER && Measure::company(&request) == Some(company) {
                    true => all.push(request),
                    false => queue.waiting.push_back(request),
                }
            }
        }
        let run = |request: Request| {
            let stop = Arc::new(AtomicBool::new(queue.closed));
            queue.running.insert(request.key(), Arc::clone(&stop));
            (request, stop)
        };
        Some(all.into_iter().map(run).collect())
    }

    /// Waits until nothing more comes: whoever asks for many does so in one go, and the first of them need not run ahead
    /// of the others alone.
    fn gather<'a>(&self, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        loop {
            let before = queue.waiting.len();
            let wait = self.arrived.wait_timeout(queue, GATHER);
            queue = wait.unwrap_or_else(PoisonError::into_inner).0;
            if queue.waiting.len() == before || queue.closed {
                return queue;
            }
        }
    }

    /// A request has come to its end.
    fn ended(&self, key: &Digest) {
        self.queue().running.remove(key);
    }

    fn obey(&self, command: Command, events: &Events<impl Write>) {
        let mut queue = self.queue();
        match command {
            Command::Run { request } => {
                queue.waiting.push_back(*request);
                self.arrived.notify_one();
            }
            Command::Cancel { key } => {
                let before = queue.waiting.len();
                queue.waiting.retain(|request| request.key() != key);
                if let Some(stop) = queue.running.get(&key) {
                    stop.store(true, Ordering::Relaxed);
                }
                if queue.waiting.len() < before {
                    events.send(&Event::Cancelled { key });
                }
            }
        }
    }

    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.running.values().for_each(|stop| stop.store(true, Ordering::Relaxed));
        self.arrived.notify_one();
    }
}

/// Writes events, whole lines at a time.
#[derive(Debug)]
pub struct Events<W>(Mutex<W>);

impl<W: Write> Events<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self(Mutex::new(output))
    }

    /// Writes an event. Where nobody listens any more, the end of the input will tell.
    pub fn send(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}

/// Obeys commands until their end. Then it stops at the next step of what it is doing, and returns.
pub fn serve(
    session: &Session,
    mut input: impl BufRead + Send + 'static,
    events: &'static Events<impl Write + Send>,
) {
    let desk: &'static Desk = Box::leak(Box::default());
    // Not joined: at the end of the input it has ended, and it holds nothing.
    thread::spawn(move || {
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return desk.close(),
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => match serde_json::from_slice(&line) {
                    Ok(command) => desk.obey(command, events),
                    Err(error) => eprintln!("neuronotes-lab: a line is no command ({error})"),
                },
            }
        }
    });
    while let Some(all) = desk.next() {
        let clock = Instant::now();
        let mut reporters: Vec<Reporter<'_, _>> = all
            .iter()
            .map(|(request, stop)| Reporter {
                key: request.key(),
                events,
                stop,
                store: session.store().clone(),
                stage: None,
            })
            .collect();
        let count = all.len() as f64;
        let requests: Vec<&Request> = all.iter().map(|(request, _)| request).collect();
        let mut monitors: Vec<&mut dyn Monitor> =
            reporters.iter_mut().map(|reporter| reporter as &mut dyn Monitor).collect();
        session.measure_together(&requests, &mut monitors, &mut |at, result| {
            let key = requests[at].key();
            desk.ended(&key);
            events.send(&match result {
                // Its share of what all took together.
                Ok(_) => Event::Done { key, seconds: clock.elapsed().as_secs_f64() / count },
                Err(Failure::Cancelled) => Event::Cancelled { key },
                Err(Failure::Failed { message, hint }) => {
                    Event::Failed { key, message: message.clone(), hint: hint.clone() }
                }
            });
        });
    }
}

/// Tells how a request gets on.
struct Reporter<'a, W> {
    key: Digest,
    events: &'a Events<W>,
    stop: &'a AtomicBool,
    store: Store,
    stage: Option<Stage>,
}

/// The stage that is being told of.
struct Stage {
    name: String,
    clock: Instant,
    first_step: u64,
    news: Every,
}

impl<W: Write> Monitor for Reporter<'_, W> {
    fn progress(&mut self, progress: &Progress<'_>) {
        if self.stage.as_ref().is_none_or(|stage| stage.name != progress.stage) {
            self.stage = Some(Stage {
                name: progress.stage.to_owned(),
                clock: Instant::now(),
                first_step: progress.step,
                news: Every::new(Duration::ZERO, NEWS),
            });
        }
        let Some(stage) = &mut self.stage else { return };
        let last = progress.step == progress.total;
        if !stage.news.due() && !last && progress.picture.is_none() {
            return;
        }
        // The clock began when the first step that was told of was done.
        let timed = progress.step.saturating_sub(stage.first_step);
        let seconds_left = (timed > 0).then(|| {
            let left = progress.total.saturating_sub(progress.step);
            stage.clock.elapsed().as_secs_f64() / timed as f64 * left as f64
        });
        // Without the picture the progress still stands.
        let picture = progress.picture.and_then(|png| self.store.put_partial(&self.key, png).ok());
        self.events.send(&Event::Progress {
            key: self.key,
            stage: progress.stage.to_owned(),
            step: progress.step,
            total: progress.total,
            unit: progress.unit.to_owned(),
            seconds_left,
            picture,
        });
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
