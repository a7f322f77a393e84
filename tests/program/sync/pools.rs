//! Workers without a shared disk: stores of their own, one object store, and a client with a third.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Conventions;
use neuronotes_core::pool::{Checkup, Entry, Journal, Phase, Pool, Probe, Status, Tail, Unit};
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use serde_json::json;

use super::server::until;
use crate::common::{Garden, program};

const POOL: &str = "cluster";

/// A program that moves files, ended with its test.
struct Mover(Child);

impl Mover {
    /// Beside a worker.
    fn worker(url: &str, store: &Path) -> Self {
        let child = super::command(url, store, &["--follow"]).stderr(Stdio::null()).spawn();
        Self(child.expect("started"))
    }

    /// Beside a client.
    fn client(url: &str, garden: &Garden) -> Self {
        let mut command = std::process::Command::new(program());
        command.args(["store", "sync", url, "--follow", "--root"]).arg(garden.root());
        super::server::environment(&mut command);
        Self(command.stderr(Stdio::null()).spawn().expect("started"))
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn request(number: usize, uses: Vec<Request>) -> Request {
    let request = json!({
        "kind": "feature_vis", "impl_version": 2, "params": { "unit": number },
        "model": { "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default() },
        "precision": "f32",
    });
    let mut request: Request = serde_json::from_value(request).expect("a request");
    request.uses = uses;
    request
}

fn measure(store: &Store, request: &Request, by: &str) {
    let mut record =
        Record::new(request.key(), &request.kind, request.impl_version, request.canonical());
    record.provenance.device_name = by.to_owned();
    record.set_result(store, &json!({ "by": by })).expect("a result");
    record
        .add_output(store, "activations", "application/octet-stream", &[3; 4000])
        .expect("an output");
    store.commit(&record).expect("committed");
}

/// What a worker of the lab does, without measuring: it takes ready units of work until it is told to stop.
fn work(folder: &Path, name: &str, stop: &AtomicBool) -> usize {
    let store = Store::open(folder).expect("a store");
    let pool = Pool::open(&store, POOL).expect("a pool");
    let mut journal = Journal::open(&pool, name).expect("a journal");
    let mut units = 0;
    while !stop.load(Ordering::Relaxed) {
        pool.write_status(&status(name)).expect("a status");
        for named in pool.units().expect("a list") {
            let Some(unit) = pool.read_unit(&named) else { continue };
            for key in unit.needs() {
                assert!(store.record(&key).is_some(), "a unit of work comes after what it needs");
            }
            thread::sleep(Duration::from_millis(300));
            for request in &unit.requests {
                measure(&store, request, name);
                let event = Event::Done { key: request.key(), seconds: 0.3 };
                let entry = Entry { event, host: name.into(), job: None, log: None };
                journal.append(&entry).expect("appended");
            }
            pool.remove_unit(&unit.id()).expect("removed");
            units += 1;
        }
        thread::sleep(Duration::from_millis(200));
    }
    pool.remove_status(name).expect("removed");
    units
}

fn status(name: &str) -> Status {
    Status {
        worker: name.into(),
        host: name.into(),
        pid: 1,
        job: None,
        restarts: 0,
        started: "2026-01-01T00:00:00Z".into(),
        ends: None,
        version: "0.1.0".into(),
        device: None,
        phase: Phase::Starting,
        at: Vec::new(),
        done: 0,
        failed: 0,
    }
}

pub(super) fn workers_without_a_shared_disk_measure_everything_once(url: &str) {
    let garden = Garden::new();
    let here = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    let pool = Pool::open(&here, POOL).expect("a pool");
    let blob = here.put_blob(b"compare these").expect("stored");
    let probe = Probe {
        nonce: "first".into(),
        version: "0.1.0".into(),
        blob,
        files: Vec::new(),
        device: "cpu".into(),
    };
    pool.put_probe(&probe).expect("written");
    let base = request(1000, Vec::new());
    measure(&here, &base, "here");
    let units: Vec<Unit> = (0..8)
        .map(|number| Unit {
            requests: vec![
                request(2 * number, vec![base.clone()]),
                request(2 * number + 1, Vec::new()),
            ],
            seconds: None,
            halve: false,
        })
        .collect();
    for unit in &units {
        pool.put_unit(unit, 5).expect("put");
    }
    // Nobody can measure this yet.
    let unready = Unit {
        requests: vec![request(500, vec![request(501, Vec::new())])],
        seconds: None,
        halve: false,
    };
    pool.put_unit(&unready, 0).expect("put");

    let _client = Mover::client(url, &garden);
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let movers: Vec<Mover> =
            folders.iter().map(|folder| Mover::worker(url, folder.path())).collect();
        let names = ["gpu-01", "gpu-02"];
        let workers: Vec<_> = folders
            .iter()
            .zip(names)
            .map(|(folder, name)| scope.spawn(|| work(folder.path(), name, &stop)))
            .collect();
        let mut tail = Tail::default();
        let mut done: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("both workers are seen", || pool.workers().expect("a list").len() == 2);
            until("all figures arrive", || {
                for entry in tail.read(&pool).expect("entries") {
                    let Event::Done { key, .. } = entry.event else { continue };
                    let record = here.clone().for_pages().record(&key);
                    assert!(record.is_some(), "a journal names only what is here");
                    done.entry(key).or_default().push(entry.host);
                }
                done.len() == 16
            });
            until("what is done is removed", || pool.units().expect("a list").len() == 1);
            // A check-up: the probe's blob comes along, and so does the worker's.
            let there = Store::open(folders[0].path()).expect("a store");
            let theirs = Pool::open(&there, POOL).expect("a pool");
            until("the probe arrives", || theirs.probe("first").is_some());
            assert_eq!(there.blob(&blob).expect("its blob"), b"compare these");
            let written = there.put_blob(b"as you wish").expect("stored");
            theirs.put_checkup(&checkup(written)).expect("written");
            until("the report arrives", || pool.checkup("first").is_some());
            assert_eq!(here.blob(&written).expect("its blob"), b"as you wish");
            // What is needed is measured after all.
            measure(&here, &request(501, Vec::new()), "here");
            until("what was not ready is measured", || pool.units().expect("a list").is_empty());
        }));
        stop.store(true, Ordering::Relaxed);
        let measured: Vec<usize> =
            workers.into_iter().map(|worker| worker.join().expect("no panic")).collect();
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
        assert!(done.values().all(|hosts| hosts.len() == 1), "each is measured by one: {done:?}");
        assert_eq!(measured.iter().sum::<usize>(), 9, "{measured:?}");
        assert!(measured.iter().all(|count| *count > 0), "both work: {measured:?}");
        until("workers that have ended are gone", || pool.workers().expect("a list").is_empty());
        drop(movers);
    });
}

fn checkup(blob: Digest) -> Checkup {
    Checkup {
        nonce: "first".into(),
        worker: "gpu-01".into(),
        host: "gpu-01".into(),
        version: "0.1.0".into(),
        libtorch: "2.11.0".into(),
        device: None,
        driver: None,
        instructions: String::new(),
        blob: Some(blob),
        problems: Vec::new(),
        notes: Vec::new(),
    }
}
