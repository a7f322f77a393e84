//! `neuronotes store` and `neuronotes explain`, as their users see them.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::common;
use crate::common::results::fill;
use crate::common::{Garden, files};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn garden() -> Garden {
    let garden = Garden::new();
    let layer = "layer: image_block_4/0/Add_6";
    garden.note(
        "coins.md",
        &format!(
            "```yaml analysis\nid: vis\nkind: feature_vis\n{layer}\nunit: 3\n```\n\n\
             ```yaml analysis\nid: examples\nkind: dataset_examples\n{layer}\nunit: 3\n```\n\n\
             ```yaml analysis\nid: all\nkind: feature_vis\n{layer}\nsweep: {{ unit: [4, 5] }}\n```\n"
        ),
    );
    garden
}

/// Makes everything in the store so many days old.
fn age(garden: &Garden, days: u32) {
    let store = garden.path(".neuronotes/store");
    for name in files(&store).into_keys() {
        let file = fs::File::options().append(true).open(store.join(name)).expect("a file");
        file.set_modified(SystemTime::now() - DAY * days).expect("another time");
    }
}

/// Output without what differs from run to run.
fn steady(text: &str, garden: &Garden) -> String {
    let root = garden.root().canonicalize().expect("a folder").to_string_lossy().into_owned();
    let text = text.replace(&root, "GARDEN");
    text.replace(&jiff::Timestamp::now().to_string()[..10], "TODAY")
}

#[test]
fn a_store_is_counted_and_cleared_of_what_no_note_asks_for() {
    let garden = garden();
    assert_eq!(fill(&garden), 4);
    garden.built();
    let stats = garden.run(&["store", "stats"]);
    assert_eq!(stats.code(), 0, "{}", stats.stderr());
    insta::assert_snapshot!("stats", steady(&stats.stdout(), &garden));
    let json = garden.run(&["store", "stats", "--format", "json"]).stdout();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["kinds"]["feature_vis"]["count"], 3);

    // Edited, and not built since: what the notes ask for now is asked of the notes.
    let without = garden
        .read("notes/coins.md")
        .replace("[4, 5]", "[4, 6]")
        .replace("dataset_examples", "activation_histogram");
    garden.note("coins.md", &without);
    age(&garden, 2);
    let dry = garden.run(&["store", "gc", "--dry-run"]);
    assert!(dry.stdout().contains("would free"), "{}", dry.stdout());
    let before = files(&garden.path(".neuronotes/store/v1/records"));
    let gc = garden.run(&["store", "gc"]);
    assert_eq!(gc.code(), 0, "{}", gc.stderr());
    // The last results of blocks that are not measured anew stay.
    assert_eq!(files(&garden.path(".neuronotes/store/v1/records")), before);
    assert_eq!(fill(&garden), 2);
    garden.built();
    age(&garden, 2);
    let gc = garden.run(&["store", "gc"]);
    assert_eq!(gc.code(), 0, "{}", gc.stderr());
    assert!(gc.stdout().starts_with("results           2 "), "{}", gc.stdout());
    let run = garden.build();
    assert!(run.summary().contains("0 figures measured, 4 stored"), "{}", run.stderr());
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn weights_that_are_gone_for_now_cost_no_result() {
    let garden = garden();
    fill(&garden);
    garden.build();
    age(&garden, 3);
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace("emoji-clip.safetensors", "gone.safetensors"));
    assert_eq!(garden.build().code(), 1);
    age(&garden, 3);
    let gc = garden.run(&["store", "gc"]);
    assert_eq!(gc.code(), 0, "{}", gc.stderr());
    garden.write("neuronotes.yaml", &config);
    let run = garden.build();
    assert!(run.summary().contains("0 figures measured, 4 stored"), "{}", run.stderr());
}

#[test]
fn what_is_damaged_is_named_and_measured_again() {
    let garden = garden();
    fill(&garden);
    garden.build();
    let run = garden.run(&["store", "verify"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.stdout().ends_with("no problems found\n"), "{}", run.stdout());
    let records = garden.path(".neuronotes/store/v1/records");
    let (name, bytes) = files(&records).pop_first().expect("a record");
    let text = String::from_utf8(bytes).expect("text").replace("2026-01-02", "2026-01-03");
    fs::write(records.join(&name), text).expect("damage");
    garden.write(".neuronotes/store/v1/records/mine.txt", "mine");
    let run = garden.run(&["store", "verify"]);
    assert_eq!(run.code(), 1, "{}", run.stderr());
    let said = run.stdout();
    assert!(said.contains(&format!("records/{name}: its checksum is wrong")), "{said}");
    assert!(said.contains("records/mine.txt: does not belong to the store; left alone"), "{said}");
    let run = garden.run(&["store", "verify", "--format", "json"]);
    assert_eq!(run.code(), 0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout()).expect("JSON");
    assert_eq!(
        (json["wrong"].as_array().map(Vec::len), json["records"].as_u64()),
        (Some(0), Some(4))
    );
    assert_eq!(json["foreign"][0], "records/mine.txt");
}

#[test]
fn a_block_says_why_it_is_to_be_measured() {
    let garden = garden();
    let never = garden.run(&["explain", "coins#vis"]);
    assert_eq!(never.code(), 0, "{}", never.stderr());
    assert!(never.stdout().contains("never measured"), "{}", never.stdout());
    fill(&garden);
    garden.build();
    let stored = garden.run(&["explain", "coins#vis"]).stdout();
    assert!(
        stored.contains("stored  2026-01-02T03:04:05Z on cpu (a processor), 1.5 s"),
        "{stored}"
    );
    assert!(!stored.contains("changed"), "{stored}");
    // It lists what the key covers, and its first digits are a name too.
    for covered in ["model   emoji 67c2d6c2bf9b", "          steps: 512", "          unit: 3"] {
        assert!(stored.contains(covered), "{covered}\n{stored}");
    }
    assert!(stored.contains(&format!("by      neuronotes {}", env!("CARGO_PKG_VERSION"))));
    let key = stored.lines().find_map(|line| line.strip_prefix("  key     ")).expect("a key");
    assert_eq!(garden.run(&["explain", &key[..8]]).stdout(), stored);
    let scan = garden.run(&["explain", "coins#examples"]).stdout();
    assert!(scan.contains("  data    emoji fefa52122f1f"), "{scan}");
    let used = scan.lines().find(|line| line.starts_with("  uses")).expect("a scan");
    let used = used.rsplit(' ').next().expect("a key");
    let said = garden.run(&["explain", &used[..10]]).stderr();
    assert!(said.contains("is that of a scan") && said.contains("coins.md#examples"), "{said}");
    assert!(garden.run(&["explain", "0123456789"]).stderr().contains("no block of this garden"));

    let note = garden.read("notes/coins.md");
    let changed = note
        .replace(
            "unit: 3\n```\n\n```yaml analysis\nid: examples",
            "unit: 3\nsteps: 256\nrecipe: paper\n```\n\n```yaml analysis\nid: examples",
        )
        .replace("[4, 5]", "[4, 7]");
    garden.note("coins.md", &changed);
    garden.write("data.txt", "one\ntwo\n");
    let config = garden.read("neuronotes.yaml");
    let data = common::repository().join("data/emoji.tar").display().to_string();
    garden.write("neuronotes.yaml", &config.replace(&data, "data.txt"));
    garden.build();
    let all = garden.run(&["explain", "coins"]).stdout();
    insta::assert_snapshot!("explain", all);
    let json = garden.run(&["explain", "coins#vis", "--format", "json"]).stdout();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let changes = json["results"][0]["changes"].as_array().expect("changes");
    let steps = changes.iter().find(|change| change["field"] == "params.steps").expect("steps");
    assert_eq!((&steps["old"], &steps["new"]), (&512.into(), &256.into()));

    // Back again, the stored result is the block's.
    garden.note("coins.md", &note);
    garden.write("neuronotes.yaml", &config);
    let back = garden.run(&["explain", "coins#vis"]).stdout();
    assert!(back.contains("stored  2026") && !back.contains("changed"), "{back}");
}

/// Every value in JSON that is no list and no object, by its path.
fn leaves(json: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    use serde_json::Value::{Array, Object};
    match json {
        Array(all) => {
            all.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{at}/{i}"), found))
        }
        Object(all) => all.iter().for_each(|(name, v)| leaves(v, &format!("{at}/{name}"), found)),
        _ => found.push(at.to_owned()),
    }
}

/// A stored result with another value at one place, and every checksum right.
fn forge(garden: &Garden, record: &mut serde_json::Value, at: usize, value: &serde_json::Value) {
    let store = garden.path(".neuronotes/store/v1");
    let shard = |hex: &str, ending: &str| format!("{}/{hex}{ending}", &hex[..2]);
    let Some(output) = record["outputs"].get_mut("result.json") else { return };
    let old = output["digest"].as_str().expect("a digest").to_owned();
    let bytes = fs::read(store.join("blobs").join(shard(&old, ""))).expect("a result");
    let mut result: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let mut places = Vec::new();
    leaves(&result, "", &mut places);
    let place = &places[at % places.len()];
    *result.pointer_mut(place).expect("a place") = value.clone();
    let bytes = serde_json::to_vec(&result).expect("JSON");
    let digest = neuronotes_core::digest::Digest::of(&bytes).hex();
    garden.write(&format!(".neuronotes/store/v1/blobs/{}", shard(&digest, "")), "");
    fs::write(store.join("blobs").join(shard(&digest, "")), &bytes).expect("written");
    (output["digest"], output["bytes"]) = (digest.into(), bytes.len().into());
    let key = record["key"].as_str().expect("a key").to_owned();
    let json = serde_json::to_vec_pretty(&record).expect("JSON");
    let path = store.join("records").join(shard(&key, ".json"));
    fs::write(path, neuronotes_core::seal::seal(&json)).expect("written");
}

#[test]
fn a_forged_result_ends_nothing_and_reaches_nothing_outside() {
    let garden = garden();
    assert_eq!(fill(&garden), 4);
    garden.built();
    garden.note("quoting.md", "It is `= coins#vis.activation | .2f`, `= coins#examples.top`.\n");
    let records = garden.path(".neuronotes/store/v1/records");
    let sound = files(&records);
    let (huge, deep) = ("x".repeat(1 << 20), "[".repeat(100) + &"]".repeat(100));
    let deep: serde_json::Value = serde_json::from_str(&deep).expect("JSON");
    let hostile: [serde_json::Value; 12] = [
        1e308.into(),
        (-1e308).into(),
        u64::MAX.into(),
        i64::MIN.into(),
        0.into(),
        serde_json::Value::Null,
        "../../../outside/secret.txt".into(),
        "/etc/passwd".into(),
        "<script>alert(1)</script>\u{1b}[31m\u{0}\u{ffff}".into(),
        huge.into(),
        serde_json::json!([]),
        deep,
    ];
    let before: Vec<String> =
        files(garden.root()).into_keys().filter(|name| is_garden(name)).collect();
    for round in 0..36 {
        for (number, (name, bytes)) in sound.iter().enumerate() {
            let json = neuronotes_core::seal::open(bytes).whole().expect("whole");
            let mut record = serde_json::from_slice(&json).expect("JSON");
            let value = &hostile[(5 * round + number) % hostile.len()];
            fs::write(records.join(name), bytes).expect("written");
            forge(&garden, &mut record, round + number, value);
        }
        let run = garden.build();
        assert!([0, 1].contains(&run.code()), "{round}: {}", run.stderr());
        assert!(!run.stderr().contains("panicked"), "{round}: {}", run.stderr());
        for (name, bytes) in garden.output().into_iter().filter(|(name, _)| name.ends_with(".html"))
        {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("<script>alert"), "{round}: {name}");
        }
    }
    let after: Vec<String> =
        files(garden.root()).into_keys().filter(|name| is_garden(name)).collect();
    assert_eq!(before, after);
}

/// Whether a file is the garden's own, and not made by the program.
fn is_garden(name: &str) -> bool {
    !name.starts_with("output/") && !name.starts_with(".neuronotes/")
}

#[test]
fn a_name_that_is_none_has_a_neighbour() {
    let garden = garden();
    let said = |name: &str| {
        let run = garden.run(&["explain", name]);
        assert_eq!(run.code(), 2, "{}", run.stdout());
        run.stderr()
    };
    let all = [said("coin#vis"), said("coins#viz"), said("nowhere")].join("\n");
    insta::assert_snapshot!("unknown", all);
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
}

#[test]
fn results_of_the_version_before_are_found() {
    let garden = Garden::empty();
    let golden = common::repository().join("tests/golden/store");
    copy(&golden, garden.root());
    copy(&golden.join("results"), &garden.path(".neuronotes/store/v1"));
    let weights = common::repository().join("models/emoji-clip.safetensors");
    garden.write(
        "neuronotes.yaml",
        &format!(
            "title: Results of an earlier version\nmodels:\n  emoji: {{ path: {} }}\ndatasets:\n  \
             emoji: {{ path: pictures.tar }}\n  folder: {{ path: pictures }}\n  words: {{ path: words.txt }}\n  \
             faces: {{ path: faces.txt }}\ndefaults: {{ model: emoji, dataset: emoji, seed: 0 }}\n",
            weights.display()
        ),
    );
    // There is no lab that could measure one again.
    let run = garden.built();
    assert!(run.stderr().contains("0 figures measured, 11 stored"), "{}", run.stderr());
    let checked = garden.run(&["store", "verify"]);
    assert_eq!(checked.code(), 0, "{}", checked.stderr());
}
