//! `neuronotes reproduce` when it is interrupted or killed, with a lab that never answers.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Garden, block, results};

/// The folders of temporary stores in a garden.
fn folders(garden: &Garden) -> Vec<PathBuf> {
    let entries = fs::read_dir(garden.path(".neuronotes")).expect("a folder").flatten();
    let is_one = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("reproduce-"))
    };
    entries.map(|entry| entry.path()).filter(is_one).collect()
}

/// Starts the command, and waits until it has begun to measure into one folder more.
fn started(garden: &Garden, lab: &str) -> Child {
    let before = folders(garden);
    let mut command = garden.command(&["reproduce"]);
    command.env("NEURONOTES_LAB", lab).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    let end = Instant::now() + Duration::from_secs(60);
    let is_there = |path: &PathBuf| !before.contains(path) && path.join("store/v1").exists();
    while !folders(garden).iter().any(is_there) {
        assert!(Instant::now() < end, "no folder of a temporary store");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.expect("kill").success());
}

#[test]
fn an_interrupted_run_removes_its_store_and_the_next_one_what_a_killed_one_left() {
    let garden = Garden::new();
    garden.note("a.md", &block("kind: unit_summary\nlayer: image_block_4/0/Add_6\nunit: 5\n"));
    results::fill(&garden);
    garden.built();
    // It reads what it is asked until its input is closed.
    garden.write("lab.sh", "#!/bin/sh\nexec cat >/dev/null\n");
    let lab = garden.path("lab.sh");
    fs::set_permissions(&lab, fs::Permissions::from_mode(0o755)).expect("a program");
    let lab = lab.to_string_lossy();
    let store = crate::common::files(&garden.path(".neuronotes/store"));

    let mut killed = started(&garden, &lab);
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    let left = folders(&garden);
    assert_eq!(left.len(), 1, "{left:?}");

    let interrupted = started(&garden, &lab);
    let own = folders(&garden);
    assert!(own.len() == 1 && own != left, "what was left is removed: {own:?}");
    // Another one at the same time removes no folder that is in use.
    let other = started(&garden, &lab);
    assert_eq!(folders(&garden).len(), 2);
    for (child, signs) in [(interrupted, "-INT"), (other, "-TERM")] {
        signal(&child, signs);
        let ended = child.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(130), "{said}");
        let removes = said.contains("removed what an interrupted run left");
        assert_eq!(removes, signs == "-INT", "{said}");
    }
    assert!(folders(&garden).is_empty(), "{:?}", folders(&garden));
    assert_eq!(crate::common::files(&garden.path(".neuronotes/store")), store);
}
