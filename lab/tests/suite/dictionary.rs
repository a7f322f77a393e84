//! Dictionaries over layers: features against NumPy's (`tests/reference/dictionary.py`), files that cannot be used, and
//! measurements at a dictionary.

use std::fs;
use std::path::Path;

use neuronotes_core::dataset::format;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{activation_histogram, attribution, dataset_examples, feature_vis};
use neuronotes_core::model::Layer;
use neuronotes_core::request::{FileRef, Request};
use neuronotes_lab::clip::activations::by_unit;
use neuronotes_lab::dictionary::Dictionary;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::vis::objective::{Aim, Place, Target};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;
use tch::Device;

use crate::support::{
    dataset, emoji_weights, examples_request, golden, histogram_request, model, relative_error,
    repository, session, shard, small_clip, small_weights, tensors, vis_request, with_scans,
};

const LAYER: &str = "visual.layer4.0.add";

fn layer() -> Layer {
    small_clip().layer(LAYER).expect("a layer")
}

#[test]
fn features_and_their_pooled_values_equal_numpys() {
    let layer = layer();
    let path = golden("dictionary/dictionary.safetensors");
    let dictionary = Dictionary::open(&path, &layer, Device::Cpu).expect("a dictionary");
    let expected = tensors("dictionary/features.safetensors");
    let map = &tensors("clip_resnet/activations.safetensors")[LAYER]; // [1, units, h, w]
    let (mean, max) = dictionary.pooled(&by_unit(map));
    for (found, name) in [(&mean, "mean"), (&max, "max")] {
        let error = relative_error(found, &expected[name]);
        assert!(error < 1e-5, "{name}: {error}");
    }
    let before = &expected["before"]; // [1, features, h, w]
    for feature in 0..6u32 {
        let one = dictionary.encode_one(&by_unit(map), feature);
        let numpy = before.select(1, feature.into()).relu().flatten(1, -1);
        let error = (one - numpy).abs().max().double_value(&[]);
        assert!(error < 1e-5, "feature {feature}: {error}");
        // What a visualisation makes grow is the value before the ReLU.
        let value = |position| {
            let (row, bias) = dictionary.feature(feature);
            let aim = Aim::Feature { row, bias, position };
            let target = Target { stage: layer.stage, aim, sign: 1.0, cosine_power: 0.0 };
            target.value(map, None).double_value(&[])
        };
        let map = before.select(1, feature.into());
        let everywhere = map.mean(tch::Kind::Double).double_value(&[]);
        assert!((value(Place::Everywhere) - everywhere).abs() < 1e-5);
        assert!((value(Place::Centre) - map.double_value(&[0, 1, 1])).abs() < 1e-5);
    }
}

/// A dictionary file of these tensors.
fn write(path: &Path, tensors: &[(&str, Vec<usize>, Vec<f32>)]) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, data)| data.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a view"))
    });
    fs::write(path, safetensors::serialize(views, None).expect("bytes")).expect("a file");
}

#[test]
fn a_number_that_is_not_finite_is_named_with_its_tensor() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("d.safetensors");
    let layer = layer();
    let units = layer.units as usize;
    for (tensor, number, what) in [
        ("encoder", f32::NAN, "NaN"),
        ("encoder_bias", f32::INFINITY, "infinite"),
        ("decoder", f32::NAN, "NaN"),
    ] {
        let mut all = vec![
            ("encoder", vec![2, units], vec![0.5; 2 * units]),
            ("encoder_bias", vec![2], vec![0.0; 2]),
            ("decoder", vec![units, 2], vec![0.0; 2 * units]),
        ];
        let wrong = all.iter_mut().find(|(name, ..)| *name == tensor).expect("a tensor");
        wrong.2[1] = number;
        write(&path, &all);
        let failure = Dictionary::open(&path, &layer, Device::Cpu).expect_err("not finite");
        let message = failure.to_string();
        assert!(message.contains(&format!("`{tensor}`")), "{message}");
        assert!(message.contains(&format!("is {what} at element 1")), "{message}");
    }
}

/// The same request about a unit of a dictionary.
fn at(mut request: Request, dictionary: &Path, unit: u32) -> Request {
    let digest = Digest::of_file(dictionary).expect("a digest");
    let place = json!({ "layer": request.params["layer"], "dictionary": digest });
    request.params.insert("layer".into(), place);
    request.params.insert("unit".into(), unit.into());
    let (name, path) = ("few".to_owned(), dictionary.to_owned());
    request.inputs.dictionaries = vec![FileRef { name, path, digest }];
    match request.dataset {
        Some(_) => with_scans(request),
        None => request,
    }
}

#[test]
fn a_feature_that_is_a_unit_is_measured_as_that_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = session(folder.path());
    let path = folder.path().join("units.safetensors");
    let relu = "visual.layer4.0";
    let units = small_clip().layer(relu).expect("a layer").units as usize;
    let mut encoder = vec![0.0; 2 * units];
    (encoder[5], encoder[units + 3]) = (1.0, 1.0);
    write(&path, &[("encoder", vec![2, units], encoder)]);
    let data = dataset(&format::tar::FORMAT, &[&shard(folder.path(), 9)]);
    let measure = |request: &Request| session.measure(request, &mut Silent);
    let here = json!({ "layer": relu });
    let model = || model(&small_weights());
    let histogram = histogram_request(model(), data.clone(), here.clone());
    let examples = examples_request(model(), data, here.clone());
    let (of_feature, of_unit) = (at(histogram.clone(), &path, 1), histogram);
    assert_ne!(of_feature.key(), of_unit.key());
    let outcome = |request: &Request| {
        let record = measure(request).expect("measured");
        record.result::<activation_histogram::Outcome>(session.store()).expect("an outcome")
    };
    assert_eq!(outcome(&of_feature), outcome(&of_unit));
    let outcome = |request: &Request| {
        let record = measure(request).expect("measured");
        record.result::<dataset_examples::Outcome>(session.store()).expect("an outcome")
    };
    assert_eq!(outcome(&at(examples.clone(), &path, 1)), outcome(&examples));
    // A visualisation grows the value before the ReLU, which is the unit itself.
    let vis = vis_request(model(), json!({ "steps": 8 }));
    let outcome = |request: &Request| {
        let record = measure(request).expect("measured");
        record.result::<feature_vis::Outcome>(session.store()).expect("an outcome").images.remove(0)
    };
    let (feature, unit) = (outcome(&at(vis.clone(), &path, 1)), outcome(&vis));
    let near = (feature.activation - unit.activation).abs() < 1e-3 * unit.activation.abs().max(1.0);
    assert!(near && feature.activation > feature.activation_at_start, "{feature:?} {unit:?}");
    for (request, what) in [
        (at(vis, &path, 2), "`few` has no unit 2; its 2 units"),
        (at(examples, &path, 2), "`few` has no unit 2; its 2 units"),
    ] {
        let failure = measure(&request).expect_err("no such feature").to_string();
        assert!(failure.contains(what), "{failure}");
    }
}

#[test]
fn a_dictionary_that_changed_is_not_measured_as_the_one_that_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = session(folder.path());
    let path = folder.path().join("d.safetensors");
    fs::copy(golden("dictionary/dictionary.safetensors"), &path).expect("a copy");
    let request = at(vis_request(model(&small_weights()), json!({ "steps": 2 })), &path, 0);
    let bytes = fs::read(&path).expect("bytes");
    let encoder = SafeTensors::deserialize(&bytes)
        .expect("tensors")
        .tensor("encoder")
        .expect("one")
        .shape()
        .to_vec();
    let count = encoder.iter().product::<usize>();
    write(&path, &[("encoder", encoder, vec![0.25; count])]);
    let failure = session.measure(&request, &mut Silent).expect_err("changed");
    assert!(failure.to_string().contains("d.safetensors"), "{failure}");
}

#[test]
fn a_logit_is_attributed_to_the_features_of_the_real_networks_dictionary() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = session(folder.path());
    let request = |dictionary: &Path| {
        let params = json!({
            "layer": "visual.layer4.1", "word": "apple", "text": "apple", "templates": ["{}"],
            "truncate": false, "method": "integrated_gradients", "nodes": 20, "baseline": "zero",
            "top": 5,
        });
        let request = Request {
            kind: attribution::KIND.name.into(),
            impl_version: attribution::KIND.impl_version,
            params: params.as_object().expect("a map").clone(),
            ..vis_request(model(&emoji_weights()), json!({}))
        };
        let mut request = at(request, dictionary, 0);
        request.params.remove("unit");
        request
    };
    let record =
        session.measure(&request(&repository("models/emoji-parts.safetensors")), &mut Silent);
    let record = record.expect("a record");
    let outcome: attribution::Outcome = record.result(session.store()).expect("an outcome");
    assert_eq!((outcome.units, outcome.strongest.len()), (64, 5));
    let promised = outcome.promised.expect("a promise");
    assert!((outcome.sum - promised).abs() < 0.02 * outcome.size, "{} {promised}", outcome.sum);
    for feature in &outcome.strongest {
        // A feature that adds something is active, and has a place in the picture.
        assert!(feature.unit < 64 && feature.activation > 0.0 && feature.picture.is_some());
        assert!(feature.change != 0.0, "{feature:?}");
    }
    // What a feature adds is unknown without a decoder.
    let path = folder.path().join("encoder.safetensors");
    write(&path, &[("encoder", vec![3, 768], vec![0.5; 3 * 768])]);
    let failure = session.measure(&request(&path), &mut Silent).expect_err("no decoder");
    assert!(failure.to_string().contains("has no tensor `decoder`"), "{failure}");
}
