//! Workers that share no disk with the garden: units of work go through an object store, and the figures come back.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::pool::{Pool, Unit};
use neuronotes_core::request::Request;

use crate::common::program;
use crate::{block, garden, vis};

/// A program that ends with its test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("started"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(url: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["store", "sync", url, "--follow"]);
    command
}

fn work(store: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neuronotes-lab"));
    let arguments = ["work", "--pool", "cluster", "--device", "cpu", "--idle", "60", "--store"];
    command.args(arguments).arg(store);
    command
}

/// A request after those that it uses.
fn flat(request: &Request, all: &mut Vec<Request>) {
    for used in &request.uses {
        flat(used, all);
    }
    if all.iter().all(|known| known.key() != request.key()) {
        all.push(request.clone());
    }
}

#[test]
fn figures_arrive_from_workers_with_stores_of_their_own() {
    let garden = garden();
    let examples = block("dataset_examples", 3, "id: examples\n");
    let note = [vis(1, 8), examples, block("activation_histogram", 5, "id: histogram\n")].concat();
    garden.note("a.md", &note);
    garden.note("b.md", &vis(2, 8));
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let missing = site::wishes(&mut workspace).missing;
    assert_eq!(missing.len(), 4);
    let mut requests = Vec::new();
    missing.iter().for_each(|(_, request)| flat(request, &mut requests));
    assert!(requests.len() > 4, "a scan is used");
    let pool = Pool::open(&workspace.store, "cluster").expect("a pool");
    for request in &requests {
        let unit = Unit { requests: vec![request.clone()], seconds: None, halve: false };
        pool.put_unit(&unit, 5).expect("put");
    }
    let bucket = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", bucket.path().display());
    let stores = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let mut running = vec![Running::start(follow(&url).arg("--root").arg(garden.root()))];
    for store in &stores {
        running.push(Running::start(follow(&url).arg("--store").arg(store.path())));
        running.push(Running::start(&mut work(store.path())));
    }
    let begun = Instant::now();
    let is_stored =
        |request: &Request| workspace.store.clone().for_pages().record(&request.key()).is_some();
    while !requests.iter().all(is_stored) || !pool.units().expect("a list").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(300), "figures do not arrive");
        std::thread::sleep(Duration::from_millis(200));
    }
    drop(running);
    let run = garden.built();
    assert!(run.summary().contains("0 figures measured, 4 stored"), "{}", run.stderr());
    // Those of one machine are the same ones.
    let site = garden.output();
    std::fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    let run = garden.built();
    assert!(run.summary().contains("4 figures measured"), "{}", run.stderr());
    let pictures = |site: &std::collections::BTreeMap<String, Vec<u8>>| {
        let mut site = site.clone();
        site.retain(|name, _| name.ends_with(".png"));
        site
    };
    assert!(pictures(&site).len() > 1);
    assert_eq!(pictures(&garden.output()), pictures(&site));
}
