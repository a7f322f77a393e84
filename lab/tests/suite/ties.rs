//! Pictures with equal activations, in every kind that ranks pictures: each ranking against one by brute force, in which equal ones
//! are in the order of the digests of their keys.

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::dataset_examples::{self, Example};
use neuronotes_core::kind::{
    composition, concept, direction, scan, selectivity, unit_quality, unit_search, unit_similarity,
};
use neuronotes_core::request::Request;
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use serde::de::DeserializeOwned;

use crate::lines::{LAYER, planned};
use crate::support::{archive, emoji_weights, picture, png, scanned, session};

/// Different pictures.
const PICTURES: u32 = 7;
/// Copies of each, under other names.
const COPIES: u32 = 5;

/// Pictures with several copies each, whose names are in another order than their digests.
fn copies(path: &Path) {
    let mut files = Vec::new();
    for copy in 0..COPIES {
        for number in 0..PICTURES {
            let name = format!("{copy}-{number}");
            let label = if (copy + number) % 2 == 0 { "even" } else { "odd" };
            files.push((format!("{name}.png"), png(&picture(number, 70, 64))));
            let said = format!(r#"{{"caption": "picture {name}", "label": "{label}"}}"#);
            files.push((format!("{name}.json"), said.into_bytes()));
        }
    }
    archive(path, &files);
}

/// The activations of all units for all pictures, as they are stored, and the pictures' keys.
struct Table {
    rows: Vec<f64>,
    units: usize,
    keys: Vec<String>,
}

impl Table {
    fn of(session: &Session, request: &Request) -> Self {
        let scan = request.uses.iter().find(|used| used.kind == scan::NAME).expect("a scan");
        let record = session.store().record(&scan.key()).expect("a scan");
        let (rows, units) = scanned(session.store(), &record, "mean");
        let keys = session.store().blob(&record.outputs[scan::KEYS].digest).expect("keys");
        Self { rows, units, keys: serde_json::from_slice(&keys).expect("keys") }
    }

    /// The keys of all pictures by a unit, the strongest first, or with `sign` -1 the weakest.
    fn ranked(&self, unit: u32, sign: f64) -> Vec<&str> {
        let mut all: Vec<(f64, Digest, &str)> = Vec::new();
        for (row, key) in self.keys.iter().enumerate() {
            let number = self.rows[row * self.units + unit as usize];
            all.push((-sign * number + 0.0, Digest::of(key.as_bytes()), key));
        }
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.into_iter().map(|(_, _, key)| key).collect()
    }

    /// The caption of a unit's strongest picture.
    fn strongest(&self, unit: u32) -> String {
        format!("picture {}", self.ranked(unit, 1.0)[0])
    }
}

/// Checks that pictures are in order, equal ones by their digests, and that some are equal.
fn in_order(examples: &[Example], sign: f64) {
    let of = |example: &Example| (-sign * example.activation, Digest::of(example.key.as_bytes()));
    let ordered = |a: &Example, b: &Example| {
        let (a, b) = (of(a), of(b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).is_le()
    };
    assert!(examples.is_sorted_by(ordered), "{examples:?}");
    assert!(examples.windows(2).any(|two| two[0].activation == two[1].activation));
}

fn measured<T: DeserializeOwned>(session: &Session, request: &Request) -> T {
    let record = session.measure(request, &mut Silent).expect(&request.kind);
    record.result(session.store()).expect("an outcome")
}

#[test]
fn equal_pictures_are_in_the_order_of_their_digests_wherever_pictures_are_ranked() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("copies.tar");
    copies(&data);
    let model = emoji_weights().canonicalize().expect("weights");
    let config = format!(
        "models:\n  emoji: {{ path: {} }}\ndatasets:\n  copies: {{ path: {} }}\n\
         defaults: {{ model: emoji, dataset: copies }}\n",
        model.display(),
        data.display()
    );
    let block = |id: &str, kind: &str, fields: &str| {
        let layer = if fields.contains("probe:") { "" } else { LAYER };
        format!("id: {id}\nkind: {kind}\n{layer}{fields}")
    };
    let group = "positive: { keys: [\"*-0\", \"*-1\"] }\nheld_out: 0\npictures: 12\n";
    let concept = "positive: { keys: [\"*-0\", \"*-1\"] }\nheld_out: 0.5\npictures: 12\n";
    let blocks = [
        block("strongest", "dataset_examples", "unit: 3\ntop: 12\n"),
        block("weakest", "dataset_examples", "unit: 3\ntop: 12\norder: weakest\n"),
        block("search", "unit_search", "positive: { labels: [even] }\ntop: 5\n"),
        block("quality", "unit_quality", "strongest: 8\n"),
        block("near", "unit_similarity", "unit: 3\ntop: 5\n"),
        block("map", "unit_similarity", "method: pca\n"),
        block("test", "selectivity", "unit: 3\ncategories: [even]\npermutations: 100\n"),
        block("direction", "direction", group),
        block("concept", "concept", concept),
        block("probe", "probe", "truth: label\nheld_out: 0.4\npenalty: l2\nregularisation: 0.1\n"),
        block("composed", "composition", "probe: probe\nterms: 5\n"),
    ];
    let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
    let requests: BTreeMap<String, Request> = planned(&dir.path().join("garden"), &config, &blocks);
    let session = session(dir.path());
    for (id, sign) in [("strongest", 1.0), ("weakest", -1.0)] {
        let found: dataset_examples::Outcome = measured(&session, &requests[id]);
        let table = Table::of(&session, &requests[id]);
        let keys: Vec<&str> = found.top.iter().map(|example| &*example.key).collect();
        assert_eq!(keys, table.ranked(3, sign)[..12], "{id}");
        in_order(&found.top, sign);
        assert!(!keys.is_sorted(), "the order of the data set is another one");
    }
    let table = Table::of(&session, &requests["strongest"]);
    let found: unit_search::Outcome = measured(&session, &requests["search"]);
    assert!(!found.found.is_empty());
    for found in &found.found {
        let seen = found.strongest.as_ref().expect("a picture");
        assert_eq!(seen.caption, table.strongest(found.unit));
    }
    let found: unit_quality::Outcome = measured(&session, &requests["quality"]);
    for point in &found.points {
        assert_eq!(found.sheet.tiles[point.tile as usize].caption, table.strongest(point.unit));
    }
    let found: unit_similarity::Outcome = measured(&session, &requests["near"]);
    assert_eq!(found.target.expect("itself").caption, table.strongest(3));
    assert!(found.nearest.iter().all(|near| near.caption == table.strongest(near.unit)));
    let found: unit_similarity::Outcome = measured(&session, &requests["map"]);
    let chart = found.chart.expect("a map");
    for point in &chart.points {
        assert_eq!(chart.sheet.tiles[point.tile as usize].caption, table.strongest(point.unit));
    }
    let found: selectivity::Outcome = measured(&session, &requests["test"]);
    let row = &found.rows[0];
    let first = &table.ranked(3, 1.0)[..row.positive as usize];
    let digit = |key: &str, at: usize| u32::from(key.as_bytes()[at] - b'0');
    let even = |key: &&&str| (digit(key, 0) + digit(key, 2)) % 2 == 0;
    assert_eq!(row.hits, first.iter().filter(even).count() as u64);
    let found: direction::Outcome = measured(&session, &requests["direction"]);
    let shown = found.data.expect("pictures");
    in_order(&shown.strongest, 1.0);
    in_order(&shown.weakest, -1.0);
    let found: concept::Outcome = measured(&session, &requests["concept"]);
    let looks = found.looks.expect("pictures");
    let sign = if found.unit.low { -1.0 } else { 1.0 };
    let of_unit = looks.unit.strongest.expect("pictures").pictures;
    let keys: Vec<&str> = of_unit.iter().map(|example| &*example.key).collect();
    assert_eq!(keys, table.ranked(found.unit.unit, sign)[..12]);
    in_order(&looks.direction.strongest.expect("pictures").pictures, 1.0);
    let found: composition::Outcome = measured(&session, &requests["composed"]);
    assert!(!found.units.is_empty());
    for unit in &found.units {
        assert_eq!(unit.key, table.ranked(unit.unit, 1.0)[0]);
    }
}
