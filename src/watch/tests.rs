//! The watch over real folders: which changes it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::config::layout::Layout;

use super::change::within;
use super::{Change, Mode, Watch};

/// A garden with a watch over it.
struct Garden {
    dir: tempfile::TempDir,
    watch: Watch,
    changes: Receiver<Change>,
}

impl Garden {
    fn new(mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in [("notes/a.md", "one"), ("notes/deep/b.md", "two")] {
            write(dir.path(), name, text);
        }
        let (sender, changes) = mpsc::channel();
        let watch = Watch::start(dir.path(), &Layout::default(), mode, move |change| {
            let _ = sender.send(change);
        });
        Self { watch: watch.expect("a watch"), dir, changes }
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) {
        write(self.root(), name, text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.root().join(from), self.root().join(to)).expect("renamed");
    }

    /// Waits until each of these paths, or a folder that contains it, is reported.
    fn told(&self, wanted: &[&str]) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let until = Instant::now() + Duration::from_secs(10);
        let covered = |told: &BTreeSet<String>, name: &str| told.iter().any(|p| within(name, p));
        while !wanted.iter().all(|name| covered(&told, name)) {
            let left = until.saturating_duration_since(Instant::now());
            match self.changes.recv_timeout(left) {
                Ok(change) => told.extend(change.paths),
                Err(_) => panic!("of {wanted:?} only {told:?} is told"),
            }
        }
        told
    }

    /// Makes sure that nothing more is under way: earlier changes are reported before this one.
    fn quiet(&self) -> BTreeSet<String> {
        self.write("notes/marker.png", "a marker");
        let mut told = self.told(&["notes/marker.png"]);
        while let Ok(change) = self.changes.recv_timeout(Duration::from_millis(300)) {
            told.extend(change.paths);
        }
        told.remove("notes/marker.png");
        told
    }
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn every_way_of_saving_is_told(mode: Mode) {
    let garden = Garden::new(mode);
    garden.write("notes/a.md", "in place");
    garden.told(&["notes/a.md"]);
    garden.write("notes/.a.md.tmp", "by a rename");
    garden.rename("notes/.a.md.tmp", "notes/a.md");
    garden.told(&["notes/a.md"]);
    garden.rename("notes/a.md", "notes/A.md");
    garden.told(&["notes/a.md", "notes/A.md"]);
    fs::remove_file(garden.root().join("notes/A.md")).expect("removed");
    garden.told(&["notes/A.md"]);
    garden.write("neuronotes.yaml", "title: A");
    garden.told(&["neuronotes.yaml"]);
    garden.write("templates/note.html", "a template");
    garden.told(&["templates/note.html"]);
    garden.quiet();
    let _ = fs::read(garden.root().join("notes/deep/b.md")).expect("read");
    garden.write("notes/b.md~", "a backup");
    garden.write("notes/.#b.md", "a lock");
    garden.write(".git/index", "git's");
    garden.write("output/index.html", "ours");
    garden.write(".neuronotes/store/x", "ours");
    assert_eq!(garden.quiet(), BTreeSet::new(), "reading and noise");
}

#[test]
fn events_tell_of_every_way_of_saving() {
    every_way_of_saving_is_told(Mode::Native);
}

#[test]
fn polling_tells_of_every_way_of_saving() {
    every_way_of_saving_is_told(Mode::Poll);
}

fn folders_that_come_and_go_are_told(mode: Mode) {
    let garden = Garden::new(mode);
    // Made all at once: much of it is there before anybody can watch it.
    for number in 0..40 {
        garden.write(&format!("notes/new/{number}/deep/c.md"), "three");
    }
    let names: Vec<String> = (0..40).map(|n| format!("notes/new/{n}/deep/c.md")).collect();
    garden.told(&names.iter().map(String::as_str).collect::<Vec<_>>());
    garden.quiet();
    for name in names.iter().step_by(13) {
        garden.write(name, "changed");
        garden.told(&[name]);
    }
    garden.quiet();
    // Out of the garden, changed there, and in again under another name.
    let outside = tempfile::tempdir_in(garden.root().parent().expect("a folder"));
    let outside = outside.expect("a folder").path().join("away");
    fs::create_dir_all(outside.parent().expect("a folder")).expect("a folder");
    fs::rename(garden.root().join("notes/new"), &outside).expect("moved out");
    garden.told(&["notes/new"]);
    garden.quiet();
    fs::write(outside.join("0/deep/c.md"), "unseen").expect("a file");
    assert_eq!(garden.quiet(), BTreeSet::new(), "a folder that was moved out");
    fs::rename(&outside, garden.root().join("notes/again")).expect("moved in");
    garden.told(&["notes/again"]);
    garden.quiet();
    garden.write("notes/again/7/deep/c.md", "seen again");
    garden.told(&["notes/again/7/deep/c.md"]);
    // The whole folder of notes is replaced.
    fs::remove_dir_all(garden.root().join("notes")).expect("removed");
    garden.told(&["notes/deep/b.md"]);
    garden.write("notes/c.md", "in a folder made again");
    garden.told(&["notes/c.md"]);
    garden.quiet();
    garden.write("notes/c.md", "changed in a folder made again");
    garden.told(&["notes/c.md"]);
}

#[test]
fn events_tell_of_folders_that_come_and_go() {
    folders_that_come_and_go_are_told(Mode::Native);
}

#[test]
fn polling_tells_of_folders_that_come_and_go() {
    folders_that_come_and_go_are_told(Mode::Poll);
}

fn pictures_are_told_while_they_are_wanted(mode: Mode) {
    let mut garden = Garden::new(mode);
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    garden.write("art/deep/a.png", "a picture");
    garden.write("art/b.png", "another");
    garden.told(&["art"]);
    garden.quiet();
    garden.watch.widen(&Layout::default(), &set(&["art/deep", "notes/.own"])).expect("watched");
    garden.told(&["art/deep"]);
    garden.quiet();
    garden.write("art/deep/a.png", "changed");
    garden.told(&["art/deep/a.png"]);
    garden.write("art/b.png", "nobody names it");
    assert_eq!(garden.quiet(), BTreeSet::new());
    garden.rename("art", "old-art");
    garden.write("art/deep/a.png", "in another folder");
    garden.told(&["art/deep/a.png"]);
    garden.quiet();
    garden.write("art/deep/a.png", "and changed there");
    garden.told(&["art/deep/a.png"]);
    garden.watch.widen(&Layout::default(), &set(&["notes"])).expect("watched");
    garden.quiet();
    garden.write("art/deep/a.png", "nobody names it any more");
    assert_eq!(garden.quiet(), BTreeSet::new());
}

#[test]
fn events_tell_of_pictures_while_they_are_wanted() {
    pictures_are_told_while_they_are_wanted(Mode::Native);
}

#[test]
fn polling_tells_of_pictures_while_they_are_wanted() {
    pictures_are_told_while_they_are_wanted(Mode::Poll);
}

fn a_garden_of_another_layout_is_watched(mode: Mode) {
    let mut garden = Garden::new(mode);
    garden.write(".obsidian/app.json", "{}");
    garden.quiet();
    let config = crate::config::Config { notes: Some(String::new()), ..Default::default() };
    let vault = Layout::of(garden.root(), &config).expect("a vault");
    garden.watch.widen(&vault, &BTreeSet::new()).expect("watched");
    garden.quiet();
    garden.write("deep/er/c.md", "a note");
    garden.told(&["deep/er/c.md"]);
    garden.quiet();
    garden.write("deep/er/c.md", "changed");
    garden.write("a.md", "at the top");
    garden.told(&["deep/er/c.md", "a.md"]);
    garden.quiet();
    for noise in ["output/a.html", ".trash/c.md", ".obsidian/app.json", "node_modules/x/a.md"] {
        garden.write(noise, "others'");
    }
    let told = garden.quiet();
    assert!(told.iter().all(|path| !vault.reads(path)), "{told:?}");
    // One that is some folders down, and is not there yet.
    let config = crate::config::Config { notes: Some("my/own".into()), ..Default::default() };
    let nested = Layout::of(garden.root(), &config).expect("a garden");
    garden.watch.widen(&nested, &BTreeSet::new()).expect("watched");
    garden.write("my/own/a.md", "a note");
    garden.told(&["my/own/a.md"]);
}

#[test]
fn events_tell_of_gardens_of_other_layouts() {
    a_garden_of_another_layout_is_watched(Mode::Native);
}

#[test]
fn polling_tells_of_gardens_of_other_layouts() {
    a_garden_of_another_layout_is_watched(Mode::Poll);
}

#[test]
#[cfg(target_os = "linux")]
fn a_garden_that_is_removed_and_made_again_is_watched_again() {
    let garden = Garden::new(Mode::Native);
    let away = garden.root().with_extension("away");
    fs::rename(garden.root(), &away).expect("renamed");
    assert!(garden.changes.recv_timeout(Duration::from_secs(10)).is_ok(), "it is gone");
    garden.write("notes/a.md", "in another garden of that name");
    let until = Instant::now() + Duration::from_secs(10);
    let all = garden.changes.recv_timeout(until - Instant::now()).expect("a change").all;
    assert!(all, "everything is another one");
    garden.quiet();
    garden.write("notes/a.md", "changed");
    garden.told(&["notes/a.md"]);
    fs::remove_dir_all(&away).expect("removed");
}

#[test]
#[cfg(unix)]
fn notes_may_lie_elsewhere_behind_a_link() {
    for mode in [Mode::Native, Mode::Poll] {
        let garden = Garden::new(mode);
        let elsewhere = tempfile::tempdir().expect("a temporary folder");
        write(elsewhere.path(), "one/a.md", "other");
        write(elsewhere.path(), "two/a.md", "two");
        let notes = garden.root().join("notes");
        fs::remove_dir_all(&notes).expect("removed");
        std::os::unix::fs::symlink(elsewhere.path().join("one"), &notes).expect("a link");
        garden.told(&["notes/a.md"]);
        garden.quiet();
        write(elsewhere.path(), "one/a.md", "changed");
        garden.told(&["notes/a.md"]);
        garden.quiet();
        // Another link takes its place.
        let other = garden.root().join("other");
        std::os::unix::fs::symlink(elsewhere.path().join("two"), &other).expect("a link");
        fs::rename(&other, &notes).expect("renamed over");
        garden.told(&["notes/a.md"]);
        garden.quiet();
        write(elsewhere.path(), "two/a.md", "changed");
        garden.told(&["notes/a.md"]);
    }
}

#[test]
fn a_dropped_watch_ends_its_thread() {
    for mode in [Mode::Native, Mode::Poll] {
        let Garden { dir, watch, changes } = Garden::new(mode);
        drop(watch);
        // The thread owns the sender of changes.
        let ended = changes.recv_timeout(Duration::from_secs(10));
        assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected), "{mode:?}");
        drop(dir);
    }
}

/// Makes random changes among few names, so that they collide.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn folder(&mut self) -> String {
        let mut path = "notes".to_owned();
        for _ in 0..self.below(4) {
            path.push_str(["/p", "/q", "/r"][self.below(3) as usize]);
        }
        path
    }

    fn file(&mut self) -> String {
        format!("{}/{}.md", self.folder(), ["a", "A", "b"][self.below(3) as usize])
    }

    /// A random change, which may fail, for example because a name is taken.
    fn act(&mut self, root: &Path, number: u64) {
        let text = format!("text {number}");
        let (file, other) = (root.join(self.file()), root.join(self.file()));
        let (folder, place) = (root.join(self.folder()), root.join(self.folder()));
        let _ = match self.below(9) {
            0..=2 => fs::create_dir_all(file.parent().unwrap_or(root)).and(fs::write(file, text)),
            3 => fs::write(file, text),
            4 => fs::rename(file, other),
            5 => fs::remove_file(file),
            6 | 7 if folder != root.join("notes") => fs::rename(folder, place),
            8 if folder != root.join("notes") => fs::remove_dir_all(folder),
            _ => Ok(()),
        };
    }
}

/// The files of a folder, or a single file, by path in the garden.
fn read(root: &Path, path: &str) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(root.join(path)).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let name =
        |path: &Path| path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
    files
        .filter_map(|file| Some((name(file.path()), fs::read_to_string(file.path()).ok()?)))
        .collect()
}

/// Reading only the reported paths is enough to know all files, whatever happens.
fn what_is_told_is_enough(mode: Mode, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let garden = Garden::new(mode);
        let mut known = read(garden.root(), "notes");
        let mut chance = Chance(seed);
        for burst in 0..12 {
            for number in 0..chance.below(60) {
                chance.act(garden.root(), burst * 100 + number);
            }
            let until = Instant::now() + Duration::from_secs(10);
            loop {
                let there = read(garden.root(), "notes");
                // Changes under way may still be reported, now or in the next round.
                let wait = if known == there { 1 } else { 300 };
                match garden.changes.recv_timeout(Duration::from_millis(wait)) {
                    Ok(change) => {
                        let all = change.all.then(|| String::from("notes"));
                        for path in change.paths.iter().chain(&all) {
                            known.retain(|name, _| !within(name, path));
                            known.extend(read(garden.root(), path));
                        }
                    }
                    Err(_) if known == there => break,
                    Err(_) => assert!(
                        Instant::now() < until,
                        "seed {seed}, burst {burst}: known is {known:#?}, there is {there:#?}"
                    ),
                }
            }
        }
    }
}

#[test]
fn events_tell_enough() {
    what_is_told_is_enough(Mode::Native, 0..5);
}

#[test]
fn polling_tells_enough() {
    what_is_told_is_enough(Mode::Poll, 0..2);
}
