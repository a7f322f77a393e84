//! `serve`: commands in, a line each; events out, a line each.
//!
//! One thread reads, so that a request can be cancelled while it is measured; the thread that calls
//! [`serve`] owns the device and does all the work. Requests that can share work are measured together. Nothing else may
//! write to the output.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::say;
use neuronotes_core::store::Store;

use crate::early::Early;
use crate::failure::Failure;
use crate::monitor::{MeasurePart, Monitor, Progress, Timer};
use crate::queue::companions::Companion;
use crate::queue::{Capacity, Queue};
use crate::session::Session;

/// How often progress within a stage is reported.
const NEWS: Duration = Duration::from_millis(200);
/// How long a step may take once the input has ended. The store is consistent at any moment.
const LAST_STEP: Duration = Duration::from_secs(1);

/// Writes events, whole lines at a time.
#[derive(Debug)]
pub struct Events<W>(Mutex<W>);

impl<W: Write> Events<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self(Mutex::new(output))
    }

    /// Writes an event. An error is ignored: if nobody reads any more, the input ends too.
    pub fn send(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}

/// Carries out commands until the input ends. Then it stops at the next step of what it is doing, and returns.
pub fn serve(
    session: &Session,
    mut input: impl BufRead + Send + 'static,
    events: &'static Events<impl Write + Send>,
) {
    let capacity = Capacity::of(session.device().torch);
    let queue: &'static Queue = Box::leak(Box::new(Queue::new(capacity)));
    // Not joined: it ends the process if the work does not end by itself.
    thread::spawn(move || {
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => match serde_json::from_slice(&line) {
                    Ok(command) => {
                        if let Some(key) = queue.obey(command) {
                            events.send(&Event::Cancelled { key });
                        }
                    }
                    Err(error) => {
                        say::err(format_args!(
                            "neuronotes-lab: ignored a line that is not a command ({error})"
                        ));
                    }
                },
            }
        }
        queue.close();
        thread::sleep(LAST_STEP);
        // SAFETY: it ends the process without running anything, destructors of libtorch among it, which other threads
        // may be using.
        unsafe { libc::_exit(0) }
    });
    let early = RefCell::new(Early::default());
    while let Some(all) = queue.next() {
        let clock = Instant::now();
        early.borrow_mut().begin();
        let cancelled: Vec<Cell<bool>> = all.iter().map(|_| Cell::new(false)).collect();
        let mut reporters: Vec<Reporter<'_, _>> = all
            .iter()
            .zip(&cancelled)
            .map(|(job, cancelled)| Reporter {
                key: job.key,
                request: &job.request,
                early: &early,
                events,
                stop: &job.stop,
                halve: job.halve,
                queue,
                store: session.store().clone(),
                stage: None,
                cancelled,
            })
            .collect();
        let count = all.len() as f64;
        let requests: Vec<&Request> = all.iter().map(|job| &job.request).collect();
        let mut monitors: Vec<&mut dyn Monitor> =
            reporters.iter_mut().map(|reporter| reporter as &mut dyn Monitor).collect();
        session.measure_together(&requests, &mut monitors, &mut |at, result| {
            let key = all[at].key;
            if matches!(result, Err(Failure::Elsewhere)) && queue.put_back(&all[at]) {
                return;
            }
            queue.ended(&key);
            early.borrow_mut().ended(&key);
            events.send(&match result {
                // Its share of the time that all took together.
                Ok(_) => Event::Done { key, seconds: clock.elapsed().as_secs_f64() / count },
                Err(Failure::Cancelled | Failure::Elsewhere) if cancelled[at].replace(true) => {
                    return;
                }
                Err(Failure::Cancelled | Failure::Elsewhere) => Event::Cancelled { key },
                Err(Failure::Failed { message, hint, cause }) => Event::Failed {
                    key,
                    message: message.clone(),
                    hint: hint.clone(),
                    cause: *cause,
                },
            });
        });
    }
}

/// Reports the progress of a request.
struct Reporter<'a, W> {
    key: Digest,
    request: &'a Request,
    early: &'a RefCell<Early>,
    events: &'a Events<W>,
    stop: &'a AtomicBool,
    halve: bool,
    queue: &'static Queue,
    store: Store,
    stage: Option<Stage>,
    /// Whether it has been reported that the request was cancelled.
    cancelled: &'a Cell<bool>,
}

/// The stage whose progress is being reported.
struct Stage {
    name: String,
    clock: Instant,
    first_step: u64,
    news: Timer,
}

impl<W: Write> Monitor for Reporter<'_, W> {
    fn progress(&mut self, progress: &Progress<'_>) {
        let goes_on =
            |stage: &Stage| stage.name == progress.stage && stage.first_step <= progress.step;
        if !self.stage.as_ref().is_some_and(goes_on) {
            self.stage = Some(Stage {
                name: progress.stage.to_owned(),
                clock: Instant::now(),
                first_step: progress.step,
                news: Timer::new(Duration::ZERO, NEWS),
            });
        }
        let Some(stage) = &mut self.stage else { return };
        let last = progress.step == progress.total && progress.total > 0;
        if !stage.news.due() && !last && progress.picture.is_none() {
            return;
        }
        // The clock started when the first reported step was done.
        let timed = progress.step.saturating_sub(stage.first_step);
        let seconds_left = (timed > 0).then(|| {
            let left = progress.total.saturating_sub(progress.step);
            stage.clock.elapsed().as_secs_f64() / timed as f64 * left as f64
        });
        // Without the picture the progress is still reported.
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

    /// Reports a cancellation at once: the others of several requests that are measured together may take long.
    fn stopped(&self) -> bool {
        let stopped = self.stop.load(Ordering::Relaxed);
        if stopped && !self.cancelled.replace(true) {
            // The picture of an unfinished state.
            let _ = std::fs::remove_file(self.store.partial_path(&self.key));
            self.events.send(&Event::Cancelled { key: self.key });
        }
        stopped
    }

    fn halves(&self) -> bool {
        self.halve
    }

    fn waits(&self) -> bool {
        self.queue.is_empty()
    }

    /// Answers this request, and those that wait, from the scans that are there.
    fn before_scan(&mut self, measure: MeasurePart<'_>) {
        if !self.queue.is_partial() {
            return;
        }
        let mut early = self.early.borrow_mut();
        let stops = || self.stop.load(Ordering::Relaxed);
        let waiting = self.queue.waiting().into_iter();
        let waiting = waiting.map(|key| self.queue.waiting_request(&key));
        for request in std::iter::once(Some(self.request.clone())).chain(waiting).flatten() {
            if stops() || !early.has_time() {
                return;
            }
            if let Some(event) = early.answer(&request, &self.store, measure, &stops) {
                self.events.send(&event);
            }
        }
    }

    fn companions(&self, scan: &Request) -> Vec<(Request, Box<dyn Monitor>)> {
        let queue = self.queue;
        let found = queue.companions(scan);
        let mut waiting = queue.waiting_for(scan);
        waiting.extend(found.iter().flat_map(|one| &one.wanted_by));
        waiting.sort_unstable();
        waiting.dedup();
        if !waiting.is_empty() {
            self.events.send(&Event::Along { key: self.key, waiting });
        }
        let watched = |Companion { scan, wanted_by }| {
            (scan, Box::new(Waiting { wanted_by, queue }) as Box<dyn Monitor>)
        };
        found.into_iter().map(watched).collect()
    }
}

/// Watches a scan that is measured for requests that wait for their turn; they report it then.
struct Waiting {
    wanted_by: Vec<Digest>,
    queue: &'static Queue,
}

impl Monitor for Waiting {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn stopped(&self) -> bool {
        !self.queue.has_any(&self.wanted_by)
    }

    fn waits(&self) -> bool {
        false
    }
}
