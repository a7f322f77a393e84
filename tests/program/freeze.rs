//! Results frozen where they are measured, and published where nothing can be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common;
use crate::common::results::{fill, picture};
use crate::common::{Garden, Run, files};
use neuronotes::diagnostic::Diagnostic;

const LAYER: &str = "layer: image_block_4/0/Add_6";

/// A garden whose weights, data and pictures lie within it, so that they can be left behind.
fn garden() -> Garden {
    let garden = Garden::new();
    let here = common::repository();
    fs::create_dir(garden.path("models")).expect("a folder");
    fs::copy(here.join("models/emoji-clip.safetensors"), garden.path("models/e.safetensors"))
        .expect("weights");
    fs::create_dir(garden.path("data")).expect("a folder");
    fs::copy(here.join("data/attacks.tar"), garden.path("data/emoji.tar")).expect("data");
    garden.write("data/words.txt", "red\ngreen\n");
    garden.write("data/others.txt", "blue\n");
    fs::write(garden.path("data/apple.png"), picture([9, 9, 9])).expect("a picture");
    garden.write(
        "neuronotes.yaml",
        "title: A garden\nmodels:\n  emoji: { path: models/e.safetensors }\n  spare: { path: models/none }\n\
         datasets:\n  emoji: { path: data/emoji.tar }\n  words: { path: data/words.txt }\n  others: { path: data/others.txt }\n\
         defaults: { model: emoji, dataset: emoji }\n",
    );
    garden.note(
        "a.md",
        &format!(
            "---\nunits: [{{ {LAYER}, unit: 3, name: coins }}]\n---\n# A\n\n\
             ```yaml analysis\nid: vis\nkind: feature_vis\n{LAYER}\nunit: 3\n```\n\n\
             ```yaml analysis\nid: all\nkind: feature_vis\n{LAYER}\nsweep: {{ unit: [4, 5] }}\n```\n\n\
             ```yaml analysis\nid: examples\nkind: dataset_examples\n{LAYER}\nunit: 3\n```\n"
        ),
    );
    garden.note(
        "b.md",
        &format!(
            "See [[a#vis]].\n\n```yaml analysis\nid: histogram\nkind: activation_histogram\n{LAYER}\nunit: 3\ndataset: others\n```\n\n\
             ```yaml analysis\nid: rank\nkind: text_rank\ntexts: words\ndirection: {{ image: data/apple.png }}\n```\n"
        ),
    );
    garden
}

/// The same notes, configuration and frozen results, and nothing else.
fn elsewhere(garden: &Garden) -> Garden {
    let other = Garden::new();
    for (name, bytes) in files(garden.root()) {
        let moved = ["notes/", "frozen/"].iter().any(|folder| name.starts_with(folder));
        if moved || name == "neuronotes.yaml" {
            let path = other.path(&name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
    }
    other
}

fn freeze(garden: &Garden) -> Run {
    let run = garden.run(&["freeze"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    run
}

fn frozen(garden: &Garden) -> BTreeMap<String, Vec<u8>> {
    files(&garden.path("frozen"))
}

#[test]
fn what_is_published_elsewhere_is_what_was_built_byte_for_byte() {
    let garden = garden();
    fill(&garden);
    garden.built();
    freeze(&garden);
    let other = elsewhere(&garden);
    let run = other.run(&["build", "--frozen"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert_eq!(
        run.summary(),
        "2 notes: 0 figures measured, 6 stored; 50 files written, 0 unchanged; no problems found"
    );
    let (there, here) = (other.output(), garden.output());
    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
    assert!(there == here, "some file differs");
    // The unit's examples are compared with a scan, and its page says so.
    assert!(garden.page("a.html").contains("after a scan of the layer"));
    let again = other.run(&["build", "--frozen"]);
    assert!(again.summary().contains("0 files written"), "{}", again.summary());
    let check = other.run(&["check", "--frozen", "--strict"]);
    assert_eq!(check.code(), 0, "{}", check.stderr());
    // Weights, data and activations of whole data sets stay behind.
    assert!(frozen(&garden).values().all(|bytes| *bytes != [7; 5000]));
    let measured: u64 = files(&garden.path(".neuronotes/store/v1/blobs")).len() as u64;
    assert!((frozen(&garden).len() as u64) < measured + 10);
}

#[test]
fn freezing_again_changes_only_what_differs_and_only_its_own_files() {
    let garden = garden();
    fill(&garden);
    freeze(&garden);
    let first = frozen(&garden);
    let run = freeze(&garden);
    assert!(run.stderr().contains("0 files written"), "{}", run.stderr());
    assert_eq!(frozen(&garden), first);
    // Measured anew into an empty store, equal results are equal files.
    fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    fill(&garden);
    let run = freeze(&garden);
    assert!(run.stderr().contains("0 files written"), "{}", run.stderr());
    assert_eq!(frozen(&garden), first);

    garden.write("frozen/README", "mine");
    garden.write("frozen/v1/blobs/mine", "mine");
    garden.remove("notes/a.md");
    garden.note("b.md", "Nothing.\n");
    let run = freeze(&garden);
    assert!(run.stderr().contains("0 results exported"), "{}", run.stderr());
    let names: Vec<_> = frozen(&garden).into_keys().collect();
    assert_eq!(names, ["README", "frozen.json", "v1/blobs/mine"]);

    let run = garden.run(&["freeze", "--to", &garden.path("notes").to_string_lossy()]);
    assert_eq!(run.code(), 2, "{}", run.stderr());
    assert!(run.stderr().contains("contains no frozen results"), "{}", run.stderr());
}

#[test]
fn what_is_not_measured_is_listed_and_nothing_is_frozen() {
    let garden = garden();
    fill(&garden);
    garden.note(
        "c.md",
        &format!("```yaml analysis\nid: new\nkind: feature_vis\n{LAYER}\nunit: 9\n```\n"),
    );
    let run = garden.run(&["freeze"]);
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert!(said.contains("notes/c.md:1") && said.contains("not been measured yet"), "{said}");
    assert!(said.contains("`neuronotes build` measures it"), "{said}");
    assert!(!garden.path("frozen").exists());
}

/// What `build --frozen --format json` says is wrong: place, message and hint.
fn wrong(garden: &Garden) -> String {
    let run = garden.run(&["build", "--frozen", "--format", "json"]);
    assert_eq!(run.code(), 1, "{}", run.stderr());
    let one = |report: Diagnostic| {
        let hint = report.hint.unwrap_or_default();
        format!("{}:{} {} ({hint})", report.file, report.line, report.message)
    };
    run.reports().into_iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_frozen_results_lack_is_listed_block_by_block() {
    let garden = garden();
    fill(&garden);
    freeze(&garden);
    let other = elsewhere(&garden);
    let changed = other
        .read("notes/a.md")
        .replace("unit: 3\n```", "unit: 13\n```")
        .replace("[4, 5]", "[4, 6, 7]");
    other.write("notes/a.md", &changed);
    let ranked = other.read("notes/b.md").replace("texts: words", "texts: others");
    other.write("notes/b.md", &ranked);
    let all = wrong(&other);
    insta::assert_snapshot!(all);
    // All else is there.
    assert!(other.page("b.html").contains("<svg"));
    assert!(other.page("a.html").contains("unit 4"));
}

#[test]
fn frozen_results_of_another_configuration_are_not_believed() {
    let garden = garden();
    fill(&garden);
    freeze(&garden);
    let other = elsewhere(&garden);
    let config = other.read("neuronotes.yaml");
    other.write("neuronotes.yaml", &config.replace("models/e.safetensors", "models/f.safetensors"));
    let all = wrong(&other);
    assert!(all.contains("the model `emoji` is configured differently"), "{all}");
    other.write(
        "neuronotes.yaml",
        &config.replace("emoji: { path: data/emoji.tar }", "emoji: { path: data/x.tar }"),
    );
    let all = wrong(&other);
    assert!(all.contains("the data set `emoji` is configured differently"), "{all}");
    // What was never needed is not there either.
    other.write("neuronotes.yaml", &config.replace("model: emoji,", "model: spare,"));
    let all = wrong(&other);
    assert!(all.contains("the model `spare` is not among the frozen results"), "{all}");
}

#[test]
fn damaged_frozen_results_are_never_shown() {
    let garden = garden();
    fill(&garden);
    garden.build();
    freeze(&garden);
    let clean = garden.output();
    let other = elsewhere(&garden);
    let folder = other.path("frozen");
    for (name, bytes) in files(&folder) {
        let mut damaged = bytes.clone();
        let at = damaged.len() / 2;
        damaged[at] ^= 1;
        fs::write(folder.join(&name), &damaged).expect("damage");
        let _ = fs::remove_dir_all(other.path("output"));
        let run = other.run(&["build", "--frozen"]);
        assert_ne!(run.code(), 0, "{name}");
        assert!(run.stderr().contains("hint:"), "{name}: {}", run.stderr());
        compare(&other, &clean, &format!("{name}: {}", run.stderr()));
        assert_eq!(fs::read(folder.join(&name)).expect("it is left alone"), damaged, "{name}");
        fs::remove_file(folder.join(&name)).expect("removed");
        let run = other.run(&["build", "--frozen"]);
        assert_ne!(run.code(), 0, "{name}");
        compare(&other, &clean, &format!("{name}: {}", run.stderr()));
        fs::write(folder.join(&name), bytes).expect("mended");
    }
    let run = other.run(&["build", "--frozen"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(other.output() == clean);
    fs::remove_dir_all(&folder).expect("removed");
    let run = other.run(&["build", "--frozen"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr().contains("`neuronotes freeze`"), "{}", run.stderr());
}

/// Every file is the right one, or a page that says what is wrong.
fn compare(garden: &Garden, clean: &BTreeMap<String, Vec<u8>>, what: &str) {
    for (name, bytes) in garden.output() {
        if clean.get(&name) == Some(&bytes) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let told = what.contains("figures depend on a scan")
            || ["frozen results lack", "frozen result is damaged", "among the frozen results"]
                .iter()
                .any(|w| text.contains(w));
        assert!(common::shows_cards(&name) || told, "{what}: {name}");
    }
}

#[test]
fn another_folder_can_be_named_and_is_only_read() {
    let garden = garden();
    fill(&garden);
    garden.build();
    let aside = tempfile::tempdir().expect("a temporary folder");
    let folder = aside.path().join("kept");
    let named = folder.to_string_lossy().into_owned();
    let run = garden.run(&["freeze", "--to", &named]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let before = times(&folder);
    let other = elsewhere(&garden);
    let run = other.run(&["build", "--frozen", &named]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(other.output() == garden.output());
    assert_eq!(times(&folder), before);
}

fn times(folder: &Path) -> BTreeMap<String, std::time::SystemTime> {
    let time = |name: String| {
        let meta = fs::metadata(folder.join(&name)).expect("a file");
        (name, meta.modified().expect("a time"))
    };
    files(folder).into_keys().map(time).collect()
}
