//! Disks that are full, folders that cannot be written to, bits that flip, files that are cut short or foreign: said
//! clearly, recovered from, and never a wrong figure.
//!
//! Small file systems are mounted in a namespace of their own (`unshare`). Where a machine does not let that be done,
//! this is said, and the system's limit of a file's size, or permissions, stand in.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::results::fill;
use common::{Garden, Run, files};

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

/// What is wrong with a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// So many bytes are left in it.
    Room(u64),
    /// Nothing can be written in it.
    ReadOnly,
}

/// Runs `neuronotes` while something is wrong with a folder of the garden; says what is in the folder afterwards.
fn during(
    garden: &Garden,
    folder: &str,
    fault: Fault,
    arguments: &[&str],
) -> (Run, BTreeMap<String, Vec<u8>>) {
    let folder = garden.path(folder);
    fs::create_dir_all(&folder).expect("a folder");
    let aside = tempfile::tempdir().expect("a temporary folder");
    let script = match fault {
        // What was there is there again, and then so much room is left.
        Fault::Room(_) => {
            "cp -a \"$1/.\" \"$2\" && mount -t tmpfs -o size=16m none \"$1\" && cp -a \"$2/.\" \"$1\" || exit 99\n\
             used=$(df -k --output=used \"$1\" | tail -1) && mount -o remount,size=$((used + $3 / 1024 + 8))k \"$1\" || exit 99\n\
             [ \"$3\" != 0 ] || head -c 99999 /dev/zero >\"$1/.full\" 2>/dev/null\n"
        }
        Fault::ReadOnly => {
            "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" || exit 99\n"
        }
    };
    let script = format!(
        "{script}folder=$1; aside=$2; shift 3\n\"$@\"; code=$?\nrm -rf \"$aside\"; cp -a \"$folder\" \"$aside\"; exit $code\n"
    );
    let room = match fault {
        Fault::Room(room) => room,
        Fault::ReadOnly => 0,
    };
    let asked = garden.command(arguments);
    let in_namespace = Command::new("unshare").args(["-r", "-m", "true"]).output();
    if in_namespace.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("unshare");
        command.args(["-r", "-m", "sh", "-c", &script, "sh"]).arg(&folder).arg(aside.path());
        command.arg(room.to_string()).arg(asked.get_program()).args(asked.get_args());
        let run = Run(with_environment(command, &asked).output().expect("unshare runs"));
        if run.code() != 99 {
            return (run, files(aside.path()));
        }
        eprintln!("{}", run.stderr());
    }
    let run = otherwise(&folder, fault, &asked);
    (run, files(&folder))
}

fn with_environment(mut command: Command, from: &Command) -> Command {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Without mounts: a limit of a file's size for a full disk, permissions for a folder that cannot be written to.
fn otherwise(folder: &Path, fault: Fault, asked: &Command) -> Run {
    eprintln!(
        "THIS MACHINE MOUNTS NOTHING FOR A TEST: a limit or permissions stand in for {fault:?}"
    );
    let script = match fault {
        Fault::Room(_) => "trap '' XFSZ; ulimit -f 100; exec \"$@\"",
        Fault::ReadOnly => {
            "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; fi; exec \"$@\""
        }
    };
    let mode = |mode: u32| {
        let each = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        for entry in each.filter(|entry| entry.file_type().is_dir()) {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(entry.path(), permissions).expect("permissions");
        }
    };
    if fault == Fault::ReadOnly {
        mode(0o555);
    }
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(asked.get_program()).args(asked.get_args());
    let run = Run(with_environment(command, asked).output().expect("sh runs"));
    if fault == Fault::ReadOnly {
        mode(0o755);
    }
    run
}

/// A build when nothing is wrong any more is one as if nothing had been.
fn recovers(garden: &Garden) {
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
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
    let (run, left) = during(&garden, "output", Fault::Room(300_000), &["build"]);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    assert!(said.contains("files/data.bin") && said.contains("cannot be written to"), "{said}");
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
    assert_eq!(garden.build().code(), 0);
    let before = garden.output();
    garden.note("new.md", "One, changed.\n");
    garden.note("another.md", "Three.\n");
    garden.remove("notes/old.md");
    let (run, left) = during(&garden, "output", Fault::ReadOnly, &["build"]);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    assert_eq!(said.matches("the file cannot be written to").count(), 1, "{said}");
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
    assert!(said.contains("the list of written files cannot be kept"), "{said}");
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
        assert_eq!(said.contains("cannot be kept"), fault != Fault::ReadOnly, "{fault:?}: {said}");
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
        let told = ["was not measured", "was damaged", "there is no lab", "is not there"];
        let told = told.iter().any(|words| text.contains(words))
            || what.contains("figures rest on a scan");
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
    assert_eq!(garden.build().code(), 0);
    assert_eq!(garden.build().code(), 0);
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
    assert_eq!(garden.build().code(), 0);
    let cache = garden.path(".neuronotes/cache");
    let lists = files(&cache).into_keys().find(|name| name.starts_with("output-"));
    let list = cache.join(lists.expect("a list"));
    let text = fs::read_to_string(&list).expect("text").replace("old.html", "alt.html");
    fs::write(&list, text).expect("damage");
    garden.remove("notes/old.md");
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
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
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(garden.output() == clean);
    for command in ["stats", "gc", "verify"] {
        let run = garden.run(&["store", command]);
        assert_eq!(run.code(), 0, "{command}: {}{}", run.stdout(), run.stderr());
    }
    let said = garden.run(&["store", "verify"]).stdout();
    for path in foreign {
        assert!(fs::symlink_metadata(&path).is_ok(), "{}", path.display());
        let name = path.strip_prefix(&store).expect("within").display().to_string();
        assert!(said.contains(&format!("{name}: not the store's")), "{name}\n{said}");
    }
}
