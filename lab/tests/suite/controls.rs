//! Controls and ranks, each against a computation from all activations.

use std::path::Path;

use neuronotes_core::dataset::{DatasetRef, format};
use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::kind::{controls, dataset_examples, scan, unit_rank};
use neuronotes_core::model::Place;
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::Record;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use neuronotes_lab::table::Scanned;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{
    archive, dataset, examples_request, model, picture, png, session, shard, small_weights,
};

const LAYER: &str = "visual.layer4.0.add";

fn measured<T: DeserializeOwned>(session: &Session, request: &Request) -> (Record, T) {
    let record = session.measure(request, &mut Silent).expect("a record");
    let outcome = record.result(session.store()).expect("a result");
    (record, outcome)
}

/// A request of another kind over the data and the layer of a list of images.
fn request(data: &DatasetRef, kind: &str, version: u32, params: Value) -> Request {
    let Value::Object(params) = params else { panic!("a mapping") };
    let like = examples_request(model(&small_weights()), data.clone(), json!({}));
    let place = Place::Layer(LAYER.to_owned());
    let uses = scan::requests(&like.model, data, &place, &Inputs::default(), like.precision);
    Request { kind: kind.to_owned(), impl_version: version, params, uses, ..like }
}

fn drawn(data: &DatasetRef, change: Value) -> Request {
    let mut params = json!({
        "layer": LAYER, "unit": 3, "pool": "mean", "random": 4, "bands": 5, "others": 2, "seed": 0,
    });
    for (name, value) in change.as_object().expect("a mapping") {
        params[name] = value.clone();
    }
    if params["direction"].is_array() {
        params.as_object_mut().expect("a mapping").remove("unit");
    }
    request(data, "controls", controls::KIND.impl_version, params)
}

/// All images by the unit's activation, the strongest first.
fn all(session: &Session, data: &DatasetRef, unit: u32) -> Vec<Example> {
    let change = json!({ "unit": unit, "top": 100 });
    let request = examples_request(model(&small_weights()), data.clone(), change);
    measured::<dataset_examples::Outcome>(session, &request).1.top
}

fn keys(examples: &[Example]) -> Vec<&str> {
    examples.iter().map(|example| example.key.as_str()).collect()
}

fn two_shards(folder: &Path) -> DatasetRef {
    let (one, two) = (shard(&folder.join("one"), 9), shard(&folder.join("two"), 20));
    dataset(&format::tar::FORMAT, &[&one, &two])
}

#[test]
fn controls_are_images_of_the_data_set_with_the_activations_that_they_have_elsewhere() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = two_shards(dir.path());
    let session = session(dir.path());
    let strongest = all(&session, &data, 3);
    let (record, found): (_, controls::Outcome) = measured(&session, &drawn(&data, json!({})));
    assert_eq!(found.count as usize, strongest.len());
    let of = |key: &str, activation: f64| {
        strongest.iter().any(|known| known.key == key && known.activation == activation)
    };
    let bands = found.bands.iter().filter_map(|band| band.drawn.as_ref());
    for example in found.random.iter().chain(&found.weakest).chain(bands) {
        assert!(of(&example.key, example.activation), "{example:?}");
        assert_eq!(record.outputs[&example.picture].media_type, "image/png");
    }
    assert_eq!(found.random.len(), 4);
    assert!(found.random.is_sorted_by(|a, b| a.activation >= b.activation));
    // The weakest are the end of the list of all.
    let mut weakest: Vec<f64> = strongest.iter().map(|example| example.activation).collect();
    weakest.sort_by(f64::total_cmp);
    let found_weakest: Vec<f64> = found.weakest.iter().map(|it| it.activation).collect();
    assert_eq!(found_weakest, weakest[..4]);
    // Every image is counted in one band, and what is drawn is from its band.
    let (least, greatest) = (weakest[0], weakest[weakest.len() - 1]);
    assert_eq!((found.bands[0].to, found.bands[4].from), (greatest, least));
    for band in &found.bands {
        let within = |value: f64| {
            value >= band.from && (value < band.to || (value == greatest && band.to == greatest))
        };
        let count = weakest.iter().filter(|value| within(**value)).count();
        assert_eq!(band.images as usize, count);
        assert_eq!(band.drawn.is_some(), count > 0);
        assert!(band.drawn.as_ref().is_none_or(|drawn| within(drawn.activation)));
    }
    // Other units have their own strongest images.
    assert_eq!(found.others.len(), 2);
    for other in &found.others {
        assert_ne!(other.unit, 3);
        let own = all(&session, &data, other.unit);
        let expected: Vec<f64> = own.iter().take(3).map(|example| example.activation).collect();
        let top: Vec<f64> = other.top.iter().map(|example| example.activation).collect();
        assert_eq!(top, expected, "unit {}", other.unit);
    }
    // The same again, also from another process; another seed or unit draws others.
    let (again, _) = measured::<controls::Outcome>(&session, &drawn(&data, json!({})));
    assert_eq!(again.result_digest(), record.result_digest());
    let other = |change: Value| measured::<controls::Outcome>(&session, &drawn(&data, change)).1;
    let (seed, unit) = (other(json!({ "seed": 1 })), other(json!({ "unit": 4 })));
    assert_ne!(keys(&seed.random), keys(&found.random));
    assert_ne!(keys(&unit.random), keys(&found.random));
    assert_eq!(keys(&seed.weakest), keys(&found.weakest));
}

#[test]
fn directions_and_small_data_sets_have_controls_and_equal_images_no_bands() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = two_shards(dir.path());
    let session = session(dir.path());
    let along =
        json!({ "direction": [{ "weight": 1.0, "of": { "units": [[3, 1.0]] } }], "others": 20 });
    let (_, found): (_, controls::Outcome) = measured(&session, &drawn(&data, along));
    let (_, unit): (_, controls::Outcome) = measured(&session, &drawn(&data, json!({})));
    // One unit's direction has its activations, and all units of the layer are others.
    assert_eq!(keys(&found.weakest), keys(&unit.weakest));
    assert_eq!(found.others.len(), 20);

    let path = dir.path().join("same.tar");
    let files = ["a", "b"].map(|name| (format!("{name}.png"), png(&picture(4, 70, 64))));
    archive(&path, &files);
    let data = dataset(&format::tar::FORMAT, &[&path]);
    let (_, found): (_, controls::Outcome) = measured(&session, &drawn(&data, json!({})));
    assert_eq!((found.count, found.random.len(), found.weakest.len()), (2, 2, 2));
    // No unit of the layer tells the two apart.
    assert!(found.bands.is_empty() && found.others.is_empty(), "{found:?}");
    assert_eq!(found.passed, 255);
}

#[test]
fn a_rank_is_the_place_in_the_numbers_of_all_units() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = two_shards(dir.path());
    let session = session(dir.path());
    let like = examples_request(model(&small_weights()), data.clone(), json!({}));
    let place = Place::Layer(LAYER.to_owned());
    let params = json!({ "layer": LAYER, "unit": 3, "pool": "mean", "deviations": 1.5 });
    let version = unit_rank::KIND.impl_version;
    let (_, found): (_, unit_rank::Outcome) =
        measured(&session, &request(&data, "unit_rank", version, params));
    assert_eq!(found.units + found.left_out, 255);
    // By every number of the scans, unit by unit.
    let scans = scan::requests(&like.model, &data, &place, &Inputs::default(), like.precision);
    let records: Vec<Record> =
        scans.iter().map(|scan| measured::<scan::Outcome>(&session, scan).0).collect();
    let of = |unit: u32| -> Vec<f64> {
        let read = |record: &Record| {
            let scan = Scanned::read(session.store(), record, LAYER, unit, scan::Pool::Mean);
            scan.expect("a scan").expect("blobs").activations
        };
        records.iter().flat_map(read).collect()
    };
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let own = mean_of(&of(3));
    let others = (0..256).filter(|unit| *unit != 3).map(of);
    let vary: Vec<Vec<f64>> =
        others.filter(|all| all.iter().any(|value| *value != all[0])).collect();
    assert_eq!(vary.len() as u64, found.units);
    let greater = vary.iter().filter(|all| mean_of(all) > own).count() as u64;
    let mean = &found.ranks[0];
    assert!((mean.value.expect("a mean") - own).abs() < 1e-9);
    assert_eq!(mean.greater, greater);
    assert_eq!(mean.rank(), Some(greater + 1));
}
