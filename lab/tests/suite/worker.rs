//! Workers of a pool: alone, several at once, killed, with labs that crash, asked to end, and at their check-up.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use neuronotes_core::dataset::format;
use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Phase, Pool, Probe, Probed, Status, Tail, Unit};
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;
use serde_json::json;

use crate::support::{
    examples_request, histogram_request, in_pieces, model, scans, session, shard, small_weights,
    vis_request,
};

const LAB: &str = env!("CARGO_BIN_EXE_neuronotes-lab");
const LAYER: &str = "visual.layer4.0.add";

/// A store with a pool.
struct Place {
    dir: tempfile::TempDir,
    store: Store,
    pool: Pool,
}

/// A worker that is killed when the test is over.
struct Worker {
    child: Child,
    log: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("store")).expect("a store");
        let pool = Pool::open(&store, "cluster").expect("a pool");
        Self { dir, store, pool }
    }

    fn put(&self, requests: Vec<Request>, seconds: Option<f64>) -> Digest {
        let unit = Unit { requests, seconds, halve: false };
        self.pool.put_unit(&unit, 5).expect("a unit of work").id
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LAB);
        command.args(["work", "--pool", "cluster", "--device", "cpu", "--store"]);
        command.arg(self.store.folder()).args(arguments);
        command
    }

    fn start(&self, arguments: &[&str]) -> Worker {
        self.begin(self.command(arguments))
    }

    fn begin(&self, mut command: Command) -> Worker {
        let count = fs::read_dir(self.dir.path()).expect("a folder").count();
        let log = self.dir.path().join(format!("log-{count}.txt"));
        command.stdin(Stdio::null()).stderr(File::create(&log).expect("a file"));
        Worker { child: command.spawn().expect("a worker"), log }
    }

    /// What the journals say: done, and failed with the message.
    fn journals(&self) -> (BTreeMap<Digest, usize>, BTreeMap<Digest, String>) {
        let (mut done, mut failed) = (BTreeMap::new(), BTreeMap::new());
        for entry in Tail::default().read(&self.pool).expect("journals") {
            match entry.event {
                Event::Done { key, .. } => *done.entry(key).or_default() += 1,
                Event::Failed { key, message, .. } => drop(failed.insert(key, message)),
                other => panic!("{other:?}"),
            }
        }
        (done, failed)
    }

    fn statuses(&self) -> Vec<Status> {
        self.pool.workers().expect("workers").into_iter().map(|seen| seen.status).collect()
    }

    fn are_stored(&self, requests: &[Request]) -> bool {
        requests.iter().all(|request| self.store.record(&request.key()).is_some())
    }

    /// Nothing is left of units of work, claims and statuses.
    fn assert_tidy(&self) {
        assert_eq!(self.pool.units().expect("units of work"), []);
        self.assert_free();
    }

    fn assert_free(&self) {
        for folder in ["claims", "pools/cluster/workers", "partial"] {
            let left = fs::read_dir(self.store.folder().join("v1").join(folder)).expect("a folder");
            assert_eq!(left.count(), 0, "{folder}");
        }
    }
}

impl Worker {
    fn wait(&mut self) -> ExitStatus {
        wait("the worker's end", || self.child.try_wait().expect("a process"))
    }

    /// Waits for its end, which must be a proper one; returns its log.
    fn end(mut self) -> String {
        let status = self.wait();
        let log = self.log();
        assert!(status.success(), "{status}: {log}");
        log
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill").success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn vis(unit: u32, steps: u32) -> Request {
    vis_request(model(&small_weights()), json!({ "steps": steps, "unit": unit }))
}

/// Scans of several shards, and requests of several kinds.
fn mixed(folder: &Path) -> (Vec<Request>, Vec<Request>) {
    let (small, pictures) = (model(&small_weights()), shard(folder, 11));
    let data = in_pieces(&format::tar::FORMAT, &pictures, 4);
    let scans = scans(&small, &data, LAYER);
    assert!(scans.len() > 2, "several shards");
    let asks = vec![
        examples_request(small.clone(), data.clone(), json!({})),
        histogram_request(small.clone(), data, json!({ "bins": 4 })),
        vis(3, 4),
        vis(4, 4),
        vis_request(small, json!({ "steps": 3, "size": 32 })),
    ];
    (scans, asks)
}

#[test]
fn a_worker_measures_what_a_session_measures() {
    let place = Place::new();
    let (scans, asks) = mixed(place.dir.path());
    // Those that use the scans come first, and wait for them.
    place.put(asks[..2].to_vec(), Some(100.0));
    place.put(scans[..2].to_vec(), Some(2.0));
    place.put(scans[2..].to_vec(), None);
    place.put(asks[2..].to_vec(), Some(3.0));
    let log = place.start(&["--idle", "0"]).end();
    let all: Vec<Request> = scans.into_iter().chain(asks).collect();
    let (done, failed) = place.journals();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(done, all.iter().map(|request| (request.key(), 1)).collect());
    place.assert_tidy();
    let count = format!("{} measured, 0 failed", all.len());
    for words in ["began 2 of 2 requests, about 100 s", &count, "no unit of work is left"] {
        assert!(log.contains(words), "{words} is not in {log}");
    }
    let alone = tempfile::tempdir().expect("a folder");
    let session = session(alone.path());
    for request in &all {
        let silent = &mut neuronotes_lab::monitor::Silent;
        let expected = session.measure(request, silent).expect("a record");
        let found = place.store.record(&request.key()).expect("a record");
        assert_eq!(found.outputs, expected.outputs, "{}", request.kind);
    }

    // A worker that was lost between the record and the journal leaves the unit of work: nothing of it is measured again.
    let id = place.put(all[..1].to_vec(), None);
    let log = place.start(&["--idle", "0"]).end();
    assert!(log.contains(&format!("{}: began 0 of 1", id.short())), "{log}");
    assert_eq!(place.journals().0[&all[0].key()], 2);
    place.assert_tidy();
}

#[test]
fn three_workers_share_thirty_units_of_work_and_measure_each_once() {
    let place = Place::new();
    let all: Vec<Request> = (0..30).map(|unit| vis(unit, 2)).collect();
    for request in &all {
        place.put(vec![request.clone()], Some(1.0));
    }
    let workers: Vec<Worker> = (0..3).map(|_| place.start(&["--idle", "0"])).collect();
    let logs: Vec<String> = workers.into_iter().map(Worker::end).collect();
    let (done, failed) = place.journals();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(done, all.iter().map(|request| (request.key(), 1)).collect(), "{logs:?}");
    place.assert_tidy();
}

/// The processes that a process has started.
fn children_of(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    children.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|after| after.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

#[test]
fn workers_that_are_killed_lose_nothing_and_leave_no_lab() {
    let place = Place::new();
    let all: Vec<Request> = (0..24).map(|unit| vis(unit, 40)).collect();
    for two in all.chunks(2) {
        place.put(two.to_vec(), Some(1.0));
    }
    // Work that nobody finishes, so that there is somebody to be killed each time.
    let endless = place.put(vec![vis(100, 60_000)], Some(0.1));
    let mut workers: Vec<Worker> = (0..2).map(|_| place.start(&["--idle", "0"])).collect();
    let mut random = 12345_u64;
    for _ in 0..10 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_millis((random >> 33) % 1500));
        let mut lost = workers.remove((random >> 40) as usize % workers.len());
        let labs = children_of(lost.child.id());
        lost.signal("-9");
        lost.wait();
        wait("the end of its lab", || (!labs.iter().any(|lab| is_alive(*lab))).then_some(()));
        workers.push(place.start(&["--idle", "0"]));
    }
    wait("all results", || place.are_stored(&all).then_some(()));
    place.pool.remove_unit(&endless).expect("removed");
    for worker in workers {
        worker.end();
    }
    assert_eq!(place.pool.units().expect("units of work"), []);
    assert_eq!(place.journals().1, BTreeMap::new());
}

/// A lab that crashes whenever it has begun to measure a request.
fn crashing(folder: &Path, at: &Request) -> PathBuf {
    let path = folder.join("crashing-lab");
    let script = format!(
        r#"#!/bin/bash
# Its output passes through here.
exec 3<&0
pipe=$(mktemp -u "{folder}/pipe-XXXXXX")
mkfifo "$pipe"
"{LAB}" "$@" <&3 >"$pipe" &
lab=$!
while IFS= read -r line; do
  printf '%s\n' "$line"
  case "$line" in *'"progress"'*{key}*) echo "a stack" >&2; kill -9 $lab; kill -SEGV $$;; esac
done <"$pipe"
"#,
        folder = folder.display(),
        key = at.key()
    );
    // A process of its own writes it: see the tests of `neuronotes_core::lab`.
    let write = r#"printf %s "$2" > "$1""#;
    let written = Command::new("sh").args(["-c", write, "sh"]).arg(&path).arg(script).status();
    assert!(written.expect("sh").success());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

#[test]
fn a_request_at_which_labs_crash_fails_alone_though_workers_are_lost_beside_it() {
    let place = Place::new();
    let poison = vis(7, 60_000);
    let lab = crashing(place.dir.path(), &poison);
    let others: Vec<Request> = (0..4).map(|unit| vis(unit, 6)).collect();
    let mut together = others[..3].to_vec();
    together.insert(1, poison.clone());
    let id = place.put(together, None);
    place.put(others[3..].to_vec(), None);
    let start = || {
        let mut command = place.command(&["--idle", "0"]);
        command.env("NEURONOTES_WORKER_LAB", &lab);
        place.begin(command)
    };
    // Lost while they are at it: that counts for nothing.
    for _ in 0..2 {
        let lost = start();
        let at_it = |status: &Status| status.phase == Phase::Working { unit: id };
        wait("a worker at work", || {
            place
                .statuses()
                .iter()
                .any(|status| at_it(status) && status.pid == lost.child.id())
                .then_some(())
        });
        drop(lost);
    }
    let [one, other] = [start(), start()];
    let logs = [one.end(), other.end()];
    assert!(place.are_stored(&others), "{logs:?}");
    let (done, failed) = place.journals();
    assert_eq!(failed.keys().collect::<Vec<_>>(), [&poison.key()], "{failed:?}");
    let message = &failed[&poison.key()];
    assert!(message.contains("crashed (signal 11)") && message.contains("a stack"), "{message}");
    assert!(!done.contains_key(&poison.key()));
    assert!(place.store.failure(&poison.key()).is_some(), "it is remembered");
    assert_eq!(place.pool.units().expect("units of work"), []);

    // Asked for again, it fails at once.
    place.put(vec![poison.clone()], None);
    let log = start().end();
    assert!(log.contains("began 0 of 1 requests"), "{log}");
    assert_eq!(place.pool.units().expect("units of work"), []);
}

#[test]
fn a_worker_that_is_asked_to_end_frees_its_claims_and_a_removed_unit_of_work_is_given_up() {
    let place = Place::new();
    let long = vis(1, 60_000);
    let id = place.put(vec![long.clone()], None);
    let at = || {
        let at = place.statuses().into_iter().flat_map(|status| status.at).find(|at| at.step > 0);
        at.filter(|at| at.key == long.key())
    };
    for signal in ["-USR1", "-TERM"] {
        let worker = place.start(&[]);
        let at = wait("progress", at);
        assert_eq!((at.stage.as_str(), at.total, at.unit.as_str()), ("optimising", 60_000, "step"));
        worker.signal(signal);
        let log = worker.end();
        assert!(log.contains("asked") && log.contains("left after"), "{log}");
        place.assert_free();
        assert_eq!(place.pool.units().expect("units of work").len(), 1);
        assert_eq!(place.journals().0.len(), 0);
    }
    let worker = place.start(&["--idle", "0"]);
    wait("progress", at);
    let named = place.pool.units().expect("units of work")[0];
    place.pool.promote(&named, 0).expect("renamed");
    // Renamed, it is the same one, and the worker stays at it.
    let step = wait("progress", at).step;
    wait("more progress", || at().filter(|at| at.step > step));
    wait("and more", || at().filter(|at| at.step > step + 1));
    place.pool.remove_unit(&id).expect("removed");
    let log = worker.end();
    assert!(log.contains("no longer wanted"), "{log}");
    place.assert_tidy();
}

#[test]
fn what_does_not_fit_into_a_workers_time_is_left_and_no_store_is_made() {
    let place = Place::new();
    place.put(vec![vis(1, 2)], Some(600.0));
    let log = place.start(&["--minutes", "1"]).end();
    assert!(log.contains("too short for each of 1 units of work"), "{log}");
    assert_eq!(place.pool.units().expect("units of work").len(), 1);
    place.assert_free();

    let none = place.dir.path().join("none");
    let mut command = Command::new(LAB);
    command.args(["work", "--pool", "cluster", "--store"]).arg(&none);
    let output = command.output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("there is no store in") && said.contains("`store` of the profile"),
        "{said}"
    );
    assert!(!none.exists());
}

#[test]
fn a_store_that_goes_away_is_waited_for() {
    let place = Place::new();
    let worker = place.start(&["--idle", "1000"]);
    wait("a worker", || place.statuses().first().cloned());
    let inside = place.store.folder().join("v1");
    let away = place.dir.path().join("away");
    fs::rename(&inside, &away).expect("away");
    wait("a word", || worker.log().contains("the store cannot be used").then_some(()));
    fs::rename(&away, &inside).expect("back");
    let request = vis(1, 2);
    place.put(vec![request.clone()], None);
    let is_over = || place.pool.units().expect("units of work").is_empty().then_some(());
    wait("the end of the unit of work", is_over);
    assert!(place.are_stored(&[request]));
    worker.signal("-TERM");
    let log = worker.end();
    assert!(log.contains("the store can be used again"), "{log}");
    place.assert_tidy();
}

#[test]
fn a_check_up_finds_everything_that_is_wrong() {
    let place = Place::new();
    let weights = small_weights();
    let file = |what: &str, path: &Path, digest: Option<Digest>, bytes: Option<u64>| Probed {
        what: what.to_owned(),
        path: path.to_owned(),
        digest,
        bytes,
    };
    let digest = Digest::of_file(&weights).expect("a digest");
    let bytes = fs::metadata(&weights).expect("a file").len();
    let good = Probe {
        nonce: "good".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        blob: place.store.put_blob(b"from the client").expect("a blob"),
        files: vec![
            file("the weights of small", &weights, Some(digest), Some(bytes)),
            file("a folder", place.dir.path(), None, None),
        ],
        device: "cpu".into(),
    };
    place.pool.put_probe(&good).expect("a probe");
    let request = vis(1, 2);
    place.put(vec![request.clone()], None);
    let log = place.start(&["--idle", "0", "--probe", "good"]).end();
    let report = place.pool.checkup("good").unwrap_or_else(|| panic!("no report: {log}"));
    assert_eq!(report.problems, [], "{log}");
    assert_eq!(report.device.as_ref().map(|device| device.0.as_str()), Some("cpu"));
    assert!(!report.instructions.is_empty() && !report.libtorch.is_empty());
    assert!(report.blob.and_then(|blob| place.store.blob(&blob)).is_some());
    assert!(place.are_stored(&[request]), "it goes on as a worker");
    place.assert_tidy();

    let none = place.dir.path().join("none.safetensors");
    let bad = Probe {
        nonce: "bad".into(),
        version: "0.0.1".into(),
        files: vec![
            file("the weights of none", &none, Some(digest), Some(bytes)),
            file("the weights of other", &weights, Some(Digest::of(b"other")), Some(bytes)),
            file("shard 3 of web", &weights, Some(digest), Some(bytes + 1)),
            file("the folder of web", &none, None, None),
        ],
        device: "cuda:0".into(),
        ..good
    };
    place.pool.put_probe(&bad).expect("a probe");
    place.put(vec![vis(2, 2)], None);
    place.start(&["--idle", "0", "--probe", "bad"]).end();
    let report = place.pool.checkup("bad").expect("a report");
    let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    for words in [
        "the client 0.0.1",
        "the device cuda:0 is wanted",
        "the weights of none was not found",
        "the weights of other differs",
        "shard 3 of web differs",
        "the folder of web was not found",
    ] {
        assert_eq!(
            said.iter().filter(|line| line.contains(words)).count(),
            1,
            "{words}: {said:#?}"
        );
    }
    assert_eq!(said.len(), 6, "{said:#?}");
    assert!(report.problems.iter().all(|problem| problem.hint.is_some()), "{said:#?}");
    assert_eq!(place.pool.units().expect("units of work").len(), 1, "no work is taken");
    place.assert_free();
}
