//! The engine for Ray with a real Ray.

mod cluster;
mod whole;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use neuronotes::config::{EngineName, Profile};
use neuronotes::engine::{Ending, Engine as _, Job, Place, Ray, State, Workers};

use cluster::{Cluster, lives};

/// Stands for the lab: says who it is, notes its process, and works until it is told to end, which takes it a while.
const WORKER: &str = r#"#!/bin/sh
echo "worker $NEURONOTES_JOB: $*"
here=$(dirname "$0")
echo $$ > "$here/$NEURONOTES_JOB.pid"
trap 'sleep 5; echo freed; echo freed > "$here/$NEURONOTES_JOB.freed"; exit 0' TERM
while [ ! -e "$here/$NEURONOTES_JOB.end" ]; do sleep 0.2; done
exit "$(cat "$here/$NEURONOTES_JOB.end")"
"#;

/// A pool's folder with a stand-in for the lab.
struct Pool {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Pool {
    fn new(name: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("it's a pool ").tempdir().expect("a folder");
        let lab = folder.path().join("lab.sh");
        fs::write(&lab, WORKER).expect("a script");
        fs::set_permissions(&lab, fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        Self { folder, name }
    }

    fn ray(&self, cluster: &Cluster, change: impl FnOnce(&mut Profile, &mut Place)) -> Ray {
        let mut profile = Profile::new(EngineName::Ray, 0..0);
        profile.address = Some(cluster.address.clone());
        let logs = self.folder.path().join("logs");
        let mut place = Place {
            pool: self.name.to_owned(),
            jobs: format!("nn-0123456789-{}", self.name),
            store: self.folder.path().to_owned(),
            logs: logs.clone(),
            logs_there: logs,
            lab: self.folder.path().join("lab.sh"),
        };
        change(&mut profile, &mut place);
        Ray::with_token(&profile, place, Some(cluster.token.clone()))
    }

    /// The process of a worker; `None` before it has begun.
    fn pid(&self, job: &str) -> Option<u32> {
        let text = fs::read_to_string(self.folder.path().join(format!("{job}.pid"))).ok()?;
        text.trim().parse().ok()
    }

    /// Whether a worker has ended in order after it was told to.
    fn is_freed(&self, job: &str) -> bool {
        self.folder.path().join(format!("{job}.freed")).exists()
    }

    /// Ends a worker.
    fn end(&self, job: &str, code: u8) {
        fs::write(self.folder.path().join(format!("{job}.end")), code.to_string())
            .expect("written");
    }
}

fn workers(count: u32, submission: u64) -> Workers {
    Workers { count, submission, probe: None }
}

/// Asks for the jobs until they are as they should be.
fn jobs_until(ray: &mut Ray, holds: impl Fn(&[Job]) -> bool) -> Vec<Job> {
    let begun = Instant::now();
    loop {
        let jobs = ray.jobs();
        if let Ok(jobs) = &jobs
            && holds(jobs)
        {
            return jobs.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{jobs:#?}");
        thread::sleep(Duration::from_millis(200));
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(240), "{what}: never");
        thread::sleep(Duration::from_millis(100));
    }
}

fn count(jobs: &[Job], state: &State) -> usize {
    jobs.iter().filter(|job| job.state == *state).count()
}

#[test]
fn workers_live_and_die_in_a_real_ray() {
    let Some(mut cluster) = Cluster::start(&["n1", "n2"]) else { return };
    it_is_found(&cluster);
    workers_are_submitted_listed_and_cancelled(&cluster);
    what_no_node_has_is_hopeless(&cluster);
    an_error_and_its_output_are_shown(&cluster);
    a_lost_node_loses_its_worker_and_another_goes_on(&mut cluster);
    cluster.replace("n1", "n3");
    whole::what_is_wrong_is_said_at_the_figures(&cluster);
    whole::a_site_is_the_same_whatever_becomes_of_its_workers(&mut cluster, "n3");
}

fn it_is_found(cluster: &Cluster) {
    let pool = Pool::new("found");
    let version = pool.ray(cluster, |_, _| {}).find().expect("Ray is there");
    assert_eq!(cluster.get("/api/version").expect("a version")["ray_version"], *version);
    let profile = |token: Option<&str>| {
        let mut profile = Profile::new(EngineName::Ray, 0..0);
        profile.address = Some(cluster.address.clone());
        let place = Place {
            pool: "p".into(),
            jobs: "nn-0123456789-p".into(),
            store: "/".into(),
            logs: "/".into(),
            logs_there: "/".into(),
            lab: "/".into(),
        };
        Ray::with_token(&profile, place, token.map(str::to_owned))
    };
    for token in [None, Some("wrong")] {
        let problem = profile(token).find().expect_err("the token is not right");
        assert!(problem.message.contains("denied access"), "{problem}");
        assert!(problem.hint.is_some_and(|hint| hint.contains("`token`")));
        assert!(profile(token).submit(&workers(1, 1)).is_err());
        let news = profile(token).jobs().expect_err("no news");
        assert!(news.0.contains("Ray answered 40"), "{news}");
    }
}

fn workers_are_submitted_listed_and_cancelled(cluster: &Cluster) {
    let pool = Pool::new("life");
    let mut ray = pool.ray(cluster, |profile, _| profile.time = Some(Duration::from_secs(7200)));
    let ids = ray.submit(&workers(3, 1)).expect("submitted");
    assert_eq!(ids.len(), 3);
    // The answer may have been lost: once more is the same.
    assert_eq!(ray.submit(&workers(3, 1)).expect("they are there"), ids);
    let two_run = |jobs: &[Job]| count(jobs, &State::Running) == 2;
    let jobs = jobs_until(&mut ray, two_run);
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    let waiting = jobs.iter().find(|job| job.state == State::Waiting).expect("one waits").clone();
    assert_eq!((waiting.hopeless, waiting.reason.is_some()), (None, true));
    let running: Vec<&Job> = jobs.iter().filter(|job| job.state == State::Running).collect();
    assert!(running.iter().all(|job| job.node.is_some()), "{jobs:?}");
    until("workers begin", || running.iter().all(|job| pool.pid(&job.id).is_some()));
    // Another pool's engine sees none of them.
    assert_eq!(Pool::new("lif").ray(cluster, |_, _| {}).jobs(), Ok(Vec::new()));
    let id = &running[0].id;
    let log = ray.log(id).expect("output");
    let store = pool.folder.path().display();
    let expected = format!(
        "worker {id}: work --store {store} --pool life --device auto --idle 60 --minutes 120"
    );
    assert_eq!(log, expected);

    // One ends by itself, and the one that waited begins.
    pool.end(id, 0);
    let jobs = jobs_until(&mut ray, |jobs| {
        count(jobs, &State::Ended(Ending::Completed)) == 1 && two_run(jobs)
    });
    until("the third begins", || pool.pid(&waiting.id).is_some());
    ray.submit(&workers(1, 2)).expect("submitted");
    ray.cancel().expect("cancelled");
    let cancelled = jobs.iter().filter(|job| job.state == State::Running);
    for job in cancelled {
        assert!(pool.is_freed(&job.id), "{} had the time to free its claims", job.id);
        assert!(!pool.pid(&job.id).is_some_and(lives));
    }
    let left = jobs_until(&mut ray, |jobs| jobs.iter().all(|job| !job.is_alive()));
    assert!(left.iter().all(|job| job.state == State::Ended(Ending::Cancelled)), "{left:?}");
    let late = "nn-0123456789-life-2-0";
    assert!(!pool.pid(late).is_some_and(lives), "one that waited is not begun any more");
}

fn what_no_node_has_is_hopeless(cluster: &Cluster) {
    let pool = Pool::new("hopeless");
    let mut ray = pool.ray(cluster, |profile, _| profile.gpus = Some(1));
    ray.submit(&workers(1, 1)).expect("Ray takes everything");
    let jobs = jobs_until(&mut ray, |jobs| jobs.len() == 1);
    assert_eq!(jobs[0].state, State::Waiting);
    let why = jobs[0].hopeless.clone().expect("it will never start");
    assert!(why.starts_with("no node of Ray has 1 GPU (there are 3 nodes, with "), "{why}");
    assert!(why.contains("`gpus`"), "{why}");
    ray.cancel().expect("cancelled");
    assert_eq!(ray.jobs().expect("jobs")[0].state, State::Ended(Ending::Cancelled));
    // So says another program, too.
    let mut other = pool.ray(cluster, |_, _| {});
    assert!(other.jobs().expect("jobs").iter().all(|job| !job.is_alive()));
}

fn an_error_and_its_output_are_shown(cluster: &Cluster) {
    let pool = Pool::new("errors");
    // Without a folder that the worker can write to, Ray has its output.
    let mut ray = pool.ray(cluster, |profile, place| {
        place.logs_there = Path::new("/nowhere/logs").to_owned();
        place.lab = "/nowhere/neuronotes-lab".into();
        profile.head = Some("echo this is the head".into());
    });
    let id = ray.submit(&workers(1, 1)).expect("submitted").remove(0);
    let jobs =
        jobs_until(&mut ray, |jobs| jobs.iter().all(|job| matches!(job.state, State::Ended(_))));
    let why = "its program ended with exit code 127";
    assert_eq!(jobs[0].state, State::Ended(Ending::Failed(why.into())));
    let log = ray.log(&id).expect("output");
    assert!(log.contains("this is the head\n") && log.contains("/nowhere/neuronotes-lab"), "{log}");
    ray.cancel().expect("forgotten");
    assert_eq!(ray.jobs(), Ok(Vec::new()));
}

fn a_lost_node_loses_its_worker_and_another_goes_on(cluster: &mut Cluster) {
    let pool = Pool::new("lost");
    let mut ray = pool.ray(cluster, |profile, _| {
        profile.resources.insert("n1".into(), 1.0);
    });
    let id = ray.submit(&workers(1, 1)).expect("submitted").remove(0);
    until("the worker begins", || pool.pid(&id).is_some());
    cluster.lose("n1");
    jobs_until(&mut ray, |jobs| jobs[0].state == State::Ended(Ending::Lost));
    let mut anywhere = pool.ray(cluster, |_, _| {});
    let other = anywhere.submit(&workers(1, 2)).expect("submitted").remove(0);
    until("another worker begins", || pool.pid(&other).is_some());
    pool.end(&other, 0);
    jobs_until(&mut anywhere, |jobs| count(jobs, &State::Ended(Ending::Completed)) == 1);
    // Ray kills what it had started itself as soon as it can; a program that it cannot reach ends by itself.
    pool.end(&id, 0);
    until("the lost one ends", || !pool.pid(&id).is_some_and(lives));
}
