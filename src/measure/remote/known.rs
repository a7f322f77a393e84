//! What is known of a worker's job, from the engine's lists and from the worker's status.

use std::time::{Duration, Instant};

use neuronotes_core::pool::{Phase, Status};

use crate::engine::{Ending, Job, State};

/// What is known of a job.
#[derive(Debug, Default)]
pub struct Known {
    /// Whether a status of it was ever seen: it sees the store.
    pub is_seen: bool,
    /// Whether it ever had no work to take.
    pub was_idle: bool,
    /// Whether it has finished anything.
    pub is_useful: bool,
    /// When the engine first listed it.
    pub since: Option<Instant>,
    /// Since when it has been running.
    pub running: Option<Instant>,
    /// When it was seen to have ended.
    pub ended: Option<Instant>,
    /// Whether it ended without having done anything.
    pub is_fruitless: bool,
}

impl Known {
    /// Takes in what a worker says.
    pub fn hear(&mut self, status: &Status) {
        self.is_seen = true;
        self.was_idle |= matches!(status.phase, Phase::Idle { .. });
        self.is_useful |= status.done + status.failed > 0;
    }

    /// Takes in what the engine says.
    pub fn listed(&mut self, job: &Job, now: Instant) {
        self.since.get_or_insert(now);
        if job.is_alive() {
            // The engine has started it again.
            self.ended = None;
        }
        match job.state {
            State::Running => drop(self.running.get_or_insert(now)),
            _ => self.running = None,
        }
    }

    /// Whether it has been running for so long.
    pub fn has_run_for(&self, time: Duration, now: Instant) -> bool {
        self.running.is_some_and(|since| now.duration_since(since) >= time)
    }

    /// Whether it has ended without having done anything, although there was work or it did not look for any.
    pub fn did_nothing(&self, job: Option<&Job>) -> bool {
        let completed = job.is_none_or(|job| job.state == State::Ended(Ending::Completed));
        let found_none = completed && self.was_idle;
        !(self.is_useful || found_none)
    }
}
