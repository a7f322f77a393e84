//! Where all wanted requests stand, as it was last seen.

use std::collections::BTreeMap;

use neuronotes_core::digest::Digest;

use super::status::{self, Waiting};

/// Where the open requests of a pool stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// Requests that workers are measuring: their progress in words, and the finished part of the current stage.
    pub running: BTreeMap<Digest, (String, f64)>,
    /// The others.
    pub spots: BTreeMap<Digest, Spot>,
    /// What those wait for that no worker has begun.
    pub waiting: Waiting,
    /// Estimated seconds until all results are there.
    pub left: Option<f64>,
    /// How many workers say that they are there.
    pub workers: usize,
    /// Number of requests that have ended since something was first wanted, with those that others use.
    pub done: usize,
    /// Number of all of them.
    pub all: usize,
    /// Why the pool's folder cannot be used for now.
    pub trouble: Option<String>,
}

/// Where a request stands that is not being measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Spot {
    /// It needs results that are measured before it.
    Needs {
        /// How many are missing.
        left: usize,
        /// How many there are.
        all: usize,
        /// Whether all that are missing are scans.
        scans: bool,
        /// Seconds until its own result.
        seconds: Option<f64>,
    },
    /// A worker on this machine has begun its unit of work.
    Begun {
        /// The machine.
        host: String,
        /// Seconds until its result.
        seconds: Option<f64>,
    },
    /// A worker had begun its unit of work, and was lost.
    Lost {
        /// Whether its engine starts it again.
        again: bool,
    },
    /// It waits for a worker.
    Queued {
        /// Number of requests before it.
        before: usize,
        /// Seconds until its result.
        seconds: Option<f64>,
    },
}

impl View {
    /// Where a request stands, in words.
    pub fn words(&self, key: &Digest) -> Option<String> {
        if let Some((words, _)) = self.running.get(key) {
            return Some(words.clone());
        }
        let spot = self.spots.get(key)?;
        if let Some(trouble) = &self.trouble {
            return Some(trouble.clone());
        }
        Some(match spot {
            // What it needs waits for the same.
            _ if self.workers == 0 => self.waiting.words_for(0, None),
            Spot::Needs { left, scans, seconds, .. } => status::needs(*left, *scans, *seconds),
            Spot::Begun { host, seconds } => status::next_on(host, *seconds),
            Spot::Lost { again: true } => Waiting::Again.words(),
            Spot::Lost { again: false } => "its worker was lost, another will go on".to_owned(),
            Spot::Queued { before, seconds } => self.waiting.words_for(*before, *seconds),
        })
    }

    /// The finished part of what a request needs, or of its current stage.
    pub fn fraction(&self, key: &Digest) -> f64 {
        if let Some((_, fraction)) = self.running.get(key) {
            return *fraction;
        }
        match self.spots.get(key) {
            Some(Spot::Needs { left, all, .. }) if *all > 0 => 1.0 - *left as f64 / *all as f64,
            _ => 0.0,
        }
    }

    /// What the pool is at, in words.
    pub fn overview(&self) -> String {
        match (&self.trouble, &self.waiting) {
            (Some(trouble), _) => trouble.clone(),
            (None, Waiting::Worker(1)) => "1 worker running".to_owned(),
            (None, Waiting::Worker(n)) => format!("{n} workers running"),
            (None, waiting) => waiting.words(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_says_for_what() {
        let [a, b, c, d, e] = [b"a", b"b", b"c", b"d", b"e"].map(|name| Digest::of(name));
        let mut view = View { workers: 2, waiting: Waiting::Worker(2), ..View::default() };
        view.running.insert(a, ("running on x: optimising".into(), 0.25));
        let needs = Spot::Needs { left: 3, all: 12, scans: true, seconds: None };
        view.spots.insert(b, needs);
        view.spots.insert(c, Spot::Begun { host: "x".into(), seconds: None });
        view.spots.insert(d, Spot::Lost { again: true });
        view.spots.insert(e, Spot::Queued { before: 12, seconds: Some(300.0) });
        let words = |view: &View, key| view.words(key).expect("words");
        assert_eq!(words(&view, &a), "running on x: optimising");
        assert_eq!(words(&view, &b), "waiting for 3 scans that it uses");
        assert_eq!((view.fraction(&a), view.fraction(&b), view.fraction(&c)), (0.25, 0.75, 0.0));
        assert_eq!(words(&view, &c), "waiting on x for its turn");
        assert_eq!(words(&view, &d), "preempted, will go on");
        assert_eq!(words(&view, &e), "waiting for a worker (2 running), 12 before it, about 5 min");
        assert_eq!(view.words(&Digest::of(b"other")), None);
        assert_eq!(view.overview(), "2 workers running");
        // Without any worker, all of them wait for the same.
        view.workers = 0;
        view.waiting = Waiting::Check(None);
        assert_eq!(words(&view, &b), "checking the first worker");
        view.trouble = Some("the store cannot be read".into());
        assert_eq!(words(&view, &e), "the store cannot be read");
    }
}
