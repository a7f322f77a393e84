//! Long scans in which the store's disk fills up, the data set goes away, or somebody edits it: what was scanned is kept, and
//! the next run goes on from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::block;
use super::common::fault::{Fault, during};
use super::common::preview::Preview;
use super::common::{Garden, Run, files};
use super::deaths::wait;
use super::measure::stored;

/// A picture with some structure, another for each seed.
fn picture(path: &Path, seed: u32) {
    let picture = image::RgbImage::from_fn(96, 96, |x, y| {
        image::Rgb([0, 1, 2].map(|band| {
            let wave = (x * (seed % 5 + 1) + y * (seed % 3 + band)) as f32 * 0.1 + seed as f32;
            (127.0 + 120.0 * wave.sin()) as u8
        }))
    });
    picture.save(path).expect("a picture");
}

/// A garden with a histogram over a data set whose shards are folders with so many pictures, each with a caption.
fn garden(shards: &[u32]) -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let emoji = config.lines().find(|line| line.contains("emoji.tar")).expect("the data set");
    let last = shards.len() - 1;
    let ours = format!("  emoji: {{ path: \"data/{{00..{last:02}}}\" }}");
    garden.write("neuronotes.yaml", &config.replace(emoji, &ours));
    for (shard, count) in shards.iter().enumerate() {
        let folder = garden.path(&format!("data/{shard:02}"));
        fs::create_dir_all(&folder).expect("a folder");
        for at in 0..*count {
            let name = format!("{shard:02}-{at:02}");
            picture(&folder.join(format!("{name}.png")), shard as u32 * 1000 + at);
            fs::write(folder.join(format!("{name}.txt")), format!("early {name}")).expect("text");
        }
    }
    garden.note("a.md", &block("activation_histogram", 3, "id: histogram\nbins: 4\n"));
    garden
}

/// Each stored scan, as its record has it: when it was measured, and its outputs.
fn scans(records: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, &[u8]> {
    let is_scan = |bytes: &[u8]| {
        let record: serde_json::Value = serde_json::from_slice(bytes).expect("a record");
        record["kind"] == "scan"
    };
    let all = records.iter().filter(|(_, bytes)| is_scan(bytes));
    all.map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn records(garden: &Garden) -> BTreeMap<String, Vec<u8>> {
    files(&garden.path(".neuronotes/store/v1/records"))
}

/// The result of the histogram.
fn histogram(garden: &Garden) -> serde_json::Value {
    let all = records(garden).into_values();
    let mut all = all.map(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes));
    let record = all
        .find_map(|record| record.ok().filter(|record| record["kind"] == "activation_histogram"));
    record.expect("a histogram")["result"].clone()
}

/// Builds, which must measure the scans that are missing and none of those that were `kept`.
fn goes_on(garden: &Garden, kept: &BTreeMap<String, Vec<u8>>, shards: usize) {
    let run = garden.run(&["build", "--strict"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let now = records(garden);
    let (kept, now) = (scans(kept), scans(&now));
    assert!(!kept.is_empty() && kept.len() < shards, "{} of {shards} were kept", kept.len());
    assert_eq!(now.len(), shards);
    for (name, record) in kept {
        assert!(now[name] == record, "{name} was measured again");
    }
    assert_eq!(garden.run(&["store", "verify"]).code(), 0);
    let store = garden.path(".neuronotes/store/v1");
    for left in ["partial", "claims", "failures"] {
        assert!(files(&store.join(left)).is_empty(), "{left}");
    }
}

/// A build that has scanned one shard, and not all.
fn scanning(garden: &Garden) -> Child {
    let run = garden.command(&["build"]).stderr(Stdio::piped()).spawn().expect("a run");
    one_scanned(garden);
    run
}

fn one_scanned(garden: &Garden) {
    let records = garden.path(".neuronotes/store/v1/records");
    wait("the first shard's scan", || (!files(&records).is_empty()).then_some(()));
}

fn ended(run: Child) -> Run {
    Run(run.wait_with_output().expect("an end"))
}

#[test]
fn a_scan_that_fills_the_disk_keeps_its_whole_shards_and_goes_on_there() {
    // More of the store is this one shard than all others.
    let shards = [8, 8, 8, 8, 8, 100, 8, 8];
    let whole = garden(&shards);
    assert_eq!(whole.run(&["build", "--strict"]).code(), 0);
    let pages = |bytes: &Vec<u8>| bytes.len().next_multiple_of(4096) as u64;
    let room = files(&whole.path(".neuronotes")).values().map(pages).sum::<u64>() / 2;

    let garden = garden(&shards);
    let (run, left) = during(&garden, ".neuronotes", Fault::Room(room), &["build"]);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    assert!(said.contains("notes/a.md:1:1") && said.contains("the store cannot write"), "{said}");
    // The second is what a system says that mounts nothing for a test.
    let hints = ["the disk is full: free some space", "does not allow files of that size"];
    assert!(hints.iter().any(|hint| said.contains(hint)), "{said}");
    let beginning = "store/v1/";
    assert!(!left.keys().any(|name| name.contains("v1/tmp/")), "{:?}", left.keys());
    let state = garden.path(".neuronotes");
    for (name, bytes) in &left {
        let path = state.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    assert!(left.keys().any(|name| name.starts_with(beginning)), "{:?}", left.keys());
    assert_eq!(garden.run(&["store", "verify"]).code(), 0, "what is left is whole");
    let kept = records(&garden);
    assert_eq!(scans(&kept).len(), 5, "those in front of the large one");
    goes_on(&garden, &kept, shards.len());
    assert_eq!(histogram(&garden), histogram(&whole));
}

/// How a data set goes away.
#[derive(Debug, Clone, Copy)]
enum Goes {
    /// With its folder.
    Whole,
    /// Its folder is an empty one, as under a file system that is no longer mounted.
    Unmounted,
    /// The program that serves the file system dies, as `sshfs` does when the connection is lost.
    Disconnected,
}

#[test]
fn a_data_set_that_goes_away_during_its_scan_is_named_and_its_scan_goes_on_when_it_is_back() {
    let shards = [60; 10];
    for goes in [Goes::Whole, Goes::Unmounted, Goes::Disconnected] {
        let garden = garden(&shards);
        let (data, away) = (garden.path("data"), garden.path("away"));
        let mut share: Option<Share> = None;
        if let Goes::Disconnected = goes {
            fs::rename(&data, &away).expect("renamed");
            fs::create_dir(&data).expect("a folder");
            share = Share::mount(&away, &data);
            if share.is_none() {
                continue;
            }
        }
        let run = scanning(&garden);
        match &mut share {
            Some(share) => share.dies(),
            None => fs::rename(&data, &away).expect("renamed"),
        }
        if let Goes::Unmounted = goes {
            fs::create_dir(&data).expect("a folder");
        }
        let run = ended(run);
        is_away(&garden, &run);
        if let Goes::Disconnected = goes {
            assert!(run.stderr().contains("Transport endpoint"), "{}", run.stderr());
        }
        let kept = records(&garden);
        // As long as it is away, nothing else is said, and nothing is lost.
        let run = garden.run(&["build"]);
        assert_eq!(run.code(), 1, "{goes:?}: {}", run.stderr());
        // The first whose digest is not known from before.
        let named = (0..shards.len()).any(|at| run.stderr().contains(&format!("data/{at:02}")));
        assert!(named, "{goes:?}: {}", run.stderr());
        assert!(records(&garden) == kept, "{goes:?}");
        drop(share);
        if !matches!(goes, Goes::Whole) {
            fs::remove_dir(&data).expect("an empty folder");
        }
        fs::rename(&away, &data).expect("it comes back");
        goes_on(&garden, &kept, shards.len());
    }
}

/// A folder by way of a file system that a program serves.
struct Share {
    program: Child,
    place: PathBuf,
}

impl Share {
    /// `None`, which is said, where there is no such program, or nobody may mount.
    fn mount(folder: &Path, place: &Path) -> Option<Self> {
        let mut bindfs = Command::new("bindfs");
        let program = bindfs.arg("-f").args([folder, place]).stderr(Stdio::null()).spawn();
        let Ok(program) = program else {
            eprintln!("NOT TESTED: a share whose connection is lost, since there is no bindfs");
            return None;
        };
        let mut share = Self { program, place: place.to_owned() };
        let is_mounted = || place.join("00").is_dir();
        wait("a mount, or its end", || {
            (is_mounted() || share.program.try_wait().expect("a state").is_some()).then_some(())
        });
        if !is_mounted() {
            eprintln!("NOT TESTED: a share whose connection is lost, since bindfs mounts nothing");
            return None;
        }
        Some(share)
    }

    fn dies(&mut self) {
        self.program.kill().expect("killed");
        self.program.wait().expect("an end");
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        for (program, arguments) in
            [("fusermount", &["-u", "-z"][..]), ("fusermount3", &["-u", "-z"]), ("umount", &["-l"])]
        {
            let mut command = Command::new(program);
            command.args(arguments).arg(&self.place).stderr(Stdio::null());
            if command.status().is_ok_and(|status| status.success()) {
                break;
            }
        }
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The message at the block whose data set went away.
fn is_away(garden: &Garden, run: &Run) {
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    let data = garden.path("data").canonicalize().unwrap_or_else(|_| garden.path("data"));
    assert!(said.contains("notes/a.md:1:1") && said.contains(&*data.to_string_lossy()), "{said}");
    assert!(said.contains("cannot be read"), "{said}");
    assert!(said.contains("hint: if it is on a network share or a removable disk"), "{said}");
}

#[test]
fn a_share_that_answers_no_more_during_a_scan_is_an_error_and_no_picture_is_skipped() {
    let shards = [60; 10];
    let garden = garden(&shards);
    let data = garden.path("data");
    let records_at = garden.path(".neuronotes/store/v1/records");
    // Memory of a process at an address where there is none is a file that cannot be read: EIO, as of a share.
    let script = "data=$1; records=$2; shift 2\n\
                  mount --bind /proc/$$/mem \"$data/00/00-00.png\" || exit 99\n\
                  umount \"$data/00/00-00.png\"\n\
                  \"$@\" & run=$!\n\
                  until [ -n \"$(find \"$records\" -type f 2>/dev/null | head -1)\" ]; do sleep 0.02; done\n\
                  find \"$data\" -type f | while read -r file; do mount --bind /proc/$$/mem \"$file\"; done\n\
                  wait $run";
    let asked = garden.command(&["build"]);
    let mut command = Command::new("unshare");
    command.args(["-r", "-m", "sh", "-c", script, "sh"]).arg(&data).arg(&records_at);
    command.arg(asked.get_program()).args(asked.get_args());
    for (name, value) in asked.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    let run = command.output().map(Run);
    let run = match run {
        Ok(run) if run.code() != 99 && !run.stderr().starts_with("unshare") => run,
        _ => {
            // That a data set is gone altogether is tested on every machine, above.
            eprintln!("THIS MACHINE MOUNTS NOTHING FOR A TEST: no share fails to answer");
            return;
        }
    };
    is_away(&garden, &run);
    assert!(run.stderr().contains("Input/output error"), "{}", run.stderr());
    let kept = records(&garden);
    goes_on(&garden, &kept, shards.len());
}

/// The file of a picture of the garden above.
fn file(garden: &Garden, key: &str, ending: &str) -> PathBuf {
    garden.path(&format!("data/{}/{key}.{ending}", &key[..2]))
}

const EXAMPLES: &str = "It is `= examples.top[0].key`.\n\n";

fn examples() -> String {
    format!("{EXAMPLES}{}", block("dataset_examples", 3, "id: examples\ntop: 3\n"))
}

/// The text of the first value of a page.
fn value(page: &str) -> String {
    let shown = page.split("<data class=\"value\"").nth(1).and_then(|rest| rest.split_once('>'));
    let text = shown.and_then(|(_, rest)| rest.split('<').next());
    text.expect("a value").to_owned()
}

#[test]
fn a_caption_that_is_edited_during_a_scan_is_the_one_that_is_shown_and_no_picture_is_scanned_again()
{
    let shards = [60; 10];
    let first = garden(&shards);
    first.note("a.md", &examples());
    first.built();
    let key = value(&first.page("a.html"));
    assert!(first.page("a.html").contains(&format!("early {key}")));

    let garden = garden(&shards);
    garden.note("a.md", &examples());
    let preview = Preview::of(&garden);
    // Data sets are looked at while a page is open.
    let _open = preview.news("a.html");
    one_scanned(&garden);
    let before = stored(&garden);
    fs::write(file(&garden, &key, "txt"), format!("late {key}")).expect("text");
    assert!(before["scan"] < shards.len(), "the scan goes on: {before:?}");
    wait("the figure", || preview.get("a.html").1.contains(&format!("late {key}")).then_some(()));
    let page = preview.get("a.html").1;
    assert!(!page.contains(&format!("early {key}")), "{page}");
    drop(preview);
    // As many as there are shards: none was scanned once more for the new caption.
    assert_eq!(stored(&garden)["scan"], shards.len());
    assert!(garden.built().summary().contains(": 0 figures measured"));
}
