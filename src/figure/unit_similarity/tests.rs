//! Drawings of made-up similarities.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::unit_similarity::{Point, sample};
use neuronotes_core::request::Inputs;
use neuronotes_core::store::{Record, Store};
use serde_json::json;

use super::*;

fn drawn(outcome: &Outcome, params: Value, presentation: Value) -> Result<Drawing, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut all = json!({
        "layer": "visual.layer4.0.add", "pool": "mean", "by": "correlation", "order": "nearest", "top": 12,
        "method": "tsne", "perplexity": 30.0, "steps": 1000, "strongest": 9,
    });
    for (name, value) in params.as_object().expect("a map") {
        all[name] = value.clone();
    }
    let request = json!({ "params": all, "model": Digest::of(b"weights") });
    let mut record = Record::new(Digest::of(b"key"), unit_similarity::KIND.name, 1, request);
    for (name, media) in
        [("001.png", "image/png"), ("002.png", "image/png"), ("sheet.webp", "image/webp")]
    {
        record.add_output(&store, name, media, name.as_bytes()).expect("an output");
    }
    record.set_result(&store, outcome).expect("stored");
    let Value::Object(presentation) = presentation else { unreachable!() };
    let context = DrawContext {
        store: &store,
        record: &record,
        presentation: &presentation,
        layer_shown: "",
        inputs: &Inputs::default(),
        baseline: None,
    };
    draw(&context)
}

fn map_of(drawing: &Drawing) -> &Map {
    let Drawing::Parts { parts, .. } = drawing else { panic!("parts") };
    let [Part::Map(map)] = parts.as_slice() else { panic!("a map") };
    map
}

fn note_of(drawing: &Drawing) -> &str {
    let Drawing::Parts { note, .. } = drawing else { panic!("parts") };
    note
}

#[test]
fn a_list_is_the_strongest_images_of_near_units() {
    let (outcome, _) = sample(false, 0.75);
    insta::assert_json_snapshot!(
        drawn(&outcome, json!({ "unit": 7 }), json!({})).expect("a drawing")
    );
}

#[test]
fn a_map_is_dots_pictures_and_everything_that_its_script_draws() {
    let (outcome, _) = sample(true, 0.75);
    let drawing = drawn(&outcome, json!({}), json!({})).expect("a drawing");
    let units: Vec<u32> = drawing.units().iter().map(|unit| unit.unit).collect();
    assert_eq!(units, [0, 1, 3, 4]);
    assert_eq!(drawing.images().len(), 1, "the sheet");
    insta::assert_json_snapshot!(drawing);
}

#[test]
fn colours_follow_labels_kurtosis_or_deviation_and_say_what_they_mean() {
    let (mut outcome, _) = sample(true, 0.75);
    if let Some(chart) = &mut outcome.chart {
        for (at, point) in chart.points.iter_mut().enumerate() {
            point.kurtosis = at as f64;
        }
    }
    let by = |colour: &str, outcome: &Outcome| {
        drawn(outcome, json!({}), json!({ "colour": colour })).expect("a drawing")
    };
    let names = |drawing: &Drawing| -> Vec<(String, usize)> {
        let groups = map_of(drawing).groups.iter();
        groups.map(|group| (group.name.clone(), group.count)).collect()
    };
    let labels = names(&by("label", &outcome));
    assert_eq!(labels, [("hand".to_owned(), 3), ("face".to_owned(), 1)]);
    let groups = by("group", &outcome);
    assert_eq!(names(&groups), [("1. hand".to_owned(), 3), ("2. face".to_owned(), 1)]);
    assert!(map_of(&groups).key.contains("correlated"), "{}", map_of(&groups).key);
    assert!(map_of(&groups).data.contains("; group 2; "), "{}", map_of(&groups).data);
    let steps = names(&by("kurtosis", &outcome));
    assert_eq!((steps.len(), steps.iter().map(|(_, count)| count).sum::<usize>()), (5, 4));
    assert_eq!(steps[0].0, "0.0 to 0.0");
    assert_eq!(steps[4].0, "2.0 to 3.0");
    // Without labels there are deviations, and the note says so.
    if let Some(chart) = &mut outcome.chart {
        chart.labels.clear();
        chart.points.iter_mut().for_each(|point| point.label = None);
    }
    let drawing = by("label", &outcome);
    assert!(note_of(&drawing).contains("has no labels"), "{}", note_of(&drawing));
    assert!(map_of(&drawing).key.contains("deviations"), "{}", map_of(&drawing).key);
}

#[test]
fn a_note_says_what_was_done_instead_and_what_has_not_settled() {
    let (mut outcome, _) = sample(true, 0.75);
    let Some(chart) = &mut outcome.chart else { panic!("a map") };
    chart.settled = Some(0.2);
    let drawing = drawn(&outcome, json!({}), json!({})).expect("a drawing");
    let note = note_of(&drawing);
    assert!(note.contains("not settled") && note.contains("20.0 %"), "{note}");
    assert!(note.contains("as many as that many units allow"), "{note}");
    assert!(note.contains("1 unit has the same activation for every image"), "{note}");
    let Some(chart) = &mut outcome.chart else { panic!("a map") };
    (chart.method, chart.perplexity, chart.settled) = (Method::Pca, None, None);
    let drawing = drawn(&outcome, json!({}), json!({})).expect("a drawing");
    assert!(note_of(&drawing).contains("instead of t-SNE"), "{}", note_of(&drawing));
}

#[test]
fn a_map_of_thousands_of_units_is_drawn_quickly_and_its_table_is_cut() {
    let (mut outcome, _) = sample(true, 0.75);
    let Some(chart) = &mut outcome.chart else { panic!("a map") };
    let point = chart.points[0].clone();
    chart.points = (0..2560u32)
        .map(|unit| Point {
            unit,
            x: f64::from(unit % 51),
            y: f64::from(unit / 51),
            deviations: f64::from(unit % 97),
            ..point.clone()
        })
        .collect();
    let started = std::time::Instant::now();
    let drawing = drawn(&outcome, json!({}), json!({})).expect("a drawing");
    assert!(started.elapsed().as_secs_f64() < 5.0, "{:?}", started.elapsed());
    let map = map_of(&drawing);
    assert!((100..=160).contains(&map.shown.len()), "{}", map.shown.len());
    assert!(map.data.len() < 400_000, "{}", map.data.len());
    assert_eq!(drawing.table().map(|table| table.rows.len()), Some(MOST_ROWS));
    assert!(
        note_of(&drawing).ends_with("the table has the first 1,000 units, the file of JSON all")
    );
}

#[test]
fn a_damaged_map_is_an_error() {
    let (mut outcome, _) = sample(true, 0.75);
    let Some(chart) = &mut outcome.chart else { panic!("a map") };
    chart.points[0].label = Some(9);
    assert!(drawn(&outcome, json!({}), json!({})).is_err());
    for group in [None, Some(9)] {
        let (mut outcome, _) = sample(true, 0.75);
        let Some(chart) = &mut outcome.chart else { panic!("a map") };
        chart.points[0].group = group;
        assert!(drawn(&outcome, json!({}), json!({})).is_err(), "{group:?}");
    }
    let (mut outcome, _) = sample(true, 0.75);
    let Some(chart) = &mut outcome.chart else { panic!("a map") };
    chart.points[0].tile = 9;
    assert!(drawn(&outcome, json!({}), json!({})).is_err());
}
