//! `neuronotes jobs` with workers of a real Slurm.

use std::fs;

use neuronotes::engine::Place;
use neuronotes_core::pool::{Ledger, Pool, Submitted};
use neuronotes_core::store::Store;
use serde_json::Value;

use super::crew::{Crew, WAITS, profile};
use super::site::SITE;
use crate::common::{Garden, Run};

#[test]
fn workers_are_listed_followed_and_cancelled_from_anywhere() {
    let Some(site) = &*SITE else { return };
    let garden = Garden::of(&[("index.md", "# Nothing\n")]);
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &format!("{config}run: {{ slurm: {{ workers: 2 }}, other: {{ engine: slurm }} }}\n"),
    );
    let store = Store::open(&garden.path(".neuronotes/store")).expect("a store");
    let pool = Pool::open(&store, "slurm").expect("a pool");
    let place = Place {
        pool: "slurm".into(),
        jobs: pool.job_name().expect("a name"),
        store: store.folder().to_owned(),
        logs: pool.path("logs"),
        logs_there: pool.path("logs"),
        lab: garden.path("lab"),
    };
    let mut crew = Crew::at(site, place, WAITS, &profile());
    let mut ids = crew.submit(2);
    ids.sort();
    let submitted = Submitted {
        jobs: ids.clone(),
        workers: 2,
        time: jiff::Timestamp::now().to_string(),
        probe: None,
    };
    let ledger = Ledger { engine: "Slurm".into(), submitted: vec![submitted], count: 1 };
    pool.put_ledger(&ledger).expect("a ledger");
    let run = |arguments: &[&str]| {
        let mut command = garden.command(arguments);
        // As if in a job, with options that would change what is asked and how it is printed.
        command.envs([
            ("SLURM_JOB_ID", "1"),
            ("SLURM_ARRAY_JOB_ID", "1"),
            ("SQUEUE_FORMAT", "%T"),
            ("SQUEUE_STATES", "SUSPENDED"),
            ("SLURM_CLUSTERS", "nowhere"),
            ("SCANCEL_STATE", "SUSPENDED"),
        ]);
        Run(command.env("SLURM_CONF", site.conf()).output().expect("neuronotes runs"))
    };
    let listed = || {
        let said = run(&["jobs", "--format", "json"]);
        assert_eq!(said.code(), 0, "{}", said.stderr());
        let lines: Vec<Value> =
            said.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 1, "the other profile was never used: {lines:?}");
        lines[0].clone()
    };
    let of = |listed: &Value, field: &str| -> Vec<String> {
        let workers = listed["workers"].as_array().expect("workers");
        let mut all: Vec<String> = workers
            .iter()
            .map(|worker| worker[field].as_str().unwrap_or("none").to_owned())
            .collect();
        all.sort();
        all
    };
    site.wait_until("both run", || of(&listed(), "state") == ["running", "running"]);
    let found = listed();
    assert_eq!(
        (found["profile"].as_str(), found["engine"].as_str()),
        (Some("slurm"), Some("Slurm"))
    );
    assert_eq!(of(&found, "job"), ids);
    let text = run(&["jobs"]).stdout();
    assert!(text.starts_with("slurm (Slurm): 2 workers, 0 units of work left\n"), "{text}");
    let follows = garden
        .command(&["jobs", "follow", "slurm"])
        .env("SLURM_CONF", site.conf())
        .stdout(fs::File::create(garden.path("followed")).expect("a file"))
        .spawn();
    let mut follows = follows.expect("neuronotes runs");
    site.wait_until("it follows", || garden.read("followed").contains("2 workers"));
    let cancelled = run(&["jobs", "cancel", "slurm"]);
    assert_eq!(cancelled.stdout().trim(), "slurm: 2 workers cancelled; no work was left");
    assert_eq!(pool.ledger(), Ledger { submitted: Vec::new(), ..ledger }, "clients see it there");
    site.wait_until("both have ended", || of(&listed(), "state") == ["cancelled", "cancelled"]);
    let status = follows.wait().expect("it ends when nobody is left");
    assert!(status.success());
    assert!(garden.read("followed").contains("slurm (Slurm): 0 workers"));
}
