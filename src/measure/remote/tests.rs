//! A pool in a temporary folder, with an engine and workers that do as they are told.

mod requests;
mod workers;

use std::sync::{Arc, Mutex, MutexGuard};

use neuronotes_core::pool::{At, Checkup, Entry, Journal, Ledger, Phase, Pool, Seen, Status};
use neuronotes_core::protocol::{Cause, Event};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Provenance, Record};
use serde_json::json;

use super::*;
use crate::engine::{Ending, Engine, Job, NoNews, State, Workers};
use crate::measure::schedule::Rank;

/// What an engine has been told, and what it says.
#[derive(Default)]
struct Script {
    jobs: Vec<Job>,
    submitted: Vec<Workers>,
    cancelled: usize,
    refusal: Option<Problem>,
    is_silent: bool,
    /// Whether it takes jobs without a word.
    swallows: bool,
    is_missing: bool,
    log: Option<String>,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Script>>);

impl Fake {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().expect("a script")
    }

    /// Changes all jobs.
    fn all(&self, state: &State) {
        self.script().jobs.iter_mut().for_each(|job| job.state = state.clone());
    }

    /// Changes the job that was submitted last.
    fn last(&self, state: State) {
        self.script().jobs.last_mut().expect("a job").state = state;
    }

    fn counts(&self) -> Vec<u32> {
        self.script().submitted.iter().map(|workers| workers.count).collect()
    }
}

impl Engine for Fake {
    fn name(&self) -> &'static str {
        "Fake"
    }

    fn find(&mut self) -> Result<String, Problem> {
        match self.script().is_missing {
            true => Err(Problem::new("Fake was not found").hint("install it".to_owned())),
            false => Ok("1".into()),
        }
    }

    fn submit(&mut self, workers: &Workers) -> Result<Vec<String>, Problem> {
        let mut script = self.script();
        if let Some(refusal) = &script.refusal {
            return Err(refusal.clone());
        }
        if script.is_silent && !script.swallows {
            return Err(Problem::new("no answer"));
        }
        script.submitted.push(workers.clone());
        let id = format!("{}", 33 + workers.submission);
        for at in 0..workers.count {
            script.jobs.push(Job {
                id: format!("{id}_{at}"),
                state: State::Waiting,
                reason: Some("Priority".into()),
                hopeless: None,
                node: None,
            });
        }
        if script.swallows { Err(Problem::new("no answer")) } else { Ok(vec![id]) }
    }

    fn jobs(&mut self) -> Result<Vec<Job>, NoNews> {
        let script = self.script();
        if script.is_silent { Err(NoNews("no answer".into())) } else { Ok(script.jobs.clone()) }
    }

    fn cancel(&mut self) -> Result<(), Problem> {
        let mut script = self.script();
        script.cancelled += 1;
        script.jobs.clear();
        Ok(())
    }

    fn log(&mut self, _: &str) -> Option<String> {
        self.script().log.clone()
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(15)
    }

    fn is_away(&self) -> bool {
        self.script().is_silent || self.script().swallows
    }
}

/// A store with a pool.
struct Stage {
    _folder: tempfile::TempDir,
    store: Store,
    pool: Pool,
    engine: Fake,
    /// Seconds that have passed.
    clock: std::cell::Cell<u64>,
    begun: Instant,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let pool = Pool::open(&store, "p").expect("a pool");
        let (engine, clock) = (Fake::default(), std::cell::Cell::default());
        Self { _folder: folder, store, pool, engine, clock, begun: Instant::now() }
    }

    fn keeper(&self, workers: u32) -> Keeper {
        let engine = Box::new(self.engine.clone());
        let (store, paths) = (self.store.clone(), Paths::default());
        let (name, device) = ("p".into(), "cpu".into());
        Keeper::open(Setup { store, name, engine, workers, device, paths }).expect("a pool")
    }

    /// Looks after so many seconds; what was told.
    fn after(&self, seconds: u64, keeper: &mut Keeper) -> Vec<Told> {
        self.clock.set(self.clock.get() + seconds);
        keeper.look(self.begun + Duration::from_secs(self.clock.get()))
    }

    /// A worker that is a job says what it is at.
    fn says(&self, job: &str, phase: Phase, at: Vec<At>) {
        let status = Status {
            worker: format!("w-{job}"),
            host: "gpu-07".into(),
            pid: 7,
            job: Some(job.into()),
            restarts: 0,
            started: "2026-01-01T00:00:00Z".into(),
            ends: None,
            version: env!("CARGO_PKG_VERSION").into(),
            device: Some(("cuda:0".into(), "H200".into())),
            phase,
            at,
            done: 0,
            failed: 0,
        };
        self.pool.write_status(&status).expect("a status");
    }

    /// It has said so a long time ago.
    fn is_lost(&self, job: &str) {
        let path = self.pool.path("workers").join(format!("w-{job}.json"));
        let past = std::time::SystemTime::now() - Duration::from_secs(60);
        std::fs::File::open(path).and_then(|file| file.set_modified(past)).expect("a time");
    }

    /// Reports that the first worker is well, or what is wrong.
    fn reports(&self, problems: Vec<Problem>) {
        let script = self.engine.script();
        let probe = script.submitted.iter().rev().find_map(|workers| workers.probe.clone());
        let nonce = probe.expect("a probe");
        let asked = self.pool.probe(&nonce).expect("a probe");
        assert!(asked.files.iter().any(|file| file.what == "the weights of m"), "{asked:?}");
        assert!(self.store.blob(&asked.blob).is_some());
        let blob = Some(self.store.put_blob(b"an answer").expect("a blob"));
        let report = Checkup {
            nonce,
            worker: "w".into(),
            host: "gpu-07".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            libtorch: "2.11.0".into(),
            device: Some(("cuda:0".into(), "H200".into())),
            driver: None,
            instructions: "AVX512".into(),
            blob,
            problems,
            notes: Vec::new(),
        };
        self.pool.put_checkup(&report).expect("a report");
    }

    fn writes(&self, job: &str, event: Event) {
        let mut journal = Journal::open(&self.pool, &format!("w-{job}")).expect("a journal");
        let log = matches!(event, Event::Failed { .. }).then(|| "its last words".to_owned());
        let entry = Entry { event, host: "gpu-07".into(), job: Some(job.into()), log };
        journal.append(&entry).expect("an entry");
    }

    /// A worker measures a request.
    fn measures(&self, job: &str, request: &Request) {
        let mut record = Record::new(request.key(), &request.kind, 2, request.canonical());
        record.provenance =
            Provenance { device: "cuda:0".into(), seconds: 2.0, ..Provenance::default() };
        self.store.commit(&record).expect("a record");
        self.writes(job, Event::Done { key: request.key(), seconds: 2.0 });
    }

    /// Removes the unit of work with this request, as a worker does that has finished it.
    fn finishes(&self, request: &Request) {
        let named = self.unit(request);
        self.pool.remove_unit(&named).expect("removed");
    }

    /// The unit of work with this request.
    fn unit(&self, request: &Request) -> Digest {
        let units = self.pool.units().expect("units");
        let has = |named: &&neuronotes_core::pool::Named| {
            let unit = self.pool.read_unit(named).expect("a unit of work");
            unit.keys().any(|key| key == request.key())
        };
        units.iter().find(has).expect("a unit of work").id
    }

    fn units(&self) -> usize {
        self.pool.units().expect("units").len()
    }
}

/// A request of another recipe for each number, so that each is a unit of work.
fn request(number: u32) -> Request {
    let request = json!({
        "kind": "feature_vis", "impl_version": 2, "params": { "unit": 1, "steps": number, "size": 64 },
        "model": {
            "name": "m", "path": "/m", "digest": Digest::of(b"m"),
            "conventions": neuronotes_core::model::Conventions::default(),
        },
        "precision": "f32",
    });
    serde_json::from_value(request).expect("a request")
}

/// One that uses another.
fn using(number: u32, used: Request) -> Request {
    Request { uses: vec![used], ..request(number) }
}

fn wishes(requests: &[Request]) -> Vec<Wish> {
    let wish =
        |request: &Request| Wish { key: request.key(), request: request.clone(), rank: Rank::Rest };
    requests.iter().map(wish).collect()
}

fn words(keeper: &Keeper, request: &Request) -> String {
    keeper.view().words(&request.key()).expect("words")
}

/// The reasons of failures.
fn failed(told: &[Told]) -> Vec<&Reason> {
    let mut reasons = Vec::new();
    for told in told {
        if let Told::Failed { reason, .. } = told {
            reasons.push(reason);
        }
    }
    reasons
}

fn is_done(told: &[Told], request: &Request) -> bool {
    told.iter().any(|told| matches!(told, Told::Done { key, .. } if *key == request.key()))
}

/// A pool with so many requests whose first worker is well, and the rest of them submitted.
fn at_work(stage: &Stage, workers: u32, requests: &[Request]) -> Keeper {
    let mut keeper = stage.keeper(workers);
    assert_eq!(keeper.want(wishes(requests)), []);
    stage.after(0, &mut keeper);
    stage.engine.all(&State::Running);
    stage.reports(Vec::new());
    stage.says("33_0", Phase::Starting, Vec::new());
    stage.after(20, &mut keeper);
    keeper
}
