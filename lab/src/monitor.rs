//! How a running measurement is watched: progress out, the wish to stop in.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How far a stage is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress<'a> {
    /// What is being done, for a person.
    pub stage: &'a str,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub total: u64,
    /// What a step is: `step` or `image`.
    pub unit: &'a str,
    /// A PNG of the state so far; only where it changed.
    pub picture: Option<&'a [u8]>,
}

impl<'a> Progress<'a> {
    /// A stage without steps.
    pub fn beginning(stage: &'a str) -> Self {
        Self { stage, step: 0, total: 0, unit: "step", picture: None }
    }
}

/// Watches one request.
pub trait Monitor {
    /// Something went on. Called often; it is the monitor's affair to thin this out.
    fn progress(&mut self, progress: &Progress<'_>);

    /// Whether nobody wants the request any more.
    fn stopped(&self) -> bool;

    /// Whether it is to be done with half as much at once as usual, since memory ran out before. The result is the same.
    fn halves(&self) -> bool {
        false
    }

    /// Whether to wait for what another process is at. Otherwise it is come back to later ([`Failure::Elsewhere`]).
    fn waits(&self) -> bool {
        true
    }

    /// An early way out at the next step, where nobody wants the request any more.
    ///
    /// # Errors
    /// [`Failure::Cancelled`].
    fn check(&self) -> Result<(), Failure> {
        match self.stopped() {
            true => Err(Failure::Cancelled),
            false => Ok(()),
        }
    }
}

/// Watches nothing and never stops.
#[derive(Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// Says when something periodic is due.
#[derive(Debug)]
pub struct Every {
    interval: Duration,
    next: Instant,
}

impl Every {
    /// First due after `first`, then once an `interval`.
    pub fn new(first: Duration, interval: Duration) -> Self {
        Self { interval, next: Instant::now() + first }
    }

    /// Whether it is due; if so, the next time is an interval from now.
    pub fn due(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next;
        if due {
            self.next = now + self.interval;
        }
        due
    }
}
