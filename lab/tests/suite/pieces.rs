//! Data sets that are scanned in pieces, and scans that share a pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use neuronotes_core::dataset::{DatasetRef, ShardRef, Table, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{activation_histogram, dataset_examples, scan};
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::monitor::{Monitor, Progress, Silent};
use serde_json::json;

use crate::protocol::Lab;
use crate::support::{
    archive, cut, dataset, emoji_weights, examples_request, histogram_request, in_pieces, model,
    picture, png, repository, scans, session, small_weights,
};

/// A folder of pictures `00.png` …, each with a caption.
fn folder(dir: &Path, count: u32) -> PathBuf {
    let folder = dir.join("pictures");
    fs::create_dir_all(&folder).expect("a folder");
    for at in 0..count {
        paint(&folder, at, at);
        fs::write(folder.join(format!("{at:02}.txt")), format!("number {at}")).expect("written");
    }
    folder
}

fn paint(folder: &Path, at: u32, seed: u32) {
    fs::write(folder.join(format!("{at:02}.png")), png(&picture(seed, 70, 64))).expect("written");
}

fn histogram(data: &DatasetRef, layer: &str) -> Request {
    histogram_request(model(&small_weights()), data.clone(), json!({ "layer": layer, "unit": 3 }))
}

/// The same of the real network, which takes long enough for something to happen meanwhile.
fn slow_histogram(data: &DatasetRef, layer: &str) -> Request {
    histogram_request(model(&emoji_weights()), data.clone(), json!({ "layer": layer, "unit": 3 }))
}

/// Counts the pictures that are shown to the network, and may do something at a step.
#[derive(Default)]
struct Count<'a> {
    shown: u64,
    last: Option<u64>,
    total: u64,
    act: Option<Box<dyn FnMut() + 'a>>,
}

impl<'a> Count<'a> {
    fn doing(act: impl FnMut() + 'a) -> Self {
        Self { act: Some(Box::new(act)), ..Self::default() }
    }
}

impl Monitor for Count<'_> {
    fn progress(&mut self, progress: &Progress<'_>) {
        if !progress.stage.starts_with("scanning") {
            return;
        }
        self.shown += progress.step.saturating_sub(self.last.unwrap_or(progress.step));
        (self.last, self.total) = (Some(progress.step), progress.total);
        if let Some(act) = &mut self.act {
            act();
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn pieces_are_scanned_one_by_one_and_answer_as_the_whole_does() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), 40);
    let tar = dir.path().join("a.tar");
    let files = |at: u32| {
        [
            (format!("{at:02}.png"), png(&picture(at, 70, 64))),
            (format!("{at:02}.txt"), format!("number {at}").into_bytes()),
        ]
    };
    archive(&tar, &(0..40).flat_map(files).collect::<Vec<_>>());
    for (format, path) in [(&format::folder::FORMAT, &path), (&format::tar::FORMAT, &tar)] {
        let session = session(&dir.path().join(format.name));
        let (cut, whole) = (in_pieces(format, path, 12), dataset(format, &[path]));
        assert!(cut.shards.len() >= 4);
        let mut outcomes = Vec::new();
        for data in [&cut, &whole] {
            let request = examples_request(model(&small_weights()), data.clone(), json!({}));
            let mut count = Count::default();
            let record = session.measure(&request, &mut count).expect("a record");
            assert_eq!((count.shown, count.last), (40, Some(40)));
            let outcome = record.result::<dataset_examples::Outcome>(session.store());
            outcomes.push(outcome.expect("a result"));
            for scan in &request.uses {
                let record = session.store().record(&scan.key()).expect("a scan");
                let ledger = record.result::<scan::Outcome>(session.store()).expect("a result");
                let count = scan.dataset.as_ref().and_then(|data| data.shards[0].count);
                assert_eq!(ledger.count, count.unwrap_or(40));
            }
        }
        let shown = |outcome: &dataset_examples::Outcome| {
            let one = |e: &dataset_examples::Example| (e.key.clone(), e.caption.clone());
            outcome.top.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(shown(&outcomes[0]), shown(&outcomes[1]));
        assert!(outcomes[0].top[0].caption.as_deref().is_some_and(|c| c.starts_with("number")));
        assert!((outcomes[0].mean - outcomes[1].mean).abs() < 1e-3);
    }
}

/// A table of the pictures of [`folder`], each with a label.
fn table(dir: &Path, rows: &[u32], label: &str) -> PathBuf {
    let row = |at: &u32| format!("pictures/{at:02}.png,number {at},{label} {}\n", at % 3);
    let rows: String = rows.iter().map(row).collect();
    fs::write(dir.join("table.csv"), format!("path,caption,label\n{rows}")).expect("written");
    dir.join("table.csv")
}

#[test]
fn tables_are_scanned_in_pieces_and_answer_as_the_whole_does() {
    let dir = tempfile::tempdir().expect("a folder");
    folder(dir.path(), 44);
    let rows: Vec<u32> = (0..40).collect();
    let csv = dataset(&format::csv::FORMAT, &[&table(dir.path(), &rows, "kind")]);
    let packed = repository("tests/golden/tables/snappy.parquet");
    let columns = Table {
        caption: Some("text".to_owned()),
        label: Some("kind".to_owned()),
        ..Table::default()
    };
    let packed = dataset(&format::parquet::FORMAT, &[&packed]);
    let parquet = DatasetRef { table: columns, ..packed };
    for (whole, count, label) in [(&csv, 40, "kind 2"), (&parquet, 60, "odd")] {
        let session = session(&dir.path().join(whole.format.name));
        let pieces = cut(whole.clone(), 12);
        assert!(pieces.shards.len() >= 4);
        let mut outcomes = Vec::new();
        for data in [&pieces, whole] {
            // With captions and labels, which are read from the whole table.
            let request = examples_request(model(&small_weights()), data.clone(), json!({}));
            let mut shown = Count::default();
            let record = session.measure(&request, &mut shown).expect("a record");
            assert_eq!((shown.shown, shown.last), (count, Some(count)), "{}", whole.format.name);
            let examples: dataset_examples::Outcome =
                record.result(session.store()).expect("a result");
            let beside = json!({ "beside": { "labels": [label] } });
            let labelled = DatasetRef { captions: true, ..data.clone() };
            let histogram = histogram_request(model(&small_weights()), labelled, beside);
            let record = session.measure(&histogram, &mut Silent).expect("a record");
            let histogram: activation_histogram::Outcome =
                record.result(session.store()).expect("a result");
            assert_eq!(histogram.others[0].count, rows_with(label, count));
            outcomes.push((examples, histogram));
        }
        let [(of_pieces, cut), (of_whole, uncut)] = &outcomes[..] else { panic!("two") };
        let shown = |outcome: &dataset_examples::Outcome| {
            let one = |e: &dataset_examples::Example| {
                (e.key.clone(), e.caption.clone(), e.label.clone(), e.picture.clone())
            };
            outcome.top.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(shown(of_pieces), shown(of_whole));
        assert_eq!((cut.count, cut.counts.clone()), (uncut.count, uncut.counts.clone()));
        assert!((cut.others[0].mean - uncut.others[0].mean).abs() < 1e-3);
    }

    // What is said of pictures costs no pass, and a row more or another picture its piece.
    let session = session(&dir.path().join("csv"));
    let scanned = |data: &DatasetRef| {
        let mut count = Count::default();
        let request = examples_request(model(&small_weights()), data.clone(), json!({}));
        session.measure(&request, &mut count).expect("a record");
        count.shown
    };
    let again = |rows: &[u32], label: &str| {
        cut(dataset(&format::csv::FORMAT, &[&table(dir.path(), rows, label)]), 12)
    };
    assert_eq!(scanned(&again(&rows, "sort")), 0);
    let before: Vec<Digest> = cut(csv, 12).shards.iter().map(ShardRef::shown).collect();
    let new = |data: &DatasetRef| -> u64 {
        let is_new = |shard: &&ShardRef| !before.contains(&shard.shown());
        data.shards.iter().filter(is_new).filter_map(|shard| shard.count).sum()
    };
    let more: Vec<u32> = (0..41).collect();
    let data = again(&more, "sort");
    assert_eq!(scanned(&data), new(&data));
    paint(&dir.path().join("pictures"), 3, 99);
    let data = again(&rows, "sort");
    let own = data.shards.iter().find(|shard| !before.contains(&shard.shown())).expect("one");
    assert_eq!((scanned(&data), new(&data)), (own.count.unwrap_or(0), own.count.unwrap_or(0)));
}

/// How many rows of the tables above have a label.
fn rows_with(label: &str, count: u64) -> u64 {
    match label {
        "odd" => count / 2,
        _ => (0..count).filter(|at| at % 3 == 2).count() as u64,
    }
}

#[test]
fn a_picture_that_changes_costs_its_piece() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), 40);
    let session = session(dir.path());
    let data = in_pieces(&format::folder::FORMAT, &path, 12);
    let layer = "visual.layer4.0.add";
    session.measure(&histogram(&data, layer), &mut Silent).expect("a record");
    let before: Vec<Digest> = data.shards.iter().map(ShardRef::shown).collect();
    let second = data.shards[1].piece.clone().expect("a piece");
    // A caption costs nothing, another picture its piece, and so does one more.
    fs::write(path.join("07.txt"), "another caption").expect("written");
    let again = in_pieces(&format::folder::FORMAT, &path, 12);
    assert_eq!(histogram(&again, layer).key(), histogram(&data, layer).key());
    paint(&path, second.key.parse().expect("a number"), 77);
    fs::write(path.join(format!("{}-more.png", second.key)), png(&picture(5, 64, 64)))
        .expect("written");
    let data = in_pieces(&format::folder::FORMAT, &path, 12);
    let mut count = Count::default();
    let record = session.measure(&histogram(&data, layer), &mut count).expect("a record");
    let outcome: activation_histogram::Outcome = record.result(session.store()).expect("a result");
    assert_eq!(outcome.counts.iter().sum::<u64>(), 41);
    let is_new = |shard: &&ShardRef| !before.contains(&shard.shown());
    let new: Vec<u64> = data.shards.iter().filter(is_new).filter_map(|s| s.count).collect();
    assert_eq!(count.shown, new.iter().sum::<u64>());
    // In pieces as small as these, a cut may move too.
    assert!((1..=2).contains(&new.len()), "{new:?}");
    assert_eq!((count.last, count.total), (Some(41), 41), "over the whole data set");
}

#[test]
fn a_picture_that_changes_during_the_scan_spoils_its_piece_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), 40);
    let data = in_pieces(&format::folder::FORMAT, &path, 12);
    let layer = "visual.layer4.0.add";
    let pieces = scans(&model(&small_weights()), &data, layer);
    let key = |at: usize| -> u32 {
        let piece = data.shards[at].piece.as_ref().expect("a piece");
        piece.key.parse().expect("a number")
    };
    let session = session(dir.path());
    // Of another piece: this one is what it was.
    let mut other = Count::doing(|| paint(&path, key(2), 50));
    session.measure(&pieces[0], &mut other).expect("a record");
    let mut own = Count::doing(|| paint(&path, key(1), 51));
    let error = session.measure(&pieces[1], &mut own).expect_err("it changed").to_string();
    assert!(error.contains("changed while it was being measured"), "{error}");
    assert!(session.store().record(&pieces[1].key()).is_none());
    let error = session.measure(&pieces[2], &mut Silent).expect_err("it changed").to_string();
    assert!(error.contains("has changed since the request was made"), "{error}");
    // What is planned now needs the two that changed.
    let data = in_pieces(&format::folder::FORMAT, &path, 12);
    let mut count = Count::default();
    session.measure(&pieces[3], &mut Silent).expect("a record");
    session.measure(&histogram(&data, layer), &mut count).expect("a record");
    let stored = [0, 3].map(|at: usize| data.shards[at].count.expect("a count"));
    assert_eq!(count.shown, 40 - stored.iter().sum::<u64>());
}

#[test]
fn a_data_set_that_goes_away_is_named_and_nothing_is_recorded() {
    for (name, format) in [("folder", &format::folder::FORMAT), ("a.tar", &format::tar::FORMAT)] {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(name);
        let pictures = folder(dir.path(), 40);
        match name {
            "folder" => fs::rename(&pictures, &path).expect("renamed"),
            _ => {
                let file = |at: u32| (format!("{at}.png"), png(&picture(at, 70, 64)));
                archive(&path, &(0..40).map(file).collect::<Vec<_>>());
            }
        }
        let data = in_pieces(format, &path, 12);
        let pieces = scans(&model(&small_weights()), &data, "visual.layer4.0.add");
        let session = session(dir.path());
        session.measure(&pieces[0], &mut Silent).expect("a record");
        let away = dir.path().join("away");
        let mut leaves = Count::doing(|| drop(fs::rename(&path, &away)));
        for _ in 0..2 {
            let error = session.measure(&pieces[1], &mut leaves).expect_err("it is gone");
            let named = error.to_string().contains(&*path.to_string_lossy());
            assert!(named && error.to_string().contains("cannot be read"), "{error}");
            let Failure::Failed { cause, .. } = error else { panic!("{error}") };
            assert_eq!(cause, neuronotes_core::protocol::Cause::Environment, "it may come back");
        }
        assert!(session.store().record(&pieces[1].key()).is_none());
        fs::rename(&away, &path).expect("it comes back");
        session.measure(&pieces[1], &mut Silent).expect("a record");
    }
}

/// A monitor with companions; it may be cancelled once pictures are shown.
struct Leads {
    companions: Vec<(Request, Arc<AtomicBool>)>,
    cancelled: bool,
    shown: bool,
}

struct Follows(Arc<AtomicBool>);

impl Monitor for Leads {
    fn progress(&mut self, progress: &Progress<'_>) {
        self.shown |= progress.step > 0;
    }

    fn stopped(&self) -> bool {
        self.cancelled && self.shown
    }

    fn companions(&self, _: &Request) -> Vec<(Request, Box<dyn Monitor>)> {
        let all = self.companions.iter().cloned();
        all.map(|(scan, stop)| (scan, Box::new(Follows(stop)) as Box<dyn Monitor>)).collect()
    }
}

impl Monitor for Follows {
    fn progress(&mut self, progress: &Progress<'_>) {
        if progress.step > 0 && progress.step < progress.total {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn scans_of_several_layers_share_a_pass_and_none_of_its_troubles() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), 40);
    let data = dataset(&format::folder::FORMAT, &[&path]);
    let of = |layer: &str| scans(&model(&small_weights()), &data, layer).remove(0);
    let layers = ["visual.layer4.0.add", "visual.relu1", "visual.attnpool", "visual.layer1.0.add"];
    let alone = session(&dir.path().join("alone"));
    let alone: Vec<Record> =
        layers.iter().map(|layer| alone.measure(&of(layer), &mut Silent).expect(layer)).collect();
    for cancelled in [false, true] {
        let session = session(&dir.path().join(format!("{cancelled}")));
        let never = || Arc::new(AtomicBool::new(false));
        let wrong = of("visual.layer9");
        let companions = vec![
            (of(layers[1]), never()),
            (wrong.clone(), never()),
            (of(layers[2]), never()),
            (of(layers[3]), never()),
        ];
        // Those that follow are cancelled after the first batch, but for the last one, which is over before.
        let mut leads = Leads { companions, cancelled, shown: false };
        let record = session.measure(&of(layers[0]), &mut leads);
        match cancelled {
            false => {
                for (layer, alone) in layers.iter().zip(&alone) {
                    let record = session.store().record(&of(layer).key()).expect(layer);
                    assert_eq!(record.outputs, alone.outputs, "{layer}");
                }
                record.expect("a record");
            }
            // All of them are.
            true => assert_eq!(record, Err(Failure::Cancelled)),
        }
        assert!(session.store().record(&wrong.key()).is_none());
    }
    // One that goes on keeps the pass going.
    struct GoesOn;
    impl Monitor for GoesOn {
        fn progress(&mut self, _: &Progress<'_>) {}
        fn stopped(&self) -> bool {
            false
        }
    }
    struct Ends(Request, bool);
    impl Monitor for Ends {
        fn progress(&mut self, progress: &Progress<'_>) {
            self.1 |= progress.step > 0;
        }
        fn stopped(&self) -> bool {
            self.1
        }
        fn companions(&self, _: &Request) -> Vec<(Request, Box<dyn Monitor>)> {
            vec![(self.0.clone(), Box::new(GoesOn))]
        }
    }
    let session = session(&dir.path().join("goes on"));
    let other = of(layers[1]);
    let _ = session.measure(&of(layers[0]), &mut Ends(other.clone(), false));
    let record = session.store().record(&other.key()).expect("the other one's");
    assert_eq!(record.outputs, alone[1].outputs);
}

/// Pictures shown for a request, by its events; the first step that was reported.
fn shown(events: &[Event], key: Digest) -> (u64, Option<u64>) {
    let steps = events.iter().filter_map(|event| match event {
        Event::Progress { key: of, stage, step, .. }
            if *of == key && stage.starts_with("scanning") =>
        {
            Some(*step)
        }
        _ => None,
    });
    let steps: Vec<u64> = steps.collect();
    let first = steps.first().copied();
    (steps.last().copied().unwrap_or(0) - first.unwrap_or(0), first)
}

/// Pictures that keep the lab busy for a second or two.
const COUNT: u64 = 200;

#[test]
fn a_lab_that_is_killed_goes_on_at_the_last_whole_piece() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), COUNT as u32);
    let data = in_pieces(&format::folder::FORMAT, &path, 32);
    let request = slow_histogram(&data, "visual.layer4.0.add");
    let mut lab = Lab::start(dir.path(), "cpu");
    lab.run(&request);
    loop {
        match lab.hear() {
            Event::Progress { step, total, .. } if step * 10 >= total * 9 && total == COUNT => {
                break;
            }
            Event::Progress { .. } | Event::Ready { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    lab.kill();
    let store = Store::open(dir.path()).expect("a store");
    let stored = |scan: &&Request| store.record(&scan.key()).is_some();
    let whole = request
        .uses
        .iter()
        .filter(stored)
        .filter_map(|scan| scan.dataset.as_ref().and_then(|data| data.shards[0].count));
    let whole: u64 = whole.sum();
    assert!(whole >= COUNT * 9 / 10 - 32, "{whole}");
    let mut lab = Lab::start(dir.path(), "cpu");
    let key = lab.run(&request);
    assert!(matches!(lab.hear(), Event::Ready { .. }));
    let (events, done) = lab.result();
    assert!(matches!(done, Event::Done { .. }), "{done:?}");
    assert_eq!(shown(&events, key), (COUNT - whole, (whole < COUNT).then_some(whole)));
    lab.end();
}

#[test]
fn a_second_layer_joins_the_scan_of_the_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = folder(dir.path(), COUNT as u32);
    let data = in_pieces(&format::folder::FORMAT, &path, 32);
    let of = |layer: &str| slow_histogram(&data, layer);
    let (one, two) = (of("visual.layer4.0.add"), of("visual.layer1.0.add"));
    let mut lab = Lab::start(dir.path(), "cpu");
    assert!(matches!(lab.hear(), Event::Ready { .. }));
    let (one, two) = (lab.run(&one), lab.run(&two));
    let (mut events, done) = lab.result();
    assert!(matches!(done, Event::Done { key, .. } if key == one), "{done:?}");
    assert_eq!(shown(&events, one), (COUNT, Some(0)));
    let (later, done) = lab.result();
    events.extend(later);
    assert!(matches!(done, Event::Done { key, .. } if key == two), "{done:?}");
    assert_eq!(shown(&events, two), (0, None), "its pictures were shown with those of the first");
    // One that is asked for in the middle joins from the next piece on; and then the first is cancelled.
    let (three, four) = (of("visual.layer2.0.add"), of("visual.layer3.0.add"));
    let three = lab.run(&three);
    loop {
        match lab.hear() {
            Event::Progress { step, total, .. } if step > 0 && total > 0 => break,
            Event::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    let four = lab.run(&four);
    let mut done = Vec::new();
    let mut events = Vec::new();
    while done.len() < 2 {
        match lab.hear() {
            event @ Event::Progress { .. } => {
                if matches!(event, Event::Progress { step: 60.., key, .. } if key == three) {
                    lab.cancel(three);
                }
                events.push(event);
            }
            // That one is measured along with the other.
            Event::Along { .. } => {}
            event => done.push(event),
        }
    }
    assert_eq!(done[0], Event::Cancelled { key: three });
    assert!(matches!(done[1], Event::Done { key, .. } if key == four), "{done:?}");
    let (count, _) = shown(&events, four);
    assert!(count < COUNT, "{count}");
    lab.end();
}
