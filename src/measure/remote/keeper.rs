//! Keeps a pool at work on what is wanted: puts units of work, sees what has ended, and has workers submitted.
//!
//! In: wanted requests, and the pool as it is found. Out: what has changed. The store alone says what is done; journals only say
//! where to look. It is slow, since it reads and writes files, perhaps on a network, and asks the engine: it has a thread of
//! its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{At, Named, Phase, Pool, Seen, Tail};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use super::crew::{Crew, Sight};
use super::group::{self, Open};
use super::paths::Paths;
use super::probe;
use super::status;
use crate::engine::Engine;
use crate::measure::schedule::{Failures, Reason, Running, Timings, Wish};

/// Something that has happened to a request, or to the pool.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A worker has this device.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device's name, and the machine.
        name: String,
    },
    /// A request has progressed.
    Progress {
        /// The request key.
        key: Digest,
        /// Progress in words.
        status: String,
        /// The finished part of the current stage.
        fraction: f64,
        /// Whether the store has a new picture of it.
        picture: bool,
    },
    /// A result is in the store.
    Done {
        /// The request key.
        key: Digest,
        /// Seconds that it took.
        seconds: f64,
    },
    /// A request has failed.
    Failed {
        /// The request key.
        key: Digest,
        /// Why.
        reason: Reason,
    },
    /// Something happened to the pool, in words.
    Said(String),
}

/// What a keeper starts with.
pub struct Setup {
    /// The store.
    pub store: Store,
    /// The pool's name, which is the profile's.
    pub name: String,
    /// What starts workers.
    pub engine: Box<dyn Engine>,
    /// Most workers.
    pub workers: u32,
    /// The device that they are to use.
    pub device: String,
    /// Paths as workers see them.
    pub paths: Paths,
}

/// A unit of work that is in the pool.
pub(super) struct Known {
    pub(super) named: Named,
    pub(super) keys: Vec<Digest>,
    /// What must be stored before it is ready.
    pub(super) needs: BTreeSet<Digest>,
}

/// Keeps a pool at work.
pub struct Keeper {
    pub(super) store: Store,
    pub(super) pool: Pool,
    pub(super) tail: Tail,
    pub(super) crew: Crew,
    pub(super) most: u32,
    pub(super) device: String,
    pub(super) paths: Paths,
    pub(super) timings: Timings,
    pub(super) wishes: Vec<Wish>,
    pub(super) failures: Failures,
    /// Version of the program, whose failures are remembered.
    pub(super) version: String,
    /// Requests that have not ended.
    pub(super) open: BTreeMap<Digest, Open>,
    /// Of each of them, how many results it needed at first.
    pub(super) needed: BTreeMap<Digest, usize>,
    /// Their order: each behind what it needs.
    pub(super) order: BTreeMap<Digest, usize>,
    /// The units of work in the pool.
    pub(super) units: BTreeMap<Digest, Known>,
    /// Those of them that this client has put.
    pub(super) mine: BTreeSet<Digest>,
    /// Open requests that no unit of work has, and how many looks ago that was first so.
    pub(super) uncovered: BTreeMap<Digest, u32>,
    /// Results that workers have announced and that are not to be seen yet.
    pub(super) announced: BTreeMap<Digest, Instant>,
    /// Units of work that workers have begun: worker, job and machine.
    pub(super) begun: BTreeMap<Digest, Begun>,
    pub(super) running: BTreeMap<Digest, (String, Running)>,
    pub(super) is_ready: bool,
    /// The workers that are there.
    pub(super) seen: Vec<Seen>,
    pub(super) done: usize,
    pub(super) trouble: Option<String>,
}

/// Who has begun a unit of work.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Begun {
    /// The engine's job, or the worker.
    pub(super) job: String,
    pub(super) host: String,
    /// Whether that worker is still at it.
    pub(super) is_held: bool,
}

impl Keeper {
    /// Opens the pool, and finds what is in it.
    ///
    /// # Errors
    /// If the pool's folder cannot be used.
    pub fn open(setup: Setup) -> Result<Self, Problem> {
        let Setup { store, name, engine, workers, device, paths } = setup;
        let unusable = |error: std::io::Error| Problem {
            message: format!(
                "the pool `{name}` in {} cannot be used ({error})",
                store.folder().display()
            ),
            hint: neuronotes_core::file::hint(&error).map(str::to_owned),
        };
        let pool = Pool::open(&store, &name).map_err(unusable)?;
        // Before units of work are listed, so that none can end unnoticed in between.
        let mut tail = Tail::default();
        let before = tail.read(&pool).map_err(unusable)?;
        let mut crew = Crew::new(engine, pool.clone(), &store, workers);
        before.iter().filter_map(|entry| entry.job.as_ref()).for_each(|job| crew.useful(job));
        Ok(Self {
            timings: Timings::of(&store),
            tail,
            crew,
            most: workers,
            device,
            paths,
            wishes: Vec::new(),
            failures: Failures::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            open: BTreeMap::new(),
            needed: BTreeMap::new(),
            order: BTreeMap::new(),
            units: BTreeMap::new(),
            mine: BTreeSet::new(),
            uncovered: BTreeMap::new(),
            announced: BTreeMap::new(),
            begun: BTreeMap::new(),
            running: BTreeMap::new(),
            is_ready: false,
            seen: Vec::new(),
            done: 0,
            trouble: None,
            pool,
            store,
        })
    }

    /// Whether anything is open.
    pub fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    /// Replaces the wanted requests.
    pub fn want(&mut self, wishes: Vec<Wish>) -> Vec<Told> {
        self.wishes = wishes;
        let store = &self.store;
        let known = &self.open;
        // What was open a moment ago is looked at by its journals.
        let mut is_stored = |key: &Digest| !known.contains_key(key) && store.record(key).is_some();
        let open = group::open(&self.wishes, &self.timings, &mut is_stored);
        self.order = open.iter().enumerate().map(|(at, open)| (open.key, at)).collect();
        self.failures.retain(|key| self.order.contains_key(key));
        let mut told = Vec::new();
        // Stored since it was found to be missing: by a worker that an earlier client has left, for example.
        for wish in self.wishes.iter().filter(|wish| !self.order.contains_key(&wish.key)) {
            if let Some(record) = self.store.record(&wish.key) {
                told.push(Told::Done { key: wish.key, seconds: record.provenance.seconds });
            }
        }
        let before = std::mem::take(&mut self.open);
        // Behind what it needs.
        for mut open in open {
            let key = open.key;
            if self.failures.get(&key).is_some() {
                continue;
            }
            let known = before.get(&key);
            let failed = open.needs.iter().find_map(|need| self.failures.get(need)).cloned();
            if let Some(reason) = failed {
                self.failures.put(key, reason);
            } else if known.is_some() || !self.failures.recall(&self.store, key, &self.version) {
                // What ended since it was first wanted is not needed any more.
                match known {
                    Some(known) => open.needs.clone_from(&known.needs),
                    None => drop(self.needed.insert(key, open.needs.len())),
                }
                self.open.insert(key, open);
            }
            if let Some(reason) = self.failures.get(&key).cloned() {
                told.push(Told::Failed { key, reason });
            }
        }
        self.needed.retain(|key, _| self.order.contains_key(key));
        if self.open.is_empty() {
            self.done = 0;
        }
        if let Some(reason) = self.crew.stopped().cloned() {
            told.extend(self.fail_all(&reason));
        }
        self.uncovered.clear();
        self.running.retain(|key, _| self.open.contains_key(key));
        self.announced.retain(|key, _| self.open.contains_key(key));
        if self.list().is_some() {
            self.drop_unwanted();
            self.put_uncovered(true);
        }
        told
    }

    /// Looks at the pool and the engine.
    pub fn look(&mut self, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        if self.list().is_none() {
            return told;
        }
        self.read_journals(now, &mut told);
        self.look_at_gone(now, &mut told);
        self.put_uncovered(false);
        let mut seen = self.pool.workers().unwrap_or_default();
        seen.retain(|seen| self.crew.is_there(seen));
        self.hear(&seen, &mut told);
        let takeable = self.units.values().filter(|unit| self.is_takeable(unit)).count();
        let (store, device, open, paths) = (&self.store, &self.device, &self.open, &self.paths);
        let make = |nonce| probe::make(nonce, store, device, open.values(), paths);
        self.crew.step(&Sight { seen: &seen, takeable, now, probe: &make });
        told.extend(self.crew.take_said().into_iter().map(Told::Said));
        if let Some(reason) = self.crew.stopped().cloned() {
            told.extend(self.fail_all(&reason));
        }
        self.timings.save();
        self.seen = seen;
        told
    }

    /// Forgets a failure, stored or not, also of what the request uses; then everything is wanted again.
    pub fn retry(&mut self, key: &Digest) -> Vec<Told> {
        let mut keys = vec![*key];
        if let Some(wish) = self.wishes.iter().find(|wish| wish.key == *key) {
            let mut uses: Vec<_> = wish.request.uses.iter().collect();
            while let Some(used) = uses.pop() {
                keys.push(used.key());
                uses.extend(&used.uses);
            }
        }
        for key in keys {
            self.store.forget_failure(&key);
            self.failures.forget(&key);
        }
        self.forgive()
    }

    /// Forgets all failures except those that the store remembers.
    pub fn retry_all(&mut self) -> Vec<Told> {
        for key in self.failures.keys() {
            if self.store.failure(&key).is_none() {
                self.failures.forget(&key);
            }
        }
        self.forgive()
    }

    fn forgive(&mut self) -> Vec<Told> {
        self.crew.forgive();
        self.failures.lab_is_here();
        let wishes = std::mem::take(&mut self.wishes);
        self.want(wishes)
    }

    /// Removes the units of work that this client has put, and ends the workers if `cancel`.
    ///
    /// # Errors
    /// If the engine refuses to end them.
    pub fn close(&mut self, cancel: bool) -> Result<(), Problem> {
        self.open.clear();
        self.wishes.clear();
        if self.list().is_some() {
            if cancel {
                self.mine.extend(self.units.keys());
            }
            self.drop_unwanted();
        }
        if cancel { self.crew.cancel() } else { Ok(()) }
    }

    /// Whether a worker could take a unit of work, or has.
    fn is_takeable(&self, unit: &Known) -> bool {
        unit.needs.is_empty() || self.begun.get(&unit.named.id).is_some_and(|begun| begun.is_held)
    }

    /// Takes in what workers say.
    fn hear(&mut self, seen: &[Seen], told: &mut Vec<Told>) {
        self.begun.values_mut().for_each(|begun| begun.is_held = false);
        let mut running = BTreeMap::new();
        for Seen { status, .. } in seen {
            if let Some((device, name)) = &status.device
                && !self.is_ready
            {
                self.is_ready = true;
                self.timings.set_device(device);
                let name = format!("{name}, {}", status.host);
                told.push(Told::Ready { device: device.clone(), name });
            }
            if let Phase::Working { unit } = &status.phase
                && self.units.contains_key(unit)
            {
                let job = status.job.as_ref().unwrap_or(&status.worker).clone();
                let begun = Begun { job, host: status.host.clone(), is_held: true };
                self.begun.insert(*unit, begun);
            }
            for at in status.at.iter().filter(|at| self.open.contains_key(&at.key)) {
                running.insert(at.key, (status.host.clone(), self.progress(at)));
            }
        }
        for (key, (host, now)) in &running {
            let before = self.running.get(key);
            if before.is_some_and(|(other, before)| (other, before) == (host, now)) {
                continue;
            }
            let is_further = before.is_none_or(|(_, before)| before.step != now.step);
            told.push(Told::Progress {
                key: *key,
                status: status::running(host, &now.words()),
                fraction: now.fraction(),
                picture: now.picture.is_some() && is_further,
            });
        }
        self.running = running;
    }

    fn progress(&self, at: &At) -> Running {
        Running {
            stage: at.stage.clone(),
            step: at.step,
            total: at.total,
            unit: at.unit.clone(),
            seconds_left: at.seconds_left,
            picture: at.picture.then(|| self.store.partial_path(&at.key)),
        }
    }
}
