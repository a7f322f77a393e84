//! `zero_shot` and `text_rank` with real weights, against open_clip's numbers (`tests/reference/texts.py`).

use std::fs;
use std::path::Path;

use neuronotes_core::dataset::{DatasetRef, Labels, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{Kind, text_rank, zero_shot};
use neuronotes_core::model::Precision;
use neuronotes_core::request::{FileRef, Inputs, Request};
use neuronotes_core::store::Record;
use neuronotes_lab::monitor::{Monitor, Progress, Silent};
use neuronotes_lab::session::Session;
use serde_json::{Value, json};

use crate::support::{dataset, emoji_weights, golden, model, repository, scans, session};

fn expected() -> Value {
    let bytes = fs::read(golden("texts.json")).expect("golden numbers");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The golden pictures as a folder, out of the demonstration garden's data.
fn pictures(folder: &Path, expected: &Value) -> DatasetRef {
    let emoji = repository("data/emoji.tar");
    let shard =
        neuronotes_lab::dataset::open(&emoji, &format::tar::FORMAT, &Labels::Files.into(), 96)
            .expect("a shard");
    fs::create_dir_all(folder).expect("a folder");
    for sample in expected["samples"].as_array().expect("samples") {
        let key = sample[0].as_str().expect("a key");
        let row = shard.samples().iter().position(|sample| sample.key == key).expect("a row");
        let picture = shard.picture(row).expect("a picture");
        picture
            .into_rgb()
            .expect("a picture")
            .save(folder.join(format!("{key}.png")))
            .expect("saved");
        let caption = sample[1].as_str().expect("a caption");
        fs::write(folder.join(format!("{key}.txt")), caption).expect("written");
    }
    dataset(&format::folder::FORMAT, &[folder])
}

fn request(kind: &str, params: Value) -> Request {
    let Value::Object(params) = params else { panic!("a map") };
    Request {
        kind: kind.into(),
        impl_version: Kind::named(kind).expect("a kind").impl_version,
        params,
        model: model(&emoji_weights()),
        dataset: None,
        inputs: Inputs::default(),
        uses: Vec::new(),
        precision: Precision::F32,
    }
}

/// The classes of the golden numbers, put to a data set.
fn survey(expected: &Value, data: &DatasetRef, change: Value) -> Request {
    let class = |class: &Value| json!({ "label": class[0], "names": class[1] });
    let classes: Vec<Value> =
        expected["classes"].as_array().expect("classes").iter().map(class).collect();
    let mut params = json!({
        "classes": classes, "templates": expected["templates"], "truncate": false,
        "truth": "caption", "examples": 2,
    });
    for (name, value) in change.as_object().expect("a map") {
        params[name] = value.clone();
    }
    let mut request = request("zero_shot", params);
    request.uses = scans(&request.model, data, "visual.attnpool");
    request.dataset = Some(data.clone());
    request
}

fn measure(session: &Session, request: &Request) -> Record {
    session.measure(request, &mut Silent).expect("a record")
}

fn near(found: &[f64], expected: &Value, by: f64) {
    let expected: Vec<f64> = serde_json::from_value(expected.clone()).expect("numbers");
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < by, "{found} {expected}");
    }
}

/// What was done, each stage once.
#[derive(Default)]
struct Stages(Vec<String>);

impl Monitor for Stages {
    fn progress(&mut self, progress: &Progress<'_>) {
        if self.0.last().is_none_or(|last| last != progress.stage) {
            self.0.push(progress.stage.to_owned());
        }
    }

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn a_data_set_is_judged_as_open_clip_judges_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let expected = expected();
    let data = pictures(&dir.path().join("pictures"), &expected);
    let session = session(dir.path());
    let request = survey(&expected, &data, json!({}));
    let record = measure(&session, &request);
    let outcome: zero_shot::Outcome = record.result(session.store()).expect("a result");
    let scale = expected["logit_scale"].as_f64().expect("a number");
    assert!((outcome.logit_scale - scale).abs() < 1e-3 * scale, "{}", outcome.logit_scale);
    let survey_found = outcome.survey.expect("a survey");
    assert_eq!(json!(survey_found.confusion), expected["confusion"]);
    assert_eq!(json!(survey_found.top5), expected["top5"]);
    assert_eq!((survey_found.count, survey_found.outside, survey_found.unlabelled), (30, 6, 0));
    let mistake = &survey_found.examples[0];
    assert_eq!((survey_found.examples.len(), mistake.truth, mistake.predicted), (1, Some(0), 1));
    let samples = expected["samples"].as_array().expect("samples");
    let row = samples.iter().position(|sample| sample[0] == mistake.key.as_str()).expect("a row");
    // The scan keeps embeddings in half precision.
    near(&[mistake.probability], &json!([expected["probabilities"][row][1]]), 0.01);
    assert!(record.outputs.contains_key(&mistake.picture));

    // One class less: the scan is there, so that nothing is seen again.
    let few = survey(
        &expected,
        &data,
        json!({ "classes": [
        { "label": "wolf", "names": ["wolf"] }, { "label": "frog", "names": ["frog"] },
    ] }),
    );
    let mut stages = Stages::default();
    let record = session.measure(&few, &mut stages).expect("a record");
    let outcome: zero_shot::Outcome = record.result(session.store()).expect("a result");
    assert_eq!(outcome.survey.expect("a survey").outside, 24);
    assert_eq!(stages.0, ["beginning", "reading texts"]);

    // Captions can stand in for classes where they are few; labels are there none.
    let own = survey(&expected, &data, json!({ "classes": [] }));
    let outcome: zero_shot::Outcome =
        measure(&session, &own).result(session.store()).expect("a result");
    assert_eq!(outcome.classes.len(), 10);
    assert_eq!(outcome.classes[0], "bicycle");
    let none = survey(&expected, &data, json!({ "classes": [], "truth": "label" }));
    let error = session.measure(&none, &mut Silent).expect_err("no labels").to_string();
    assert!(error.contains("has a label or caption"), "{error}");
}

#[test]
fn pictures_are_judged_as_open_clip_judges_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let expected = expected();
    let folder = dir.path().join("pictures");
    pictures(&folder, &expected);
    let mut request = survey(&expected, &dataset(&format::folder::FORMAT, &[&folder]), json!({}));
    request.dataset = None;
    request.uses.clear();
    let rows = [0usize, 5];
    let mut digests = Vec::new();
    for row in rows {
        let name = format!("{}.png", expected["samples"][row][0].as_str().expect("a key"));
        let path = folder.join(&name);
        let digest = Digest::of_file(&path).expect("a digest");
        digests.push(digest);
        request.inputs.pictures.push(FileRef { name, path, digest });
    }
    request.params.insert("images".into(), json!(digests));
    let session = session(dir.path());
    let record = measure(&session, &request);
    let outcome: zero_shot::Outcome = record.result(session.store()).expect("a result");
    assert_eq!(outcome.images.len(), 2);
    for (judged, row) in outcome.images.iter().zip(rows) {
        near(&judged.similarities, &expected["cosines"][row], 2e-4);
        near(&judged.probabilities, &expected["probabilities"][row], 2e-3);
        assert_eq!((judged.width, judged.height), (128, 128));
        assert!(record.outputs.contains_key(&judged.picture));
    }

    // The file must still be the one that the key names.
    request.params.insert("truncate".into(), json!(true));
    fs::write(&request.inputs.pictures[1].path, b"something else").expect("written");
    let error = session.measure(&request, &mut Silent).expect_err("another file").to_string();
    assert!(error.contains("has changed since the request was made"), "{error}");
}

#[test]
fn texts_are_ranked_as_open_clip_ranks_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let expected = expected();
    let folder = dir.path().join("pictures");
    let data = pictures(&folder, &expected);
    let session = session(dir.path());
    let files: Vec<FileRef> = (0..3)
        .map(|row| {
            let name = format!("{}.png", expected["samples"][row][0].as_str().expect("a key"));
            let path = folder.join(&name);
            FileRef { digest: Digest::of_file(&path).expect("a digest"), name, path }
        })
        .collect();
    for (center, name) in [(false, "ranked"), (true, "centered")] {
        let images: Vec<String> = files.iter().map(|file| file.digest.hex()).collect();
        let mut request = request(
            "text_rank",
            json!({
                "texts": expected["texts"], "templates": expected["templates"], "truncate": false,
                "center": center, "top": 5, "order": "nearest",
                "direction": [
                    { "weight": 2.0, "of": { "text": "apple" } },
                    { "weight": -1.0, "of": { "images": images } },
                    { "weight": 1.0, "of": { "dataset": data.content().hex() } },
                ],
            }),
        );
        request.inputs =
            Inputs { pictures: files.clone(), datasets: vec![data.clone()], ..Inputs::default() };
        request.uses = scans(&request.model, &data, "visual.attnpool");
        let record = measure(&session, &request);
        let outcome: text_rank::Outcome = record.result(session.store()).expect("a result");
        assert_eq!((outcome.count, outcome.ranked.len(), outcome.pictures.len()), (8, 5, 3));
        for (at, ranked) in outcome.ranked.iter().enumerate() {
            assert_eq!(expected[name][at][0], ranked.text.as_str());
            near(&[ranked.cosine], &json!([expected[name][at][1]]), 1e-3);
        }
    }
}

#[test]
fn what_has_no_direction_or_is_too_long_fails_with_its_reason() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let fails = |change: Value, part: &str| {
        let mut params = json!({
            "texts": ["frog"], "templates": ["{}"], "truncate": false, "center": false, "top": 5,
            "order": "nearest", "direction": [{ "weight": 1.0, "of": { "text": "pear" } }],
        });
        for (name, value) in change.as_object().expect("a map") {
            params[name] = value.clone();
        }
        let request = request("text_rank", params);
        let error = session.measure(&request, &mut Silent).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    };
    let pear = |weight: f64| json!({ "weight": weight, "of": { "text": "pear" } });
    fails(json!({ "direction": [pear(1.0), pear(-1.0)] }), "the sum has no direction");
    fails(json!({ "texts": ["one ".repeat(19)] }), "has 21 tokens, but the model takes 16");
    let words = json!({ "weight": 1.0, "of": { "words": ["銀行"] } });
    fails(json!({ "direction": [words] }), "`銀行` cannot be drawn");
    let unknown = json!({ "weight": 1.0, "of": { "dataset": Digest::of(b"").hex() } });
    fails(json!({ "direction": [unknown] }), "does not say where its data set is");
    fails(json!({ "top": 0 }), "`top` is 0");
}
