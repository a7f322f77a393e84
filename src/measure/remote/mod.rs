//! Measures on other machines: the workers of a pool take what is wanted, and their results appear in the store.
//!
//! [`Remote`] is used like a [`Scheduler`](crate::measure::schedule::Scheduler), and never blocks: everything that reads or
//! writes the pool or asks the engine is done by a thread of its own ([`keeper`]), whose news its owner passes on.
//!
//! - Requests are cut into units of work of a few minutes (`group`), with paths as the workers see them (`paths`).
//! - A unit of work that is in the pool is not put again: a client that is started again goes on, and two share a pool.
//! - Workers are submitted, the first one with a check-up, while there is work that they could begin (`crew`).
//! - What is done is known from the store alone. Losing a worker costs no request anything.

mod awaited;
mod checked;
mod crew;
mod ends;
pub mod group;
mod keeper;
mod known;
mod paths;
mod probe;
pub mod setup;
mod standing;
mod status;
mod submit;
mod units;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

pub use keeper::Setup;
use keeper::{Keeper, Told};
pub use paths::Paths;
use view::View;

use crate::measure::schedule::{Reason, Update, Wish};

/// How often the pool is looked at while something is open.
const LOOK: Duration = Duration::from_secs(1);

/// News about a pool, for [`Remote::hear`].
#[derive(Debug)]
pub struct PoolNews {
    told: Vec<Told>,
    view: View,
    /// How often something was wanted before.
    wanted: u64,
}

/// How far a pool is.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// What it is at: `3 workers running`.
    pub words: String,
    /// Number of requests that have ended, with those that others use.
    pub done: usize,
    /// Number of all of them.
    pub all: usize,
}

/// A command to the thread.
enum Command {
    Want(Vec<Wish>, u64),
    Retry(Digest),
    RetryAll,
    Close { cancel: bool, answer: Sender<Result<(), Problem>> },
}

/// Measures on other machines what is wanted.
pub struct Remote {
    store: Store,
    commands: Sender<Command>,
    wanted: BTreeSet<Digest>,
    /// How often something was wanted.
    count: u64,
    failures: BTreeMap<Digest, Reason>,
    view: View,
}

impl Remote {
    /// Measures what is wanted by the workers of a pool. News arrive through `news` from another thread, and must be passed to
    /// [`Remote::hear`]. No worker is submitted before something is wanted.
    pub fn new(setup: Setup, news: impl Fn(PoolNews) + Send + Sync + 'static) -> Self {
        let (commands, received) = mpsc::channel();
        let store = setup.store.clone();
        thread::spawn(move || match Keeper::open(setup) {
            Ok(keeper) => keep(keeper, &received, &news),
            Err(problem) => refuse(&problem, &received, &news),
        });
        let (wanted, failures, view) = (BTreeSet::new(), BTreeMap::new(), View::default());
        Self { store, commands, wanted, count: 0, failures, view }
    }

    /// A pool that cannot be used: everything that is wanted fails.
    pub fn refused(
        problem: Problem,
        store: &Store,
        news: impl Fn(PoolNews) + Send + Sync + 'static,
    ) -> Self {
        let (commands, received) = mpsc::channel();
        thread::spawn(move || refuse(&problem, &received, &news));
        let (wanted, failures, view) = (BTreeSet::new(), BTreeMap::new(), View::default());
        Self { store: store.clone(), commands, wanted, count: 0, failures, view }
    }

    /// Replaces the wanted requests. Units of work of which nothing is wanted any more are removed.
    pub fn want(&mut self, wishes: Vec<Wish>) {
        self.wanted = wishes.iter().map(|wish| wish.key).collect();
        self.failures.retain(|key, _| self.wanted.contains(key));
        self.count += 1;
        let _ = self.commands.send(Command::Want(wishes, self.count));
    }

    /// Handles news.
    pub fn hear(&mut self, news: PoolNews) -> Vec<Update> {
        if news.wanted == self.count {
            self.view = news.view;
        }
        let mut updates = Vec::new();
        for told in news.told {
            let update = match told {
                Told::Ready { device, name } => Update::Ready { device, device_name: name },
                Told::Said(line) => Update::Said(line),
                Told::Progress { key, status, fraction, picture } => {
                    let picture = picture.then(|| self.store.partial_path(&key));
                    Update::Progress { key, status, fraction, picture }
                }
                Told::Done { key, seconds } => {
                    self.failures.remove(&key);
                    Update::Done { key, seconds }
                }
                Told::Failed { key, reason } => {
                    if !self.wanted.contains(&key) {
                        continue;
                    }
                    self.failures.insert(key, reason);
                    Update::Failed { key }
                }
            };
            match &update {
                Update::Progress { key, .. } | Update::Done { key, .. }
                    if !self.wanted.contains(key) => {}
                _ => updates.push(update),
            }
        }
        updates
    }

    /// Forgets a failure, stored or not.
    pub fn retry(&mut self, key: &Digest) {
        self.store.forget_failure(key);
        self.failures.remove(key);
        let _ = self.commands.send(Command::Retry(*key));
    }

    /// Forgets all failures except those that the store remembers.
    pub fn retry_all(&mut self) {
        let store = &self.store;
        self.failures.retain(|key, _| store.failure(key).is_some());
        let _ = self.commands.send(Command::RetryAll);
    }

    /// Why a request failed.
    pub fn failed(&self, key: &Digest) -> Option<&Reason> {
        self.failures.get(key)
    }

    /// Where a request stands, in words; `None` if it is not wanted or has failed.
    pub fn status(&self, key: &Digest) -> Option<String> {
        if !self.wanted.contains(key) || self.failures.contains_key(key) {
            return None;
        }
        Some(self.view.words(key).unwrap_or_else(|| "queued".to_owned()))
    }

    /// The finished part of a request's current stage, or of what it needs.
    pub fn fraction(&self, key: &Digest) -> f64 {
        self.view.fraction(key)
    }

    /// Estimated seconds until all wanted results are there.
    pub fn seconds_left(&self) -> Option<f64> {
        self.view.left
    }

    /// How far the pool is.
    pub fn overview(&self) -> Overview {
        Overview { words: self.view.overview(), done: self.view.done, all: self.view.all }
    }

    /// Wants nothing any more and removes this client's units of work, so that workers without work end. Ends all workers and
    /// removes all units of work if `cancel`. Waits at most so long for it.
    ///
    /// # Errors
    /// If the engine refuses, or it takes too long.
    pub fn close(&mut self, cancel: bool, within: Duration) -> Result<(), Problem> {
        self.wanted.clear();
        let (answer, answered) = mpsc::channel();
        let _ = self.commands.send(Command::Close { cancel, answer });
        answered.recv_timeout(within).unwrap_or_else(|_| {
            Err(Problem::new("the pool does not answer; its workers may still be running"))
        })
    }
}

/// Obeys commands and looks at the pool until its owner is gone.
fn keep(mut keeper: Keeper, commands: &Receiver<Command>, news: &dyn Fn(PoolNews)) {
    let (mut wanted, mut shown) = (0, Arc::new(View::default()));
    loop {
        let command = match keeper.is_busy() {
            true => commands.recv_timeout(LOOK),
            false => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let mut told = match command {
            Ok(Command::Want(wishes, count)) => {
                wanted = count;
                keeper.want(wishes)
            }
            Ok(Command::Retry(key)) => keeper.retry(&key),
            Ok(Command::RetryAll) => keeper.retry_all(),
            Ok(Command::Close { cancel, answer }) => {
                let _ = answer.send(keeper.close(cancel));
                continue;
            }
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        told.extend(keeper.look(Instant::now()));
        let view = keeper.view();
        if !told.is_empty() || *shown != view {
            news(PoolNews { told, view: view.clone(), wanted });
            shown = Arc::new(view);
        }
    }
}

/// Without a pool, everything that is wanted fails.
fn refuse(problem: &Problem, commands: &Receiver<Command>, news: &dyn Fn(PoolNews)) {
    let reason = Reason { message: problem.message.clone(), hint: problem.hint.clone() };
    let mut keys: BTreeSet<Digest> = BTreeSet::new();
    for command in commands {
        match command {
            Command::Want(wishes, wanted) => {
                let now: BTreeSet<Digest> = wishes.iter().map(|wish| wish.key).collect();
                let new = now.difference(&keys);
                let told =
                    new.map(|key| Told::Failed { key: *key, reason: reason.clone() }).collect();
                keys = now;
                news(PoolNews { told, view: View::default(), wanted });
            }
            Command::Retry(key) => drop(keys.remove(&key)),
            Command::RetryAll => keys.clear(),
            Command::Close { answer, .. } => drop(answer.send(Ok(()))),
        }
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("wanted", &self.wanted.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
