//! A script in place of the worker's program.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use super::*;
use crate::config::EngineName;

/// A script that says what it was called with, and sleeps until it is ended unless `then` ends it.
fn place(folder: &tempfile::TempDir, then: &str) -> Place {
    let lab = folder.path().join("lab");
    let text = format!("#!/bin/sh\necho \"$NEURONOTES_JOB: $*\"\n{then}\n");
    // Written by a process of its own, so that no other test's child holds it open.
    let write = r#"printf %s "$2" > "$1""#;
    let status = Command::new("sh").args(["-c", write, "sh"]).arg(&lab).arg(text).status();
    assert!(status.expect("a shell").success());
    fs::set_permissions(&lab, fs::Permissions::from_mode(0o755)).expect("a program");
    let logs = folder.path().join("logs");
    let (pool, jobs, store) = ("p".into(), "nn-p".into(), folder.path().join("a store"));
    Place { pool, jobs, store, logs_there: logs.clone(), logs, lab }
}

fn workers(count: u32, submission: u64, probe: Option<&str>) -> Workers {
    Workers { count, submission, probe: probe.map(str::to_owned) }
}

fn states(local: &mut Local) -> Vec<(String, State)> {
    local.jobs().expect("jobs").into_iter().map(|job| (job.id, job.state)).collect()
}

/// Waits until all jobs have ended.
fn ended(local: &mut Local) -> Vec<(String, State)> {
    let begun = Instant::now();
    loop {
        let states = states(local);
        if states.iter().all(|(_, state)| matches!(state, State::Ended(_))) {
            return states;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{states:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn workers_are_found_by_another_client_and_end_when_they_are_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(&folder, "exec sleep 1000");
    let mut profile = Profile::new(EngineName::Local, 0..0);
    (profile.workers, profile.gpus) = (3, Some(2));
    let mut local = Local::new(&profile, place.clone());
    let first = local.submit(&workers(1, 0, Some("nonce"))).expect("a worker");
    let rest = local.submit(&workers(2, 1, None)).expect("workers");
    assert_eq!([first, rest].concat(), ["local-0-0", "local-1-0", "local-1-1"]);
    let running = states(&mut local);
    assert!(running.len() == 3 && running.iter().all(|(_, state)| *state == State::Running));
    let mut other = Local::new(&profile, place);
    assert_eq!(states(&mut other), running);
    other.cancel().expect("cancelled");
    let over = ended(&mut local);
    assert_eq!(over.len(), 3);
    assert_eq!(states(&mut other), [], "what is not listed has ended");
    // What each was called with.
    let cores = std::thread::available_parallelism().expect("cores").get() as u32;
    let threads = (cores / 3).max(1);
    let said = |job: &str| fs::read_to_string(folder.path().join(format!("logs/{job}.log")));
    let store = folder.path().join("a store").display().to_string();
    let with = |device: &str, probe: &str| {
        format!(
            "work --store {store} --pool p --device {device} --idle 60 --threads {threads}{probe}\n"
        )
    };
    for (job, device, probe) in [
        ("local-0-0", "cuda:0", " --probe nonce"),
        ("local-1-0", "cuda:1", ""),
        ("local-1-1", "cuda:0", ""),
    ] {
        let said = said(job).expect("a log");
        // It may have been ended before it said anything.
        assert!(said.is_empty() || said == format!("{job}: {}", with(device, probe)), "{said}");
    }
}

#[test]
fn a_worker_that_fails_says_how_and_its_log_has_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(&folder, "echo it is broken >&2; exit 3");
    let mut local = Local::new(&Profile::new(EngineName::Local, 0..0), place.clone());
    local.find().expect("the program");
    local.submit(&workers(1, 7, None)).expect("a worker");
    let failed = State::Ended(Ending::Failed("exit code 3".into()));
    assert_eq!(ended(&mut local), [("local-7-0".to_owned(), failed)]);
    let log = local.log("local-7-0").expect("a log");
    assert!(log.ends_with("it is broken") && log.contains("--idle 60"), "{log}");
    assert_eq!(local.log("local-8-0"), None);

    let missing = Place { lab: folder.path().join("none"), ..place };
    let mut local = Local::new(&Profile::new(EngineName::Local, 0..0), missing);
    let problem = local.find().expect_err("no program");
    assert!(problem.message.contains("was not found") && problem.hint.is_some(), "{problem}");
    assert!(local.submit(&workers(1, 0, None)).is_err());
}
