//! `neuronotes crate`: a garden as an RO-Crate, held against the validators that archives use.

use std::env;
use std::fs;
use std::process::Command;

use crate::common::results::fill;
use crate::common::{self, Garden, Run, block, files};

const STATED: &str = "title: \"A garden: of neurons\"\ndescription: Notes on units.\nlicense: CC-BY-4.0\n\
                      url: https://example.org/g\nauthors: [{ name: \"Goh, Gabriel\", orcid: 0000-0002-1825-0097, \
                      affiliation: OpenAI }, { organization: A group }]\n";

const LAYER: &str = "layer: image_block_4/0/Add_6";

/// A garden with a figure that uses data, a sweep, and a name that is no URI.
fn garden() -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let rest: Vec<&str> = config.lines().filter(|line| !line.starts_with("title:")).collect();
    garden.write("neuronotes.yaml", &format!("{STATED}{}\n", rest.join("\n")));
    let examples = block(&format!(
        "id: top\nkind: dataset_examples\n{LAYER}\nunit: 3\nexpect: [unit == 3, {{ that: unit > 3, else: warn }}]\n"
    ));
    let sweep = block(&format!("id: all\nkind: feature_vis\n{LAYER}\nsweep: {{ unit: [4, 5] }}\n"));
    garden.note(
        "Coins & notes.md",
        &format!("---\ndate: 2026-03-01\nauthor: {{ name: Ada Lovelace }}\n---\n# Coins\n\n{examples}\n\n{sweep}\n"),
    );
    garden
}

/// Writes the crate to a folder of the garden.
fn write(garden: &Garden, folder: &str, more: &[&str]) -> Run {
    let folder = garden.path(folder).display().to_string();
    garden.run(&[&["crate", &*folder], more].concat())
}

/// Runs the validators; skipped where `cargo xtask test` has not set them up.
fn validate(garden: &Garden, folder: &str) {
    let Some(python) = env::var_os("NEURONOTES_VALIDATORS") else {
        eprintln!("skipped: `cargo xtask test` sets the validators up");
        return;
    };
    let script = common::repository().join("tests/reference/crate.py");
    let run = Command::new(python).arg(script).arg(garden.path(folder)).output().expect("Python");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("CITATION.cff is valid"), "{said}");
}

#[test]
fn a_garden_is_a_valid_crate_with_the_same_bytes_each_time() {
    let garden = garden();
    fill(&garden);
    let run = write(&garden, "ro", &[]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    validate(&garden, "ro");
    let first = files(&garden.path("ro"));
    let metadata = String::from_utf8(first["ro-crate-metadata.json"].clone()).expect("text");
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    let graph = metadata["@graph"].as_array().expect("entities");
    let runs = graph.iter().filter(|entity| entity["@type"] == "CreateAction");
    assert_eq!(runs.count(), 3);
    let statuses = graph.iter().filter_map(|entity| entity["creativeWorkStatus"].as_str());
    assert_eq!(statuses.collect::<Vec<_>>(), ["holds", "fails"]);
    // Every reference is to an entity, and every file is there.
    let ids: Vec<&str> = graph.iter().filter_map(|entity| entity["@id"].as_str()).collect();
    let mut open: Vec<&serde_json::Value> =
        graph.iter().flat_map(|e| e.as_object()).flat_map(|e| e.values()).collect();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(fields) => {
                let id = fields["@id"].as_str().expect("a reference");
                assert!(ids.contains(&id) || id == "https://w3id.org/ro/crate/1.1", "{id}");
            }
            _ => {}
        }
    }
    assert!(
        ids.contains(&"notes/Coins%20&%20notes.md") && first.contains_key("notes/Coins & notes.md")
    );
    write(&garden, "ro", &[]);
    assert_eq!(files(&garden.path("ro")), first);
    // The file of a result that is no longer shown goes; what somebody put there stays.
    garden.write("ro/own.txt", "mine");
    garden.note("Coins & notes.md", "---\ndate: 2026-03-01\n---\n# Coins\n");
    let run = write(&garden, "ro", &[]);
    assert!(run.summary().contains("0 results in"), "{}", run.stderr());
    let left = files(&garden.path("ro"));
    assert!(!left.keys().any(|name| name.starts_with("results/")), "{:?}", left.keys());
    assert!(left.contains_key("own.txt"));
}

#[test]
fn what_is_not_stated_is_not_invented_and_what_is_not_measured_is_said() {
    let garden = Garden::of(&[("a.md", "# A\n")]);
    let run = write(&garden, "ro", &[]);
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    for field in ["description", "license", "date"] {
        assert!(said.contains(&format!("a crate must state the garden's `{field}`")), "{said}");
    }
    assert!(!garden.path("ro").exists());
    let garden = self::garden();
    let run = write(&garden, "ro", &[]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.stderr().contains("3 results not measured yet"), "{}", run.stderr());
    assert_eq!(write(&garden, "ro", &["--strict"]).code(), 1);
    fs::create_dir(garden.path("other")).expect("a folder");
    garden.write("other/x", "");
    let run = write(&garden, "other", &[]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("is not empty and contains no crate"), "{}", run.stderr());
}
