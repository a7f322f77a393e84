//! What requests wait for that no worker has begun, from what the engine and the workers say.

use neuronotes_core::pool::{Phase, Seen};

use super::checked::Check;
use super::crew::{Crew, Submission};
use super::status::Waiting;
use crate::engine::{Job, State};

impl Crew {
    /// What requests wait for that no worker has begun.
    pub fn waiting(&self, seen: &[Seen]) -> Waiting {
        let engine = || self.engine.name().to_owned();
        let alive: Vec<&Job> = self.jobs.iter().filter(|job| job.is_alive()).collect();
        if let Check::Waiting { nonce } = &self.check {
            let checks = seen.iter().find_map(|seen| match &seen.status.phase {
                Phase::Checking { what } => Some(what.clone()),
                _ => None,
            });
            let is_running = self.job_of(nonce).is_some_and(|job| job.state == State::Running);
            if checks.is_some() || is_running {
                return Waiting::Check(checks);
            }
        } else if let running @ 1.. = seen.len() {
            return Waiting::Worker(running);
        }
        if let Some(since) = self.silent {
            return Waiting::Answer { engine: engine(), since };
        }
        let since = |job: Option<&Job>| {
            let of = |sub: &&Submission| job.is_none_or(|job| sub.has(&job.id));
            self.submissions.iter().rev().find(of).and_then(|sub| sub.time)
        };
        let hopeless = || alive.iter().find_map(|job| job.hopeless.clone());
        match alive.iter().find(|job| job.state != State::WaitingAgain) {
            Some(_) if alive.iter().all(|job| job.hopeless.is_some()) => {
                Waiting::Hopeless { engine: engine(), why: hopeless().unwrap_or_default() }
            }
            Some(job) if job.state == State::Running => {
                let node = job.node.as_ref().map(|node| format!(" on {node}"));
                let reason = Some(format!("starting{}", node.unwrap_or_default()));
                Waiting::Engine { engine: engine(), reason, since: None }
            }
            Some(job) => Waiting::Engine {
                engine: engine(),
                reason: job.reason.clone().or(match &job.state {
                    State::Other(word) => Some(word.clone()),
                    _ => None,
                }),
                since: since(Some(job)),
            },
            None if !alive.is_empty() => Waiting::Again,
            None if self.submissions.iter().any(|sub| sub.fresh.is_some()) => {
                Waiting::Engine { engine: engine(), reason: None, since: since(None) }
            }
            None => Waiting::Nothing,
        }
    }

    /// Whether a job waits to be started again.
    pub fn waits_again(&self, job: &str) -> bool {
        self.jobs.iter().any(|known| known.id == job && known.state == State::WaitingAgain)
    }
}
