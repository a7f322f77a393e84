//! What a worker tells: its status and its journal in the pool, and a line of log at each turn.
//!
//! Nothing here may fail: what cannot be written now is written later, and until then the worker knows that the store is away.

use std::collections::VecDeque;
use std::io;
use std::time::{Instant, SystemTime};

use neuronotes_core::digest::Digest;
use neuronotes_core::lab::LabError;
use neuronotes_core::pool::{At, Entry, Journal, Phase, Pool, Seen, Status};
use neuronotes_core::protocol::Event;
use neuronotes_core::say;
use neuronotes_core::store;

use super::time::Time;

/// Writes a line of the worker's log.
pub fn log(line: impl std::fmt::Display) {
    say::err(format_args!("neuronotes-lab: {line}"));
}

/// Tells what a worker does.
#[derive(Debug)]
pub struct Report {
    pool: Pool,
    status: Status,
    journal: Option<Journal>,
    /// Entries that are not in the journal yet.
    unwritten: VecDeque<Entry>,
    next: Instant,
}

impl Report {
    /// Of a worker that has just started.
    pub fn new(pool: Pool, time: &Time) -> Self {
        let (pid, host) = (std::process::id(), store::host_name());
        let host = host.unwrap_or_else(|| "unknown".to_owned());
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let unique = Digest::of(format!("{host} {pid} {now}").as_bytes()).short();
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
        let status = Status {
            worker: format!("{}-{unique}", host.chars().map(plain).collect::<String>()),
            host,
            pid,
            job: store::job(),
            restarts: store::restarts(),
            started: time.started(),
            ends: time.ends(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: None,
            phase: Phase::Starting,
            at: Vec::new(),
            done: 0,
            failed: 0,
        };
        let (journal, unwritten) = (None, VecDeque::new());
        Self { pool, status, journal, unwritten, next: Instant::now() }
    }

    /// The worker's name.
    pub fn worker(&self) -> &str {
        &self.status.worker
    }

    /// The name of its machine.
    pub fn host(&self) -> &str {
        &self.status.host
    }

    /// How many requests were measured, and how many failed.
    pub fn counts(&self) -> (u64, u64) {
        (self.status.done, self.status.failed)
    }

    /// Its lab is ready on this device.
    pub fn set_device(&mut self, device: (String, String)) {
        self.status.device = Some(device);
    }

    /// It is at something else now.
    pub fn turn(&mut self, phase: Phase) {
        if self.status.phase != phase {
            self.status.phase = phase;
            self.status.at.clear();
            self.next = Instant::now();
        }
        self.tick();
    }

    /// It is further with what it is at.
    pub fn renew(&mut self, phase: Phase) {
        self.status.phase = phase;
        self.tick();
    }

    /// How far the requests are.
    pub fn set_at(&mut self, at: Vec<At>) {
        self.status.at = at;
    }

    /// Writes what is due.
    pub fn tick(&mut self) {
        if self.next <= Instant::now() {
            self.next = Instant::now() + Seen::EVERY;
            // If it cannot be written, the client learns nothing until it can.
            let _ = self.pool.write_status(&self.status);
            let _ = self.flush();
        }
    }

    /// A request was measured.
    pub fn done(&mut self, key: Digest, seconds: f64) {
        self.status.done += 1;
        self.add(Event::Done { key, seconds }, None);
    }

    /// A request was found in the store.
    pub fn found(&mut self, key: Digest, seconds: f64) {
        self.add(Event::Done { key, seconds }, None);
    }

    /// A request failed; `log` has the last lines of the lab's log.
    pub fn failed(&mut self, key: Digest, why: LabError, log: Option<String>) {
        self.status.failed += 1;
        let LabError { message, hint, cause } = why;
        self.add(Event::Failed { key, message, hint, cause }, log);
    }

    fn add(&mut self, event: Event, log: Option<String>) {
        let (host, job) = (self.status.host.clone(), self.status.job.clone());
        self.unwritten.push_back(Entry { event, host, job, log });
        let _ = self.flush();
    }

    /// Writes to the journal what is not in it yet.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(entry) = self.unwritten.front() {
            let journal = match &mut self.journal {
                Some(journal) => journal,
                none => none.insert(Journal::open(&self.pool, &self.status.worker)?),
            };
            if let Err(error) = journal.append(entry) {
                // The file may have been that of a store that went away.
                self.journal = None;
                return Err(error);
            }
            self.unwritten.pop_front();
        }
        Ok(())
    }

    /// The worker ends: its status is removed.
    pub fn close(mut self) {
        if let Err(error) = self.flush() {
            let count = self.unwritten.len();
            log(format_args!("{count} results are stored but not in the journal ({error})"));
        }
        let _ = self.pool.remove_status(&self.status.worker);
    }
}
