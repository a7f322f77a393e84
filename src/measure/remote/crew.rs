//! The workers of a pool: how many there are, whether the first one is well, and when more are submitted.
//!
//! In: what the engine and the workers say, and how much work is left. Out: submissions, and what requests wait for. A worker is
//! submitted only if there is work that it could begin. Nothing else is submitted before the first worker has reported that it
//! can measure, and nothing more after some in a row that ended without having done anything.
//!
//! What was submitted is in the pool's ledger, so that a client that is started again, or beside this one, finds its workers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use neuronotes_core::pool::{Ledger, Phase, Pool, Probe, Seen};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Claims, Store};

use super::checked::{self, Check};
use super::known::Known;
use crate::engine::{Engine, Job, State};
use crate::measure::schedule::Reason;

/// Number of workers in a row that may end without having done anything.
const GIVE_UP: u32 = 3;
/// A worker that has said something this recently is there, whatever the engine says.
const FRESH: Duration = Duration::from_secs(10);
/// Time that an engine may take to list what was submitted to it, in addition to twice its interval.
const LISTS: Duration = Duration::from_secs(20);

/// The workers of a pool.
pub struct Crew {
    pub(super) engine: Box<dyn Engine>,
    pub(super) pool: Pool,
    pub(super) store: Store,
    pub(super) claims: Claims,
    /// Most workers.
    pub(super) most: u32,
    /// Whether the engine was looked for.
    pub(super) is_found: bool,
    /// What the engine said last.
    pub(super) jobs: Vec<Job>,
    pub(super) asked: Option<Instant>,
    pub(super) has_answered: bool,
    /// Since when it has not answered.
    pub(super) silent: Option<Timestamp>,
    pub(super) known: BTreeMap<String, Known>,
    pub(super) submissions: Vec<Submission>,
    /// Submissions that the ledger counts.
    pub(super) counted: u64,
    pub(super) check: Check,
    pub(super) fruitless: u32,
    /// Why nothing more is submitted, though workers are running.
    pub(super) refused: bool,
    pub(super) stopped: Option<Reason>,
    pub(super) said: Vec<String>,
}

/// A submission that may still have jobs.
pub(super) struct Submission {
    pub(super) jobs: Vec<String>,
    pub(super) workers: u32,
    pub(super) time: Option<Timestamp>,
    pub(super) probe: Option<String>,
    /// When this client learnt of it, if the engine need not list it yet.
    pub(super) fresh: Option<Instant>,
}

impl Submission {
    /// Whether a job is part of it: it has its id, or the id of an array that it is in.
    pub(super) fn has(&self, job: &str) -> bool {
        self.jobs.iter().any(|id| {
            job.strip_prefix(id.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    }
}

/// What a crew looks at.
pub struct Sight<'a> {
    /// The workers' statuses.
    pub seen: &'a [Seen],
    /// Units of work that are ready or begun.
    pub takeable: usize,
    /// The time.
    pub now: Instant,
    /// Makes the probe of this name.
    pub probe: &'a dyn Fn(String) -> Result<Probe, Problem>,
}

impl Crew {
    /// The workers of a pool, at most so many.
    pub fn new(engine: Box<dyn Engine>, pool: Pool, store: &Store, most: u32) -> Self {
        let mut crew = Self {
            engine,
            store: store.clone(),
            claims: Claims::new(store),
            most,
            is_found: false,
            jobs: Vec::new(),
            asked: None,
            has_answered: false,
            silent: None,
            known: BTreeMap::new(),
            submissions: Vec::new(),
            counted: 0,
            check: Check::None,
            fruitless: 0,
            refused: false,
            stopped: None,
            said: Vec::new(),
            pool,
        };
        let ledger = crew.pool.ledger();
        crew.absorb(&ledger, Instant::now());
        crew
    }

    /// Why nothing can be measured: the engine refused, the first worker is not well, or workers end again and again.
    pub fn stopped(&self) -> Option<&Reason> {
        self.stopped.as_ref()
    }

    /// What happened, a line each.
    pub fn take_said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// Tries again after it was stopped.
    pub fn forgive(&mut self) {
        if self.stopped.take().is_some() {
            self.check = Check::None;
        }
        (self.fruitless, self.refused) = (0, false);
    }

    /// A worker has finished something: the job that it is.
    pub fn useful(&mut self, job: &str) {
        self.known.entry(job.to_owned()).or_default().is_useful = true;
        self.fruitless = 0;
    }

    /// Looks at jobs and workers, and submits what is missing.
    pub fn step(&mut self, sight: &Sight<'_>) {
        if self.stopped.is_some() {
            return;
        }
        for seen in sight.seen {
            let status = &seen.status;
            let name = status.job.as_ref().unwrap_or(&status.worker);
            self.known.entry(name.clone()).or_default().hear(status);
        }
        if sight.takeable > 0 && !self.is_found {
            match self.engine.find() {
                Ok(_) => self.is_found = true,
                Err(Problem { message, hint }) => {
                    if sight.seen.is_empty() {
                        self.stop(Reason { message, hint });
                    }
                    return;
                }
            }
        }
        if sight.takeable > 0 || !self.submissions.is_empty() || !sight.seen.is_empty() {
            self.ask(sight.now);
        }
        if self.fruitless >= GIVE_UP {
            let lost = self.known.iter().filter(|(_, known)| known.is_fruitless);
            let last = lost.max_by_key(|(_, known)| known.ended).map(|(job, _)| job.clone());
            let log = last.and_then(|job| self.engine.log(&job));
            return self.stop(checked::fruitless(self.fruitless, log));
        }
        self.check(sight);
        if self.stopped.is_none() && sight.takeable > 0 {
            self.fill(sight);
        }
    }

    /// Ends all workers.
    ///
    /// # Errors
    /// If the engine refuses.
    pub fn cancel(&mut self) -> Result<(), Problem> {
        self.engine.cancel()?;
        self.submissions.clear();
        let _ = self.pool.put_ledger(&Ledger { submitted: Vec::new(), ..self.pool.ledger() });
        Ok(())
    }

    /// How many workers are there or will be.
    pub fn present(&self, seen: &[Seen]) -> usize {
        let listed = self.jobs.iter().filter(|job| job.is_alive()).count();
        let is_listed = |name: &str| self.jobs.iter().any(|job| job.id == name);
        let beside = seen.iter().filter(|seen| match &seen.status.job {
            Some(job) if is_listed(job) => false,
            _ => seen.age < FRESH || self.silent.is_some(),
        });
        let fresh = self.submissions.iter().filter(|sub| sub.fresh.is_some());
        let due: usize = fresh
            .map(|sub| {
                let there = seen.iter().filter_map(|seen| seen.status.job.as_ref());
                let there = there.filter(|job| sub.has(job)).count();
                (sub.workers as usize).saturating_sub(there)
            })
            .sum();
        listed + beside.count() + due
    }

    /// Whether a worker that has said something is there: its engine may know better.
    pub fn is_there(&self, seen: &Seen) -> bool {
        let is_running =
            |job: &Job| matches!(job.state, State::Running | State::Stopping | State::Other(_));
        let listed = self.jobs.iter().find(|job| Some(&job.id) == seen.status.job.as_ref());
        seen.age < FRESH || (seen.is_alive() && listed.is_none_or(is_running))
    }

    /// Asks the engine for its jobs, if it is time.
    fn ask(&mut self, now: Instant) {
        if self.asked.is_some_and(|asked| now.duration_since(asked) < self.engine.interval()) {
            return;
        }
        self.asked = Some(now);
        match self.engine.jobs() {
            Ok(jobs) => {
                let is_first = !std::mem::replace(&mut self.has_answered, true);
                self.silent = None;
                self.jobs = jobs;
                self.follow(now, is_first);
            }
            Err(_) => {
                self.silent.get_or_insert_with(Timestamp::now);
            }
        }
    }

    /// Takes in the engine's answer.
    fn follow(&mut self, now: Instant, is_first: bool) {
        let ledger = self.pool.ledger();
        if !self.submissions.is_empty() && ledger.submitted.is_empty() && ledger.count > 0 {
            // Whoever cancels them empties the ledger.
            self.submissions.clear();
            return self.stop(checked::cancelled());
        }
        let grace = self.engine.interval() * 2 + LISTS;
        for sub in &mut self.submissions {
            let is_listed = self.jobs.iter().any(|job| sub.has(&job.id));
            let is_late = sub.fresh.is_some_and(|since| now.duration_since(since) > grace);
            if sub.fresh.is_some() && !is_listed && is_late {
                // The engine took it and never listed it.
                let name = sub.jobs.first().cloned().unwrap_or_default();
                self.known.entry(name).or_default().since = Some(now);
            }
            if is_listed || is_late {
                sub.fresh = None;
            }
        }
        for job in &self.jobs {
            self.known.entry(job.id.clone()).or_default().listed(job, now);
        }
        for (name, known) in &mut self.known {
            let job = self.jobs.iter().find(|job| job.id == *name);
            let has_ended = match job {
                Some(job) => matches!(job.state, State::Ended(_)),
                None => known.since.is_some(),
            };
            if !has_ended || known.ended.is_some() {
                continue;
            }
            known.ended = Some(now);
            // What had ended before this client came is not its concern.
            if !is_first && known.did_nothing(job) {
                known.is_fruitless = true;
                self.fruitless += 1;
            }
        }
        let (jobs, check) = (&self.jobs, &self.check);
        self.submissions.retain(|sub| {
            let is_checked =
                matches!(check, Check::Waiting { nonce } if sub.probe.as_ref() == Some(nonce));
            let is_alive = || jobs.iter().any(|job| sub.has(&job.id) && job.is_alive());
            is_checked || sub.fresh.is_some() || is_alive()
        });
        let waits = jobs.iter().filter(|job| job.is_alive());
        if is_first && waits.clone().count() > 0 && waits.clone().all(|job| job.hopeless.is_some())
        {
            // They were submitted with other settings, or will be refused in the same way again.
            let count = waits.count();
            if self.cancel().is_ok() {
                let engine = self.engine.name();
                self.said.push(format!(
                    "cancelled {} in {engine} that would never have started",
                    checked::workers(count)
                ));
                self.jobs.clear();
            }
        }
    }

    /// The job of the submission with this probe.
    pub(super) fn job_of(&self, nonce: &str) -> Option<&Job> {
        let is_it = |sub: &&Submission| sub.probe.as_deref() == Some(nonce);
        let sub = self.submissions.iter().find(is_it)?;
        self.jobs.iter().find(|job| sub.has(&job.id))
    }

    /// Looks at the first worker's check-up.
    fn check(&mut self, sight: &Sight<'_>) {
        if matches!(self.check, Check::None) && self.present(sight.seen) > 0 {
            // Another client may have submitted them.
            let ledger = self.pool.ledger();
            self.absorb(&ledger, sight.now);
            let works = |seen: &Seen| {
                matches!(seen.status.phase, Phase::Working { .. } | Phase::Idle { .. })
            };
            let probe = self.submissions.iter().rev().find_map(|sub| sub.probe.clone());
            let is_well = sight.seen.iter().any(works);
            self.check = match probe {
                Some(nonce) if !is_well => Check::Waiting { nonce },
                _ => Check::Good,
            };
            if self.counted > 0 || is_well {
                let count = checked::workers(self.present(sight.seen));
                self.said.push(format!("{count} of `{}` found", self.pool.name()));
            }
        }
        let Check::Waiting { nonce } = &self.check else { return };
        if let Some(report) = self.pool.checkup(nonce) {
            match checked::judge(&report, &self.store) {
                Ok(lines) => {
                    self.said.extend(lines);
                    self.check = Check::Good;
                }
                Err(reason) => self.stop(reason),
            }
            return;
        }
        let sub = self.submissions.iter().find(|sub| sub.probe.as_ref() == Some(nonce));
        let jobs = sub.map(|sub| sub.jobs.clone()).unwrap_or_default();
        let job = self.job_of(nonce).cloned();
        let name = job.as_ref().map(|job| job.id.clone()).or_else(|| jobs.first().cloned());
        let known = name.as_ref().and_then(|name| self.known.get(name));
        // It has a status in the store, so that it sees it.
        let is_seen = known.is_some_and(|known| known.is_seen);
        let has_ended = match &job {
            Some(job) => matches!(job.state, State::Ended(_)),
            None => sub.is_none_or(|sub| sub.fresh.is_none()),
        };
        let is_late = known.is_some_and(|known| known.has_run_for(checked::REPORTS, sight.now));
        if has_ended && is_seen {
            // It was lost in the middle of it: the next one is the first.
            self.check = Check::None;
        } else if has_ended || (is_late && !is_seen) {
            let log = name.and_then(|name| self.engine.log(&name));
            let reason = checked::silent(has_ended, log);
            if !has_ended {
                let _ = self.engine.cancel();
            }
            self.stop(reason);
        }
    }

    pub(super) fn stop(&mut self, reason: Reason) {
        self.check = Check::None;
        self.stopped = Some(reason);
    }
}
