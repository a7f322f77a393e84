//! Drawings of stored results.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::feature_vis::KIND;
use neuronotes_core::kind::scan::{Distribution, Moments};
use neuronotes_core::request::BlockRef;
use serde_json::json;

use super::*;
use crate::figure::Baseline;
use crate::figure::picture::Format;
use crate::figure::tests::Stored;

/// A request's parameters, with some changes.
fn params(changes: Value) -> Value {
    let mut all = json!({
        "layer": "visual.layer4.0.add", "unit": 1, "objective": "channel", "sign": "positive",
        "images": 1, "diversity": 1.0, "strength": 5.0, "penalty": 0.0, "cosine_power": 0.0,
        "start": "noise", "parametrisation": "fourier", "size": 512, "steps": 64,
        "learning_rate": 0.05, "transforms": "lucid", "redirect": 16, "frames": 0, "seed": 0,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    if all["unit"].is_null() {
        all.as_object_mut().map(|all| all.remove("unit"));
    }
    all
}

fn made(activation: f64, strength: Option<f64>) -> Made {
    let curve = vec![(0, 0.25), (64, activation)];
    Made { activation, activation_at_start: 0.25, strength, curve, embedding: vec![] }
}

fn drawn(params: Value, outcome: &Outcome, facet: Option<&str>) -> Drawing {
    let mut stored = Stored::new(&KIND, params, outcome);
    for index in 0..outcome.images.len() {
        for (name, media_type) in
            [(picture(index), "image/png"), (web(index), "image/webp"), (film(index), "image/webp")]
        {
            stored = stored.output(&name, media_type, name.as_bytes());
        }
    }
    let of = |mean: f64, sd: f64| Distribution { mean: vec![0.0, mean], sd: vec![0.0, sd] };
    let moments = Moments { count: 1494, mean: of(1.0, 0.5), max: of(3.0, 0.0) };
    let bytes = serde_json::to_vec(&moments).expect("JSON");
    let moments = stored.store.put_blob(&bytes).expect("stored");
    stored.inputs.blocks.extend(facet.map(|name| BlockRef {
        role: "facet".into(),
        name: name.into(),
        note: "a.md".into(),
        id: name.into(),
        which: String::new(),
        key: Digest::of(b"facet"),
    }));
    stored.layer_shown = "image_block_4/0/Add_6";
    stored.baseline = Some(Baseline { dataset: "emoji".into(), moments });
    stored.drawn()
}

fn outcome(images: Vec<Made>) -> Outcome {
    Outcome { size: 512, web: Some(384), film: Some(192), images, restarted_with: None }
}

fn note(drawing: &Drawing) -> &str {
    match drawing {
        Drawing::Picture { note, .. } | Drawing::Grid { note, .. } => note,
        _ => panic!("a picture"),
    }
}

#[test]
fn a_picture_is_its_small_variant_with_the_whole_and_the_film_behind_it() {
    let drawing = drawn(params(json!({})), &outcome(vec![made(7.15, None)]), None);
    let said = "mean activation 7.15, from 0.25 on noise — 12.3 standard deviations above the mean of emoji's 1,494 images";
    assert_eq!(note(&drawing), said);
    let Drawing::Picture { picture, curve, value, .. } = &drawing else { panic!("a picture") };
    assert_eq!((picture.image.format, picture.image.width), (Format::Webp, 384));
    assert_eq!(
        picture.full.as_ref().map(|full| (full.format, full.width)),
        Some((Format::Png, 512))
    );
    assert!(picture.film.is_some() && curve.is_some());
    assert_eq!(value, "mean activation 7.15");
    assert_eq!(picture.alt, "Feature visualisation of unit 1 of image_block_4/0/Add_6.");
    assert_eq!(drawing.images().len(), 3);
}

#[test]
fn a_ramp_of_strengths_says_each_of_them() {
    let ramp = outcome(vec![made(1.0, Some(0.1)), made(2.5, Some(5.0))]);
    let drawing = drawn(params(json!({ "images": 2 })), &ramp, Some("face"));
    let Drawing::Grid { items, .. } = &drawing else { panic!("a grid") };
    let captions: Vec<&str> = items.iter().map(|item| item.caption.as_str()).collect();
    assert_eq!(captions, ["strength 0.1", "strength 5"]);
    assert!(items[0].picture.alt.contains("with the facet face"), "{}", items[0].picture.alt);
    assert!(note(&drawing).starts_with("mean activation 1.00 to 2.50, from 0.25 on noise"));
}

#[test]
fn the_note_says_what_the_number_is_of() {
    let one = || Outcome { restarted_with: Some(0.025), ..outcome(vec![made(-0.5, None)]) };
    let said = |changes: Value| {
        let drawing = drawn(params(changes), &one(), None);
        let Drawing::Picture { picture, note, .. } = drawing else { panic!("a picture") };
        format!("{} {note}", picture.alt)
    };
    let terms = json!([{ "weight": 1.0, "of": { "text": "red" } }]);
    let all = [
        // Scans hold no value at the centre, so there is nothing to compare with.
        said(json!({ "objective": "neuron", "start": "image", "image": "x" })),
        said(json!({ "sign": "negative" })),
        said(json!({ "unit": null, "direction": terms })),
        said(json!({ "unit": null, "objective": "layer" })),
        said(json!({ "unit": null, "objective": "caricature", "image": "x" })),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_unit_that_nothing_excites_is_said_to_be_silent() {
    let silent = |value: f64| Made {
        activation: value,
        activation_at_start: value,
        strength: None,
        curve: vec![(0, value), (32, value), (64, value)],
        embedding: vec![],
    };
    for value in [0.0, -1.5] {
        let drawing = drawn(params(json!({})), &outcome(vec![silent(value)]), None);
        assert!(note(&drawing).contains("the same at every step"), "{}", note(&drawing));
        assert!(!note(&drawing).contains("standard deviations"), "{}", note(&drawing));
    }
    // One picture of two that moves is enough.
    let drawing =
        drawn(params(json!({ "images": 2 })), &outcome(vec![silent(0.25), made(2.0, None)]), None);
    assert!(!note(&drawing).contains("the same at every step"), "{}", note(&drawing));
}
