//! What a lab says: its events change the state of requests and become updates for the scheduler's owner.

use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::protocol::{Cause, ELSEWHERE, Event};

use super::Scheduler;
use super::status::Running;
use super::update::Update;
use crate::measure::lab::LabError;

impl Scheduler {
    /// Handles an event of the current lab.
    pub(super) fn said(&mut self, event: Event, updates: &mut Vec<Update>) {
        match event {
            Event::Ready { device, device_name, version, .. } => {
                self.labs.ready();
                self.estimates.set_device(&device, &self.queue, &self.store);
                self.version = version;
                let now = Instant::now();
                self.leaving.values_mut().for_each(|since| *since = Some(now));
                self.failures.lab_is_here();
                updates.push(Update::Ready { device, device_name });
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
                    updates.push(Update::Progress { key, status, fraction, picture });
                }
            }
            Event::Along { key, waiting } => {
                if self.asked.contains(&key) {
                    self.along.extend(waiting.into_iter().map(|other| (other, key)));
                }
            }
            Event::Partial { key, part, images, shards } => {
                if self.queue.wants(&key) {
                    updates.push(Update::Partial { key, part, images, shards });
                }
            }
            Event::Done { key, seconds } => {
                self.ended(&key);
                if let Some(wish) = self.queue.remove(&key) {
                    self.estimates.learn(&wish, &self.queue, &self.store);
                    self.failures.forget(&key);
                    updates.push(Update::Done { key, seconds });
                }
            }
            Event::Failed { key, message, hint, cause } => {
                self.ended(&key);
                if self.queue.wants(&key) {
                    self.blame(&key, LabError { message, hint, cause }, updates);
                }
            }
            Event::Cancelled { key } => {
                // If it is wanted again meanwhile, it is requested again.
                if self.leaving.remove(&key).is_none() && self.asked.remove(&key) {
                    let message = "the lab cancelled it".to_owned();
                    self.ended(&key);
                    self.fail(
                        key,
                        LabError { message, hint: None, cause: Cause::Environment },
                        updates,
                    );
                }
            }
        }
    }

    /// The lab has finished a request.
    pub(super) fn ended(&mut self, key: &Digest) {
        self.labs.useful();
        self.asked.remove(key);
        self.leaving.remove(key);
        self.running.remove(key);
        self.along.retain(|other, by| other != key && by != key);
        self.suspects.end(key);
    }
}
