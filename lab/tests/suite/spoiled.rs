//! Units that are NaN or infinite for one picture, in a stored scan, through every kind that reads it: they are left out and named
//! where all units of a layer are compared, and fail a figure that is about them alone.

use std::collections::BTreeMap;

use half::f16;
use neuronotes_core::kind::spoiled::{Odd, Spoiled};
use neuronotes_core::kind::{
    concept, direction, labels, probe, scan, selectivity, unit_quality, unit_search,
    unit_similarity,
};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::session::Session;
use neuronotes_lab::table::layout::Rows;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lines::{LAYER, numbers, requests};
use crate::support::{scanned, session};

/// The words of `labels`.
const WORDS: &str = "[bicycle, castle, cat, guitar, octopus, pizza, rocket, umbrella]";

/// Requests of blocks, and a store in which some units of their scan are spoiled.
struct Garden {
    requests: BTreeMap<String, Request>,
    sound: Session,
    spoiled: Session,
    /// The spoiled units: the two that tell castles and rockets best from other things.
    units: Vec<Spoiled>,
    _folders: [tempfile::TempDir; 3],
}

impl Garden {
    /// Blocks of an id, a kind and further fields. In these, `BEST` is a spoiled unit and `SOUND` is another one.
    fn of(blocks: &[(&str, &str, &str)]) -> Self {
        let search = format!(
            "id: search\nkind: unit_search\n{LAYER}positive: {{ labels: [castle, rocket] }}\ntop: 6\n"
        );
        let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        let [garden, one, other] = folders.each_ref().map(tempfile::TempDir::path);
        let (sound, spoiled) = (session(one), session(other));
        let first = requests(garden, &[&search]).remove("search").expect("a request");
        let found: unit_search::Outcome = measured(&sound, &first).1;
        let best: Vec<u32> = found.found.iter().map(|found| found.unit).collect();
        assert!(best.len() > 4, "{best:?}");
        let scan = first.uses.iter().find(|used| used.kind == scan::NAME).expect("a scan");
        let odd =
            [(2, best[0], f16::NAN), (5, best[1], f16::INFINITY), (7, best[0], f16::INFINITY)];
        let keys = tamper((sound.store(), spoiled.store()), scan, &odd);
        let one = |(row, unit, number): (usize, u32, f16)| Spoiled {
            unit,
            key: keys[row].clone(),
            is: Odd::of(number.to_f64()),
        };
        let mut units = vec![one(odd[0]), one(odd[1])];
        units.sort_by_key(|spoiled| spoiled.unit);
        let (bad, good) = (best[0].to_string(), best[3].to_string());
        let text = |(id, kind, fields): &(&str, &str, &str)| {
            let layer = if fields.contains("probe:") { "" } else { LAYER };
            let fields = fields.replace("BEST", &bad).replace("SOUND", &good);
            format!("id: {id}\nkind: {kind}\n{layer}{fields}")
        };
        let blocks: Vec<String> = blocks.iter().map(text).chain([search]).collect();
        let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
        let requests = requests(garden, &blocks);
        Self { requests, sound, spoiled, units, _folders: folders }
    }

    /// A block's results without and with spoiled units.
    fn both<T: DeserializeOwned>(&self, id: &str) -> [(Record, T); 2] {
        [&self.sound, &self.spoiled].map(|session| measured(session, &self.requests[id]))
    }

    /// What a block fails with where units are spoiled.
    fn failure(&self, id: &str) -> String {
        let failed = self.spoiled.measure(&self.requests[id], &mut Silent);
        failed.expect_err(id).to_string()
    }

    fn is_spoiled(&self, unit: u32) -> bool {
        self.units.iter().any(|spoiled| spoiled.unit == unit)
    }

    /// Checks that a failure names the best unit, and its picture.
    fn names(&self, message: &str) {
        let best = self.units.iter().find(|spoiled| spoiled.is == Some(Odd::Nan)).expect("one");
        let (unit, key) = (format!("unit {}", best.unit), format!("`{}`", best.key));
        assert!(message.contains(&unit) && message.contains(&key), "{message}");
    }
}

fn measured<T: DeserializeOwned>(session: &Session, request: &Request) -> (Record, T) {
    let record = session.measure(request, &mut Silent).expect(&request.kind);
    let outcome = record.result(session.store()).expect("an outcome");
    (record, outcome)
}

/// Stores a scan with other numbers of some rows and units; returns the keys of its pictures.
fn tamper((from, to): (&Store, &Store), scan: &Request, odd: &[(usize, u32, f16)]) -> Vec<String> {
    let record = from.record(&scan.key()).expect("a scan");
    let [mut mean, mut max, embedding] =
        ["mean", "max", "embedding"].map(|name| scanned(from, &record, name));
    let (units, width) = (mean.1, embedding.1);
    let images = mean.0.len() / units;
    for (row, unit, number) in odd {
        for table in [&mut mean, &mut max] {
            table.0[row * units + *unit as usize] = number.to_f64();
        }
    }
    let [mean, max, embedding] = [mean, max, embedding].map(|(numbers, _)| -> Vec<u8> {
        numbers.into_iter().flat_map(|number| f16::from_f64(number).to_le_bytes()).collect()
    });
    let rows = Rows { mean: &mean, max: &max, embedding: &embedding };
    let (file, digests) = rows.laid(images, units, width).expect("laid out");
    let mut other =
        Record::new(record.key, &record.kind, record.impl_version, record.request.clone());
    for (name, output) in &record.outputs {
        let bytes = match name.as_str() {
            scan::ACTIVATIONS => file.clone(),
            scan::DIGESTS => digests.clone(),
            _ => from.blob(&output.digest).expect("a blob"),
        };
        other.add_output(to, name, &output.media_type, &bytes).expect("stored");
    }
    to.commit(&other).expect("stored");
    let keys = from.blob(&record.outputs[scan::KEYS].digest).expect("keys");
    serde_json::from_slice(&keys).expect("keys")
}

#[test]
fn a_search_leaves_spoiled_units_out_and_says_the_same_of_the_others() {
    let garden = Garden::of(&[
        ("drawn", "unit_search", "positive: { words: [rocket, castle] }\ntop: 200\n"),
        (
            "layer",
            "selectivity",
            "categories: [castle, rocket]\nheld_out: 0.4\npermutations: 100\n",
        ),
        ("own", "selectivity", "unit: BEST\ncategories: [castle]\npermutations: 100\n"),
        ("other", "selectivity", "unit: SOUND\ncategories: [castle]\npermutations: 100\n"),
    ]);
    for id in ["search", "drawn"] {
        let [(first, before), (second, after)] = garden.both::<unit_search::Outcome>(id);
        assert_eq!((&before.spoiled, &after.spoiled), (&vec![], &garden.units), "{id}");
        assert_eq!((before.units, before.constant), (after.units, after.constant), "{id}");
        let kept: Vec<_> = before.found.iter().filter(|f| !garden.is_spoiled(f.unit)).collect();
        assert!(kept.len() > 3 && kept.len() <= after.found.len(), "{id}");
        for (before, after) in kept.into_iter().zip(&after.found) {
            assert_eq!((before.unit, before.auc, before.p), (after.unit, after.auc, after.p));
            // Pictures are named by their number in the result.
            let of = |record: &Record, seen: &Option<unit_similarity::Seen>| {
                let seen = seen.as_ref().expect("a picture");
                (seen.caption.clone(), record.outputs[&seen.picture].digest)
            };
            assert_eq!(of(&first, &before.strongest), of(&second, &after.strongest));
        }
        assert!(after.found.iter().all(|found| !garden.is_spoiled(found.unit)), "{id}");
    }
    let [(_, before), (_, after)] = garden.both::<selectivity::Outcome>("other");
    assert_eq!(after.spoiled, garden.units);
    assert_eq!(before.compared, after.compared + 2);
    assert_eq!(before.rows[0].auc, after.rows[0].auc);
    let [(_, _), (_, after)] = garden.both::<selectivity::Outcome>("layer");
    assert_eq!(after.spoiled, garden.units);
    assert!(after.rows.iter().all(|row| row.unit.is_some_and(|unit| !garden.is_spoiled(unit))));
    garden.names(&garden.failure("own"));
}

#[test]
fn labels_and_scores_of_a_layer_are_those_of_its_other_units() {
    let texts = format!("texts: {WORDS}\n");
    let [invert, model, own, alone] = [
        "method: invert\nlength: 1\nheld_out: 0.5\n",
        "held_out: 0.5\nstrongest: 5\n",
        "unit: BEST\nmethod: invert\nheld_out: 0.5\n",
        "unit: SOUND\nmethod: invert\nlength: 1\nheld_out: 0.5\n",
    ]
    .map(|fields| format!("{texts}{fields}"));
    let garden = Garden::of(&[
        ("invert", "labels", &invert),
        ("model", "labels", &model),
        ("own", "labels", &own),
        ("alone", "labels", &alone),
        ("quality", "unit_quality", "strongest: 5\n"),
        ("near", "unit_similarity", "unit: SOUND\ntop: 20\n"),
        ("of_weights", "unit_similarity", "unit: SOUND\nby: weights_in\ntop: 100\n"),
        ("of_best", "unit_similarity", "unit: BEST\n"),
        ("of_sum", "unit_similarity", "units: [BEST, SOUND]\n"),
        ("map", "unit_similarity", "method: pca\n"),
    ]);
    for id in ["invert", "model", "alone"] {
        let [(_, before), (_, after)] = garden.both::<labels::Outcome>(id);
        assert_eq!(after.spoiled, garden.units, "{id}");
        assert_eq!((before.units, before.constant), (after.units, after.constant), "{id}");
        let kept = before.rows.iter().filter(|row| !garden.is_spoiled(row.unit));
        let units: Vec<u32> = kept.clone().map(|row| row.unit).collect();
        assert_eq!(units, after.rows.iter().map(|row| row.unit).collect::<Vec<_>>(), "{id}");
        // By the data each unit's label is its own; by the model it depends on which other units there are.
        for (before, after) in kept.zip(&after.rows).filter(|_| id != "model") {
            assert_eq!(before.labels[0].label, after.labels[0].label);
            assert_eq!(before.labels[0].score, after.labels[0].score);
        }
    }
    garden.names(&garden.failure("own"));

    let [(_, before), (_, after)] = garden.both::<unit_quality::Outcome>("quality");
    assert_eq!((&after.spoiled, &before.left_out), (&garden.units, &after.left_out));
    let kept: Vec<_> =
        before.points.iter().filter(|point| !garden.is_spoiled(point.unit)).collect();
    assert_eq!(kept.len(), after.points.len());
    for (before, after) in kept.into_iter().zip(&after.points) {
        assert_eq!((before.unit, before.clarity), (after.unit, after.clarity));
        assert_eq!(before.polysemanticity, after.polysemanticity);
    }

    for id in ["near", "of_weights"] {
        let [(_, before), (_, after)] = garden.both::<unit_similarity::Outcome>(id);
        assert_eq!((&after.spoiled, before.constant), (&garden.units, after.constant), "{id}");
        let units = |outcome: &unit_similarity::Outcome| -> Vec<u32> {
            let all = outcome.nearest.iter().map(|near| near.unit);
            all.filter(|unit| !garden.is_spoiled(*unit)).collect()
        };
        let (kept, found) = (units(&before), units(&after));
        assert_eq!((found.len(), &found[..kept.len()]), (after.nearest.len(), &*kept), "{id}");
    }
    garden.names(&garden.failure("of_best"));
    garden.names(&garden.failure("of_sum"));
    let [(_, before), (_, after)] = garden.both::<unit_similarity::Outcome>("map");
    assert_eq!(after.spoiled, garden.units);
    let [before, after] = [before, after].map(|outcome| outcome.chart.expect("a map"));
    assert_eq!(before.left_out, after.left_out);
    assert_eq!(before.points.len(), after.points.len() + 2);
    assert!(after.points.iter().all(|point| !garden.is_spoiled(point.unit)));
}

#[test]
fn what_is_fitted_to_all_units_gives_spoiled_ones_no_weight() {
    let groups = "positive: { labels: [castle, rocket] }\nheld_out: 0.4\n";
    let logistic = format!("{groups}method: logistic\n");
    let cleaned = format!("{groups}without: [{{ words: [castle] }}]\n");
    let garden = Garden::of(&[
        ("probe", "probe", "truth: label\nheld_out: 0.4\npenalty: l2\nregularisation: 0.05\n"),
        ("sparse", "probe", "truth: label\nheld_out: 0.4\npenalty: l1\nterms: 2\n"),
        ("means", "direction", groups),
        ("logistic", "direction", &logistic),
        ("cleaned", "direction", &cleaned),
        ("best", "direction", "unit: BEST\n"),
        ("sum", "direction", "units: [BEST, SOUND]\n"),
        ("along", "dataset_examples", "target: means\ntop: 3\n"),
        (
            "concept",
            "concept",
            "positive: { labels: [castle, rocket] }\nheld_out: 0.4\npictures: 3\n",
        ),
    ]);
    for id in ["probe", "sparse"] {
        let [(_, before), (record, after)] = garden.both::<probe::Outcome>(id);
        assert_eq!((&after.spoiled, before.constant), (&garden.units, after.constant), "{id}");
        let store = garden.spoiled.store();
        let (shape, weights) = numbers(store, &record, probe::WEIGHTS, "weights");
        for line in weights.chunks(shape[1]) {
            assert!(line.iter().all(|weight| weight.is_finite()), "{id}");
            assert!(garden.units.iter().all(|one| line[one.unit as usize] == 0.0), "{id}");
        }
        assert!(weights.iter().any(|weight| *weight != 0.0), "{id}");
    }
    for id in ["means", "logistic", "cleaned"] {
        let [(first, before), (record, after)] = garden.both::<direction::Outcome>(id);
        assert_eq!((&before.spoiled, &after.spoiled), (&vec![], &garden.units), "{id}");
        let vector = |session: &Session, record: &Record| {
            numbers(session.store(), record, direction::FILE, direction::VECTOR).1
        };
        let (whole, vector) = (vector(&garden.sound, &first), vector(&garden.spoiled, &record));
        for one in &garden.units {
            assert_eq!(vector[one.unit as usize], 0.0, "{id}");
            assert!(whole[one.unit as usize].abs() > 1e-4, "{id}: it had a weight");
        }
        let length: f64 = vector.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "{id}: {length}");
        assert!(after.groups.expect("groups").auc.is_some_and(|auc| auc > 0.5), "{id}");
    }
    // The difference of means is the same for every other unit, but for the length.
    let vector = |session: &Session| {
        let record = session.store().record(&garden.requests["means"].key()).expect("a record");
        numbers(session.store(), &record, direction::FILE, direction::VECTOR).1
    };
    let (mut whole, left) = (vector(&garden.sound), vector(&garden.spoiled));
    garden.units.iter().for_each(|one| whole[one.unit as usize] = 0.0);
    let length = whole.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!(whole.iter().zip(&left).all(|(a, b)| (a / length - b).abs() < 1e-5));
    garden.names(&garden.failure("best"));
    garden.names(&garden.failure("sum"));
    // A direction without weight there has an activation for every picture.
    let [_, (_, shown)] = garden.both::<Value>("along");
    assert_eq!(shown["top"].as_array().expect("a list").len(), 3);

    let [(_, before), (_, after)] = garden.both::<concept::Outcome>("concept");
    assert_eq!((&before.spoiled, &after.spoiled), (&vec![], &garden.units));
    assert!(!garden.is_spoiled(after.unit.unit));
    assert!(after.sums.iter().all(|sum| !garden.is_spoiled(sum.unit)));
    assert!(after.logistic.area > 0.5 && after.curved.area.is_finite());
}

#[test]
fn figures_of_one_unit_are_the_same_beside_spoiled_ones_and_fail_for_these() {
    let kinds = [
        ("dataset_examples", "top: 3\n"),
        ("activation_histogram", "bins: 5\n"),
        ("unit_summary", ""),
        ("category_response", "by: label\n"),
        ("conditional", "by: label\nsample: 5\n"),
        ("quiz", "trials: 2\nreferences: 2\n"),
    ];
    let [sound, spoiled] = ["SOUND", "BEST"].map(|unit| {
        kinds.map(|(kind, fields)| {
            (format!("{kind}-{unit}"), kind, format!("unit: {unit}\n{fields}"))
        })
    });
    let blocks: Vec<_> =
        sound.iter().chain(&spoiled).map(|(id, kind, f)| (&**id, *kind, &**f)).collect();
    let garden = Garden::of(&blocks);
    for (id, ..) in &sound {
        let [(before, _), (after, _)] = garden.both::<Value>(id);
        assert_eq!(before.outputs, after.outputs, "{id}");
    }
    for (id, ..) in &spoiled {
        garden.names(&garden.failure(id));
    }
}
