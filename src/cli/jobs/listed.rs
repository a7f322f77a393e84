//! What `neuronotes jobs` says about a profile's workers.

use neuronotes_core::pool::{At, Ledger, Phase, Seen};
use neuronotes_core::say;
use serde::Serialize;

use super::super::format::{Format, count, count_units};
use crate::engine::{Ending, Job, State};

/// A profile's workers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Listed {
    pub(super) profile: String,
    engine: &'static str,
    /// Why the engine's jobs are not known, in its words.
    no_answer: Option<String>,
    /// How many units of work wait or are measured.
    units: usize,
    workers: Vec<Worker>,
}

/// A worker: as its engine describes it, as it describes itself, or both.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Worker {
    job: Option<String>,
    state: String,
    reason: Option<String>,
    /// Why it will never start.
    hopeless: Option<String>,
    node: Option<String>,
    /// When it was started, or submitted; RFC 3339.
    since: Option<String>,
    /// What it is at.
    at: Option<String>,
    done: u64,
    failed: u64,
    #[serde(skip)]
    is_alive: bool,
}

impl Listed {
    pub(super) fn new(
        profile: String,
        engine: &'static str,
        jobs: Result<Vec<Job>, String>,
        seen: &[Seen],
        ledger: &Ledger,
        units: usize,
    ) -> Self {
        let no_answer = jobs.as_ref().err().cloned();
        let jobs = jobs.unwrap_or_default();
        let of = |job: &Job| seen.iter().find(|seen| seen.status.job.as_ref() == Some(&job.id));
        let mut workers: Vec<Worker> =
            jobs.iter().map(|job| Worker::of(job, of(job), ledger)).collect();
        // The engine does not list them, or did not answer.
        let is_listed =
            |seen: &&Seen| jobs.iter().any(|job| seen.status.job.as_ref() == Some(&job.id));
        workers.extend(seen.iter().filter(|seen| !is_listed(seen)).map(Worker::alone));
        Self { profile, engine, no_answer, units, workers }
    }

    /// Whether somebody works, waits, or may do so unseen.
    pub(super) fn is_anybody_left(&self) -> bool {
        self.no_answer.is_some() || self.workers.iter().any(|worker| worker.is_alive)
    }

    pub(super) fn say(&self, format: Format) {
        match format {
            Format::Json => say::json(&serde_json::to_string(self).unwrap_or_default()),
            Format::Human => say::out(&format!("{}\n", self.text())),
        }
    }

    fn text(&self) -> String {
        let alive = self.workers.iter().filter(|worker| worker.is_alive).count();
        let mut lines = vec![format!(
            "{} ({}): {}, {} left",
            self.profile,
            self.engine,
            count(alive, "worker"),
            count_units(self.units)
        )];
        lines.extend(self.no_answer.as_ref().map(|said| format!("  {}", say::name(said))));
        let width = |column: fn(&Worker) -> usize| self.workers.iter().map(column).max();
        let job = |worker: &Worker| worker.job.as_ref().map_or(1, String::len);
        let (jobs, states) = (width(job), width(|worker| worker.state.chars().count()));
        for worker in &self.workers {
            let name = worker.job.as_deref().unwrap_or("-");
            let (jobs, states) = (jobs.unwrap_or(0), states.unwrap_or(0));
            let line = format!("  {name:jobs$}  {:states$}  {}", worker.state, worker.rest());
            lines.push(say::name(line.trim_end()).into_owned());
        }
        lines.join("\n")
    }
}

impl Worker {
    fn of(job: &Job, seen: Option<&Seen>, ledger: &Ledger) -> Self {
        let is_alive = job.is_alive();
        // What a worker said before its job was put back into the queue is no news.
        let is_there = matches!(job.state, State::Running | State::Stopping | State::Other(_));
        let status = seen.filter(|seen| is_there && seen.is_alive()).map(|seen| &seen.status);
        let submitted = ledger.submitted.iter().find(|submitted| {
            submitted.jobs.iter().any(|id| *id == job.id || job.id.starts_with(&format!("{id}_")))
        });
        let since =
            status.map(|status| &status.started).or(submitted.map(|submitted| &submitted.time));
        Self {
            job: Some(job.id.clone()),
            state: word(&job.state),
            reason: job.reason.clone(),
            hopeless: job.hopeless.clone(),
            node: job.node.clone().or_else(|| status.map(|status| status.host.clone())),
            since: since.filter(|_| is_alive).cloned(),
            at: status.map(|status| at(&status.phase, &status.at)),
            done: seen.map_or(0, |seen| seen.status.done),
            failed: seen.map_or(0, |seen| seen.status.failed),
            is_alive,
        }
    }

    /// A worker that only speaks for itself.
    fn alone(seen: &Seen) -> Self {
        let status = &seen.status;
        let silent = format!("has said nothing for {} s", seen.age.as_secs());
        Self {
            job: status.job.clone(),
            state: if seen.is_alive() { "running".into() } else { "lost".into() },
            reason: (!seen.is_alive()).then_some(silent),
            hopeless: None,
            node: Some(status.host.clone()),
            since: Some(status.started.clone()),
            at: seen.is_alive().then(|| at(&status.phase, &status.at)),
            done: status.done,
            failed: status.failed,
            is_alive: seen.is_alive(),
        }
    }

    /// Everything but its job and state, in one line.
    fn rest(&self) -> String {
        let mut parts: Vec<String> = self.node.iter().cloned().collect();
        // One that will never start has its reason in what is said about that.
        parts.extend(self.hopeless.as_ref().map(|why| format!("will not start: {why}")));
        parts.extend(self.reason.clone().filter(|_| self.hopeless.is_none()));
        parts.extend(self.since.as_deref().and_then(clock).map(|time| format!("since {time}")));
        parts.extend(self.at.clone());
        if self.done + self.failed > 0 {
            let failed =
                if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
            parts.push(format!("{} measured{failed}", self.done));
        }
        parts.join("; ")
    }
}

fn word(state: &State) -> String {
    match state {
        State::Waiting => "waiting".into(),
        State::WaitingAgain => "waiting again".into(),
        State::Running => "running".into(),
        State::Stopping => "ending".into(),
        State::Ended(Ending::Completed) => "completed".into(),
        State::Ended(Ending::Failed(_)) => "failed".into(),
        State::Ended(Ending::Cancelled) => "cancelled".into(),
        State::Ended(Ending::OutOfTime) => "out of time".into(),
        State::Ended(Ending::OutOfMemory) => "out of memory".into(),
        State::Ended(Ending::Lost) => "lost".into(),
        State::Other(word) => word.clone(),
    }
}

/// What a worker is at, in words.
fn at(phase: &Phase, requests: &[At]) -> String {
    match phase {
        Phase::Starting => "starts".into(),
        Phase::Checking { what } => format!("checks its machine: {what}"),
        Phase::Idle { why } => format!("waits: {why}"),
        Phase::Leaving { why } => format!("ends: {why}"),
        Phase::Working { .. } => match requests {
            [] => "loads".into(),
            [one] => of(one),
            [first, ..] => format!("{} requests, the first {}", requests.len(), of(first)),
        },
    }
}

fn of(at: &At) -> String {
    format!("{}: {} {} of {}", at.stage, at.unit, at.step, at.total)
}

/// A time of RFC 3339 as the clock here shows it, with the date if that is not today's.
fn clock(time: &str) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    let zone = jiff::tz::TimeZone::system();
    let today = jiff::Timestamp::now().to_zoned_datetime(zone.clone()).date();
    let time = time.to_zoned_datetime(zone);
    let format = if time.date() == today { "%H:%M" } else { "%F %H:%M" };
    Some(time.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use neuronotes_core::digest::Digest;
    use neuronotes_core::pool::{Status, Submitted};

    use super::*;

    fn job(id: &str, state: State) -> Job {
        Job { id: id.into(), state, reason: None, hopeless: None, node: None }
    }

    fn seen(job: Option<&str>, age: u64) -> Seen {
        let digest = Digest::of(b"unit");
        let at = At {
            key: digest,
            stage: "optimising".into(),
            step: 300,
            total: 4096,
            unit: "step".into(),
            seconds_left: None,
            picture: false,
        };
        let status = Status {
            worker: "w".into(),
            host: "gpu-07".into(),
            pid: 7,
            job: job.map(str::to_owned),
            restarts: 0,
            started: "2026-01-02T03:04:05Z".into(),
            ends: None,
            version: "1".into(),
            device: None,
            phase: Phase::Working { unit: digest },
            at: vec![at],
            done: 3,
            failed: 1,
        };
        Seen { status, age: Duration::from_secs(age) }
    }

    fn listed(jobs: Result<Vec<Job>, String>, seen: &[Seen]) -> Listed {
        let submitted = Submitted {
            jobs: vec!["33".into()],
            workers: 4,
            time: "2026-01-02T03:00:00Z".into(),
            probe: None,
        };
        let ledger = Ledger { engine: "Slurm".into(), submitted: vec![submitted], count: 1 };
        Listed::new("cluster".into(), "Slurm", jobs, seen, &ledger, 12)
    }

    #[test]
    fn each_worker_is_a_line_with_what_both_sides_say() {
        let waits = Job { reason: Some("Priority".into()), ..job("33_1", State::Waiting) };
        let never = Job {
            reason: Some("PartitionTimeLimit".into()),
            hopeless: Some("PartitionTimeLimit: lower `time`".into()),
            ..job("33_2", State::Waiting)
        };
        let failed = Job {
            reason: Some("NonZeroExitCode".into()),
            ..job("33_3", State::Ended(Ending::Failed("NonZeroExitCode".into())))
        };
        let jobs = vec![job("33_0", State::Running), waits, never, failed];
        let listed =
            listed(Ok(jobs), &[seen(Some("33_0"), 1), seen(Some("33_1"), 300), seen(None, 100)]);
        let text = listed.text();
        // The clock of the machine that tests is in its own zone.
        let since = |time: &str| format!("since {}", clock(time).expect("a time"));
        let text = text.replace(&since("2026-01-02T03:04:05Z"), "since START");
        let text = text.replace(&since("2026-01-02T03:00:00Z"), "since SUBMISSION");
        insta::assert_snapshot!(text);
        assert!(listed.is_anybody_left());
        let json = serde_json::to_value(&listed).expect("JSON");
        assert_eq!(json["workers"][1]["reason"], "Priority");
        assert_eq!(json["workers"][0]["since"], "2026-01-02T03:04:05Z");
        assert_eq!(json["units"], 12);
    }

    #[test]
    fn no_answer_is_not_the_end_of_workers() {
        let nobody = listed(Ok(vec![job("33_0", State::Ended(Ending::Cancelled))]), &[]);
        assert!(!nobody.is_anybody_left());
        let unknown =
            listed(Err("Slurm does not answer: connect failure".into()), &[seen(Some("33_0"), 1)]);
        assert!(unknown.is_anybody_left());
        let text = unknown.text();
        assert!(
            text.contains("\n  Slurm does not answer: connect failure\n  33_0  running  gpu-07;"),
            "{text}"
        );
    }
}
