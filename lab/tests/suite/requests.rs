//! Requests through a session: what is committed, and what fails alone.

use std::fs;
use std::path::Path;

use half::f16;
use neuronotes_core::dataset::{DatasetRef, Labels, format};
use neuronotes_core::kind::activation_histogram::Quantile;
use neuronotes_core::kind::{activation_histogram, dataset_examples, feature_vis, scan};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::failure::Failure;
use neuronotes_lab::monitor::{Monitor, Progress, Silent};
use neuronotes_lab::picture::Picture;
use neuronotes_lab::session::Session;
use serde_json::json;
use tch::{Kind, Tensor};

use crate::support::{
    archive, dataset, emoji_weights, examples_request, histogram_request, load, model, picture,
    png, repository, scanned, scans, session, shard, small_clip, small_weights, vis_request,
};

fn measure(session: &Session, request: &Request) -> Record {
    session.measure(request, &mut Silent).expect("a record")
}

fn message(session: &Session, request: &Request) -> String {
    session.measure(request, &mut Silent).expect_err("a failure").to_string()
}

#[test]
fn a_picture_is_committed_with_how_it_was_made_and_twice_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let request = vis_request(model(&small_weights()), json!({}));
    let record = measure(&session(&dir.path().join("one")), &request);
    let store = Store::open(&dir.path().join("one/store")).expect("a store");
    assert_eq!(store.record(&request.key()), Some(record.clone()));
    let outcome: feature_vis::Outcome = record.result(&store).expect("a result");
    let [made] = &outcome.images[..] else { panic!("one picture") };
    assert_eq!((outcome.size, made.curve.len()), (48, 30));
    assert!(made.activation > made.activation_at_start);
    let bytes = store.blob(&record.outputs["image-0.png"].digest).expect("a picture");
    assert_eq!(Picture::decode(&bytes).expect("a picture").dimensions(), (48, 48));
    let how = &record.provenance;
    assert_eq!((how.device.as_str(), how.libtorch.as_str()), ("cpu", "2.11.0"));
    assert!(how.threads > 0 && how.seconds > 0.0 && how.started.ends_with('Z'), "{how:?}");

    let again = measure(&session(&dir.path().join("two")), &request);
    assert_eq!(again.outputs, record.outputs);
}

#[test]
fn a_scan_holds_what_the_network_says_of_each_picture_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    // More than one batch, and not a whole number of them.
    let path = shard(dir.path(), 37);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    for layer in ["visual.layer4.0.add", "visual.relu1", "visual.attnpool"] {
        let request = scans(&model(&small_weights()), &data, layer).remove(0);
        let session = session(dir.path());
        let record = measure(&session, &request);
        let outcome: scan::Outcome = record.result(session.store()).expect("a result");
        assert_eq!(outcome.count, 36);
        assert_eq!(outcome.skipped.len(), 1);
        assert_eq!(outcome.skipped[0].0, "003");
        let keys = session.store().blob(&record.outputs[scan::KEYS].digest).expect("a blob");
        let keys: Vec<String> = serde_json::from_slice(&keys).expect("keys");
        assert_eq!((keys.len(), &*keys[3]), (36, "004"));

        let clip = small_clip();
        let stage = clip.architecture.layer(layer).expect("a layer").stage;
        let embedding = neuronotes_core::model::Stage::Embedding;
        for (row, number) in [(0usize, 0u32), (3, 4), (35, 36)] {
            let shown = Picture::decode(&png(&picture(number, 70 + number * 3, 64 + number)));
            let shown = prepare(shown.expect("a picture"), 64).expect("a picture");
            let input = clip.input(shown.as_raw(), 1).expect("an input");
            let all = clip.look(&input, &[stage, embedding]).expect("activations");
            let map = all.get(stage).expect("an activation").flatten(1, -1);
            let map = map.view([
                1,
                if layer.ends_with("attnpool") {
                    24
                } else {
                    all.get(stage).expect("an activation").size()[1]
                },
                -1,
            ]);
            for (name, expected) in [
                ("mean", map.mean_dim([2i64].as_slice(), false, Kind::Float)),
                ("max", map.amax([2i64].as_slice(), false)),
                ("embedding", all.get(embedding).expect("an embedding").shallow_clone()),
            ] {
                let (values, columns) = scanned(session.store(), &record, name);
                assert_eq!(values.len(), 36 * columns);
                for (column, found) in values[row * columns..][..columns].iter().enumerate() {
                    let expected = expected.double_value(&[0, column as i64]);
                    let error = (found - expected).abs();
                    assert!(
                        error <= 1e-3 * expected.abs().max(0.1),
                        "{layer} {name} {found} {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn examples_and_histograms_come_from_one_scan_over_all_shards() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (shard(&dir.path().join("one"), 9), shard(&dir.path().join("two"), 12));
    let data = dataset(&format::tar::FORMAT, &[&one, &two]);
    let model = model(&small_weights());
    let session = session(dir.path());
    let examples = examples_request(model.clone(), data.clone(), json!({ "top": 4 }));
    let record = measure(&session, &examples);
    let mut values = Vec::new();
    for used in &examples.uses {
        let record = session.store().record(&used.key()).expect("a scan of its own");
        let (table, columns) = scanned(session.store(), &record, "mean");
        values.extend(table.chunks(columns).map(|row| row[3]));
    }
    assert_eq!(values.len(), 8 + 11);

    let outcome: dataset_examples::Outcome = record.result(session.store()).expect("a result");
    let mut sorted = values.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let found: Vec<_> = outcome.top.iter().map(|example| example.activation).collect();
    assert_eq!(found, sorted[..4]);
    let mean = values.iter().sum::<f64>() / 19.0;
    assert!((outcome.mean - mean).abs() < 1e-9 && outcome.count == 19);
    for example in &outcome.top {
        let bytes = session.store().blob(&record.outputs[&example.picture].digest).expect("a blob");
        let number: u32 = example.key.parse().expect("a number");
        let shown = Picture::decode(&bytes).and_then(Picture::into_rgb).expect("a picture");
        assert_eq!(shown, picture(number, 70 + number * 3, 64 + number));
        assert_eq!((example.width, example.height), shown.dimensions());
        assert_eq!(example.caption, Some(format!("number {number}")));
    }
    // The histogram needs the scans and no file any more.
    let histogram = histogram_request(model, data, json!({}));
    fs::remove_file(&one).expect("remove");
    fs::remove_file(&two).expect("remove");
    let record = measure(&session, &histogram);
    let outcome: activation_histogram::Outcome = record.result(session.store()).expect("a result");
    assert_eq!(outcome.counts.iter().sum::<u64>(), 19);
    assert_eq!((outcome.min, outcome.max), (sorted[18], sorted[0]));
    assert_eq!(outcome.quantiles[3], Quantile { share: 0.5, activation: sorted[9] });
    assert_eq!(outcome.edges.len(), 6);
}

/// Remembers the stages of what is measured.
#[derive(Default)]
struct Stages(Vec<String>);

impl Monitor for Stages {
    fn progress(&mut self, progress: &Progress<'_>) {
        self.0.push(progress.stage.to_owned());
    }

    fn stopped(&self) -> bool {
        false
    }
}

/// What a request's figure is, and whether pictures were shown to the network for it.
fn looked(session: &Session, request: &Request) -> (Record, bool) {
    let mut stages = Stages::default();
    let record = session.measure(request, &mut stages).expect("a record");
    (record, stages.0.iter().any(|stage| stage.starts_with("scanning")))
}

#[test]
fn another_caption_is_shown_and_no_picture_goes_through_the_network_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.tar");
    let write = |third: &str| {
        let file = |at: u32| {
            let caption = if at == 2 { third.to_owned() } else { format!("number {at}") };
            [
                (format!("{at}.txt"), caption.into_bytes()),
                (format!("{at}.png"), png(&picture(at, 70, 64))),
            ]
        };
        archive(&path, &(0..6).flat_map(file).collect::<Vec<_>>());
        dataset(&format::tar::FORMAT, &[&path])
    };
    let model = model(&small_weights());
    let session = session(dir.path());
    let before = write("a typing error");
    let shown =
        |data: &DatasetRef| examples_request(model.clone(), data.clone(), json!({ "top": 6 }));
    let counted = |data: &DatasetRef| histogram_request(model.clone(), data.clone(), json!({}));
    let (first, scanned) = looked(&session, &shown(&before));
    assert!(scanned);
    let histogram = measure(&session, &counted(&before));

    let after = write("a typing error, mended");
    assert_eq!(counted(&after).key(), histogram.key, "it shows no caption");
    assert_eq!(shown(&after).uses[0].key(), shown(&before).uses[0].key());
    assert_ne!(shown(&after).key(), first.key);
    let (second, scanned) = looked(&session, &shown(&after));
    assert!(!scanned, "no picture is another");
    let outcome = |record: &Record| -> dataset_examples::Outcome {
        record.result(session.store()).expect("a result")
    };
    let captions = |record: &Record| {
        let third = outcome(record).top.into_iter().find(|example| example.key == "2");
        third.and_then(|example| example.caption).expect("a caption")
    };
    assert_eq!(captions(&first), "a typing error");
    assert_eq!(captions(&second), "a typing error, mended");
    let numbers =
        |record: &Record| outcome(record).top.iter().map(|e| e.activation).collect::<Vec<_>>();
    assert_eq!(numbers(&first), numbers(&second));
    // Another picture is another scan.
    let mut files: Vec<(String, Vec<u8>)> =
        (0..6).map(|at| (format!("{at}.png"), png(&picture(at, 70, 64)))).collect();
    files[0].1 = png(&picture(9, 70, 64));
    archive(&path, &files);
    assert!(looked(&session, &shown(&dataset(&format::tar::FORMAT, &[&path]))).1);
}

#[test]
fn what_was_stored_when_keys_covered_captions_is_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 6);
    let now = dataset(&format::tar::FORMAT, &[&path]);
    let mut then = now.clone();
    then.shards[0].pictures = None;
    let request =
        |data: &DatasetRef| histogram_request(model(&small_weights()), data.clone(), json!({}));
    assert_ne!(request(&now).key(), request(&then).key());
    let session = session(dir.path());
    let (old, scanned) = looked(&session, &request(&then));
    assert!(scanned);
    let (new, scanned) = looked(&session, &request(&now));
    assert!(!scanned);
    assert_eq!((new.key, &new.outputs), (request(&now).key(), &old.outputs));
    assert!(new.names_its_request());
    // And what is new rests on a scan that is not.
    let other = histogram_request(model(&small_weights()), now, json!({ "unit": 4 }));
    assert!(!looked(&session, &other).1);
}

/// The small network with some units of its last layer given another bias.
fn biased(path: &Path, biases: &[(i64, f64)]) {
    let mut tensors = Tensor::read_safetensors(small_weights()).expect("weights");
    let bias = tensors.iter_mut().find(|(name, _)| name == "visual.layer4.0.bn3.bias");
    let (_, bias) = bias.expect("a bias");
    for &(unit, value) in biases {
        let _ = bias.get(unit).fill_(value);
    }
    Tensor::write_safetensors(&tensors, path).expect("written");
}

#[test]
fn a_unit_without_numbers_fails_by_its_name_and_the_others_do_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let weights = dir.path().join("w.safetensors");
    biased(&weights, &[(5, f64::NAN), (7, 1e6)]);
    let path = shard(dir.path(), 6);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let session = session(dir.path());
    for (unit, why) in [
        (5, "unit 5 of `visual.layer4.0.add` is not a number for the picture `000`"),
        (
            7,
            "unit 7 of `visual.layer4.0.add` is too large for half precision (65504) for the picture `000`",
        ),
    ] {
        let change = json!({ "unit": unit });
        let histogram = histogram_request(model(&weights), data.clone(), change.clone());
        assert_eq!(message(&session, &histogram), why);
        let examples = examples_request(model(&weights), data.clone(), change);
        assert_eq!(message(&session, &examples), why);
    }
    let histogram = histogram_request(model(&weights), data.clone(), json!({}));
    let (record, scanned) = looked(&session, &histogram);
    assert!(!scanned, "the scan is there");
    // It is what the sound network says.
    let sound = histogram_request(model(&small_weights()), data.clone(), json!({}));
    assert_eq!(record.outputs, measure(&session, &sound).outputs);
    measure(&session, &examples_request(model(&weights), data.clone(), json!({})));
    let scan = session.store().record(&histogram.uses[0].key()).expect("a scan");
    let moments = session.store().blob(&scan.outputs[scan::MOMENTS].digest).expect("a blob");
    let moments: scan::Moments = serde_json::from_slice(&moments).expect("moments");
    assert!(moments.mean.mean[5].is_nan() && moments.mean.mean[3].is_finite());
    // A visualisation of it has no numbers either, and says so.
    let vis = vis_request(model(&weights), json!({ "unit": 5, "steps": 3 }));
    let error = message(&session, &vis);
    assert!(error.contains("the activation of unit 5 is not a number"), "{error}");
}

#[test]
fn images_that_are_equal_in_half_precision_are_ordered_by_full() {
    let dir = tempfile::tempdir().expect("a folder");
    let clip = small_clip();
    let stage = clip.architecture.layer("visual.layer4.0.add").expect("a layer").stage;
    // One picture with more and more of it a little different.
    let nearly = |pixels: u32| {
        let mut shown = picture(4, 64, 64);
        for at in 0..pixels {
            shown.get_pixel_mut(at % 64, at / 64).0[0] ^= 0x3f;
        }
        shown
    };
    let exact = |shown: &image::RgbImage| {
        let shown = Picture::decode(&png(shown)).expect("a picture");
        let input = prepare(shown, 64).expect("a picture");
        let input = clip.input(input.as_raw(), 1).expect("an input");
        let all = clip.look(&input, &[stage]).expect("activations");
        let units = all.get(stage).expect("an activation").mean_dim(
            [0i64, 2, 3].as_slice(),
            false,
            Kind::Double,
        );
        Vec::<f64>::try_from(units).expect("units")
    };
    let rows: Vec<(Vec<f64>, image::RgbImage)> =
        (1..=40).map(|at| nearly(at * 12)).map(|shown| (exact(&shown), shown)).collect();
    // Three that half precision does not tell apart, and single precision does; the weakest first, so that the data
    // set's order is the wrong one.
    let three = |unit: usize| {
        let mut all: Vec<(f64, &image::RgbImage)> =
            rows.iter().map(|(units, shown)| (units[unit], shown)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.dedup_by(|b, a| b.0 - a.0 < 1e-6 + 1e-5 * a.0.abs());
        let alike = |three: &&[(f64, &image::RgbImage)]| {
            f16::from_f64(three[0].0) == f16::from_f64(three[2].0)
        };
        all.windows(3).find(alike).map(<[_]>::to_vec)
    };
    let found = (0..rows[0].0.len()).find_map(|unit| Some((unit, three(unit)?)));
    let (unit, all) = found.expect("three that are alike");
    let files: Vec<(String, Vec<u8>)> =
        all.iter().enumerate().map(|(at, (_, shown))| (format!("{at}.png"), png(shown))).collect();
    let path = dir.path().join("a.tar");
    archive(&path, &files);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let request =
        examples_request(model(&small_weights()), data, json!({ "unit": unit, "top": 3 }));
    let session = session(dir.path());
    let record = measure(&session, &request);
    let scan = session.store().record(&request.uses[0].key()).expect("a scan");
    let (values, columns) = scanned(session.store(), &scan, "mean");
    let stored: Vec<f64> = values.chunks(columns).map(|row| row[unit]).collect();
    assert!(stored.windows(2).all(|pair| pair[0] == pair[1]), "{stored:?}");
    let outcome: dataset_examples::Outcome = record.result(session.store()).expect("a result");
    let keys: Vec<&str> = outcome.top.iter().map(|example| &*example.key).collect();
    assert_eq!(keys, ["2", "1", "0"], "{stored:?}");
}

#[test]
fn a_damaged_scan_is_measured_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 6);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let request = histogram_request(model(&small_weights()), data, json!({}));
    let session = session(dir.path());
    let scan = measure(&session, &request.uses[0]);
    let blob = session.store().blob_path(&scan.outputs[scan::ACTIVATIONS].digest);
    let mut bytes = fs::read(&blob).expect("read");
    // The means of all units are at its end.
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte ^= 1);
    fs::write(&blob, bytes).expect("damage");
    measure(&session, &request);
    assert!(session.store().blob(&scan.outputs[scan::ACTIVATIONS].digest).is_some());
}

#[test]
fn folders_and_words_are_scanned_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).expect("a folder");
    for i in 0..4 {
        picture(i, 300, 200).save(pictures.join(format!("{i}.png"))).expect("a picture");
    }
    let session = session(dir.path());
    let data = dataset(&format::folder::FORMAT, &[&pictures]);
    let record = measure(&session, &examples_request(model(&small_weights()), data, json!({})));
    let outcome: dataset_examples::Outcome = record.result(session.store()).expect("a result");
    assert_eq!((outcome.count, outcome.top.len()), (4, 3));
    assert_eq!((outcome.top[0].width, outcome.top[0].height), (256, 171));

    let words = dir.path().join("words.txt");
    fs::write(&words, "# words\nbank\nNew York\n銀\n").expect("write");
    let data = dataset(&format::words::FORMAT, &[&words]);
    let request = examples_request(model(&small_weights()), data, json!({ "order": "weakest" }));
    let record = measure(&session, &request);
    let outcome: dataset_examples::Outcome = record.result(session.store()).expect("a result");
    assert_eq!((outcome.count, outcome.top.len()), (2, 2));
    assert!(outcome.top[0].activation <= outcome.top[1].activation);
    assert_eq!((outcome.top[0].width, outcome.top[0].height), (64, 64));
    assert_eq!(outcome.top[0].caption.as_ref(), Some(&outcome.top[0].key));
}

#[test]
fn what_cannot_be_measured_fails_with_its_reason_and_the_session_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let small = model(&small_weights());
    let fails = |session: &Session, change, part: &str| {
        let error = message(session, &vis_request(model(&small_weights()), change));
        assert!(error.contains(part), "{error}");
    };
    fails(&session, json!({ "layer": "visual.layer5.0" }), "no layer `visual.layer5.0`");
    fails(&session, json!({ "unit": 256 }), "no unit 256; its 256 units");
    fails(&session, json!({ "unit": -1 }), "malformed");
    fails(&session, json!({ "size": 4 }), "`size` is 4");
    fails(&session, json!({ "colour": "red" }), "malformed");

    let mut other = vis_request(small.clone(), json!({}));
    other.kind = "astrology".into();
    assert!(message(&session, &other).contains("no analysis `astrology`"));
    let mut other = vis_request(small.clone(), json!({}));
    other.model.path = dir.path().join("nowhere.safetensors");
    assert!(message(&session, &other).contains("nowhere.safetensors"));
    let mut other = vis_request(small.clone(), json!({}));
    other.model.path = emoji_weights();
    assert!(message(&session, &other).contains("has changed since the request was made"));

    let path = shard(dir.path(), 6);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let mut unused = histogram_request(small.clone(), data.clone(), json!({}));
    unused.uses.clear();
    assert!(message(&session, &unused).contains("does not use the scans"));
    let out = histogram_request(small.clone(), data, json!({ "unit": 256 }));
    assert!(message(&session, &out).contains("no unit 256"));
    fs::write(&path, b"not an archive, but long enough to be taken for one").expect("write");
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let broken = histogram_request(small.clone(), data, json!({}));
    assert!(message(&session, &broken).contains("as a tar archive"));

    measure(&session, &vis_request(small, json!({ "steps": 1 })));
}

/// Does something at the first progress of a stage that has steps.
struct AtFirst<F: FnMut()>(Option<F>, bool);

impl<F: FnMut()> Monitor for AtFirst<F> {
    fn progress(&mut self, progress: &Progress<'_>) {
        if progress.total > 0
            && let Some(mut act) = self.0.take()
        {
            act();
        }
    }

    fn stopped(&self) -> bool {
        self.1 && self.0.is_none()
    }
}

#[test]
fn an_input_that_changes_meanwhile_is_noticed() {
    let dir = tempfile::tempdir().expect("a folder");
    let weights = dir.path().join("w.safetensors");
    fs::copy(small_weights(), &weights).expect("copy");
    let request = vis_request(model(&weights), json!({}));
    let session = session(dir.path());
    let mut watch = AtFirst(
        Some(|| {
            let mut bytes = fs::read(&weights).expect("read");
            *bytes.last_mut().expect("a byte") ^= 1;
            let new = dir.path().join("new");
            fs::write(&new, bytes).expect("write");
            fs::rename(&new, &weights).expect("rename");
        }),
        false,
    );
    let error = session.measure(&request, &mut watch).expect_err("changed").to_string();
    assert!(error.contains("changed while it was being measured"), "{error}");
    assert!(session.store().record(&request.key()).is_none());
}

#[test]
fn a_scan_stops_between_batches_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 40);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let request = scans(&model(&small_weights()), &data, "visual.relu1").remove(0);
    let session = session(dir.path());
    let result = session.measure(&request, &mut AtFirst(Some(|| {}), true));
    assert_eq!(result, Err(Failure::Cancelled));
    assert!(session.store().record(&request.key()).is_none());
}

#[test]
fn real_weights_tell_real_pictures_apart() {
    let clip = load(&emoji_weights());
    assert_eq!(clip.architecture.image_size, 96);
    let emoji = repository("data/emoji.tar");
    let shard =
        neuronotes_lab::dataset::open(&emoji, &format::tar::FORMAT, &Labels::Files.into(), 96)
            .expect("a shard");
    assert_eq!(shard.samples().len(), 1494);
    let embed = |key: &str| {
        let row = shard.samples().iter().position(|s| s.key.starts_with(key)).expect("a picture");
        let shown = prepare(shard.picture(row).expect("a picture"), 96).expect("a picture");
        let input = clip.input(shown.as_raw(), 1).expect("an input");
        let stage = neuronotes_core::model::Stage::Embedding;
        let all = clip.look(&input, &[stage]).expect("activations");
        let embedding = all.get(stage).expect("an embedding");
        embedding / embedding.norm()
    };
    let like = |a: &str, b: &str| (embed(a) * embed(b)).sum(Kind::Float).double_value(&[]);
    // A dumb network maps everything to one place, or pictures of one thing to different ones.
    let faces = like("grinning-face--noto", "grinning-face--fluent");
    let others = like("grinning-face--noto", "bicycle--noto");
    assert!(faces > others + 0.2, "{faces} {others}");
}

/// Has enough after some steps.
struct Patience {
    steps: u64,
    most: u64,
}

impl Monitor for Patience {
    fn progress(&mut self, progress: &Progress<'_>) {
        self.steps = progress.step;
    }

    fn stopped(&self) -> bool {
        self.steps >= self.most
    }
}

#[test]
fn requests_that_are_measured_together_have_their_own_results_and_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let request = |unit: u32| vis_request(model(&small_weights()), json!({ "unit": unit }));
    let all = [request(1), request(2), request(99_999), request(3)];
    let mut patience = [30, 4, 30, 30].map(|most| Patience { steps: 0, most: most + 1 });
    let mut monitors: Vec<&mut dyn Monitor> =
        patience.iter_mut().map(|one| one as &mut dyn Monitor).collect();
    let requests: Vec<&Request> = all.iter().collect();
    let mut told = Vec::new();
    let results = session.measure_together(&requests, &mut monitors, &mut |at, result| {
        told.push((at, result.is_ok()));
    });
    told.sort_unstable();
    assert_eq!(told, [(0, true), (1, false), (2, false), (3, true)]);
    assert_eq!(results[1], Err(Failure::Cancelled));
    assert!(results[2].as_ref().expect_err("no unit").to_string().contains("no unit 99999"));
    assert_eq!(patience.map(|one| one.steps), [30, 5, 0, 30], "it stops at its next step");
    // What was made together is what is made alone.
    let other = tempfile::tempdir().expect("a folder");
    let alone = measure(&crate::support::session(other.path()), &all[3]);
    assert_eq!(results[3].as_ref().expect("a record").outputs, alone.outputs);
}
