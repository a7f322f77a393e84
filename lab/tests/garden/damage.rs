//! Damaged results and full disks where there is a lab: what is to be measured again is, in the same build.

use std::collections::BTreeMap;
use std::fs;

use super::common::fault::{Fault, during};
use super::common::{Garden, files};
use super::{block, garden, vis};

/// Two figures, and a note that quotes one of them.
fn quoting() -> Garden {
    let garden = garden();
    garden.note("a.md", &(vis(3, 2) + &block("dataset_examples", 3, "id: examples\ntop: 2\n")));
    garden.note("b.md", "It reaches `= a#vis.activation | .4f`.\n");
    assert_eq!(garden.run(&["build", "--strict"]).code(), 0);
    garden
}

/// The names and the pictures of a site.
fn pictures(site: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&String, Option<&Vec<u8>>> {
    let is_picture = |name: &str| name.ends_with(".png") || name.ends_with(".webp");
    site.iter().map(|(name, bytes)| (name, is_picture(name).then_some(bytes))).collect()
}

#[test]
fn whatever_of_a_result_is_damaged_is_measured_again_in_the_same_build() {
    let garden = quoting();
    let value = garden.page("b.html");
    let clean = garden.output();
    let store = garden.path(".neuronotes/store/v1");
    let mut measured = 0;
    for kind in ["blobs", "records", "figures"] {
        for name in files(&store.join(kind)).into_keys() {
            let path = store.join(kind).join(name);
            let mut bytes = fs::read(&path).expect("a file");
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            fs::write(&path, bytes).expect("damage");
            fs::remove_dir_all(garden.path("output")).expect("removed");
            let run = garden.run(&["build", "--strict"]);
            assert_eq!(run.code(), 0, "{}: {}", path.display(), run.stderr());
            measured += usize::from(!run.summary().contains(": 0 figures measured"));
            assert_eq!(garden.page("b.html"), value, "{}", path.display());
            assert!(pictures(&garden.output()) == pictures(&clean), "{}", path.display());
        }
    }
    // Two results with what pages show of them, and the scan that one of them rests on.
    assert!(measured >= 5, "{measured}");
}

#[test]
fn a_full_disk_leaves_nothing_that_a_later_build_waits_for() {
    for room in [0, 8_000, 60_000] {
        let garden = garden();
        garden.note("a.md", &(vis(3, 8) + &block("dataset_examples", 3, "id: examples\n")));
        let (run, left) = during(&garden, ".neuronotes", Fault::Room(room), &["build"]);
        assert_eq!(run.code(), 1, "{room}: {}", run.stderr());
        assert!(run.stderr().contains("the disk is full"), "{room}: {}", run.stderr());
        assert!(!left.keys().any(|name| name.contains("v1/claims/")), "{:?}", left.keys());
        assert!(!left.keys().any(|name| name.contains("v1/tmp/")), "{:?}", left.keys());
        // What was left is there for the next build.
        let state = garden.path(".neuronotes");
        for (name, bytes) in &left {
            let path = state.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        let run = garden.run(&["build", "--strict"]);
        assert_eq!(run.code(), 0, "{room}: {}", run.stderr());
        assert!(files(&state.join("store/v1/partial")).is_empty());
        assert!(files(&state.join("store/v1/claims")).is_empty());
        assert_eq!(garden.run(&["store", "verify"]).code(), 0);
        assert_eq!(garden.output(), garden.clean_output());
    }
}
