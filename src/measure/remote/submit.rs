//! Submissions: how many workers are missing, and what the ledger says of those that were submitted before or by another client.

use std::time::Instant;

use jiff::Timestamp;
use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Ledger, Submitted};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Claimed;

use super::checked::{self, Check};
use super::crew::{Crew, Sight, Submission};
use crate::engine::Workers;
use crate::measure::schedule::Reason;

/// Seconds since a submission by which another client counts its workers, though the engine does not list them yet.
const RECENT: i64 = 60;

impl Crew {
    /// Submits the workers that are missing.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        // Without an answer, workers that nobody sees may be there.
        if self.refused || !self.has_answered || self.silent.is_some() {
            return;
        }
        let wanted = sight.takeable.min(self.most as usize);
        let present = self.present(sight.seen);
        let result = match &self.check {
            _ if present == 0 => {
                let nonce =
                    Digest::of(format!("{:?}{}", Timestamp::now(), std::process::id()).as_bytes());
                self.submit(1, Some(nonce.short().to_string()), sight)
            }
            Check::Good if present < wanted => self.submit((wanted - present) as u32, None, sight),
            _ => return,
        };
        if let Err(Problem { message, hint }) = result {
            if self.engine.is_away() {
                // Nothing is decided. The next list of jobs says whether it has taken them.
                self.silent.get_or_insert_with(Timestamp::now);
                self.asked = Some(sight.now);
            } else if present == 0 {
                self.stop(Reason { message, hint });
            } else {
                self.refused = true;
                self.said.push(format!("no more workers are submitted: {message}"));
            }
        }
    }

    /// Submits workers, unless another client has done it.
    fn submit(
        &mut self,
        count: u32,
        nonce: Option<String>,
        sight: &Sight<'_>,
    ) -> Result<(), Problem> {
        let lock = Digest::of(format!("the workers of {}", self.pool.name()).as_bytes());
        let Claimed::Mine(_claim) = self.claims.claim(&lock) else { return Ok(()) };
        let mut ledger = self.pool.ledger();
        if ledger.count > self.counted {
            self.absorb(&ledger, sight.now);
            return Ok(());
        }
        if let Some(nonce) = &nonce {
            let probe = (sight.probe)(nonce.clone())?;
            self.pool.put_probe(&probe).map_err(|error| checked::unwritable(&error))?;
        }
        let workers = Workers { count, submission: ledger.count, probe: nonce.clone() };
        let jobs = self.engine.submit(&workers)?;
        let shown = match jobs.as_slice() {
            [first, .., last] if jobs.len() > 3 => format!("{first} to {last}"),
            jobs => jobs.join(", "),
        };
        let engine = self.engine.name();
        self.said.push(match nonce {
            Some(_) => format!("submitted the first worker to {engine} (job {shown})"),
            None => {
                format!(
                    "submitted {} more to {engine} (job {shown})",
                    checked::workers(count as usize)
                )
            }
        });
        let time = Timestamp::now();
        ledger.count += 1;
        engine.clone_into(&mut ledger.engine);
        let is_open = |known: &Submitted| self.submissions.iter().any(|sub| sub.jobs == known.jobs);
        ledger.submitted.retain(is_open);
        ledger.submitted.push(Submitted {
            jobs: jobs.clone(),
            workers: count,
            time: time.to_string(),
            probe: nonce.clone(),
        });
        if let Err(error) = self.pool.put_ledger(&ledger) {
            self.said.push(format!("the list of submitted workers cannot be written ({error})"));
        }
        self.counted = ledger.count;
        if let Some(nonce) = &nonce {
            self.check = Check::Waiting { nonce: nonce.clone() };
        }
        let (time, fresh) = (Some(time), Some(sight.now));
        self.submissions.push(Submission { jobs, workers: count, time, probe: nonce, fresh });
        // The next answer has it.
        Ok(())
    }

    /// Takes over what other clients have submitted, or this one before it was started again.
    pub(super) fn absorb(&mut self, ledger: &Ledger, now: Instant) {
        self.counted = ledger.count;
        for Submitted { jobs, workers, time, probe } in &ledger.submitted {
            if self.submissions.iter().any(|sub| sub.jobs == *jobs) {
                continue;
            }
            let time: Option<Timestamp> = time.parse().ok();
            let age = time.map(|time| Timestamp::now().as_second() - time.as_second());
            let is_recent = age.is_some_and(|age| (-RECENT..RECENT).contains(&age));
            self.submissions.push(Submission {
                jobs: jobs.clone(),
                workers: *workers,
                time,
                probe: probe.clone(),
                fresh: is_recent.then_some(now),
            });
        }
    }
}
