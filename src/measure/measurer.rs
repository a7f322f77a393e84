//! What measures: a lab of this machine, or the workers of a pool. Both are used alike.

use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::Event;

use super::remote::{PoolNews, Remote};
use super::schedule::{LabNews, Reason, Scheduler, Update, Wish};

/// What measures.
#[derive(Debug)]
pub enum Measurer {
    /// A lab of this machine.
    Here(Box<Scheduler>),
    /// The workers of a pool.
    There(Box<Remote>),
}

/// What happens to it.
#[derive(Debug)]
pub enum News {
    /// An event of a lab.
    Lab(LabNews),
    /// News of a pool.
    Pool(Box<PoolNews>),
    /// The program is to end.
    Interrupted,
}

impl News {
    /// The lab's message.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Lab(news) => news.event(),
            Self::Pool(_) | Self::Interrupted => None,
        }
    }
}

impl Measurer {
    /// Replaces the wanted requests.
    pub fn want(&mut self, wishes: Vec<Wish>) {
        match self {
            Self::Here(scheduler) => scheduler.want(wishes),
            Self::There(remote) => remote.want(wishes),
        }
    }

    /// Handles news. Those of another one, which was replaced, do nothing.
    pub fn hear(&mut self, news: News) -> Vec<Update> {
        match (self, news) {
            (Self::Here(scheduler), News::Lab(news)) => scheduler.hear(news),
            (Self::There(remote), News::Pool(news)) => remote.hear(*news),
            _ => Vec::new(),
        }
    }

    /// Does what is due.
    pub fn tick(&mut self) -> Vec<Update> {
        match self {
            Self::Here(scheduler) => scheduler.tick(),
            Self::There(_) => Vec::new(),
        }
    }

    /// When [`Measurer::tick`] is due.
    pub fn next_tick(&self) -> Option<Instant> {
        match self {
            Self::Here(scheduler) => scheduler.next_tick(),
            Self::There(_) => None,
        }
    }

    /// Forgets a failure, stored or not.
    pub fn retry(&mut self, key: &Digest) {
        match self {
            Self::Here(scheduler) => scheduler.retry(key),
            Self::There(remote) => remote.retry(key),
        }
    }

    /// Forgets all failures except those that the store remembers.
    pub fn retry_all(&mut self) {
        match self {
            Self::Here(scheduler) => scheduler.retry_all(),
            Self::There(remote) => remote.retry_all(),
        }
    }

    /// Why a request failed.
    pub fn failed(&self, key: &Digest) -> Option<&Reason> {
        match self {
            Self::Here(scheduler) => scheduler.failed(key),
            Self::There(remote) => remote.failed(key),
        }
    }

    /// A request's progress in words; `None` if it is not wanted or has failed.
    pub fn status(&self, key: &Digest) -> Option<String> {
        match self {
            Self::Here(scheduler) => scheduler.status(key),
            Self::There(remote) => remote.status(key),
        }
    }

    /// The finished part of the current stage of a request, or of what it waits for.
    pub fn fraction(&self, key: &Digest) -> f64 {
        match self {
            Self::Here(scheduler) => scheduler.fraction(key),
            Self::There(remote) => remote.fraction(key),
        }
    }

    /// Estimated seconds until all wanted results are there; `None` if unknown.
    pub fn seconds_left(&self) -> Option<f64> {
        match self {
            Self::Here(scheduler) => scheduler.seconds_left(),
            Self::There(remote) => remote.seconds_left(),
        }
    }
}
