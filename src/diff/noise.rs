//! How far computed pictures are from each other, beside how far those of other seeds are: two results with optimised
//! pictures in, and whether their difference is within that noise, out. Only results that are stored are compared.
//!
//! The distance of two results is the mean of the distances of their pictures at the same place: 1 minus the cosine of the
//! model's embeddings, which the results have. The noise is the mean distance between stored results whose requests differ
//! by nothing but the seed, on both sides.

use std::collections::BTreeMap;
use std::path::PathBuf;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Kind;
use neuronotes_core::store::{Record, Store};
use serde::Serialize;
use serde_json::Value;

use crate::reproduce::seeds::{distance, embeddings};

/// The change of computed pictures, relative to the noise of other seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
    /// Distance between the two results: 1 minus the cosine, from 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Mean distance between results of different seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between_seeds: Option<f64>,
    /// Number of pairs of results that it is the mean of.
    pub pairs: usize,
    /// `distance` divided by `between_seeds`: at most 1 within the noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<f64>,
    /// The same in words, or why it is not known.
    pub said: String,
}

/// Stored results of such kinds, read from each store when they are first needed.
#[derive(Debug, Default)]
pub struct Stored {
    known: BTreeMap<(PathBuf, String), Vec<Record>>,
}

/// A result that is compared, with its store.
type Side<'a> = (&'a Store, &'a Record);

/// The embeddings of a result's pictures.
type Pictures = Vec<Vec<f32>>;

impl Stored {
    /// Compares two results; `None` if they are not of a kind whose pictures are optimised from a seed.
    pub fn noise(&mut self, before: Side<'_>, after: Side<'_>) -> Option<Noise> {
        let kind = Kind::named(&before.1.kind)?;
        let is_seeded = kind.noise.seeds && after.1.kind == kind.name;
        is_seeded.then(|| self.compare(before, after))
    }

    fn compare(&mut self, before: Side<'_>, after: Side<'_>) -> Noise {
        if space(before.1) != space(after.1) {
            return unknown(None, "the two have embeddings of different networks");
        }
        let [old, new] = [before, after].map(|(store, record)| embeddings(store, record));
        let Some(own) = apart(&old, &new) else {
            return unknown(None, "the network gives no embedding of these pictures");
        };
        // Each pair once, in an order of its own, so that both directions give the same.
        let name = |record: &Record| record.result_digest();
        let compared = pair(name(before.1), name(after.1));
        let mut found: BTreeMap<(Digest, Digest), f64> = BTreeMap::new();
        for side in [before, after] {
            let all = self.seeds(side);
            for (at, (first, one)) in all.iter().enumerate() {
                for (second, other) in all.iter().skip(at + 1) {
                    let pair = pair(*first, *second);
                    if pair != compared
                        && let Some(distance) = apart(one, other)
                    {
                        found.insert(pair, distance);
                    }
                }
            }
        }
        let pairs = found.len();
        if pairs == 0 {
            return unknown(
                Some(own),
                "no result of another seed is stored; `controls: { seeds: 2 }` or a `sweep` over `seed` measures some",
            );
        }
        let between = found.values().sum::<f64>() / pairs as f64;
        if between <= 0.0 {
            return unknown(
                Some(own),
                "the stored results of other seeds have the same embeddings",
            );
        }
        let times = own / between;
        let verdict = if times <= 1.0 { "within its own noise" } else { "more than its own noise" };
        let mean =
            if pairs == 1 { "one pair".to_owned() } else { format!("the mean of {pairs} pairs") };
        let said = format!(
            "{times:.2} times the distance between seeds ({own:.4}; between seeds {between:.4}, {mean}): {verdict}"
        );
        Noise { distance: Some(own), between_seeds: Some(between), pairs, times: Some(times), said }
    }

    /// The pictures of a result and of those stored whose requests differ by nothing but the seed, by the digest of the result.
    fn seeds(&mut self, (store, record): Side<'_>) -> Vec<(Digest, Pictures)> {
        let name = (store.folder().to_owned(), record.kind.clone());
        let known = self.known.entry(name).or_insert_with(|| {
            // A folder that cannot be read has no other seeds.
            store.records_of(&record.kind).unwrap_or_default()
        });
        let wanted = seedless(record);
        let others =
            known.iter().filter(|other| other.key != record.key && seedless(other) == wanted);
        let all = std::iter::once(record).chain(others);
        all.map(|one| (one.result_digest(), embeddings(store, one))).collect()
    }
}

fn pair(one: Digest, other: Digest) -> (Digest, Digest) {
    (one.min(other), one.max(other))
}

fn unknown(distance: Option<f64>, why: &str) -> Noise {
    let said = format!("not known: {why}");
    Noise { distance, between_seeds: None, pairs: 0, times: None, said }
}

/// The mean distance of the pictures at the same places; `None` if there are none, or one has no embedding.
fn apart(one: &Pictures, other: &Pictures) -> Option<f64> {
    let pairs = one.iter().zip(other);
    let all: Vec<f64> = pairs.map(|(a, b)| distance(a, b)).collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

/// What decides which embedding a picture has: the weights, how they are used, and whether they are shuffled.
fn space(record: &Record) -> [Option<&Value>; 3] {
    let request = &record.request;
    [request.get("model"), request.get("conventions"), request.pointer("/params/shuffle")]
}

/// A request without its seed.
fn seedless(record: &Record) -> Value {
    let mut request = record.request.clone();
    if let Some(params) = request.get_mut("params").and_then(Value::as_object_mut) {
        params.remove("seed");
    }
    request
}

#[cfg(test)]
mod tests {
    use neuronotes_core::canonical::canonical_json;
    use neuronotes_core::kind::feature_vis::{Made, Outcome};
    use serde_json::json;

    use super::*;

    /// Commits a result of a seed whose one picture has its embedding at this angle; `steps` is another parameter.
    fn stored(store: &Store, (steps, seed): (u32, u32), angle: Option<f32>) -> Record {
        let mut request =
            json!({ "kind": "feature_vis", "impl_version": 3, "model": "a", "conventions": {} });
        request["params"] = json!({ "seed": seed, "steps": steps });
        let key = Digest::of(canonical_json(&request).as_bytes());
        let mut record = Record::new(key, "feature_vis", 3, request);
        let embedding = angle.map(|angle| vec![angle.cos(), angle.sin()]).unwrap_or_default();
        let (activation, activation_at_start) = (f64::from(seed) + f64::from(steps), 0.5);
        let made =
            Made { activation, activation_at_start, strength: None, curve: vec![], embedding };
        let outcome =
            Outcome { size: 4, web: None, film: None, images: vec![made], restarted_with: None };
        record.set_result(store, &outcome).expect("stored");
        store.commit(&record).expect("committed");
        record
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        (folder, store)
    }

    fn between(store: &Store, before: &Record, after: &Record) -> Noise {
        let forth = Stored::default().noise((store, before), (store, after)).expect("pictures");
        let back = Stored::default().noise((store, after), (store, before)).expect("pictures");
        assert_eq!(forth, back, "the same in both directions");
        forth
    }

    #[test]
    fn a_distance_is_divided_by_the_mean_distance_between_seeds_of_both_sides() {
        let (_folder, store) = store();
        let (old, new) = (stored(&store, (512, 0), Some(0.0)), stored(&store, (77, 0), Some(0.2)));
        let far = stored(&store, (78, 0), Some(1.2));
        let alone = between(&store, &old, &new);
        assert_eq!((alone.times, alone.pairs), (None, 0));
        assert!(alone.said.starts_with("not known: no result of another seed"), "{alone:?}");
        // 0.3 radians away of the earlier one; 0.5 of the later one.
        stored(&store, (512, 1), Some(0.3));
        stored(&store, (77, 5), Some(0.7));
        let near = between(&store, &old, &new);
        let expected = (1.0 - 0.2f64.cos()) / f64::midpoint(1.0 - 0.3f64.cos(), 1.0 - 0.5f64.cos());
        assert!(near.times.is_some_and(|times| (times - expected).abs() < 1e-5), "{near:?}");
        assert_eq!(near.pairs, 2);
        assert!(near.said.starts_with("0.24 times the distance between seeds"), "{near:?}");
        assert!(near.said.ends_with("the mean of 2 pairs): within its own noise"), "{near:?}");
        let beyond = between(&store, &old, &far);
        assert_eq!(beyond.pairs, 1);
        assert!(beyond.said.ends_with("one pair): more than its own noise"), "{beyond:?}");
        assert!(beyond.times.is_some_and(|times| times > 1.0));
    }

    #[test]
    fn another_seed_is_compared_with_the_other_pairs_only() {
        let (_folder, store) = store();
        let (old, new) = (stored(&store, (512, 0), Some(0.0)), stored(&store, (512, 1), Some(0.4)));
        assert_eq!(between(&store, &old, &new).times, None, "it is no measure of itself");
        stored(&store, (512, 2), Some(0.2));
        let found = between(&store, &old, &new);
        let expected = (1.0 - 0.4f64.cos()) / (1.0 - 0.2f64.cos());
        assert!(found.times.is_some_and(|times| (times - expected).abs() < 1e-4), "{found:?}");
        assert_eq!(found.pairs, 2);
    }

    #[test]
    fn what_cannot_be_known_says_why() {
        let (_folder, store) = store();
        let old = stored(&store, (512, 0), Some(0.0));
        let none = stored(&store, (77, 0), None);
        assert_eq!(
            between(&store, &old, &none).said,
            "not known: the network gives no embedding of these pictures"
        );
        let mut other = stored(&store, (77, 1), Some(0.5));
        other.request["model"] = "b".into();
        assert_eq!(
            between(&store, &old, &other).said,
            "not known: the two have embeddings of different networks"
        );
        let same = [stored(&store, (9, 0), Some(0.5)), stored(&store, (9, 1), Some(0.5))];
        let new = stored(&store, (8, 0), Some(0.6));
        assert_eq!(
            between(&store, &same[0], &new).said,
            "not known: the stored results of other seeds have the same embeddings"
        );
        let mut histogram = old.clone();
        histogram.kind = "activation_histogram".to_owned();
        assert_eq!(Stored::default().noise((&store, &old), (&store, &histogram)), None);
    }
}
