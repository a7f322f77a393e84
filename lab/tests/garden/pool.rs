//! Gardens that are measured by workers: processes of this machine, started by `build` and `serve`.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::common::preview::Preview;
use crate::common::{Garden, files};
use crate::{block, garden, vis};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(240);

/// A garden with three visualisations and three questions to a scan, and a profile for two workers.
fn wanted(steps: u32) -> Garden {
    let garden = garden();
    let config = garden.read("neuronotes.yaml");
    let profile = "run: { pool: { engine: local, workers: 2, device: cpu, idle: 3 s } }\n";
    garden.write("neuronotes.yaml", &format!("{config}{profile}"));
    for unit in 1..4 {
        let examples = block("dataset_examples", unit, "id: examples\n");
        garden.note(&format!("{unit}.md"), &[vis(unit, steps), examples].concat());
    }
    garden
}

fn start(command: &mut Command, garden: &Garden) -> Child {
    let said = fs::File::create(garden.path("said.txt")).expect("a file");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    command.spawn().expect("neuronotes runs")
}

/// The records of a garden with the times at which they were written.
fn records(garden: &Garden) -> BTreeMap<String, SystemTime> {
    let folder = garden.path(".neuronotes/store/v1/records");
    let time = |name: &String| folder.join(name).metadata().and_then(|meta| meta.modified());
    files(&folder)
        .into_keys()
        .map(|name| (time(&name).expect("a time"), name))
        .map(|(t, n)| (n, t))
        .collect()
}

/// Waits until something is so.
fn until(garden: &Garden, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        let said = fs::read_to_string(garden.path("said.txt")).unwrap_or_default();
        assert!(begun.elapsed() < PATIENCE, "{what} does not come\n{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn cancel(garden: &Garden) {
    let run = garden.run(&["jobs", "cancel", "pool"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
}

#[test]
fn a_site_that_workers_measured_is_the_one_of_this_machine_alone() {
    let (alone, garden) = (wanted(8), wanted(8));
    alone.built();
    let dry = garden.run(&["build", "--on", "pool", "--dry-run"]);
    assert_eq!(dry.code(), 0, "{}", dry.stderr());
    let said = dry.stdout() + &dry.stderr();
    assert!(said.contains("7 requests") && said.contains("scan"), "{said}");
    assert!(records(&garden).is_empty() && !garden.path("output").exists(), "nothing is done");
    let refused = garden.run(&["build", "--on", "pool", "--limit", "0.001"]);
    assert_eq!(refused.code(), 2, "nothing has an estimate yet: {}", refused.stderr());
    assert!(refused.stderr().contains("how long 7 requests will take is not known"));
    assert!(records(&garden).is_empty());

    let run = garden.run(&["build", "--on", "pool"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.summary().contains("6 figures measured, 0 stored"), "{}", run.stderr());
    assert!(records(&garden).keys().eq(records(&alone).keys()));
    let blobs = |garden: &Garden| files(&garden.path(".neuronotes/store/v1/blobs"));
    let (found, expected) = (blobs(&garden), blobs(&alone));
    assert!(expected.iter().all(|(name, bytes)| found.get(name) == Some(bytes)), "other results");
    let left = files(&garden.path(".neuronotes/store/v1/pools/pool/units"));
    assert!(left.is_empty(), "{:?}", left.keys());
    // The site is the one that a build here writes.
    let site = garden.output();
    let again = garden.built();
    assert!(again.summary().contains("0 figures measured, 6 stored"), "{}", again.stderr());
    assert!(site == garden.output());
    // A wrong name is said also where nothing is missing.
    let wrong = garden.run(&["build", "--on", "pol"]);
    assert_eq!(wrong.code(), 2, "{}", wrong.stderr());
    assert!(wrong.stderr().contains("no profile `pol`"), "{}", wrong.stderr());
    cancel(&garden);
}

#[test]
fn a_build_that_is_killed_goes_on_with_its_workers_and_measures_nothing_twice() {
    let garden = wanted(64);
    let mut build = start(&mut garden.command(&["build", "--on", "pool"]), &garden);
    until(&garden, "a result", || !records(&garden).is_empty());
    build.kill().expect("killed");
    build.wait().expect("an end");
    let before = records(&garden);
    let run = garden.run(&["build", "--on", "pool"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let after = records(&garden);
    assert_eq!(after.len(), 7);
    assert!(before.iter().all(|(name, time)| after.get(name) == Some(time)), "measured again");
    cancel(&garden);
}

#[test]
#[cfg(unix)]
fn an_interrupted_build_leaves_its_workers_and_says_how_to_end_them() {
    let garden = wanted(2000);
    let mut build = start(&mut garden.command(&["build", "--on", "pool"]), &garden);
    let workers = garden.path(".neuronotes/store/v1/pools/pool/workers");
    until(&garden, "a worker that measures", || {
        files(&workers).values().any(|bytes| String::from_utf8_lossy(bytes).contains("\"working\""))
    });
    let pid = build.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    let mut code = None;
    until(&garden, "its end", || {
        code = build.try_wait().expect("a state").map(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(Some(130)), "{}", garden.read("said.txt"));
    assert!(garden.read("said.txt").contains("neuronotes jobs cancel pool"));
    assert!(!garden.path("output").exists(), "the site is not written");
    let listed = garden.run(&["jobs"]);
    assert!(listed.stdout().contains("running"), "{}{}", listed.stdout(), listed.stderr());
    cancel(&garden);
    until(&garden, "the end of the workers", || files(&workers).is_empty());
    until(&garden, "a list without them", || !garden.run(&["jobs"]).stdout().contains("running"));
}

#[test]
fn a_preview_shows_what_workers_measure() {
    let garden = wanted(8);
    let preview = Preview::by(garden.command(&["serve", "--port", "0", "--on", "pool"]));
    let page = || preview.get("1").1;
    let mut seen = Vec::new();
    until(&garden, "a measured figure", || {
        let page = page();
        for words in ["checking the first worker", "waiting for", "running on"] {
            if page.contains(words) && !seen.contains(&words) {
                seen.push(words);
            }
        }
        page.matches("<img").count() >= 6
    });
    assert!(!seen.is_empty(), "no state of the pool was shown");
    until(&garden, "all results", || records(&garden).len() == 7);
    drop(preview);
    cancel(&garden);
}
