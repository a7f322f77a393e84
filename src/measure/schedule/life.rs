//! The lab's life: started when something is wanted, ended when it hangs, started again when it dies. Deaths in; when the
//! next one may start out.
//!
//! After a first death the next lab starts at once. While labs die without having done anything, each waits longer for its
//! turn than the one before.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use neuronotes_core::protocol::Cause;

use crate::measure::lab::{Lab, LabError, LabEvent};

/// What came from a lab. Only the scheduler knows from which.
#[derive(Debug)]
pub struct LabNews {
    pub(super) number: u64,
    pub(super) event: LabEvent,
}

impl LabNews {
    /// What the lab said, for those that want to know more than they are told.
    pub fn event(&self) -> Option<&neuronotes_core::protocol::Event> {
        match &self.event {
            LabEvent::Said(event) => Some(event),
            LabEvent::Gone(_) => None,
        }
    }
}

/// Where labs are found.
pub type Find = Box<dyn Fn() -> Result<PathBuf, LabError> + Send>;

/// As many labs as die in a row without having done anything, before it is said to those that wait.
const GIVE_UP: u32 = 3;
/// The first pause between two labs; doubled up to the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long a lab that was told to end is waited for. It is killed before that.
const LEAVES: Duration = Duration::from_secs(7);

/// Labs, one after the other.
pub struct Labs {
    find: Find,
    store: PathBuf,
    device: String,
    news: Arc<dyn Fn(LabNews) + Send + Sync>,
    number: u64,
    state: State,
    /// Labs that died in a row without having done anything.
    fruitless: u32,
    not_before: Option<Instant>,
}

enum State {
    None,
    Here(Running),
    /// Told to end or killed; the next may start when it is gone, since the two might not find room together.
    Leaving(Instant),
}

/// A lab that is here.
struct Running {
    lab: Lab,
    ready: bool,
    /// Whether it has brought anything to an end.
    useful: bool,
    unusable: Option<LabError>,
}

/// How a lab ended that nobody had told to.
pub struct Death {
    /// Why.
    pub cause: LabError,
    /// Whether it had been ready.
    pub ready: bool,
    /// Whether the next would most likely do no better, so that those who wait should be told.
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
        Self { find, store, device, news, number, state, fruitless: 0, not_before: None }
    }

    /// Whether this is news of the lab that is here or leaving, and of the former.
    pub fn knows(&self, number: u64) -> (bool, bool) {
        (number == self.number, matches!(self.state, State::Here(_)))
    }

    /// The lab, started where there is none; `None` where it is not time yet.
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
                .and_then(|program| Lab::start(&program, &self.store, &self.device, hear));
            match lab {
                Ok(lab) => {
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

    /// The lab, where there is one already.
    pub fn present(&self) -> Option<&Lab> {
        match &self.state {
            State::Here(running) => Some(&running.lab),
            _ => None,
        }
    }

    /// Whether it is up.
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

    /// It brought something to an end.
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

    /// From now on another device; whether it is another.
    pub fn set_device(&mut self, device: String) -> bool {
        let other = self.device != device;
        self.device = device;
        other
    }

    /// The lab is gone; `None` where it was told to.
    pub fn gone(&mut self, cause: LabError) -> Option<Death> {
        let State::Here(running) = std::mem::replace(&mut self.state, State::None) else {
            return None;
        };
        if !running.useful {
            self.failed();
        }
        let Running { ready, unusable, .. } = running;
        // What keeps a lab from coming up keeps the next from it too.
        let lasting = unusable.is_some() || (!ready && cause.cause == Cause::Environment);
        let hopeless = lasting || self.fruitless >= GIVE_UP;
        Some(Death { cause: unusable.unwrap_or(cause), ready, hopeless })
    }

    /// Another one without having done anything.
    fn failed(&mut self) {
        self.fruitless += 1;
        self.not_before = Some(Instant::now() + pause(self.fruitless));
    }

    /// The next one starts at once, whatever became of those before.
    pub fn forgive(&mut self) {
        self.fruitless = 0;
        self.not_before = None;
    }

    /// When the next one may start, where there is none.
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

/// The pause after so many fruitless labs.
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
