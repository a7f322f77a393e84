//! What becomes of a garden whose lab, or whose program, is killed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::common::preview::Preview;
use super::common::{Garden, files};
use super::{garden, vis};

/// Waits for something.
pub(super) fn wait<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Processes by their parent, those that have ended left out.
fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let child = |path: PathBuf| {
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        let mut after = stat.rsplit(')').next()?.split_whitespace();
        let (state, found) = (after.next()?, after.next()?);
        let alive = state != "Z" && found.parse() == Ok(parent);
        if alive { path.file_name()?.to_string_lossy().parse().ok() } else { None }
    };
    entries.filter_map(|entry| child(entry.path())).collect()
}

fn kill(process: u32) {
    let status = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(status.expect("kill").success());
}

/// The lab of `program` that has shown a picture of what it measures.
fn lab_at_work(garden: &Garden, program: u32) -> u32 {
    let partial = garden.path(".neuronotes/store/v1/partial");
    wait("a picture of a running measurement", || (!files(&partial).is_empty()).then_some(()));
    wait("the lab", || children_of(program).first().copied())
}

/// Kills the lab when it is at work, and what it has shown.
fn kill_lab(garden: &Garden, program: u32) {
    kill(lab_at_work(garden, program));
    let partial = garden.path(".neuronotes/store/v1/partial");
    for name in files(&partial).into_keys() {
        // The next lab may be quicker than this.
        let _ = std::fs::remove_file(partial.join(name));
    }
}

fn build(garden: &Garden) -> Child {
    garden.command(&["build"]).stderr(Stdio::piped()).spawn().expect("a run")
}

fn is_alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|after| after.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

#[test]
fn a_lab_that_is_killed_once_is_asked_again_and_twice_fails_one_block() {
    let garden = garden();
    garden.note("a.md", &vis(3, 500));
    garden.note("b.md", &vis(4, 2));
    let run = build(&garden);
    kill_lab(&garden, run.id());
    let output = run.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("2 notes: 2 figures measured"), "{said}");

    garden.note("a.md", &vis(3, 20_000));
    garden.note("b.md", &vis(5, 2));
    let run = build(&garden);
    kill_lab(&garden, run.id());
    kill_lab(&garden, run.id());
    let output = run.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("notes/a.md:1:1") && said.contains("the lab was killed"), "{said}");
    assert!(said.contains("2 notes: 1 figure measured"), "{said}");
    assert!(garden.page("a.html").contains("the lab was killed"));
    assert!(garden.page("b.html").contains("figures/"));
    // Memory may be there the next time: nothing is remembered of it.
    assert!(files(&garden.path(".neuronotes/store/v1/failures")).is_empty());

    // What was being written when it died has left nothing behind that counts.
    garden.note("a.md", &vis(3, 2));
    let run = garden.build();
    assert_eq!((run.code(), run.summary().contains("1 figure measured, 1 stored")), (0, true));
}

#[test]
fn in_a_preview_the_figure_of_a_killed_lab_appears_all_the_same() {
    let garden = garden();
    garden.note("a.md", &vis(3, 500));
    let preview = Preview::of(&garden);
    kill_lab(&garden, preview.id());
    wait("the figure", || {
        let page = preview.get("a.html").1;
        assert!(!page.contains("was killed"), "{page}");
        page.contains("figures/").then_some(())
    });
    // The preview goes on, and so does its next lab.
    garden.note("a.md", &vis(3, 2));
    wait("the next figure", || preview.get("a.html").1.contains("<dd>2</dd>").then_some(()));
}

#[test]
fn a_program_that_is_killed_leaves_no_lab_behind() {
    let garden = garden();
    garden.note("a.md", &vis(3, 60_000));
    let mut run = build(&garden);
    let lab = lab_at_work(&garden, run.id());
    run.kill().expect("killed");
    run.wait().expect("an end");
    wait("the lab's end", || (!is_alive(lab)).then_some(()));

    // Its claim holds nobody up.
    garden.note("a.md", &vis(3, 2));
    garden.built();
}

#[test]
fn two_programs_with_one_store_measure_each_figure_once() {
    let garden = garden();
    garden.note("a.md", &vis(3, 300));
    garden.note("b.md", &vis(4, 2));
    let one = build(&garden);
    lab_at_work(&garden, one.id());
    let other = tempfile::tempdir().expect("a folder");
    let second = garden.run(&["build", "--output", &other.path().to_string_lossy()]);
    let first = one.wait_with_output().expect("an end");
    assert_eq!((first.status.code(), second.code()), (Some(0), 0), "{}", second.stderr());
    let records = files(&garden.path(".neuronotes/store/v1/records"));
    assert_eq!(records.len(), 2);
    let tables = |name: &str| std::fs::read(other.path().join(name)).expect("a page");
    assert_eq!(tables("a.html"), garden.page("a.html").into_bytes());
    assert!(files(&garden.path(".neuronotes/store/v1/claims")).is_empty());
}

#[test]
fn what_fails_by_itself_is_not_measured_again_until_it_is_asked_for() {
    let garden = garden();
    // That a picture cannot be decoded is seen in the lab alone.
    garden.write("data/bad/a.png", "\u{89}PNG\r\n, and then a letter to the reader.");
    let config = garden.read("neuronotes.yaml");
    let bad = "datasets:\n  bad: data/bad\n";
    garden.write("neuronotes.yaml", &config.replace("datasets:\n", bad));
    garden.note("a.md", &super::block("activation_histogram", 3, "dataset: bad\n"));
    let run = garden.build();
    assert_eq!(run.code(), 1, "{}", run.stderr());
    let failures = || files(&garden.path(".neuronotes/store/v1/failures"));
    assert_eq!(failures().len(), 1, "{}", run.stderr());
    // The second time no lab is started: there is none.
    let none = garden.path("no-such-lab");
    let again = garden.command(&["build"]).env("NEURONOTES_LAB", &none).output().expect("a run");
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(1) && said.contains("--retry"), "{said}");
    assert!(!said.contains("which does not exist"), "{said}");
    let mut retry = garden.command(&["build", "--retry"]);
    let retried = retry.env("NEURONOTES_LAB", &none).output().expect("a run");
    let said = String::from_utf8_lossy(&retried.stderr).into_owned();
    assert!(said.contains("which does not exist"), "{said}");
    assert!(failures().is_empty());
}
