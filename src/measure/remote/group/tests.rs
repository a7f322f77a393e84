//! Requests of several kinds, layers and shards, with and without timings.

use neuronotes_core::dataset::ShardRef;
use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
use neuronotes_core::request::Inputs;
use neuronotes_core::store::{Provenance, Record, Store};
use serde_json::json;

use super::*;

fn model() -> ModelRef {
    ModelRef {
        name: "m".into(),
        path: "/m".into(),
        digest: Digest::of(b"m"),
        conventions: Conventions::default(),
    }
}

/// A visualisation of a unit with a recipe.
fn vis(unit: u32, steps: u32) -> Request {
    let request = json!({
        "kind": "feature_vis", "impl_version": 2, "params": { "unit": unit, "steps": steps, "size": 64 },
        "model": model(), "precision": "f32",
    });
    serde_json::from_value(request).expect("a request")
}

/// The scans of a layer over so many shards.
fn scans(layer: &str, shards: usize) -> Vec<Request> {
    let shard = |at: usize| {
        let mut shard = ShardRef::new(format!("/d-{at}").into(), Digest::of(&[at as u8]));
        shard.count = Some(100);
        shard
    };
    let shards: Vec<ShardRef> = (0..shards).map(shard).collect();
    let set = json!({ "name": "d", "format": "tar", "captions": true, "shards": shards });
    let set: DatasetRef = serde_json::from_value(set).expect("a data set");
    let place = Place::of(json!({ "layer": layer }).as_object().expect("an object"));
    scan::requests(&model(), &set, &place.expect("a place"), &Inputs::default(), Precision::F32)
}

/// A question about a layer over a data set of so many shards.
fn question(unit: u32, layer: &str, shards: usize) -> Request {
    let uses = scans(layer, shards);
    let mut question = vis(unit, 1);
    question.kind = "activation_histogram".into();
    question.dataset = uses[0].dataset.clone();
    question.uses = uses;
    question
}

fn wishes(requests: &[Request]) -> Vec<Wish> {
    let wish =
        |request: &Request| Wish { key: request.key(), request: request.clone(), rank: Rank::Rest };
    requests.iter().map(wish).collect()
}

struct Desk {
    _folder: tempfile::TempDir,
    timings: Timings,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let mut timings = Timings::of(&store);
        timings.set_device("cpu");
        Self { _folder: folder, timings }
    }

    /// Such a request took so many seconds.
    fn took(&mut self, request: &Request, seconds: f64) {
        let mut record = Record::new(request.key(), &request.kind, 2, request.canonical());
        record.provenance = Provenance { device: "cpu".into(), seconds, ..Provenance::default() };
        self.timings.add(request, &record);
    }

    fn open(&self, requests: &[Request]) -> Vec<Open> {
        open(&wishes(requests), &self.timings, &mut |_| false)
    }

    /// How many requests each unit of work has, and its kind.
    fn pieces(&self, requests: &[Request], workers: u32) -> Vec<(usize, String)> {
        let pieces = pieces(self.open(requests), workers);
        let shown =
            |piece: &Piece| (piece.unit.requests.len(), piece.unit.requests[0].kind.clone());
        pieces.iter().map(shown).collect()
    }
}

fn kinds(pieces: &[(usize, String)], kind: &str) -> Vec<usize> {
    pieces.iter().filter(|(_, of)| of == kind).map(|(count, _)| *count).collect()
}

#[test]
fn each_request_comes_once_behind_what_it_uses_and_without_what_is_stored() {
    let desk = Desk::new();
    let asked = [question(1, "a", 3), question(2, "a", 3), vis(1, 1)];
    let all = desk.open(&asked);
    assert_eq!(all.len(), 3 + 3);
    let at = |key: &Digest| all.iter().position(|open| open.key == *key).expect("an open request");
    for open in &all {
        assert!(open.needs.iter().all(|need| at(need) < at(&open.key)));
    }
    assert_eq!(all[at(&asked[1].key())].needs.len(), 3);
    let stored = [asked[0].uses[1].key(), asked[2].key()];
    let rest = open(&wishes(&asked), &desk.timings, &mut |key| stored.contains(key));
    assert_eq!(rest.len(), 2 + 2);
    assert!(rest.iter().all(|open| !stored.contains(&open.key)));
    let of_one = rest.iter().find(|open| open.key == asked[0].key()).expect("the first");
    assert_eq!(of_one.needs.len(), 2, "what is stored is not waited for");
}

#[test]
fn scans_are_as_urgent_as_the_most_urgent_that_asks_for_them() {
    let desk = Desk::new();
    let (last, first) = (question(1, "a", 2), question(2, "a", 2));
    let mut wished = wishes(&[last, first, question(3, "b", 2)]);
    wished[1].rank = Rank::Visible;
    let all = open(&wished, &desk.timings, &mut |_| false);
    let ranks: Vec<Rank> = all.iter().map(|open| open.rank).collect();
    assert_eq!(ranks[..4], [Rank::Visible, Rank::Visible, Rank::Visible, Rank::Rest]);
    let pieces = pieces(all, 1);
    assert_eq!(pieces[0].rank, Rank::Visible);
    // Both layers over one shard are one pass.
    assert_eq!(pieces[0].unit.requests.len(), 4);
    assert!(pieces[0].unit.requests.iter().all(|one| one.kind == scan::NAME));
}

#[test]
fn without_estimates_at_most_eight_are_together() {
    let desk = Desk::new();
    let asked: Vec<Request> = (0..30).map(|unit| vis(unit, 100)).collect();
    let counts = kinds(&desk.pieces(&asked, 1), "feature_vis");
    assert_eq!(counts.iter().sum::<usize>(), 30);
    assert!(counts.len() == 4 && counts.iter().all(|count| *count <= 8), "{counts:?}");
}

#[test]
fn what_shares_a_recipe_is_cut_to_three_minutes_or_sooner_if_workers_had_nothing_to_do() {
    let mut desk = Desk::new();
    desk.took(&vis(1, 100), 10.0);
    let asked: Vec<Request> = (0..40).map(|unit| vis(unit, 100)).chain([vis(1, 200)]).collect();
    // 400 seconds, and 20 of another recipe.
    let pieces = desk.pieces(&asked, 1);
    assert_eq!(kinds(&pieces, "feature_vis"), [13, 14, 13, 1]);
    let shared = desk.pieces(&asked, 8);
    assert_eq!(shared.len(), 9, "{shared:?}");
    let seconds: Vec<f64> =
        super::pieces(desk.open(&asked), 1).iter().filter_map(|piece| piece.unit.seconds).collect();
    assert!((seconds.iter().sum::<f64>() - 420.0).abs() < 1e-6, "{seconds:?}");
    // One that takes longer is alone.
    let long: Vec<Request> = (0..3).map(|unit| vis(unit, 4000)).collect();
    assert_eq!(kinds(&desk.pieces(&long, 1), "feature_vis"), [1, 1, 1]);
    // What takes no time is bounded too.
    let mut desk = Desk::new();
    desk.took(&vis(1, 100), 0.001);
    let many: Vec<Request> = (0..150).map(|unit| vis(unit, 100)).collect();
    let counts = kinds(&desk.pieces(&many, 1), "feature_vis");
    assert_eq!(counts, [64, 64, 22]);
}

#[test]
fn shards_are_cut_likewise_and_a_pass_is_never_torn_apart() {
    let mut desk = Desk::new();
    desk.took(&scans("a", 1)[0], 20.0);
    let asked = [question(1, "a", 12), question(2, "b", 12), question(3, "b", 12)];
    let pieces = super::pieces(desk.open(&asked), 2);
    // 24 scans of 20 seconds, two layers a pass.
    let of_scans: Vec<&Piece> =
        pieces.iter().filter(|piece| piece.unit.requests[0].kind == scan::NAME).collect();
    assert_eq!(of_scans.len(), 3);
    for piece in of_scans {
        let shards = |layer: &str| -> Vec<Digest> {
            let of = piece.unit.requests.iter().filter(|one| one.params["layer"] == layer);
            of.filter_map(|one| Some(one.dataset.as_ref()?.content())).collect()
        };
        assert_eq!(shards("a"), shards("b"));
        assert_eq!(piece.unit.requests.len(), 8);
    }
    // The questions to one scan are together, those to another layer are not: they wait for others.
    let questions: Vec<usize> = pieces
        .iter()
        .filter(|piece| piece.unit.requests[0].kind != scan::NAME)
        .map(|piece| piece.unit.requests.len())
        .collect();
    assert_eq!(questions, [1, 2]);
    assert_eq!(pieces.last().map(|piece| piece.unit.needs().len()), Some(12));
}
