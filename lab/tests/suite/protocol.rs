//! The built binary, as `neuronotes` sees it.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command as Process, Stdio};

use neuronotes_core::dataset::{DatasetRef, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::activation_histogram;
use neuronotes_core::protocol::{Command, Event};
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;
use serde_json::json;

use crate::support::{
    dataset, emoji_weights, histogram_request, model, shard, small_weights, vis_request,
};

pub struct Lab {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Lab {
    pub fn start(folder: &Path, device: &str) -> Self {
        let mut child = Process::new(env!("CARGO_BIN_EXE_neuronotes-lab"))
            .args(["serve", "--device", device, "--store"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a lab");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("an output")).lines();
        Self { child, input, output }
    }

    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an open input");
        writeln!(input, "{line}").expect("write");
    }

    pub fn run(&mut self, request: &Request) -> Digest {
        let command = Command::Run { request: Box::new(request.clone()), halve: false };
        self.say(&serde_json::to_string(&command).expect("JSON"));
        request.key()
    }

    pub fn cancel(&mut self, key: Digest) {
        self.say(&serde_json::to_string(&Command::Cancel { key }).expect("JSON"));
    }

    pub fn hear(&mut self) -> Event {
        let line = self.output.next().expect("an event").expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub fn order(&mut self, groups: &[&[Digest]]) {
        let groups = groups.iter().map(|group| group.to_vec()).collect();
        self.say(&serde_json::to_string(&Command::Order { groups }).expect("JSON"));
    }

    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("an end");
    }

    /// The next event that is no progress, and what went before it.
    pub fn result(&mut self) -> (Vec<Event>, Event) {
        let mut before = Vec::new();
        loop {
            match self.hear() {
                event @ (Event::Progress { .. } | Event::Along { .. }) => before.push(event),
                event => return (before, event),
            }
        }
    }

    pub fn end(mut self) {
        self.input = None;
        for line in self.output.by_ref() {
            let line = line.expect("a line");
            serde_json::from_str::<Event>(&line).expect("nothing but events");
        }
        assert!(self.child.wait().expect("an exit").success());
    }
}

#[test]
fn requests_are_measured_cancelled_and_refused_one_by_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cpu");
    let Event::Ready { device, device_name, libtorch, version } = lab.hear() else {
        panic!("ready first");
    };
    assert_eq!((device.as_str(), libtorch.as_str()), ("cpu", "2.11.0"));
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    assert!(!device_name.is_empty());

    let small = model(&small_weights());
    let first = vis_request(small.clone(), json!({}));
    lab.say("{ this is no command");
    lab.say("");
    let key = lab.run(&first);
    let (progress, done) = lab.result();
    assert!(matches!(done, Event::Done { key: k, seconds } if k == key && seconds > 0.0));
    let Some(Event::Progress { stage, step, total, unit, .. }) = progress.last() else {
        panic!("some progress");
    };
    assert_eq!((stage.as_str(), *step, *total, unit.as_str()), ("optimising", 30, 30, "step"));
    let store = Store::open(dir.path()).expect("a store");
    assert!(store.record(&key).is_some());

    // What is stored is not measured again.
    lab.run(&first);
    let (progress, done) = lab.result();
    assert!(progress.is_empty() && matches!(done, Event::Done { .. }), "{done:?}");

    // One that runs, one that waits: both are given up, and one after them is measured.
    let long = vis_request(small.clone(), json!({ "steps": 60000, "seed": 1 }));
    let waiting = vis_request(small.clone(), json!({ "seed": 2 }));
    let last = vis_request(small.clone(), json!({ "seed": 3, "steps": 2 }));
    let (long, waiting, last) = (lab.run(&long), lab.run(&waiting), lab.run(&last));
    let picture = loop {
        match lab.hear() {
            Event::Progress { key, picture: Some(picture), step, seconds_left, .. } if step > 1 => {
                assert_eq!(key, long);
                assert!(seconds_left.is_some_and(|left| left > 1.0));
                break picture;
            }
            Event::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(fs::read(&picture).expect("a picture").starts_with(b"\x89PNG"));
    lab.cancel(waiting);
    assert_eq!(lab.result().1, Event::Cancelled { key: waiting });
    lab.cancel(long);
    assert_eq!(lab.result().1, Event::Cancelled { key: long });
    assert!(!picture.exists());
    lab.cancel(Digest::of(b"nothing"));
    assert!(matches!(lab.result().1, Event::Done { key, .. } if key == last));

    // A failure is its own.
    let wrong = vis_request(small.clone(), json!({ "layer": "visual.layer4.0.ad" }));
    let wrong = lab.run(&wrong);
    let Event::Failed { key, message, hint, .. } = lab.result().1 else {
        panic!("a failure");
    };
    assert_eq!(key, wrong);
    assert!(message.contains("visual.layer4.0.ad"), "{message}");
    assert!(hint.is_some_and(|hint| hint.contains("visual.layer4.0.add")));
    lab.run(&vis_request(small, json!({ "seed": 4, "steps": 2 })));
    assert!(matches!(lab.result().1, Event::Done { .. }));
    lab.end();
}

#[test]
fn the_end_of_the_input_ends_the_lab_at_its_next_step() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "auto");
    assert!(matches!(lab.hear(), Event::Ready { .. }));
    let long = vis_request(model(&emoji_weights()), json!({ "steps": 60000 }));
    let key = lab.run(&long);
    assert!(matches!(lab.hear(), Event::Progress { .. }));
    lab.end();
    assert!(Store::open(dir.path()).expect("a store").record(&key).is_none());
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cuda:99");
    let Event::Unusable { message, hint } = lab.hear() else {
        panic!("unusable");
    };
    assert!(message.contains("cuda:99") && hint.is_some(), "{message}");
    assert!(!lab.child.wait().expect("an exit").success());
}

#[test]
fn one_request_can_be_run_from_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let request = vis_request(model(&small_weights()), json!({ "steps": 2 }));
    let file = dir.path().join("request.json");
    fs::write(&file, serde_json::to_vec(&request).expect("JSON")).expect("write");
    let run = |file: &Path| {
        Process::new(env!("CARGO_BIN_EXE_neuronotes-lab"))
            .args(["run", "--device", "cpu", "--threads", "1", "--store"])
            .args([dir.path(), file])
            .output()
            .expect("a lab")
    };
    let output = run(&file);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), request.key().hex());
    assert!(output.status.success());
    let output = run(&dir.path().join("nowhere.json"));
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
}

#[test]
fn pictures_and_films_are_made_without_a_garden() {
    let dir = tempfile::tempdir().expect("a folder");
    let vis = |more: &[&str]| {
        let mut command = Process::new(env!("CARGO_BIN_EXE_neuronotes-lab"));
        command.args(["vis", "--activation", "quick_gelu", "--device", "cpu"]);
        command.args(["--layer", "visual.layer4.0.add", "--set", "steps=3", "--set", "size=48"]);
        command.arg("--model").arg(small_weights()).arg("--out").arg(dir.path()).args(more);
        let output = command.output().expect("a run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = vis(&["--unit", "1,2", "--frames", "3"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.lines().count(), 4, "{out}");
    let mut names: Vec<String> = fs::read_dir(dir.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["unit-1.png", "unit-1.webp", "unit-2.png", "unit-2.webp"]);
    let bytes = fs::read(dir.path().join("unit-2.png")).expect("a picture");
    let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().expect("a PNG");
    let text = reader.info().utf8_text[0].get_text().expect("a text");
    assert!(text.contains("\"unit\":2") && text.contains("\"steps\":3"), "{text}");
    for (more, part) in [
        (&["--unit", "1", "--recipe", "lucit"][..], "the recipes are lucid, paper, draft, maco"),
        (&["--unit", "1", "--set", "stps=1"], "unknown field `stps`"),
        (&["--unit", "1", "--set", "size=5"], "`size` is 5"),
        (&["--unit", "1", "--frames", "121"], "`frames` is 121"),
        (&["--unit", "99999"], "has no unit 99999"),
    ] {
        let (code, _, err) = vis(more);
        assert!(code == Some(1) && err.contains(part), "{more:?}: {err}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 4, "nothing is left behind");
}

#[test]
fn a_request_that_still_waits_for_company_can_be_cancelled() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut lab = Lab::start(dir.path(), "cpu");
    assert!(matches!(lab.hear(), Event::Ready { .. }));
    let long =
        |unit: u32| vis_request(model(&small_weights()), json!({ "steps": 60000, "unit": unit }));
    let first = lab.run(&long(1));
    lab.cancel(first);
    assert!(matches!(lab.result().1, Event::Cancelled { key } if key == first));
    lab.end();
}

#[test]
fn while_a_data_set_is_scanned_questions_are_answered_from_the_shards_that_are_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> =
        (1..=5).map(|n| shard(&dir.path().join(n.to_string()), 4 + n)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let data = dataset(&format::tar::FORMAT, &paths);
    let asked = |data: DatasetRef, unit: u32| {
        histogram_request(model(&small_weights()), data, json!({ "unit": unit }))
    };
    let (first, second) = (asked(data.clone(), 3), asked(data.clone(), 5));
    let partial = serde_json::to_string(&Command::Partial).expect("JSON");
    for says in [false, true] {
        let store = dir.path().join(format!("store-{says}"));
        let mut lab = Lab::start(&store, "cpu");
        assert!(matches!(lab.hear(), Event::Ready { .. }));
        if says {
            lab.say(&partial);
        }
        let keys = [lab.run(&first), lab.run(&second)];
        let is_along = |event: &&Event| match event {
            Event::Along { key, waiting } => (*key, waiting.as_slice()) == (keys[0], &keys[1..]),
            _ => false,
        };
        let mut early = Vec::new();
        let mut done = Vec::new();
        let mut along = 0;
        while done.len() < 2 {
            let (before, result) = lab.result();
            along += before.iter().filter(|event| is_along(event)).count();
            match result {
                Event::Partial { key, part, images, shards } => {
                    assert!(!done.contains(&key), "after the whole");
                    early.push((key, part, images, shards));
                }
                Event::Done { key, .. } => done.push(key),
                other => panic!("{other:?}"),
            }
        }
        lab.end();
        assert_eq!(done, keys);
        assert_eq!(along, 5, "the second waits for each of the five scans");
        if !says {
            assert_eq!(early, []);
            continue;
        }
        // Of five to eight pictures, one is broken.
        assert_eq!(early[0].2, 4);
        let store = Store::open(&store).expect("a store");
        for (key, part, images, shards) in early {
            // They are ordinary results over the first shards.
            let of = DatasetRef { shards: data.shards[..shards].to_vec(), ..data.clone() };
            let unit = if key == keys[0] { 3 } else { 5 };
            assert_eq!(part, asked(of, unit).key());
            assert_eq!(images, (1..=shards as u64).map(|n| 3 + n).sum::<u64>());
            let record = store.record(&part).expect("a record");
            let outcome: activation_histogram::Outcome = record.result(&store).expect("a result");
            assert_eq!(outcome.count, images);
        }
    }
}
