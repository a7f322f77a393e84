//! How a measurement is watched while it runs: progress out; the request to stop in.

use std::time::{Duration, Instant};

use neuronotes_core::request::Request;
use neuronotes_core::store::Record;

use crate::failure::Failure;

/// The stage before a measurement has begun.
pub const BEGINNING: &str = "beginning";

/// The progress of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress<'a> {
    /// What is being done, for a person.
    pub stage: &'a str,
    /// Steps done.
    pub step: u64,
    /// All steps.
    pub total: u64,
    /// What a step is: `step` or `image`.
    pub unit: &'a str,
    /// A PNG of the current state, if it has changed.
    pub picture: Option<&'a [u8]>,
}

impl<'a> Progress<'a> {
    /// The beginning of a stage without steps.
    pub fn beginning(stage: &'a str) -> Self {
        Self { stage, step: 0, total: 0, unit: "step", picture: None }
    }
}

/// Measures a request; the function says whether to stop.
pub type MeasurePart<'a> =
    &'a mut dyn FnMut(&Request, &dyn Fn() -> bool) -> Result<Record, Failure>;

/// Watches the measurement of one request.
pub trait Monitor {
    /// Takes progress. It is called often; the monitor decides how much of it to pass on.
    fn progress(&mut self, progress: &Progress<'_>);

    /// Whether the request has been cancelled.
    fn stopped(&self) -> bool;

    /// Whether to halve the batch size, because memory ran out before. The result is the same.
    fn halves(&self) -> bool {
        false
    }

    /// Whether to wait for a request that another process is measuring. Otherwise the measurement fails with
    /// [`Failure::Elsewhere`], and is tried again later.
    fn waits(&self) -> bool {
        true
    }

    /// A scan that the request uses is about to be measured: others may be answered from the scans that are stored, by
    /// `measure`, which measures a request whose scans are all there.
    fn before_scan(&mut self, measure: MeasurePart<'_>) {
        let _ = measure;
    }

    /// Scans that requests in the queue need, and that can share a pass with this one, each with what watches it.
    fn companions(&self, _scan: &Request) -> Vec<(Request, Box<dyn Monitor>)> {
        Vec::new()
    }

    /// Ends the measurement at its next step if the request has been cancelled.
    ///
    /// # Errors
    /// [`Failure::Cancelled`], if it has.
    fn check(&self) -> Result<(), Failure> {
        match self.stopped() {
            true => Err(Failure::Cancelled),
            false => Ok(()),
        }
    }
}

/// A monitor that ignores progress and never stops.
#[derive(Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// A monitor that ignores progress, stops when a function says so, and waits for no other process.
pub struct Stoppable<'a>(pub &'a dyn Fn() -> bool);

impl Monitor for Stoppable<'_> {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn stopped(&self) -> bool {
        (self.0)()
    }

    fn waits(&self) -> bool {
        false
    }
}

/// Watches several measurements that are one piece of work: it goes on until all of them have been cancelled.
pub struct Together<'m>(Vec<&'m mut dyn Monitor>);

impl<'m> Together<'m> {
    /// What watches each of them.
    pub fn of(monitors: Vec<&'m mut dyn Monitor>) -> Self {
        Self(monitors)
    }
}

impl Monitor for Together<'_> {
    fn progress(&mut self, progress: &Progress<'_>) {
        for monitor in self.0.iter_mut().filter(|monitor| !monitor.stopped()) {
            monitor.progress(progress);
        }
    }

    fn stopped(&self) -> bool {
        // Each is asked, because each reports its own cancellation.
        let going_on = self.0.iter().filter(|monitor| !monitor.stopped()).count();
        going_on == 0
    }

    fn halves(&self) -> bool {
        self.0.iter().any(|monitor| monitor.halves())
    }
}

/// Watches one of several scans that together are those of a data set: reports the progress over all of its pictures.
pub struct PartOf<'m> {
    /// What watches the whole.
    pub whole: &'m mut dyn Monitor,
    /// Pictures that were scanned before, in this or in earlier sessions.
    pub before: u64,
    /// All pictures.
    pub total: u64,
}

impl Monitor for PartOf<'_> {
    fn progress(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress { unit: "image", step, .. } => {
                let step = (self.before + step).min(self.total);
                self.whole.progress(&Progress { step, total: self.total, ..progress.clone() });
            }
            // That a scan begins is no news after the first.
            Progress { stage: BEGINNING, .. } => {}
            other => self.whole.progress(other),
        }
    }

    fn stopped(&self) -> bool {
        self.whole.stopped()
    }

    fn halves(&self) -> bool {
        self.whole.halves()
    }

    fn waits(&self) -> bool {
        self.whole.waits()
    }

    fn companions(&self, scan: &Request) -> Vec<(Request, Box<dyn Monitor>)> {
        self.whole.companions(scan)
    }
}

/// A timer that tells when something periodic is due.
#[derive(Debug)]
pub struct Timer {
    interval: Duration,
    next: Instant,
}

impl Timer {
    /// A timer that is due after `first`, and then once an `interval`.
    pub fn new(first: Duration, interval: Duration) -> Self {
        Self { interval, next: Instant::now() + first }
    }

    /// Whether it is due; if so, it is due again an interval from now.
    pub fn due(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next;
        if due {
            self.next = now + self.interval;
        }
        due
    }
}
