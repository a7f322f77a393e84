//! Controls and ranks of a made-up scan, each against the same by NumPy: `tests/reference/controls.py`.

use std::path::Path;

use half::f16;
use neuronotes_core::dataset::{DatasetRef, format};
use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::kind::scan::{self, ACTIVATIONS, DIGESTS, KEYS, MOMENTS};
use neuronotes_core::kind::{controls, unit_rank};
use neuronotes_core::model::{Place, Precision};
use neuronotes_core::request::{Inputs, Request};
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use neuronotes_lab::table::layout::Rows;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::support::{archive, dataset, golden, model, picture, png, session, small_weights};

/// Numbers of an embedding.
const EMBEDDING: usize = 2;
/// Images of the first of two shards.
const FIRST: usize = 25;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn whole(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn near(found: f64, known: &Value) {
    let known = number(known);
    assert!((found - known).abs() <= 1e-9 * known.abs().max(1.0), "{found} {known}");
}

/// Images, and their scan, which is committed.
fn made(folder: &Path, store: &Store, golden: &Value) -> DatasetRef {
    let keys: Vec<&str> = list(&golden["keys"]).iter().filter_map(Value::as_str).collect();
    let units = whole(&golden["units"]) as usize;
    let table: Vec<f64> = list(&golden["table"]).iter().map(number).collect();
    assert_eq!(table.len(), keys.len() * units);
    let shards = [&keys[..FIRST], &keys[FIRST..]];
    let paths = ["a.tar", "b.tar"].map(|name| folder.join(name));
    for (path, keys) in paths.iter().zip(shards) {
        let image = |key: &&str| (format!("{key}.png"), png(&picture(1, 8, 8)));
        archive(path, &keys.iter().map(image).collect::<Vec<_>>());
    }
    let data = dataset(&format::tar::FORMAT, &[&paths[0], &paths[1]]);
    let place = Place::Layer(golden["layer"].as_str().expect("a layer").to_owned());
    let (model, inputs) = (model(&small_weights()), Inputs::default());
    let requests = scan::requests(&model, &data, &place, &inputs, Precision::F32);
    let mut rows = table.chunks_exact(units);
    for (request, keys) in requests.iter().zip(shards) {
        let own = rows.by_ref().take(keys.len()).flatten();
        let own: Vec<u8> = own.flat_map(|x| f16::from_f64(*x).to_le_bytes()).collect();
        let embedding = vec![0; keys.len() * EMBEDDING * 2];
        let rows = Rows { mean: &own, max: &own, embedding: &embedding };
        let (file, digests) = rows.laid(keys.len(), units, EMBEDDING).expect("laid out");
        commit(store, request, keys, units, [&file, &digests]);
    }
    data
}

fn commit(store: &Store, request: &Request, keys: &[&str], units: usize, files: [&[u8]; 2]) {
    let (key, version) = (request.key(), request.impl_version);
    let mut record = Record::new(key, &request.kind, version, request.canonical());
    let of_keys = serde_json::to_vec(keys).expect("JSON");
    let none = || scan::Distribution { mean: vec![0.0; units], sd: vec![1.0; units] };
    let moments = scan::Moments { count: keys.len() as u64, mean: none(), max: none() };
    let moments = serde_json::to_vec(&moments).expect("JSON");
    let outputs = [ACTIVATIONS, DIGESTS, KEYS, MOMENTS].into_iter();
    for (name, bytes) in outputs.zip([files[0], files[1], &of_keys, &moments]) {
        record.add_output(store, name, "application/octet-stream", bytes).expect("an output");
    }
    let outcome = scan::Outcome { count: keys.len() as u64, skipped: Vec::new(), ledger: None };
    record.set_result(store, &outcome).expect("a result");
    store.commit(&record).expect("a record");
}

fn measured<T: DeserializeOwned>(
    session: &Session,
    data: &DatasetRef,
    (kind, impl_version): (&str, u32),
    params: &Value,
) -> T {
    let (model, inputs) = (model(&small_weights()), Inputs::default());
    let place: Place = serde_json::from_value(params["layer"].clone()).expect("a place");
    let request = Request {
        kind: kind.to_owned(),
        impl_version,
        params: params.as_object().expect("a mapping").clone(),
        uses: scan::requests(&model, data, &place, &inputs, Precision::F32),
        model,
        dataset: Some(DatasetRef { captions: true, ..data.clone() }),
        inputs,
        precision: Precision::F32,
    };
    let record = session.measure(&request, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
    record.result(session.store()).expect("a result")
}

/// The same images with the same activations, in the same order.
fn same(found: &[Example], known: &Value) {
    let found: Vec<Value> = found.iter().map(|it| json!([it.key, it.activation])).collect();
    assert_eq!(&Value::from(found), known);
}

#[test]
fn draws_and_ranks_are_those_of_numpy() {
    let dir = tempfile::tempdir().expect("a folder");
    let session = session(dir.path());
    let bytes = std::fs::read(golden("controls.json")).expect("a golden file");
    let golden: Value = serde_json::from_slice(&bytes).expect("JSON");
    let data = made(dir.path(), session.store(), &golden);
    assert_eq!((list(&golden["controls"]).len(), list(&golden["ranks"]).len()), (5, 4));
    for case in list(&golden["controls"]) {
        let mut params = json!({ "layer": golden["layer"], "pool": "mean" });
        for name in ["unit", "seed", "random", "bands", "others"] {
            params[name] = case[name].clone();
        }
        let kind = (controls::KIND.name, controls::KIND.impl_version);
        let found: controls::Outcome = measured(&session, &data, kind, &params);
        let known = &case["found"];
        near(found.mean, &known["mean"]);
        near(found.sd, &known["sd"]);
        same(&found.random, &known["random"]);
        same(&found.weakest, &known["weakest"]);
        assert_eq!(found.passed, whole(&known["passed"]), "{case}");
        assert_eq!(found.bands.len(), list(&known["bands"]).len());
        for (found, known) in found.bands.iter().zip(list(&known["bands"])) {
            near(found.from, &known[0]);
            near(found.to, &known[1]);
            assert_eq!(found.images, whole(&known[2]));
            let drawn = found.drawn.as_ref().map(|it| json!([it.key, it.activation]));
            assert_eq!(drawn.unwrap_or_default(), known[3]);
        }
        assert_eq!(found.others.len(), list(&known["others"]).len());
        for (found, known) in found.others.iter().zip(list(&known["others"])) {
            assert_eq!(u64::from(found.unit), whole(&known[0]));
            same(&found.top, &known[1]);
        }
    }
    for case in list(&golden["ranks"]) {
        let params = json!({
            "layer": golden["layer"], "pool": "mean", "unit": case["unit"], "deviations": case["deviations"],
        });
        let kind = (unit_rank::KIND.name, unit_rank::KIND.impl_version);
        let found: unit_rank::Outcome = measured(&session, &data, kind, &params);
        let known = &case["found"];
        assert_eq!(
            (found.units, found.left_out),
            (whole(&known["units"]), whole(&known["left_out"]))
        );
        assert_eq!(found.ranks.len(), list(&known["ranks"]).len());
        for (found, known) in found.ranks.iter().zip(list(&known["ranks"])) {
            match found.value {
                Some(value) => near(value, &known[0]),
                None => assert!(known[0].is_null(), "{case}"),
            }
            assert_eq!(
                (found.greater, found.equal),
                (whole(&known[1]), whole(&known[2])),
                "{case}"
            );
            near(found.median.expect("others"), &known[3]);
        }
    }
}
