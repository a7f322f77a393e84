//! What is wanted in, measured results out: keeps a lab at what is still wanted, and says how it gets on.
//!
//! Used by a build and by the preview; knows nothing of notes or pages. It has no thread: its owner hands it what the lab
//! said ([`Scheduler::hear`]) and wakes it when it asks for that ([`Scheduler::next_tick`]). Nothing here waits for a lab.
//!
//! - What is wanted is asked for once. The lab has all of it and is told in which order to begin it.
//! - What is no longer wanted is cancelled. A lab that does not confirm that is killed, and the rest is asked of the next.
//! - A lab that dies may have been at several requests: see [`suspect`]. Where memory ran out, they are asked for once
//!   more with half as much at once. A request at which labs crash, the second time alone, is remembered in the store.
//! - What fails for want of a lab waits for the next one.

mod life;
mod queue;
mod status;
mod suspect;
mod timings;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};

pub use life::LabNews;
pub use queue::{Rank, Wish};
pub use status::duration;
pub use suspect::{Suspects, Verdict};

use crate::digest::Digest;
use crate::lab::{self, LabError, LabEvent};
use crate::protocol::{Cause, Command, ELSEWHERE, Event};
use crate::request::Request;
use crate::store::{Remembered, Store};
use life::{Find, Labs};
use queue::Queue;
use status::Running;
use timings::Timings;

/// How long a lab may take to confirm that it has given something up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same while it is at something that is still wanted: a step of a large model may take longer, and its work would be
/// lost.
const MORE_PATIENCE: Duration = Duration::from_secs(30);

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What is wrong.
    pub message: String,
    /// What to do, where known.
    pub hint: Option<String>,
}

impl From<LabError> for Reason {
    fn from(LabError { message, hint, .. }: LabError) -> Self {
        Self { message, hint }
    }
}

/// What the owner is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The lab is up. What had failed for want of one waits again.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device as its maker calls it.
        device_name: String,
    },
    /// A request has begun or has gone a step further.
    Progress {
        /// The request key.
        key: Digest,
        /// For a person, as [`Scheduler::status`] says it.
        status: String,
        /// The part of the present stage that is done, 0…1.
        fraction: f64,
        /// A picture of the state so far, where it is a new one.
        picture: Option<PathBuf>,
    },
    /// The result is in the store.
    Done {
        /// The request key.
        key: Digest,
        /// Time taken.
        seconds: f64,
    },
    /// It failed, as [`Scheduler::failed`] says.
    Failed {
        /// The request key.
        key: Digest,
    },
}

/// Keeps a lab at what is wanted.
#[derive(Debug)]
pub struct Scheduler {
    store: Store,
    labs: Labs,
    /// What is wanted and has no result, failed or not.
    queue: Queue,
    /// What the lab has and is still wanted.
    asked: BTreeSet<Digest>,
    /// What the lab was told to give up and has not confirmed, with the time since which it could have.
    leaving: BTreeMap<Digest, Option<Instant>>,
    running: BTreeMap<Digest, Running>,
    suspects: Suspects,
    /// Memory ran out over these.
    halved: BTreeSet<Digest>,
    /// A lab died at these.
    deadly: BTreeSet<Digest>,
    failed: BTreeMap<Digest, Reason>,
    /// Of the failed, those that wait for a lab.
    labless: BTreeSet<Digest>,
    timings: Timings,
    /// Estimates of what is wanted, with those of what it uses.
    estimates: BTreeMap<Digest, Estimate>,
    /// Of what waits: how many are before it, and estimated seconds until it is there.
    places: OnceCell<BTreeMap<Digest, (usize, Option<f64>)>>,
    /// What the lab was told of the order.
    ordered: Vec<Vec<Digest>>,
    /// What came up outside [`Scheduler::hear`] and [`Scheduler::tick`].
    pending: Vec<Told>,
    /// The version of the lab that is up.
    version: String,
    patience: (Duration, Duration),
}

/// What a request will take, with the requests that it uses and the store does not have.
#[derive(Debug)]
struct Estimate {
    own: Option<f64>,
    uses: Vec<(Digest, Option<f64>)>,
}

impl Scheduler {
    /// For a store, on a device (`auto`, `cpu`, `cuda:N`). What a lab says goes to `news` from another thread, and has to
    /// come back through [`Scheduler::hear`]. No lab is started before something is wanted.
    pub fn new(
        store: Store,
        device: String,
        news: impl Fn(LabNews) + Send + Sync + 'static,
    ) -> Self {
        Self::with_labs(Box::new(lab::find), store, device, news)
    }

    /// The same with labs from elsewhere.
    pub(crate) fn with_labs(
        find: Find,
        store: Store,
        device: String,
        news: impl Fn(LabNews) + Send + Sync + 'static,
    ) -> Self {
        let folder = store.folder().to_owned();
        Self {
            labs: Labs::new(find, folder, device, Arc::new(news)),
            queue: Queue::default(),
            asked: BTreeSet::new(),
            leaving: BTreeMap::new(),
            running: BTreeMap::new(),
            suspects: Suspects::default(),
            halved: BTreeSet::new(),
            deadly: BTreeSet::new(),
            failed: BTreeMap::new(),
            labless: BTreeSet::new(),
            timings: Timings::of(&store),
            estimates: BTreeMap::new(),
            places: OnceCell::new(),
            ordered: Vec::new(),
            pending: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            patience: (PATIENCE, MORE_PATIENCE),
            store,
        }
    }

    /// Replaces what is wanted. What is still wanted goes on; what is not is cancelled.
    pub fn want(&mut self, wishes: Vec<Wish>) {
        self.places = OnceCell::new();
        self.queue.replace(wishes);
        let gone = |key: &&Digest| !self.queue.wants(key);
        let dropped: Vec<Digest> = self.asked.iter().filter(gone).copied().collect();
        for key in dropped {
            self.asked.remove(&key);
            self.running.remove(&key);
            let since = self.labs.is_ready().then(Instant::now);
            if let Some(lab) = self.labs.present() {
                lab.say(Command::Cancel { key });
                self.leaving.insert(key, since);
            }
        }
        let queue = &self.queue;
        self.suspects.retain(|key| queue.wants(key));
        self.halved.retain(|key| queue.wants(key));
        self.deadly.retain(|key| queue.wants(key));
        // Wanted again later, it is tried again, unless the store remembers.
        self.failed.retain(|key, _| queue.wants(key));
        self.labless.retain(|key| queue.wants(key));
        self.estimates.retain(|key, _| queue.wants(key));
        let new = |key: &Digest| !self.asked.contains(key) && !self.failed.contains_key(key);
        let new: Vec<Digest> =
            self.queue.iter().map(|wish| wish.key).filter(|key| new(key)).collect();
        for key in new {
            match self.store.failure(&key) {
                Some(failure) if failure.lab == self.version => {
                    self.failed.insert(key, remembered(failure));
                    self.pending.push(Told::Failed { key });
                }
                Some(_) => self.store.forget_failure(&key),
                None => {}
            }
        }
        self.estimate();
        self.ask();
    }

    /// Takes in what the lab said.
    pub fn hear(&mut self, news: LabNews) -> Vec<Told> {
        self.places = OnceCell::new();
        let mut told = std::mem::take(&mut self.pending);
        match (self.labs.knows(news.number), news.event) {
            ((true, true), LabEvent::Said(event)) => self.said(event, &mut told),
            ((true, _), LabEvent::Gone(cause)) => self.gone(cause, &mut told),
            _ => {}
        }
        self.ask();
        told.append(&mut self.pending);
        told
    }

    /// Does what is due: kills a lab that does not obey, starts the next one.
    pub fn tick(&mut self) -> Vec<Told> {
        let now = Instant::now();
        if self.labs.is_ready() && self.deadline().is_some_and(|deadline| deadline <= now) {
            self.labs.kill();
            self.forget_lab();
        }
        self.ask();
        std::mem::take(&mut self.pending)
    }

    /// When [`Scheduler::tick`] is due.
    pub fn next_tick(&self) -> Option<Instant> {
        if !self.pending.is_empty() {
            return Some(Instant::now());
        }
        let start = self.labs.next_start().filter(|_| self.queue.iter().any(|w| self.open(&w.key)));
        [self.deadline(), start].into_iter().flatten().min()
    }

    /// Forgets a failure, stored or not.
    pub fn retry(&mut self, key: &Digest) {
        self.store.forget_failure(key);
        self.forget(key);
        self.labs.forgive();
        self.ask();
    }

    /// Forgets all failures, but those that the store remembers: what the configuration may have been at fault for.
    pub fn retry_all(&mut self) {
        let keys: Vec<Digest> = self.failed.keys().copied().collect();
        for key in keys {
            if self.store.failure(&key).is_none() {
                self.forget(&key);
            }
        }
        self.labs.forgive();
        self.ask();
    }

    fn forget(&mut self, key: &Digest) {
        self.places = OnceCell::new();
        self.failed.remove(key);
        self.labless.remove(key);
        self.halved.remove(key);
        self.deadly.remove(key);
    }

    /// Measures on another device from now on: the lab ends, and the next one starts there.
    pub fn set_device(&mut self, device: String) {
        if self.labs.set_device(device) {
            self.labs.end();
            self.labs.forgive();
            self.forget_lab();
            self.suspects = Suspects::default();
            self.ask();
        }
    }

    /// Why a request failed.
    pub fn failed(&self, key: &Digest) -> Option<&Reason> {
        self.failed.get(key)
    }

    /// How far a request is, for a person; none where it is not wanted, or has failed.
    pub fn status(&self, key: &Digest) -> Option<String> {
        if let Some(running) = self.running.get(key) {
            return Some(running.words());
        }
        let (before, seconds) = self.places.get_or_init(|| self.places()).get(key)?;
        Some(status::queued(*before, *seconds))
    }

    /// Estimated seconds until all that is wanted is there; none where nothing like some of it was measured before.
    pub fn seconds_left(&self) -> Option<f64> {
        let last = self.places.get_or_init(|| self.places()).values().max_by_key(|place| place.0);
        last.map_or_else(|| self.seconds_of_running(), |(_, seconds)| *seconds)
    }

    /// Of what waits: how many are before it, and the sum of the estimates of those and its own.
    fn places(&self) -> BTreeMap<Digest, (usize, Option<f64>)> {
        let mut sum = self.seconds_of_running();
        let mut counted = BTreeSet::new();
        let waits =
            |key: &Digest| !self.running.contains_key(key) && !self.failed.contains_key(key);
        let waiting = self.queue.iter().map(|wish| wish.key).filter(waits);
        let place = |(at, key): (usize, Digest)| {
            let own = self.estimates.get(&key).and_then(|estimate| {
                let new = estimate.uses.iter().filter(|(used, _)| counted.insert(*used));
                new.map(|(_, seconds)| *seconds).sum::<Option<f64>>().zip(estimate.own)
            });
            sum = sum.zip(own).map(|(sum, (uses, own))| sum + uses + own);
            (key, (self.running.len() + at, sum))
        };
        waiting.enumerate().map(place).collect()
    }

    fn seconds_of_running(&self) -> Option<f64> {
        let left = |(key, running): (&Digest, &Running)| {
            let own = self.estimates.get(key).and_then(|estimate| estimate.own);
            // What the lab says is for all that it is at together.
            let said = running.seconds_left.map(|left| left / self.running.len() as f64);
            said.or(own.map(|own| own * (1.0 - running.fraction())))
        };
        self.running.iter().map(left).sum()
    }

    /// Estimates what is new.
    fn estimate(&mut self) {
        for wish in self.queue.iter() {
            self.estimates.entry(wish.key).or_insert_with(|| {
                let missing = used(&wish.request)
                    .into_iter()
                    .map(|used| (used.key(), used))
                    .filter(|(key, _)| self.store.record(key).is_none())
                    .map(|(key, used)| (key, self.timings.estimate(used)));
                Estimate { uses: missing.collect(), own: self.timings.estimate(&wish.request) }
            });
        }
    }

    /// Whether a request may be given to a lab.
    fn open(&self, key: &Digest) -> bool {
        !self.failed.contains_key(key) || self.labless.contains(key)
    }

    /// Asks for all that may be asked for and was not yet, and says in which order.
    fn ask(&mut self) {
        let askable = |key: &Digest| {
            !self.asked.contains(key)
                && !self.leaving.contains_key(key)
                && self.open(key)
                && self.suspects.may_ask(key)
        };
        let new: Vec<Digest> =
            self.queue.iter().map(|wish| wish.key).filter(|key| askable(key)).collect();
        if new.is_empty() {
            self.order();
            return;
        }
        match self.labs.here() {
            Ok(None) => return,
            Err(error) => return self.unavailable(error),
            Ok(Some((_, started))) if started => self.ordered.clear(),
            Ok(Some(_)) => {}
        }
        self.asked.extend(&new);
        // First the order, so that the first to come is not taken for the most urgent.
        self.order();
        let Some(lab) = self.labs.present() else { return };
        for key in new {
            if let Some(wish) = self.queue.get(&key) {
                let halve = self.halved.contains(&key);
                lab.say(Command::Run { request: Box::new(wish.request.clone()), halve });
            }
        }
    }

    /// Tells the lab the order of what it has and has not begun, where that is news.
    fn order(&mut self) {
        let waits = |key: &Digest| self.asked.contains(key) && !self.running.contains_key(key);
        let known = |groups: &[Vec<Digest>], groups_now: &[Vec<Digest>]| {
            let mut groups = groups.iter();
            groups_now.iter().all(|now| {
                groups.any(|group| {
                    let mut rest = group.iter();
                    now.iter().all(|key| rest.any(|other| other == key))
                })
            })
        };
        let groups = self.queue.groups(waits);
        if !known(&self.ordered, &groups)
            && let Some(lab) = self.labs.present()
        {
            self.ordered.clone_from(&groups);
            lab.say(Command::Order { groups });
        }
    }

    fn said(&mut self, event: Event, told: &mut Vec<Told>) {
        match event {
            Event::Ready { device, device_name, version, .. } => {
                self.labs.ready();
                if self.timings.set_device(&device) {
                    self.estimates.clear();
                    self.estimate();
                }
                self.version = version;
                let now = Instant::now();
                self.leaving.values_mut().for_each(|since| *since = Some(now));
                for key in std::mem::take(&mut self.labless) {
                    self.failed.remove(&key);
                }
                told.push(Told::Ready { device, device_name });
            }
            Event::Unusable { message, hint } => {
                self.labs.unusable(LabError { message, hint, cause: Cause::Environment });
            }
            Event::Progress { key, stage, step, total, unit, seconds_left, picture } => {
                if self.asked.contains(&key) {
                    match stage.as_str() {
                        ELSEWHERE => self.suspects.pause(&key),
                        _ => self.suspects.begin(key),
                    }
                    let running = Running { stage, step, total, unit, seconds_left, picture };
                    let (status, fraction) = (running.words(), running.fraction());
                    let picture = running.picture.clone();
                    self.running.insert(key, running);
                    told.push(Told::Progress { key, status, fraction, picture });
                }
            }
            Event::Done { key, seconds } => {
                self.ended(&key);
                if let Some(wish) = self.queue.remove(&key) {
                    self.learn(&wish);
                    self.forget(&key);
                    told.push(Told::Done { key, seconds });
                }
            }
            Event::Failed { key, message, hint, cause } => {
                self.ended(&key);
                if self.queue.wants(&key) {
                    self.blame(&key, LabError { message, hint, cause }, told);
                }
            }
            Event::Cancelled { key } => {
                // Wanted again meanwhile, it is asked for again.
                if self.leaving.remove(&key).is_none() && self.asked.remove(&key) {
                    let message = "the lab gave it up".to_owned();
                    self.ended(&key);
                    self.fail(
                        key,
                        LabError { message, hint: None, cause: Cause::Environment },
                        told,
                    );
                }
            }
        }
    }

    /// The lab has brought a request to its end.
    fn ended(&mut self, key: &Digest) {
        self.labs.useful();
        self.asked.remove(key);
        self.leaving.remove(key);
        self.running.remove(key);
        self.suspects.end(key);
    }

    /// Takes in how long a request took, and what it uses.
    fn learn(&mut self, wish: &Wish) {
        let uses = self.estimates.remove(&wish.key).map(|estimate| estimate.uses);
        for used in used(&wish.request) {
            let key = used.key();
            let was_missing = uses.iter().flatten().any(|(missing, _)| *missing == key);
            if was_missing && let Some(record) = self.store.record(&key) {
                self.timings.add(used, &record);
                for estimate in self.estimates.values_mut() {
                    estimate.uses.retain(|(other, _)| *other != key);
                }
            }
        }
        if let Some(record) = self.store.record(&wish.key) {
            self.timings.add(&wish.request, &record);
        }
        for (key, estimate) in &mut self.estimates {
            if estimate.own.is_none() {
                let wish = self.queue.get(key);
                estimate.own = wish.and_then(|wish| self.timings.estimate(&wish.request));
            }
        }
        self.timings.save();
    }

    /// A request came to no result by itself, or a lab died at it alone.
    fn blame(&mut self, key: &Digest, cause: LabError, told: &mut Vec<Told>) {
        if cause.cause != Cause::Resource || !self.halved.insert(*key) {
            self.fail(*key, cause, told);
        }
    }

    fn fail(&mut self, key: Digest, cause: LabError, told: &mut Vec<Told>) {
        if cause.cause == Cause::Deterministic
            && let Some(wish) = self.queue.get(&key)
        {
            let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
            // Without it, it only fails once more.
            let _ = self.store.put_failure(&Remembered {
                key,
                kind: wish.request.kind.clone(),
                impl_version: wish.request.impl_version,
                lab: self.version.clone(),
                time: now.to_string(),
                message: cause.message.clone(),
                hint: cause.hint.clone(),
            });
        }
        self.failed.insert(key, cause.into());
        told.push(Told::Failed { key });
    }

    /// The lab is gone, whether it was told to or not.
    fn gone(&mut self, cause: LabError, told: &mut Vec<Told>) {
        let Some(death) = self.labs.gone(cause) else { return };
        let wanted = !self.asked.is_empty();
        let idle = self.suspects.begun().is_empty() && !wanted;
        let memory = death.cause.cause == Cause::Resource;
        let begun = self.suspects.begun().clone();
        // The one that was asked for alone may have killed it before it said anything.
        let verdict = if memory && begun.iter().any(|key| !self.halved.contains(key)) {
            self.halved.extend(&begun);
            self.suspects.acquit();
            Verdict::Several
        } else {
            self.suspects.died(death.ready && wanted)
        };
        self.forget_lab();
        match verdict {
            Verdict::One(key) if !memory && self.deadly.insert(key) => self.suspects.isolate(key),
            Verdict::One(key) => self.fail(key, death.cause, told),
            Verdict::Several if memory => {}
            Verdict::Several => self.deadly.extend(begun),
            Verdict::Nobody if death.hopeless && !idle => self.unavailable(death.cause),
            Verdict::Nobody => {}
        }
    }

    /// Nothing is asked of any lab.
    fn forget_lab(&mut self) {
        self.asked.clear();
        self.leaving.clear();
        self.running.clear();
        self.ordered.clear();
        self.suspects.acquit();
    }

    /// There is no lab, for now: all that waits for one has failed until there is.
    fn unavailable(&mut self, cause: LabError) {
        let reason = Reason::from(cause);
        let open: Vec<Digest> =
            self.queue.iter().map(|wish| wish.key).filter(|key| self.open(key)).collect();
        for key in open {
            self.failed.insert(key, reason.clone());
            if self.labless.insert(key) {
                self.pending.push(Told::Failed { key });
            }
        }
    }

    /// Until when the lab has to confirm that it gave something up.
    fn deadline(&self) -> Option<Instant> {
        let first = self.leaving.values().flatten().min()?;
        let busy = !self.suspects.begun().is_empty() && !self.running.is_empty();
        Some(*first + if busy { self.patience.1 } else { self.patience.0 })
    }
}

/// The requests that a request uses, and those that they use.
fn used(request: &Request) -> Vec<&Request> {
    request.uses.iter().flat_map(|used| std::iter::once(used).chain(self::used(used))).collect()
}

fn remembered(failure: Remembered) -> Reason {
    let again = "it failed so before; `neuronotes build --retry` measures it again nevertheless";
    let hint = failure.hint.map_or_else(|| again.to_owned(), |hint| format!("{hint}; {again}"));
    Reason { message: failure.message, hint: Some(hint) }
}

#[cfg(all(test, unix))]
pub(crate) mod tests;
