//! Disks that are full, folders that cannot be written to, bits that flip, files that are cut short or foreign: said
//! clearly, recovered from, and never a wrong figure.
//!
//! What comes from elsewhere is not trusted: a `.neuronotes` that came with a garden reads, writes and removes nothing outside.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;
use crate::common::fault::{Fault, during};
use crate::common::results::fill;
use crate::common::{Garden, files};

const LAYER: &str = "layer: image_block_4/0/Add_6";

/// A garden whose results are stored, with a file that is larger than any page.
fn garden() -> Garden {
    let garden = Garden::new();
    garden.note(
        "a.md",
        &format!(
            "[The data](data.bin).\n\n```yaml analysis\nid: vis\nkind: feature_vis\n{LAYER}\nunit: 3\n```\n\n\
             ```yaml analysis\nid: examples\nkind: dataset_examples\n{LAYER}\nunit: 3\n```\n"
        ),
    );
    garden.note(
        "b.md",
        &format!("```yaml analysis\nid: two\nkind: activation_histogram\n{LAYER}\nunit: 4\n```\n"),
    );
    fs::write(garden.path("notes/data.bin"), vec![5; 600_000]).expect("a file");
    assert_eq!(fill(&garden), 3);
    garden
}

/// A build when nothing is wrong any more is one as if nothing had been.
fn recovers(garden: &Garden) {
    garden.built();
    assert_eq!(names(&garden.output()), names(&garden.clean_output()));
    assert!(garden.output() == garden.clean_output());
    let verified = garden.run(&["store", "verify"]);
    assert_eq!(verified.code(), 0, "{}", verified.stdout());
}

fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&String> {
    files.keys().collect()
}

fn clean(garden: &Garden) -> BTreeMap<String, Vec<u8>> {
    let clean = garden.clean_output();
    fs::remove_dir_all(garden.path(".neuronotes/cache")).expect("removed");
    clean
}

#[test]
fn an_output_folder_that_is_full_has_every_file_that_fits_and_no_part_of_one() {
    let garden = garden();
    let clean = clean(&garden);
    let (run, left) = during(&garden, "output", Fault::Room(340_000), &["build"]);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    assert!(said.contains("files/data.bin") && said.contains("could not be written to"), "{said}");
    assert!(said.contains("hint: "), "{said}");
    assert!(said.contains("No space left") || said.contains("File too large"), "{said}");
    assert!(left.contains_key("a.html") && left.contains_key("b.html"), "{:?}", left.keys());
    for (name, bytes) in &left {
        assert!(clean.get(name) == Some(bytes), "{name} is another one");
    }
    assert_eq!(left.len(), clean.len() - 1);
    recovers(&garden);
}

#[test]
fn an_output_folder_that_cannot_be_written_to_is_said_once() {
    let garden = garden();
    garden.note("new.md", "One.\n");
    garden.note("old.md", "Two.\n");
    garden.built();
    let before = garden.output();
    garden.note("new.md", "One, changed.\n");
    garden.note("another.md", "Three.\n");
    garden.remove("notes/old.md");
    let (run, left) = during(&garden, "output", Fault::ReadOnly, &["build"]);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    assert_eq!(said.matches("the file could not be written to").count(), 1, "{said}");
    assert!(said.contains("others") && said.contains("old.html"), "{said}");
    assert!(said.contains("hint: make the folder writable"), "{said}");
    assert!(left == before, "{:?}", left.keys());
    recovers(&garden);
    assert!(
        !garden.path("output/old.html").exists() && garden.path("output/another.html").exists()
    );
}

#[test]
fn a_full_cache_keeps_no_page_from_being_written() {
    let garden = garden();
    let clean = clean(&garden);
    let (run, _) = during(&garden, ".neuronotes/cache", Fault::Room(0), &["build"]);
    let said = run.stderr();
    assert!(
        garden.output() == clean || said.contains("STAND"),
        "{:?}\n{said}",
        names(&garden.output())
    );
    assert_eq!(run.code(), 1, "{said}");
    assert!(said.contains("the list of written files could not be saved"), "{said}");
    recovers(&garden);
}

#[test]
fn a_store_that_is_full_or_only_read_gives_what_it_has() {
    for fault in [Fault::Room(0), Fault::ReadOnly] {
        let garden = garden();
        let clean = clean(&garden);
        fs::remove_dir_all(garden.path(".neuronotes/store/v1/figures")).expect("removed");
        fs::remove_dir_all(garden.path(".neuronotes/store/v1/roots")).expect("removed");
        let (run, _) = during(&garden, ".neuronotes/store", fault, &["build"]);
        let said = run.stderr();
        assert_eq!(run.code(), 0, "{fault:?}: {said}");
        assert_eq!(
            said.contains("uses could not be written"),
            fault != Fault::ReadOnly,
            "{fault:?}: {said}"
        );
        assert!(garden.output() == clean, "{fault:?}");
        recovers(&garden);
    }
}

#[test]
fn frozen_results_are_frozen_whole_or_said_not_to_be_and_read_where_nothing_can_be_written() {
    let garden = garden();
    let clean = clean(&garden);
    let (run, _) = during(&garden, "frozen", Fault::Room(1), &["freeze"]);
    let said = run.stderr();
    assert_eq!(run.code(), 2, "{said}");
    assert!(said.contains("hint: the disk is full"), "{said}");
    let _ = fs::remove_dir_all(garden.path("frozen"));
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    let (run, _) = during(&garden, "frozen", Fault::ReadOnly, &["build", "--frozen"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(garden.output() == clean);
}

/// Every page is the right one, or says what is wrong with the figure that it lacks.
fn no_wrong_figure(garden: &Garden, clean: &BTreeMap<String, Vec<u8>>, what: &str) {
    for (name, bytes) in garden.output() {
        if clean.get(&name) == Some(&bytes) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        // A figure that another's damaged scan is only mentioned at.
        let without = |text: &str| text.replace(", after a scan of the layer in 1.5 s", "");
        let right = clean.get(&name).map(|bytes| without(&String::from_utf8_lossy(bytes)));
        if right.is_some_and(|right| right == without(&text)) {
            continue;
        }
        let told = [
            "was not measured",
            "was damaged",
            "the lab, which measures figures, was not found",
            "does not exist",
        ];
        let told = told.iter().any(|words| text.contains(words))
            || what.contains("figures depend on a scan");
        assert!(common::shows_cards(&name) || told, "{what}: {name} is wrong");
    }
}

/// Every file that a build reads and did not find in the garden itself.
fn kept(garden: &Garden) -> Vec<PathBuf> {
    let state = garden.path(".neuronotes");
    let all = files(&state).into_keys().filter(|name| !name.contains("/tmp/"));
    all.map(|name| state.join(name)).collect()
}

#[test]
fn a_flipped_bit_or_a_cut_anywhere_shows_no_wrong_figure() {
    let garden = garden();
    // Old enough for digests of weights and data to be remembered.
    garden.built();
    garden.built();
    let clean = garden.output();
    let mut looked_at = 0;
    for path in kept(&garden) {
        let bytes = fs::read(&path).expect("a file");
        let name = path.strip_prefix(garden.root()).expect("within").display().to_string();
        let places = [0, bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(4)];
        let flipped = places.iter().filter(|at| **at < bytes.len()).map(|at| {
            let mut damaged = bytes.clone();
            damaged[*at] ^= 1;
            damaged
        });
        for damaged in flipped.chain([bytes[..bytes.len() / 2].to_vec(), Vec::new()]) {
            fs::write(&path, &damaged).expect("damage");
            let _ = fs::remove_dir_all(garden.path("output"));
            let run = garden.build();
            let told = run.code() == 1 && run.stderr().contains("error");
            assert!(run.code() == 0 || told, "{name}: {}", run.stderr());
            no_wrong_figure(&garden, &clean, &format!("{name}: {}", run.stderr()));
            looked_at += 1;
            // What was set aside is measured again.
            fill(&garden);
            let run = garden.build();
            assert_eq!(run.code(), 0, "{name}: {}", run.stderr());
            assert!(garden.output() == clean, "{name}");
        }
    }
    assert!(looked_at > 60, "{looked_at}");
    recovers(&garden);
}

#[test]
fn a_damaged_list_of_written_files_removes_nothing_and_says_so() {
    let garden = garden();
    garden.note("old.md", "Old.\n");
    garden.built();
    let cache = garden.path(".neuronotes/cache");
    let lists = files(&cache).into_keys().find(|name| name.starts_with("output-"));
    let list = cache.join(lists.expect("a list"));
    let text = fs::read_to_string(&list).expect("text").replace("old.html", "alt.html");
    fs::write(&list, text).expect("damage");
    garden.remove("notes/old.md");
    let run = garden.built();
    assert!(run.stderr().contains("the list of written files was damaged"), "{}", run.stderr());
    assert!(garden.path("output/old.html").exists());
    let run = garden.build();
    assert!(!run.stderr().contains("damaged"), "{}", run.stderr());
}

#[test]
fn foreign_files_anywhere_in_the_store_disturb_nothing_and_stay() {
    let garden = garden();
    let clean = clean(&garden);
    let store = garden.path(".neuronotes/store/v1");
    let mut foreign = Vec::new();
    for folder in ["blobs/ab", "records/ff"] {
        fs::create_dir_all(store.join(folder)).expect("a folder");
    }
    for folder in [
        "",
        "blobs",
        "records",
        "figures",
        "claims",
        "failures",
        "partial",
        "roots",
        "blobs/ab",
        "records/ff",
    ] {
        fs::create_dir_all(store.join(folder)).expect("a folder");
        for name in ["notes.txt", "ab", "0123.json", ".DS_Store"] {
            let path = store.join(folder).join(name);
            if !path.exists() {
                fs::write(&path, "mine").expect("a file");
                foreign.push(path);
            }
        }
        let link = store.join(folder).join("link");
        std::os::unix::fs::symlink("/nowhere", &link).expect("a link");
        foreign.push(link);
    }
    garden.built();
    assert!(garden.output() == clean);
    for command in ["stats", "gc", "verify"] {
        let run = garden.run(&["store", command]);
        assert_eq!(run.code(), 0, "{command}: {}{}", run.stdout(), run.stderr());
    }
    let said = garden.run(&["store", "verify"]).stdout();
    for path in foreign {
        assert!(fs::symlink_metadata(&path).is_ok(), "{}", path.display());
        let name = path.strip_prefix(&store).expect("within").display().to_string();
        assert!(said.contains(&format!("{name}: does not belong to the store")), "{name}\n{said}");
    }
}

/// Flips a bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("damage");
}

/// Exchanges two files.
fn swap(one: &Path, other: &Path) {
    let (a, b) = (fs::read(one).expect("a file"), fs::read(other).expect("a file"));
    fs::write(one, b).expect("swapped");
    fs::write(other, a).expect("swapped");
}

/// The files of a folder of the store, with their paths.
fn stored(garden: &Garden, kind: &str) -> Vec<PathBuf> {
    let folder = garden.path(".neuronotes/store/v1").join(kind);
    files(&folder).into_keys().map(|name| folder.join(name)).collect()
}

#[test]
fn a_damaged_result_that_cannot_be_measured_is_an_error() {
    let garden = garden();
    garden.note("c.md", "It reaches `= a#vis.activation | .2f`.\n");
    garden.built();
    for blob in stored(&garden, "blobs") {
        let bytes = fs::read(&blob).expect("a blob");
        let is_result = String::from_utf8_lossy(&bytes).contains("\"activation_at_start\"");
        if !is_result {
            continue;
        }
        flip(&blob);
        for arguments in [&["build"][..], &["build", "--strict"]] {
            let run = garden.run(arguments);
            assert_eq!(run.code(), 1, "{}", run.stderr());
            assert!(
                run.stderr().contains("the lab, which measures figures, was not found")
                    || run.stderr().contains("does not exist")
            );
            assert!(!run.stderr().contains("no problems found"), "{}", run.stderr());
        }
        let page = garden.page("c.html");
        assert!(!page.contains(".25"), "{page}");
        fill(&garden);
        recovers(&garden);
        return;
    }
    panic!("no result was found");
}

#[test]
fn swapped_drawings_outputs_and_records_are_noticed_by_a_build_and_by_verification() {
    for kind in ["figures", "blobs", "records"] {
        let garden = garden();
        garden.built();
        let clean = garden.output();
        let all = stored(&garden, kind);
        swap(&all[0], &all[all.len() - 1]);
        fs::remove_dir_all(garden.path("output")).expect("removed");
        let run = garden.build();
        match kind {
            "figures" => {
                assert_eq!(run.code(), 0, "{}", run.stderr());
                assert!(garden.output() == clean, "a drawing is made again");
            }
            _ => no_wrong_figure(&garden, &clean, &format!("{kind}: {}", run.stderr())),
        }
        fill(&garden);
        recovers(&garden);

        let all = stored(&garden, kind);
        swap(&all[0], &all[all.len() - 1]);
        let run = garden.run(&["store", "verify"]);
        assert_eq!(run.code(), 1, "{kind}: {}", run.stdout());
        let named = all.iter().filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            run.stdout().contains(&name)
        });
        assert_eq!(named.count(), 2, "{kind}: {}", run.stdout());
    }
}

#[test]
fn a_drawing_of_an_earlier_version_is_drawn_again_and_is_no_damage() {
    let garden = garden();
    garden.built();
    let clean = garden.output();
    for path in stored(&garden, "figures") {
        let json = neuronotes_core::seal::open(&fs::read(&path).expect("a drawing")).whole();
        let mut json: serde_json::Value =
            serde_json::from_slice(&json.expect("whole")).expect("JSON");
        let old = serde_json::to_vec(&json["drawing"].take()).expect("JSON");
        fs::write(&path, neuronotes_core::seal::seal(&old)).expect("an old one");
    }
    let run = garden.run(&["store", "verify"]);
    assert_eq!(run.code(), 0, "{}", run.stdout());
    fs::remove_dir_all(garden.path("output")).expect("removed");
    let run = garden.run(&["build", "--strict"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(garden.output() == clean);
}

#[test]
fn a_new_garden_for_which_there_is_no_room_leaves_nothing_in_the_way() {
    let garden = Garden::new();
    fs::create_dir(garden.path("place")).expect("a folder");
    let place = garden.path("place/garden");
    let place = place.to_string_lossy();
    let run = |room| {
        let script = "mount -t tmpfs -o size=$1 none \"$2\" || exit 99; shift 2; \"$@\"; code=$?\n\
                      find \"$0\" -mindepth 1; exit $code";
        let mut command = Command::new("unshare");
        command.args(["-r", "-m", "sh", "-c", script]).arg(garden.path("place")).arg(room);
        command.arg(garden.path("place")).arg(common::program()).args(["new", &*place]);
        common::Run(command.output().expect("unshare runs"))
    };
    let full = run("4k");
    if [99, -1].contains(&full.code()) || full.stderr().starts_with("unshare") {
        eprintln!("THIS MACHINE MOUNTS NOTHING FOR A TEST: {}", full.stderr());
        return;
    }
    assert_eq!(full.code(), 2, "{}{}", full.stdout(), full.stderr());
    assert!(full.stderr().contains("hint: the disk is full"), "{}", full.stderr());
    assert_eq!(full.stdout(), "", "nothing is left");
    assert_eq!(run("1m").code(), 0);
}

/// A folder beside a garden whose files nobody may touch, with what is in it.
fn outside(garden: &Garden) -> (PathBuf, BTreeMap<String, Vec<u8>>) {
    let folder = garden.path("outside");
    for name in ["secret.txt", "tmp/.new-old", "deep/empty/file"] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, "secret").expect("a file");
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(400_000);
        let file = fs::File::options().append(true).open(&path).expect("a file");
        file.set_modified(long_ago).expect("a time");
    }
    let all = files(&folder);
    (folder, all)
}

#[test]
fn a_list_of_written_files_that_came_with_a_garden_removes_nothing_outside() {
    let garden = garden();
    garden.built();
    let (folder, before) = outside(&garden);
    std::os::unix::fs::symlink(&folder, garden.path("output/link")).expect("a link");
    let cache = garden.path(".neuronotes/cache");
    let list = files(&cache).into_keys().find(|name| name.starts_with("output-"));
    let list = cache.join(list.expect("a list"));
    let digest = neuronotes_core::digest::Digest::of(b"secret");
    let absolute = folder.join("secret.txt").display().to_string();
    for path in
        ["../outside/secret.txt", &absolute, "a/../../outside/secret.txt", "link/secret.txt"]
    {
        let json = serde_json::json!({ path: { "digest": digest } });
        fs::write(&list, neuronotes_core::seal::seal(json.to_string().as_bytes())).expect("forged");
        let name = list.file_stem().expect("a name").to_string_lossy().into_owned();
        let line = format!("{digest} {}\n", serde_json::json!(path));
        fs::write(cache.join(format!("{name}.journal")), line).expect("forged");
        let run = garden.built();
        assert!(run.stderr().contains("the list of written files was damaged"), "{path}");
        assert!(files(&folder) == before, "{path}");
    }
    // A folder of the site that leads elsewhere is not written to.
    fs::remove_dir_all(garden.path("output/files")).expect("removed");
    std::os::unix::fs::symlink(&folder, garden.path("output/files")).expect("a link");
    let run = garden.build();
    assert_eq!(run.code(), 1, "{}", run.stderr());
    assert!(run.stderr().contains("is a link that leads out of the folder"), "{}", run.stderr());
    assert!(files(&folder) == before);
}

#[test]
fn folders_of_the_program_that_came_as_links_are_refused() {
    for place in [
        ".neuronotes",
        ".neuronotes/store",
        ".neuronotes/cache",
        ".neuronotes/cache/tmp",
        ".neuronotes/cache/pictures",
        ".neuronotes/store/v1",
        ".neuronotes/store/v1/tmp",
        ".neuronotes/store/v1/claims",
        ".neuronotes/store/v1/blobs",
    ] {
        let garden = garden();
        let (folder, before) = outside(&garden);
        let path = garden.path(place);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::os::unix::fs::symlink(&folder, &path).expect("a link");
        for command in [&["build"][..], &["check"], &["store", "gc"], &["store", "verify"]] {
            let run = garden.run(command);
            assert_eq!(run.code(), 2, "{place}: {}", run.stderr());
            assert!(run.stderr().contains("link") || run.stderr().contains("leads"), "{place}");
            assert!(files(&folder) == before, "{place}");
        }
    }
    // One that somebody made to have it on another disk is what it was.
    let garden = garden();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let moved = elsewhere.path().join("state");
    let state = garden.path(".neuronotes");
    assert!(Command::new("mv").args([&state, &moved]).status().expect("mv").success());
    std::os::unix::fs::symlink(&moved, &state).expect("a link");
    garden.built();
}

#[test]
fn what_is_no_regular_file_in_the_programs_folder_hangs_nothing() {
    let garden = garden();
    garden.built();
    let clean = garden.output();
    let state = garden.path(".neuronotes");
    let mut all: Vec<PathBuf> = ["cache/digests.json", "cache/dates", "store/timings.json"]
        .iter()
        .map(|name| state.join(name))
        .collect();
    all.extend(stored(&garden, "roots"));
    let list = files(&state).into_keys().find(|name| name.starts_with("cache/output-"));
    all.push(state.join(list.expect("a list")));
    for kind in ["records", "figures", "blobs"] {
        all.extend(stored(&garden, kind).into_iter().take(1));
    }
    for (at, path) in all.iter().enumerate() {
        let _ = fs::remove_file(path);
        match at % 2 {
            0 => std::os::unix::fs::symlink("/dev/zero", path).expect("a link"),
            _ => assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()),
        }
    }
    let run = garden.build();
    assert!(run.code() < 2, "{}", run.stderr());
    no_wrong_figure(&garden, &clean, &run.stderr());
    assert!(garden.run(&["store", "verify"]).code() < 2);
    fill(&garden);
    garden.built();
    assert!(garden.output().keys().eq(clean.keys()));
}
