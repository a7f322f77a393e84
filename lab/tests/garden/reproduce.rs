//! Stored results that are measured once more, and builds that measure only some.

use neuronotes_core::store::Store;
use serde_json::Value;

use super::common::{Garden, files};
use super::{block, garden, vis};

/// What is said of each result, by its name.
fn said(garden: &Garden, arguments: &[&str]) -> (i32, Vec<Value>) {
    let run = garden.run(&[&["reproduce", "--format", "json"], arguments].concat());
    let lines = run.stdout();
    let all = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(run.code() < 2, "{}", run.stderr());
    (run.code(), all)
}

#[test]
fn only_what_was_asked_for_is_measured_and_a_result_is_measured_again_beside_the_store() {
    let garden = garden();
    let summary = block("unit_summary", 3, "id: summary\n");
    garden.note("a.md", &format!("Text.\n\n{}{summary}", vis(7, 3)));
    garden.note(
        "b.md",
        &format!("Mean `= other.mean | .2f`.\n\n{}", block("unit_summary", 4, "id: other\n")),
    );

    // Of three figures, one.
    let run = garden.run(&["build", "--only", "a#vis"]);
    let told = format!("{}{}", run.stdout(), run.stderr());
    assert_eq!(run.code(), 0, "{told}");
    assert!(
        run.summary().starts_with("2 notes: 1 figure measured, 0 stored, 2 left out; "),
        "{told}"
    );
    assert!(told.contains("this has not been measured"), "{told}");
    assert!(garden.page("a.html").contains("--only"));
    assert!(garden.page("a.html").contains("<dt>steps</dt><dd>3</dd>"));
    let wrong = garden.run(&["build", "--only", "a#viz"]);
    assert_eq!(wrong.code(), 2);
    assert!(
        wrong.stderr().contains("has no analysis block `viz`\nhint: did you mean `vis`?"),
        "{}",
        wrong.stderr()
    );

    // A figure without a result is not a different one.
    let (code, all) = said(&garden, &["a"]);
    let verdicts: Vec<&str> = all.iter().map(|one| one["verdict"].as_str().expect("one")).collect();
    assert_eq!((code, verdicts), (0, vec!["same", "not_stored", "not_stored"]));

    garden.built();
    let store = garden.path(".neuronotes/store");
    let before = files(&store);
    let (code, all) = said(&garden, &[]);
    assert_eq!(code, 0);
    assert_eq!(all.len(), 4, "three figures and a scan: {all:?}");
    assert!(all.iter().all(|one| one["verdict"] == "same"), "{all:?}");
    let made = &all[0]["now"];
    assert!(made["instructions"].as_str().is_some_and(|with| !with.is_empty()), "{made}");

    // A result that says something else, and a picture that is another.
    let opened = Store::open(&store).expect("a store");
    let key = |name: &str| {
        let one = all.iter().find(|one| one["name"].as_str().is_some_and(|n| n.ends_with(name)));
        one.expect("a result")["key"].as_str().expect("a key").parse().expect("a digest")
    };
    let mut record = opened.record(&key("#summary")).expect("a record");
    let mut result: Value = record.result(&opened).expect("a result");
    let mean = result["mean"].as_f64().expect("a mean");
    result["mean"] = (mean + 1.0).into();
    record.set_result(&opened, &result).expect("stored");
    std::fs::remove_file(opened.record_path(&record.key)).expect("removed");
    opened.commit(&record).expect("stored");
    let changed = files(&store);
    assert_ne!(changed, before);
    let (code, all) = said(&garden, &["a#summary"]);
    let found =
        all.iter().find(|one| one["name"] == "a.md#summary" || one["name"] == "notes/a.md#summary");
    let found = found.unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!((code, &found["verdict"]), (1, &"different".into()));
    assert_eq!(found["differences"][0]["path"], "mean");
    assert_eq!(files(&store), changed, "nothing is written to the store");
    let told = garden.run(&["reproduce", "a#summary"]);
    assert!(
        told.stdout().contains("\n    mean: ") && told.stdout().contains("beyond its noise"),
        "{}",
        told.stdout()
    );
    let left: Vec<_> = std::fs::read_dir(garden.path(".neuronotes"))
        .expect("a folder")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("reproduce-"))
        .collect();
    assert!(left.is_empty(), "the temporary store is removed");
    // Controls are results like others.
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &format!("{config}controls: {{ random: 2, bands: 2, units: 1 }}\n"),
    );
    garden.note("c.md", &block("dataset_examples", 4, "id: top\ntop: 2\n"));
    garden.built();
    let (code, all) = said(&garden, &["c#top"]);
    let of = |name: &str| {
        let one = all.iter().find(|one| one["name"].as_str().is_some_and(|n| n.ends_with(name)));
        one.map(|one| (one["kind"].clone(), one["verdict"].clone()))
    };
    assert_eq!(code, 0);
    let same = |kind: &str| Some((Value::from(kind), Value::from("same")));
    assert_eq!(of("c.md#top"), same("dataset_examples"), "{all:?}");
    assert_eq!(of("c.md#top.controls"), same("controls"), "{all:?}");
    // Other numbers of threads give the same bytes.
    let mut command = garden.command(&["reproduce", "a#vis"]);
    let run = command.env("OMP_NUM_THREADS", "5").output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    assert!(String::from_utf8_lossy(&run.stdout).starts_with("the same bytes"));
}
