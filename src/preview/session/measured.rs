//! Passes the scheduler's events on to open pages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::say;

use super::Session;
use crate::measure::measurer::Measurer;
use crate::measure::schedule::Update;
use crate::preview::news::{News, Phases, partial};
use crate::site::Partial;

/// Minimum time between two messages about one measurement.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Interval at which the terminal shows the progress of one measurement.
const SAID_EVERY: Duration = Duration::from_secs(10);
/// Interval at which waiting requests' estimates are sent.
const WAITING_EVERY: Duration = Duration::from_secs(1);

impl Session {
    /// Processes the scheduler's events.
    pub(super) fn take(&mut self, told: Vec<Update>) {
        let mut ended = false;
        let mut over = BTreeSet::new();
        for told in told {
            match told {
                Update::Ready { device, device_name } => {
                    say::err(format_args!("measuring on {device} ({device_name})"));
                    // Requests that failed because no lab could run wait again.
                    ended = true;
                }
                Update::Said(line) => say::err(say::name(&line)),
                Update::Progress { key, status, fraction, picture } => {
                    let first = !self.told.contains_key(&key);
                    let due = self.told.get(&key).is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
                    if first || due || picture.is_some() {
                        self.told.insert(key, Instant::now());
                        self.pictures += 1;
                        let count = self.pictures;
                        let picture = picture.and_then(|path| partial(&key, &path, count));
                        let news = News::Progress { key, status: &status, fraction, picture };
                        self.tabs.tell(&news);
                    }
                    self.tell_terminal(&key, &status);
                    self.site.progress.running.insert(key, status);
                }
                Update::Partial { key, part, images, shards } => {
                    let partial = Partial { record: part, images, shards };
                    self.site.progress.partial.insert(key, partial);
                    self.site.ended(&key);
                    ended = true;
                }
                Update::Done { key, .. } | Update::Failed { key } => {
                    self.site.progress.running.remove(&key);
                    self.site.progress.partial.remove(&key);
                    self.told.remove(&key);
                    self.site.ended(&key);
                    ended = true;
                    over.insert(key);
                }
            }
        }
        if ended {
            self.fail();
            // The scheduler no longer has them: if a result cannot be read after all, it is requested again.
            self.wished.retain(|(key, _)| !over.contains(key));
            // At once, so that no page shows a failure that no longer applies.
            self.generation += 1;
            self.show(Phases::default());
            self.wish();
            self.idle = true;
        }
        if self.waiting.elapsed() >= WAITING_EVERY {
            self.tell_waiting();
        }
    }

    /// Takes over the failures of wanted requests.
    pub(super) fn fail(&mut self) {
        for (key, _) in &self.wished {
            let failed = self.measurer.failed(key);
            let reason = failed.map(|reason| (reason.message.clone(), reason.hint.clone()));
            let known = self.site.progress.failed.get(key);
            if known != reason.as_ref() {
                match reason {
                    Some(reason) => drop(self.site.progress.failed.insert(*key, reason)),
                    None => drop(self.site.progress.failed.remove(key)),
                }
                self.site.ended(key);
                self.idle = true;
            }
        }
    }

    /// Prints the progress of a long measurement now and then, for whoever watches the terminal and no page.
    fn tell_terminal(&mut self, key: &Digest, status: &str) {
        match &mut self.said {
            Some((known, since)) if known == key => {
                if since.elapsed() >= SAID_EVERY {
                    *since = Instant::now();
                    say::err(format_args!("  {}", say::name(status)));
                }
            }
            // Requests that are measured together take turns; the first speaks for all.
            Some((known, _)) if self.told.contains_key(known) => {}
            said => *said = Some((*key, Instant::now())),
        }
    }

    /// Sends the estimates of waiting requests.
    pub(super) fn tell_waiting(&mut self) {
        self.waiting = Instant::now();
        let visible = self.tabs.visible();
        for (key, _) in &self.wished {
            // A request that a lab has begun goes on to its end; one that a worker has begun may wait for another worker.
            if self.told.contains_key(key) && matches!(self.measurer, Measurer::Here(_)) {
                continue;
            }
            let Some(status) = self.measurer.status(key) else { continue };
            let known = self.site.progress.running.insert(*key, status.clone());
            if known.as_ref() != Some(&status) && visible.contains(key) {
                let fraction = self.measurer.fraction(key);
                let news = News::Progress { key: *key, status: &status, fraction, picture: None };
                self.tabs.tell(&news);
            }
        }
    }
}
