//! What somebody sees who has nothing but the two programs: no weights, no data, no network, an empty cache.

use std::path::Path;
use std::process::Output;

use super::common::{Garden, Run, files};
use super::measure::stored;

/// A command of a garden, with this cache folder.
fn with_cache(garden: &Garden, cache: &Path, arguments: &[&str]) -> Run {
    let mut command = garden.command(arguments);
    let output: Output = command.env("NEURONOTES_CACHE", cache).output().expect("neuronotes runs");
    Run(output)
}

#[test]
fn a_new_garden_measures_three_kinds_of_figures_with_an_empty_cache() {
    let (garden, made) = Garden::scaffold();
    assert_eq!(made.code(), 0, "{}", made.stderr());
    let cache = tempfile::tempdir().expect("a temporary folder");
    let first = with_cache(&garden, cache.path(), &["build", "--strict"]);
    assert_eq!(first.code(), 0, "{}", first.stderr());
    assert!(
        first.summary().starts_with("2 notes: 3 figures and 2 controls measured, 0 stored"),
        "{}",
        first.stderr()
    );
    let kinds = [
        "activation_histogram",
        "controls",
        "dataset_examples",
        "feature_vis",
        "scan",
        "unit_rank",
    ];
    assert_eq!(stored(&garden), kinds.map(|kind| (kind.to_owned(), 1)).into());
    let page = garden.page("a-first-figure.html");
    for wanted in [">1,494</data>", ">64</data>", "<svg", "tennis"] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    // Licences come with the pictures.
    let unpacked: Vec<String> = files(cache.path()).into_keys().collect();
    assert!(unpacked.iter().any(|name| name == "emoji/LICENSES.md"), "{unpacked:?}");

    // The results are those of the same weights and data under a path.
    let by_path = Garden::new();
    by_path.note("a-first-figure.md", &garden.read("notes/a-first-figure.md"));
    let explained = |garden: &Garden| {
        let run = with_cache(garden, cache.path(), &["explain", "a-first-figure#examples"]);
        let text = run.stdout();
        let key = text.lines().find_map(|line| line.trim().strip_prefix("key "));
        key.unwrap_or_else(|| panic!("{text}\n{}", run.stderr())).trim().to_owned()
    };
    assert_eq!(explained(&by_path), explained(&garden));

    // A damaged copy in the cache is unpacked anew, and measures nothing.
    for (name, bytes) in files(cache.path()) {
        std::fs::write(cache.path().join(name), &bytes[..bytes.len() / 2]).expect("written");
    }
    let again = with_cache(&garden, cache.path(), &["build", "--strict"]);
    assert!(again.summary().contains("0 figures measured, 3 stored"), "{}", again.stderr());

    // Where nothing can be unpacked, each block says what to do.
    let none = garden.path("notes/index.md");
    let run = with_cache(&garden, &none, &["check"]);
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr().contains("hint: set NEURONOTES_CACHE to a writable folder"),
        "{}",
        run.stderr()
    );
}
