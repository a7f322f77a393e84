//! How a worker measures one unit of work with its lab.

use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit as Round};
use neuronotes_core::digest::Digest;
use neuronotes_core::lab::LabError;
use neuronotes_core::pool::{Named, Phase, Seen};
use neuronotes_core::protocol::{Cause, Command};
use neuronotes_core::store::Remembered;

use super::child::Heard;
use super::report::log;
use super::take::{Taken, listed};
use super::unit::{Death, Ended, Work};
use super::{End, Outcome, Worker, away, signal};

/// How long to wait for the lab's news before looking at other things.
const TICK: Duration = Duration::from_millis(200);
/// How long the lab may take to give up requests that are no longer wanted.
const CANCEL: Duration = Duration::from_secs(5);
/// How often all units of work are listed while one is measured: there may be thousands, and hundreds of workers.
const LIST: Duration = Duration::from_secs(30);
/// How often a request may fail for reasons outside it while the store is there.
const OUTSIDE: u32 = 3;
/// How failures of the device begin.
const LIBTORCH: &str = "libtorch failed";
/// The pause before such a request is tried again.
const AGAIN: Duration = Duration::from_secs(1);

impl Worker {
    /// Measures a unit of work, and removes it once all of its requests are stored or have failed.
    pub(super) fn measure(&mut self, Taken { mut named, unit, claim }: Taken) -> Outcome {
        let id = named.id;
        let clock = Instant::now();
        let before = self.report.counts();
        self.report.turn(Phase::Working { unit: id });
        let mut work = Work::new(&unit, |key| self.is_open(key));
        let (count, all) = (work.open().count(), unit.requests.len());
        let about = unit.seconds.map(|s| format!(", about {s:.0} s")).unwrap_or_default();
        log(format_args!("unit of work {}: began {count} of {all} requests{about}", id.short()));
        self.child.take_log();
        self.drop_hopeless(&mut work);
        let outcome = loop {
            if let Some(end) = self.is_to_end() {
                self.blame_length(&mut work);
                break Outcome::End(end);
            }
            if work.is_finished() {
                match self.finish(&id) {
                    Ok(()) => break Outcome::Over,
                    Err(error) if self.wait_for_store(&error) => continue,
                    Err(_) => break Outcome::End(self.reason()),
                }
            }
            if let Some(end) = self.go_on(&mut work) {
                break Outcome::End(end);
            }
            if self.is_unwanted(&mut named) {
                log(format_args!("unit of work {}: no longer wanted", id.short()));
                self.cancel(&mut work);
                break Outcome::Over;
            }
        };
        drop(claim);
        let (done, failed) = self.report.counts();
        let (done, failed) = (done - before.0, failed - before.1);
        let seconds = clock.elapsed().as_secs_f64();
        let how = if work.is_finished() { "ended" } else { "left" };
        log(format_args!(
            "unit of work {}: {how} after {seconds:.1} s, {done} measured, {failed} failed",
            id.short()
        ));
        outcome
    }

    /// Whether a request must be measured. What is stored, or failed in the same way before, is told at once.
    fn is_open(&mut self, key: &Digest) -> bool {
        if let Some(record) = self.store.record(key) {
            self.report.found(*key, record.provenance.seconds);
            return false;
        }
        if let Some(error) = self.remembered(key) {
            self.report.failed(*key, error, None);
            return false;
        }
        true
    }

    /// How a request failed before with this version of the lab.
    fn remembered(&self, key: &Digest) -> Option<LabError> {
        let failure = self.store.failure(key)?;
        let Remembered { message, hint, lab, .. } = failure;
        let cause = Cause::Deterministic;
        (lab == env!("CARGO_PKG_VERSION")).then_some(LabError { message, hint, cause })
    }

    /// Fails requests that use something that fails.
    fn drop_hopeless(&mut self, work: &mut Work) {
        let hopeless: Vec<(Digest, LabError)> = work
            .open()
            .filter_map(|request| {
                let used = request.uses.iter().map(|used| used.key());
                let why = used
                    .filter_map(|key| Some((key, self.remembered(&key)?)))
                    .find(|(key, _)| self.store.record(key).is_none());
                Some((request.key(), why?.1))
            })
            .collect();
        for (key, LabError { message, hint, .. }) in hopeless {
            work.close(&key);
            let message = format!("a measurement that it uses failed: {message}");
            // Once that is measured, this one can be.
            let cause = Cause::Environment;
            self.report.failed(key, LabError { message, hint, cause }, None);
        }
    }

    /// Sends the lab what it must be sent, and waits a little for its news. Returns why the worker must end.
    fn go_on(&mut self, work: &mut Work) -> Option<End> {
        if let Err(error) = self.child.start() {
            return Some(End::Unusable(error));
        }
        if self.child.ready().is_some() {
            work.commands().into_iter().for_each(|command| self.child.say(command));
        }
        let ended = match self.child.hear(TICK) {
            Some(Heard::Ready(ready)) => {
                self.report.set_device((ready.device, ready.device_name));
                None
            }
            Some(Heard::Said(event)) => work.said(event),
            Some(Heard::Gone { cause, ready, hopeless }) => {
                log(&cause);
                match work.gone(&cause, ready) {
                    Death::Of(ended) => Some(ended),
                    Death::Nothing if hopeless => return Some(End::Unusable(cause)),
                    Death::Learned | Death::Nothing => None,
                }
            }
            None => None,
        };
        self.report.set_at(work.at());
        self.report.tick();
        match ended {
            Some(Ended::Done(key, seconds)) => {
                self.report.done(key, seconds);
                None
            }
            Some(Ended::Failed(key, error)) => {
                self.fail(work, key, error);
                None
            }
            Some(Ended::Outside(key, error)) => self.outside(work, key, error),
            None => None,
        }
    }

    /// A request failed for a reason outside it. If the store is away, that is waited for; otherwise it is tried again a few
    /// times.
    fn outside(&mut self, work: &mut Work, key: Digest, error: LabError) -> Option<End> {
        if let Err(away) = self.store.try_out() {
            log(format_args!("{}: {}", key.short(), error.message));
            return (!self.wait_for_store(&away)).then(|| self.reason());
        }
        if work.again(&key) < OUTSIDE {
            log(format_args!("{} is tried again: {}", key.short(), error.message));
            if error.message.starts_with(LIBTORCH) {
                // A GPU that has failed once fails in that process from then on.
                self.child.stop();
                work.restart();
            }
            return (!away::pause(AGAIN, &self.time)).then(|| self.reason());
        }
        self.fail(work, key, error);
        None
    }

    /// A request failed: its failure is remembered if it would come again, and told.
    fn fail(&mut self, work: &mut Work, key: Digest, error: LabError) {
        if error.cause == Cause::Deterministic {
            let (kind, impl_version) = work.kind(&key).unwrap_or_default();
            let time = Timestamp::now().round(Round::Second).unwrap_or_default().to_string();
            // If this cannot be stored, the request only fails once more.
            let _ = self.store.put_failure(&Remembered {
                key,
                kind,
                impl_version,
                lab: env!("CARGO_PKG_VERSION").to_owned(),
                time,
                message: error.message.clone(),
                hint: error.hint.clone(),
            });
        }
        work.close(&key);
        log(format_args!("{} failed: {}", key.short(), error.message));
        self.report.failed(key, error, self.child.take_log());
    }

    /// At the end of the time: a request that had nearly all of it will not have enough the next time.
    fn blame_length(&mut self, work: &mut Work) {
        if !self.time.is_over() || signal::came().is_some() {
            return;
        }
        let long: Vec<Digest> = work
            .running()
            .filter(|(_, since)| self.time.was_whole_since(*since))
            .map(|(key, _)| key)
            .collect();
        let minutes = self.options.minutes.unwrap_or_default();
        for key in long {
            let message =
                format!("it was not finished in the {minutes:.0} minutes that a worker has");
            let hint = Some("give the profile more `time`".to_owned());
            self.fail(work, key, LabError { message, hint, cause: Cause::Environment });
        }
    }

    /// Removes a unit of work that is over, once the journal has all of it.
    fn finish(&mut self, id: &Digest) -> std::io::Result<()> {
        self.report.flush()?;
        self.pool.remove_unit(id)
    }

    /// Whether the client has removed a unit of work. Looks now and then for its file, and for all files if it may have another
    /// rank, or may only seem to be there.
    fn is_unwanted(&mut self, named: &mut Named) -> bool {
        if self.looked.elapsed() < Seen::EVERY {
            return false;
        }
        self.looked = Instant::now();
        if self.listed.elapsed() < LIST && self.pool.has_unit(named) {
            return false;
        }
        self.listed = Instant::now();
        // A file that is renamed while a folder is listed may be missing in the list.
        for _ in 0..2 {
            let Ok(all) = listed(&self.pool) else { return false };
            if let Some(now) = all.into_iter().find(|one| one.id == named.id) {
                *named = now;
                return false;
            }
        }
        true
    }

    /// Has the lab give up what is not finished.
    fn cancel(&mut self, work: &mut Work) {
        let keys: Vec<Digest> = work.open().map(|request| request.key()).collect();
        for key in &keys {
            self.child.say(Command::Cancel { key: *key });
        }
        let until = Instant::now() + CANCEL;
        while keys.iter().any(|key| work.is_asked(key)) && Instant::now() < until {
            match self.child.hear(TICK) {
                Some(Heard::Said(event)) => {
                    if let Some(Ended::Done(key, seconds)) = work.said(event) {
                        self.report.done(key, seconds);
                    }
                }
                Some(Heard::Gone { .. }) => return,
                Some(Heard::Ready(_)) | None => {}
            }
        }
        if keys.iter().any(|key| work.is_asked(key)) {
            self.child.stop();
        }
    }
}
