//! The scheduler: keeps a lab working on the requests that are still wanted, and reports its progress.
//!
//! It knows nothing of notes or pages. It has no thread: its owner passes on the lab's events ([`Scheduler::hear`]) and
//! calls it when something is due ([`Scheduler::next_tick`]). Nothing here waits for a lab.
//!
//! - Each wanted request is sent once. The lab has all of them and is told their order.
//! - Requests that are no longer wanted are cancelled. A lab that does not confirm that is killed, and the rest is
//!   sent to the next one.
//! - A lab that dies may have been working on several requests: see [`Suspects`]. If memory ran out, they are sent again
//!   with half the batch size. A request during which labs crash, the second time alone, is remembered in the store.
//! - Requests that fail because no lab could run wait for the next one.

mod estimate;
mod failures;
mod life;
mod queue;
mod said;
mod status;
mod timings;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use failures::{Failures, Reason};
pub use life::LabNews;
pub use queue::{Rank, Wish};
pub use status::{Running, duration};
pub use timings::Timings;
pub use update::Update;

use crate::measure::lab::{self, LabError, LabEvent};
use estimate::{Estimates, Places};
use life::{Find, Labs};
use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::{Cause, Command, Event};
use neuronotes_core::store::Store;
use neuronotes_core::suspect::{Suspects, Verdict};
use queue::Queue;

/// Time that a lab may take to confirm a cancellation.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same while it works on something that is still wanted: a step of a large model may take longer, and its work
/// would be lost.
const MORE_PATIENCE: Duration = Duration::from_secs(30);

/// Keeps a lab working on wanted requests.
#[derive(Debug)]
pub struct Scheduler {
    store: Store,
    labs: Labs,
    /// Wanted requests without a result, failed ones included.
    queue: Queue,
    /// Requests that the lab has and that are still wanted.
    asked: BTreeSet<Digest>,
    /// Requests that were cancelled and not yet confirmed, with the time since when the lab could have confirmed.
    leaving: BTreeMap<Digest, Option<Instant>>,
    running: BTreeMap<Digest, Running>,
    /// Requests that wait while their scans are measured with another request, and that request.
    along: BTreeMap<Digest, Digest>,
    suspects: Suspects,
    failures: Failures,
    estimates: Estimates,
    /// The order that the lab was told.
    ordered: Vec<Vec<Digest>>,
    /// Events that came up outside [`Scheduler::hear`] and [`Scheduler::tick`].
    pending: Vec<Update>,
    /// The version of the running lab.
    version: String,
    patience: (Duration, Duration),
}

impl Scheduler {
    /// A scheduler for a store and a device (`auto`, `cpu`, `cuda:N`). The lab's events go to `news` from another
    /// thread, and must be passed to [`Scheduler::hear`]. No lab is started before a request is wanted.
    pub fn new(
        store: Store,
        device: String,
        news: impl Fn(LabNews) + Send + Sync + 'static,
    ) -> Self {
        Self::with_labs(Box::new(lab::find), store, device, news)
    }

    /// The same with another way to find labs.
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
            along: BTreeMap::new(),
            suspects: Suspects::default(),
            failures: Failures::default(),
            estimates: Estimates::of(&store),
            ordered: Vec::new(),
            pending: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            patience: (PATIENCE, MORE_PATIENCE),
            store,
        }
    }

    /// The same, with results over the part of a data set that is scanned so far ([`Update::Partial`]).
    pub fn with_partial_results(mut self) -> Self {
        self.labs.give_partial_results();
        self
    }

    /// Replaces the wanted requests. Those still wanted continue; the others are cancelled.
    pub fn want(&mut self, wishes: Vec<Wish>) {
        self.estimates.stir();
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
        self.failures.retain(|key| queue.wants(key));
        let (asked, failures) = (&self.asked, &self.failures);
        let new = |key: &Digest| !asked.contains(key) && failures.get(key).is_none();
        let new: Vec<Digest> = queue.iter().map(|wish| wish.key).filter(|key| new(key)).collect();
        for key in new {
            if self.failures.recall(&self.store, key, &self.version) {
                self.pending.push(Update::Failed { key });
            }
        }
        self.estimates.want(&self.queue, &self.store);
        self.ask();
    }

    /// Handles an event from the lab.
    pub fn hear(&mut self, news: LabNews) -> Vec<Update> {
        self.estimates.stir();
        let mut updates = std::mem::take(&mut self.pending);
        // Only ends make room for others.
        let steps = matches!(news.event, LabEvent::Said(Event::Progress { .. }));
        match (self.labs.knows(news.number), news.event) {
            ((true, true), LabEvent::Said(event)) => self.said(event, &mut updates),
            ((true, _), LabEvent::Gone(cause)) => self.gone(cause, &mut updates),
            _ => {}
        }
        if !steps {
            self.ask();
        }
        updates.append(&mut self.pending);
        updates
    }

    /// Does what is due: kills a lab that does not respond, starts the next one.
    pub fn tick(&mut self) -> Vec<Update> {
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
        let start = self.labs.next_start().filter(|_| self.waits_for_lab());
        [self.deadline(), start].into_iter().flatten().min()
    }

    /// Forgets a failure, stored or not.
    pub fn retry(&mut self, key: &Digest) {
        self.store.forget_failure(key);
        self.estimates.stir();
        self.failures.forget(key);
        self.labs.forgive();
        self.ask();
    }

    /// Forgets all failures except those that the store remembers, because a changed configuration may have fixed
    /// them.
    pub fn retry_all(&mut self) {
        self.estimates.stir();
        for key in self.failures.keys() {
            if self.store.failure(&key).is_none() {
                self.failures.forget(&key);
            }
        }
        self.labs.forgive();
        self.ask();
    }

    /// Measures on another device from now on: ends the lab and starts the next one there.
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
        self.failures.get(key)
    }

    /// A request's progress in words; `None` if it is not wanted or has failed.
    pub fn status(&self, key: &Digest) -> Option<String> {
        if let Some(running) = self.running.get(key) {
            return Some(running.words());
        }
        let by = self.along.get(key).and_then(|by| self.running.get(by));
        if let Some(with) = by.filter(|with| with.unit == "image" && self.queue.wants(key)) {
            return Some(format!("measured along with another figure: {}", with.words()));
        }
        let (before, seconds) = self.places().waiting.get(key)?;
        Some(status::queued(*before, *seconds))
    }

    /// The finished part of the current stage of a request, or of the one that it is measured along with; 0 if it waits.
    pub fn fraction(&self, key: &Digest) -> f64 {
        let by = self.along.get(key).unwrap_or(key);
        self.running.get(by).map_or(0.0, Running::fraction)
    }

    /// Estimated seconds until all wanted results are there; `None` if nothing similar to some of them was measured
    /// before.
    pub fn seconds_left(&self) -> Option<f64> {
        self.places().all
    }

    fn places(&self) -> &Places {
        let waits =
            |key: &Digest| !self.running.contains_key(key) && self.failures.get(key).is_none();
        self.estimates.places(&self.queue, &self.running, waits)
    }

    /// Whether there is anything to send to a lab.
    fn waits_for_lab(&self) -> bool {
        self.queue.iter().any(|wish| self.failures.may_ask(&wish.key))
    }

    /// Sends all requests that may be sent and were not, and their order.
    fn ask(&mut self) {
        let askable = |key: &Digest| {
            !self.asked.contains(key)
                && !self.leaving.contains_key(key)
                && self.failures.may_ask(key)
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
                let halve = self.failures.is_halved(&key);
                lab.say(Command::Run { request: Box::new(wish.request.clone()), halve });
            }
        }
    }

    /// Sends the order of requests that have not begun, if it has changed.
    fn order(&mut self) {
        let waits = |key: &Digest| self.asked.contains(key) && !self.running.contains_key(key);
        let groups = self.queue.groups(waits);
        if !queue::follows(&groups, &self.ordered)
            && let Some(lab) = self.labs.present()
        {
            self.ordered.clone_from(&groups);
            lab.say(Command::Order { groups });
        }
    }

    /// A request failed by itself, or a lab died during it alone.
    fn blame(&mut self, key: &Digest, cause: LabError, updates: &mut Vec<Update>) {
        if cause.cause != Cause::Resource || !self.failures.halve(*key) {
            self.fail(*key, cause, updates);
        }
    }

    fn fail(&mut self, key: Digest, cause: LabError, updates: &mut Vec<Update>) {
        if let Some(wish) = self.queue.get(&key) {
            self.failures.fail(&self.store, wish, cause, &self.version);
            updates.push(Update::Failed { key });
        }
    }

    /// The lab is gone, whether it was told to end or not.
    fn gone(&mut self, cause: LabError, updates: &mut Vec<Update>) {
        let Some(death) = self.labs.gone(cause) else { return };
        let wanted = !self.asked.is_empty();
        let idle = self.suspects.begun().is_empty() && !wanted;
        let memory = death.cause.cause == Cause::Resource;
        let begun = self.suspects.begun().clone();
        // A request that was sent alone may have killed the lab before its first message.
        let verdict = if memory && begun.iter().any(|key| !self.failures.is_halved(key)) {
            self.failures.halve_all(&begun);
            self.suspects.acquit();
            Verdict::Several
        } else {
            self.suspects.died(death.ready && wanted)
        };
        self.forget_lab();
        match verdict {
            Verdict::One(key) if !memory && self.failures.kill(key) => self.suspects.isolate(key),
            Verdict::One(key) => self.fail(key, death.cause, updates),
            Verdict::Several if memory => {}
            Verdict::Several => self.failures.kill_all(&begun),
            Verdict::Nobody if death.hopeless && !idle => self.unavailable(death.cause),
            Verdict::Nobody => {}
        }
    }

    /// Forgets which requests were sent.
    fn forget_lab(&mut self) {
        self.asked.clear();
        self.leaving.clear();
        self.running.clear();
        self.along.clear();
        self.ordered.clear();
        self.suspects.acquit();
    }

    /// No lab can run for now: all waiting requests have failed until one can.
    fn unavailable(&mut self, cause: LabError) {
        let reason = Reason::from(cause);
        let keys = self.queue.iter().map(|wish| wish.key);
        for key in keys.filter(|key| self.failures.may_ask(key)).collect::<Vec<_>>() {
            if self.failures.wait_for_lab(key, reason.clone()) {
                self.pending.push(Update::Failed { key });
            }
        }
    }

    /// When the lab must have confirmed a cancellation.
    fn deadline(&self) -> Option<Instant> {
        let first = self.leaving.values().flatten().min()?;
        let busy = !self.suspects.begun().is_empty() && !self.running.is_empty();
        Some(*first + if busy { self.patience.1 } else { self.patience.0 })
    }
}

#[cfg(all(test, unix))]
pub(crate) mod tests;
