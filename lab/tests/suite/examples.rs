//! Lists and distributions of a unit's activations, each against a computation picture by picture.

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes_core::dataset::{DatasetRef, Labels, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::activation_histogram;
use neuronotes_core::kind::dataset_examples::{self, Example, Order};
use neuronotes_core::kind::scan;
use neuronotes_core::model::Place;
use neuronotes_core::request::Request;
use neuronotes_core::store::Record;
use neuronotes_core::tokenizer::Tokenizer;
use neuronotes_lab::attribution::gradient::{Question, gradient_activation};
use neuronotes_lab::attribution::logit::Logit;
use neuronotes_lab::clip::Clip;
use neuronotes_lab::clip::activations::by_unit;
use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::picture::Picture;
use neuronotes_lab::session::Session;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use crate::support::{
    archive, dataset, emoji_weights, examples_request, histogram_request, load, model, picture,
    png, repository, session, shard, small_clip, small_weights,
};

/// As far as an activation may lie from that of the picture alone: half precision.
const APART: f64 = 2e-3;
/// The layer and the unit of the requests of the small network.
const LAYER: &str = "visual.layer4.0.add";
const UNIT: i64 = 3;

fn measure(session: &Session, request: &Request) -> Record {
    session.measure(request, &mut Silent).expect("a record")
}

fn listed(session: &Session, request: &Request) -> dataset_examples::Outcome {
    measure(session, request).result(session.store()).expect("a list")
}

fn distributed(session: &Session, request: &Request) -> activation_histogram::Outcome {
    measure(session, request).result(session.store()).expect("a distribution")
}

/// The map of a unit for a picture, alone: `[positions]`.
fn map(clip: &Clip, layer: &str, unit: i64, picture: Picture) -> Tensor {
    let stage = clip.layer(layer).expect("a layer").stage;
    let seen = prepare(picture, clip.architecture.image_size).expect("a picture");
    let input = clip.input(seen.as_raw(), 1).expect("an input");
    let found = tch::no_grad(|| clip.look(&input, &[stage])).expect("activations");
    by_unit(found.get(stage).expect("a layer")).get(0).get(unit)
}

/// The pictures of [`shard`] by key, with what the small network's unit says of each.
fn alone(count: u32) -> BTreeMap<String, f64> {
    let clip = small_clip();
    let readable = (0..count).filter(|number| *number != 3);
    readable
        .map(|number| {
            let shown = picture(number, 70 + number * 3, 64 + number).into();
            let mean = map(&clip, LAYER, UNIT, shown).mean(Kind::Double).double_value(&[]);
            (format!("{number:03}"), mean)
        })
        .collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= APART * b.abs().max(0.1)
}

#[test]
fn every_order_is_that_of_a_computation_picture_by_picture() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, two) = (shard(&dir.path().join("one"), 9), shard(&dir.path().join("two"), 14));
    let data = dataset(&format::tar::FORMAT, &[&one, &two]);
    let (session, model) = (session(dir.path()), model(&small_weights()));
    // The first nine are in both shards.
    let mut values: Vec<f64> = alone(9).into_values().chain(alone(14).into_values()).collect();
    for order in [Order::Strongest, Order::Weakest, Order::Quantiles, Order::NearestZero] {
        values.sort_by(|a, b| order.compare(*a, *b));
        let change = json!({ "order": order.word(), "top": 6 });
        let outcome = listed(&session, &examples_request(model.clone(), data.clone(), change));
        let expected: Vec<f64> = match order {
            Order::Quantiles => (0..6)
                .map(|n| 20 - (f64::from(5 - n) * 4.0) as usize)
                .map(|at| values[at])
                .collect(),
            _ => values[..6].to_vec(),
        };
        let found: Vec<f64> = outcome.top.iter().map(|example| example.activation).collect();
        assert_eq!(found.len(), 6);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(near(*found, *expected), "{order:?}: {found} {expected}");
        }
        let quantiles: Vec<_> = outcome.top.iter().filter_map(|example| example.quantile).collect();
        match order {
            Order::Quantiles => assert!((quantiles[0], quantiles[5]) == (1.0, 0.0)),
            _ => assert!(quantiles.is_empty()),
        }
    }
}

#[test]
fn equal_ones_are_ordered_by_the_digests_of_their_keys() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.tar");
    let names = ["b", "a", "e", "d", "c"];
    let file = |name: &&str| (format!("{name}.png"), png(&picture(4, 70, 64)));
    archive(&path, &names.iter().map(file).collect::<Vec<_>>());
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let (session, model) = (session(dir.path()), model(&small_weights()));
    let mut expected = names.to_vec();
    expected.sort_by_key(|name| Digest::of(name.as_bytes()));
    for order in ["nearest_zero", "quantiles"] {
        let request =
            examples_request(model.clone(), data.clone(), json!({ "order": order, "top": 5 }));
        let keys: Vec<String> = listed(&session, &request).top.into_iter().map(|e| e.key).collect();
        assert_eq!(keys, expected, "{order}");
    }
}

#[test]
fn near_duplicates_are_shown_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.tar");
    let mut files = Vec::new();
    for number in 0..6u32 {
        let large = picture(number * 3 + 1, 120, 100);
        let small = image::imageops::resize(&large, 60, 50, image::imageops::FilterType::Triangle);
        files.push((format!("{number}-large.png"), png(&large)));
        files.push((format!("{number}-small.png"), png(&small)));
    }
    archive(&path, &files);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let (session, model) = (session(dir.path()), model(&small_weights()));
    let request = |change: Value| examples_request(model.clone(), data.clone(), change);
    let all = listed(&session, &request(json!({ "top": 12 })));
    assert!(all.compared.is_none());
    let folded = listed(&session, &request(json!({ "top": 12, "alike": 8 })));
    let things = |examples: &[Example]| -> Vec<String> {
        examples.iter().map(|example| example.key[..1].to_owned()).collect()
    };
    // What is left is the first of each pair in the ranking.
    let mut expected = Vec::new();
    for thing in things(&all.top) {
        if !expected.contains(&thing) {
            expected.push(thing);
        }
    }
    assert_eq!(things(&folded.top), expected);
    assert!(folded.top.iter().all(|example| example.alike == Some(1)), "{folded:?}");
    assert_eq!(folded.compared, Some(12));
    // The ranking is followed no further than it must be.
    let first = listed(&session, &request(json!({ "top": 1, "alike": 0 })));
    assert_eq!((first.top.len(), first.top[0].alike), (1, Some(0)));
}

#[test]
fn a_map_has_the_size_of_its_picture_and_the_scale_of_all() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 8);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let (session, clip) = (session(dir.path()), small_clip());
    let change = json!({ "top": 2, "maps": true });
    let record = measure(&session, &examples_request(model(&small_weights()), data, change));
    let outcome: dataset_examples::Outcome = record.result(session.store()).expect("a list");
    let mut most: f64 = 0.0;
    for example in &outcome.top {
        let number: u32 = example.key.parse().expect("a number");
        let shown = picture(number, 70 + number * 3, 64 + number);
        let greatest = map(&clip, LAYER, UNIT, shown.clone().into()).abs().max().double_value(&[]);
        most = most.max(greatest);
        let name = example.map.as_ref().expect("a map");
        assert_eq!(record.outputs[name].media_type, "image/webp");
        let bytes = session.store().blob(&record.outputs[name].digest).expect("a blob");
        assert_eq!(Picture::decode(&bytes).expect("a map").dimensions(), shown.dimensions());
    }
    assert!(near(outcome.full_colour.expect("a scale"), most), "{outcome:?} {most}");
}

/// The relevance of a unit of the real network for a picture, alone.
fn relevance(clip: &Clip, layer: &str, unit: i64, picture: Picture, logit: &Logit) -> f64 {
    let seen = prepare(picture, clip.architecture.image_size).expect("a picture");
    let input = clip.input(seen.as_raw(), 1).expect("an input");
    let stage = clip.layer(layer).expect("a layer").stage;
    let question = Question { clip, input: &input, stage, dictionary: None, logit };
    let found = gradient_activation(&question).expect("an attribution");
    found.contributions.get(unit).sum(Kind::Double).double_value(&[])
}

#[test]
fn relevance_is_that_of_an_attribution_picture_by_picture() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = repository("data/blank-notes.tar");
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let session = session(dir.path());
    let (layer, unit) = ("visual.layer4.1.add", 643);
    let clip = load(&emoji_weights());
    let context = clip.context().expect("a text tower");
    let tokens = Tokenizer::clip().tokens("bicycle", context, false).expect("tokens");
    let text = tch::no_grad(|| clip.encode_texts(&[tokens])).expect("an embedding").get(0);
    let text = &text / text.norm();
    let along: Vec<f64> = Vec::try_from(text.to_kind(Kind::Double)).expect("numbers");
    let logit = Logit::new(&along, clip.logit_scale(), Device::Cpu);
    let pictures =
        neuronotes_lab::dataset::open(&path, &format::tar::FORMAT, &Labels::Files.into(), 0);
    let pictures = pictures.expect("a data set");
    let mut expected: Vec<(f64, String)> = Vec::new();
    for (row, sample) in pictures.samples().iter().enumerate() {
        let shown = pictures.picture(row).expect("a picture");
        expected.push((relevance(&clip, layer, unit, shown, &logit), sample.key.clone()));
    }
    expected.sort_by(|a, b| b.0.total_cmp(&a.0));
    let change = json!({
        "layer": layer, "unit": unit, "top": 5, "by": "relevance", "text": "bicycle", "templates": ["{}"],
        "candidates": 2000,
    });
    let request = examples_request(model(&emoji_weights()), data.clone(), change.clone());
    let outcome = listed(&session, &request);
    assert_eq!(outcome.candidates, Some(expected.len() as u64));
    let size = expected[0].0.abs().max(expected[expected.len() - 1].0.abs());
    for (example, (relevance, key)) in outcome.top.iter().zip(&expected) {
        let found = example.relevance.expect("a relevance");
        assert!((found - relevance).abs() < 1e-4 * size, "{found} {relevance}");
        assert_eq!(&example.key, key);
    }
    // Fewer candidates are the strongest ones.
    let mut few = change;
    few["candidates"] = json!(3);
    let few = listed(&session, &examples_request(model(&emoji_weights()), data, few));
    assert_eq!((few.top.len(), few.candidates), (3, Some(3)));
}

/// A histogram's request that uses the scans of another data set too.
fn beside(request: Request, other: &DatasetRef) -> Request {
    let Request { model, inputs, precision, params, .. } = &request;
    let place = Place::of(params).expect("a place");
    let mut uses = request.uses.clone();
    uses.extend(scan::requests(model, other, &place, inputs, *precision));
    let mut inputs = inputs.clone();
    inputs.datasets.push(other.clone());
    Request { uses, inputs, ..request }
}

/// The counts of values between edges, by hand.
fn counts(values: &[f64], edges: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len() - 1];
    for value in values {
        let at = edges.iter().filter(|edge| *edge <= value).count();
        counts[at.clamp(1, edges.len() - 1) - 1] += 1;
    }
    counts
}

#[test]
fn several_units_and_several_groups_share_the_edges_of_one_plot() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.tar");
    let mut files = Vec::new();
    for number in 0..12u32 {
        let label = if number % 3 == 0 { "third" } else { "other" };
        files.push((format!("{number:02}.png"), png(&picture(number, 70, 64))));
        let json = format!(r#"{{"caption": "a {label} one", "label": "{label}"}}"#);
        files.push((format!("{number:02}.json"), json.into_bytes()));
    }
    archive(&path, &files);
    let data = DatasetRef { captions: true, ..dataset(&format::tar::FORMAT, &[&path]) };
    let (session, model) = (session(dir.path()), model(&small_weights()));
    let request = |change: Value| histogram_request(model.clone(), data.clone(), change);
    // Activations in half precision lie on few steps, so that counts are compared with those of a list of all images.
    let of = |unit: i64, step: usize| -> Vec<f64> {
        let all = json!({ "unit": unit, "top": 12 });
        let all = listed(&session, &examples_request(model.clone(), data.clone(), all)).top;
        let number = |example: &Example| example.key.parse::<usize>().expect("a number");
        all.iter().filter(|it| number(it) % step == 0).map(|it| it.activation).collect()
    };
    let check = |outcome: &activation_histogram::Outcome, expected: &[Vec<f64>]| {
        let (low, high) = (outcome.edges[0], outcome.edges[outcome.edges.len() - 1]);
        let all = || expected.iter().flatten().copied();
        assert_eq!(low, all().fold(f64::INFINITY, f64::min));
        assert_eq!(high, all().fold(f64::NEG_INFINITY, f64::max));
        assert_eq!(outcome.counts, counts(&expected[0], &outcome.edges));
        assert_eq!(outcome.others.len(), expected.len() - 1);
        for (other, expected) in outcome.others.iter().zip(&expected[1..]) {
            assert_eq!(other.count as usize, expected.len());
            assert_eq!(other.counts, counts(expected, &outcome.edges));
            let mean = expected.iter().sum::<f64>() / expected.len() as f64;
            assert!((other.mean - mean).abs() < 1e-9, "{other:?} {mean}");
        }
    };
    let outcome = distributed(&session, &request(json!({ "also": [5, 7], "above": [1.0] })));
    assert_eq!(
        outcome.others.iter().map(|other| other.unit).collect::<Vec<_>>(),
        [Some(5), Some(7)]
    );
    assert!(outcome.shape.is_some() && outcome.others.iter().all(|other| other.shape.is_some()));
    check(&outcome, &[of(UNIT, 1), of(5, 1), of(7, 1)]);
    for group in [json!({ "labels": ["third"] }), json!({ "captions": ["third"] })] {
        let outcome = distributed(&session, &request(json!({ "beside": group })));
        assert_eq!(outcome.others[0].group.as_deref(), Some("third"));
        check(&outcome, &[of(UNIT, 1), of(UNIT, 3)]);
    }
    let words = dir.path().join("words.txt");
    std::fs::write(&words, "bank\ncoin\nNew York\n").expect("words");
    let words = dataset(&format::words::FORMAT, &[&words]);
    let named = json!({ "beside": { "dataset": words.content().hex() } });
    let outcome = distributed(&session, &beside(request(named), &words));
    assert_eq!((outcome.others.len(), outcome.others[0].count), (1, 3));
    assert!(outcome.edges[0] <= outcome.others[0].min && outcome.others[0].max <= outcome.edges[5]);
}

#[test]
fn images_behind_a_bar_are_of_that_bar() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = shard(dir.path(), 12);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let session = session(dir.path());
    let request = histogram_request(model(&small_weights()), data, json!({ "examples": 2 }));
    let record = measure(&session, &request);
    let outcome: activation_histogram::Outcome = record.result(session.store()).expect("a result");
    let behind = outcome.behind.expect("images");
    let values = alone(12);
    for ((edges, count), keys) in outcome.edges.windows(2).zip(&outcome.counts).zip(&behind.keys) {
        assert_eq!(keys.len() as u64, (*count).min(2));
        for key in keys {
            let value = values[key];
            let room = APART * value.abs().max(0.1);
            assert!(
                edges[0] - room <= value && value <= edges[1] + room,
                "{key} {value} {edges:?}"
            );
        }
    }
    let sheet = &record.outputs[&behind.sheet];
    let bytes = session.store().blob(&sheet.digest).expect("a sheet");
    let side = Picture::decode(&bytes).expect("a sheet").dimensions();
    assert_eq!(side, (behind.side, behind.side));
    assert!(Path::new(&behind.sheet).extension().is_some_and(|end| end == "webp"));
}
