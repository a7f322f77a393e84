//! The lab's life cycle: started when needed, killed when it hangs, restarted when it dies.
//!
//! After a first death the next lab starts at once. While labs die without finishing anything, the pause before each
//! restart grows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use neuronotes_core::protocol::{Cause, Command};

use crate::measure::lab::{self, Lab, LabError, LabEvent};

/// An event from a lab. Only the scheduler knows from which one.
#[derive(Debug)]
pub struct LabNews {
    pub(super) number: u64,
    pub(super) event: LabEvent,
}

impl LabNews {
    /// The lab's message, for other listeners.
    pub fn event(&self) -> Option<&neuronotes_core::protocol::Event> {
        match &self.event {
            LabEvent::Said(event) => Some(event),
            LabEvent::Gone(_) => None,
        }
    }
}

/// Where to find labs.
pub type Find = Box<dyn Fn() -> Result<PathBuf, LabError> + Send>;

/// Number of labs in a row that may die without finishing anything before waiting requests are reported as failed.
const GIVE_UP: u32 = 3;
/// First pause between two labs; it doubles up to the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Time that a lab may take to end when told to; it is killed afterwards.
const LEAVES: Duration = Duration::from_secs(7);

/// The labs, one after another.
pub struct Labs {
    find: Find,
    store: PathBuf,
    device: String,
    news: Arc<dyn Fn(LabNews) + Send + Sync>,
    number: u64,
    state: State,
    /// Whether they also answer requests from the scanned part of their data set.
    partial: bool,
    /// Number of labs in a row that died without finishing anything.
    fruitless: u32,
    not_before: Option<Instant>,
}

enum State {
    None,
    Here(Running),
    /// Told to end or killed. The next one starts when it is gone, because memory may not suffice for both.
    Leaving(Instant),
}

/// A running lab.
struct Running {
    lab: Lab,
    ready: bool,
    /// Whether it has finished anything.
    useful: bool,
    unusable: Option<LabError>,
}

/// How a lab ended unexpectedly.
pub struct Death {
    /// Why.
    pub cause: LabError,
    /// Whether it had been ready.
    pub ready: bool,
    /// Whether the next one would probably fail as well, so that waiting requests should be reported as failed.
    pub hopeless: bool,
}

impl Labs {
    pub fn new(
        find: Find,
        store: PathBuf,
        device: String,
        news: Arc<dyn Fn(LabNews) + Send + Sync>,
    ) -> Self {
        let (number, state) = (0, State::None);
        let (partial, fruitless, not_before) = (false, 0, None);
        Self { find, store, device, news, number, state, partial, fruitless, not_before }
    }

    /// Labs also answer requests from the scanned part of their data set.
    pub fn give_partial_results(&mut self) {
        self.partial = true;
    }

    /// Whether this event is from the current or leaving lab, and whether from the current one.
    pub fn knows(&self, number: u64) -> (bool, bool) {
        (number == self.number, matches!(self.state, State::Here(_)))
    }

    /// The lab, started if there is none; `None` if it is too early to start one.
    pub fn here(&mut self) -> Result<Option<(&Lab, bool)>, LabError> {
        let now = Instant::now();
        if let State::Leaving(until) = self.state
            && until <= now
        {
            self.state = State::None;
        }
        let mut new = false;
        if matches!(self.state, State::None) && self.not_before.is_none_or(|at| at <= now) {
            self.number += 1;
            let (number, news) = (self.number, Arc::clone(&self.news));
            let hear = move |event| news(LabNews { number, event });
            let lab = (self.find)()
                .and_then(|program| lab::start(&program, &self.store, &self.device, hear));
            match lab {
                Ok(lab) => {
                    if self.partial {
                        lab.say(Command::Partial);
                    }
                    let (ready, useful, unusable) = (false, false, None);
                    self.state = State::Here(Running { lab, ready, useful, unusable });
                    new = true;
                }
                Err(error) => {
                    self.failed();
                    return Err(error);
                }
            }
        }
        match &self.state {
            State::Here(running) => Ok(Some((&running.lab, new))),
            _ => Ok(None),
        }
    }

    /// The lab, if one is running.
    pub fn present(&self) -> Option<&Lab> {
        match &self.state {
            State::Here(running) => Some(&running.lab),
            _ => None,
        }
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        matches!(&self.state, State::Here(Running { ready: true, .. }))
    }

    pub fn ready(&mut self) {
        if let State::Here(running) = &mut self.state {
            running.ready = true;
        }
    }

    pub fn unusable(&mut self, error: LabError) {
        if let State::Here(running) = &mut self.state {
            running.unusable = Some(error);
        }
    }

    /// It finished something.
    pub fn useful(&mut self) {
        self.fruitless = 0;
        if let State::Here(running) = &mut self.state {
            running.useful = true;
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let State::Here(running) = &self.state {
            running.lab.kill();
            self.end();
        }
    }

    /// Closes its input.
    pub fn end(&mut self) {
        if let State::Here(_) = self.state {
            self.state = State::Leaving(Instant::now() + LEAVES);
        }
    }

    /// Uses another device from now on; returns whether it differs.
    pub fn set_device(&mut self, device: String) -> bool {
        let other = self.device != device;
        self.device = device;
        other
    }

    /// The lab has ended; `None` if it was told to.
    pub fn gone(&mut self, cause: LabError) -> Option<Death> {
        let State::Here(running) = std::mem::replace(&mut self.state, State::None) else {
            return None;
        };
        if !running.useful {
            self.failed();
        }
        let Running { ready, unusable, .. } = running;
        // What prevents one lab from starting prevents the next one too.
        let lasting = unusable.is_some() || (!ready && cause.cause == Cause::Environment);
        let hopeless = lasting || self.fruitless >= GIVE_UP;
        Some(Death { cause: unusable.unwrap_or(cause), ready, hopeless })
    }

    /// Another lab has died without finishing anything.
    fn failed(&mut self) {
        self.fruitless += 1;
        self.not_before = Some(Instant::now() + pause(self.fruitless));
    }

    /// Lets the next one start at once.
    pub fn forgive(&mut self) {
        self.fruitless = 0;
        self.not_before = None;
    }

    /// When the next one may start, if none is running.
    pub fn next_start(&self) -> Option<Instant> {
        match self.state {
            State::None => Some(self.not_before.unwrap_or_else(Instant::now)),
            State::Leaving(until) => Some(until),
            State::Here(_) => None,
        }
    }
}

impl std::fmt::Debug for Labs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Labs").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The pause after so many labs that finished nothing.
fn pause(fruitless: u32) -> Duration {
    let (first, last) = PAUSE;
    match fruitless {
        0 | 1 => Duration::ZERO,
        n => first.saturating_mul(1 << (n - 2).min(10)).min(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_first_death_pauses_grow_up_to_half_a_minute() {
        let pauses: Vec<f64> = (1..=9).map(|n| pause(n).as_secs_f64()).collect();
        assert_eq!(pauses, [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        assert_eq!(pause(u32::MAX), PAUSE.1);
    }
}
