//! A scan: the pooled activations of all units of a layer, or of a dictionary over it, over one shard of a data set. It is a
//! record of its own that other kinds use; notes cannot request one by name.
//!
//! Outputs: `activations.safetensors` with `mean_by_unit` and `max_by_unit`, each `[units, images]` f16, and `embedding`,
//! `[images, embedding]` f16, not normalised; `activations.digests`, by which each of these rows is verified alone; `keys.json`,
//! the key of each image; `moments.json`, [`Moments`]. The activations of a unit are contiguous, so that a figure reads those of
//! its unit and no others.
//!
//! Scans of earlier versions hold the same numbers as `mean` and `max`, each `[images, units]`, and `samples.json`, a
//! [`Sample`](crate::dataset::Sample) for each image, instead of the keys; they are read too.
//!
//! Rounding to half precision never swaps two activations, it can only make them equal. So a ranking of stored activations is
//! right as it is, except among equal ones, for which the network is run again where their order matters.
//!
//! On a processor, every byte depends on the pictures and the weights alone, and neither on the size of batches nor on the
//! number of threads.
//!
//! An activation that is not a finite number, or exceeds half precision's maximum of 65504, is stored as it is
//! (infinite or NaN). Figures of that unit fail and name the unit and the picture; figures of other units are not
//! affected, and figures of all units leave it out and say so (see [`spoiled`](super::spoiled)).
//!
//! Captions and labels are not part of a scan. A figure that shows them reads them from the data set, so a changed
//! caption causes no new scan. Scans of earlier versions have captions in their samples, which are ignored.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::field::{Field, Preset, Type};
use super::words::words;
use crate::dataset::ledger::Ledger;
use crate::dataset::{DatasetRef, ShardRef};
use crate::digest::Digest;
use crate::model::{ModelRef, Place, Precision};
use crate::request::{Inputs, Request};

/// Its name in requests and records.
pub const NAME: &str = "scan";
/// Bump when the same parameters produce a different result.
pub const IMPL_VERSION: u32 = 2;
/// The output with the numbers.
pub const ACTIVATIONS: &str = "activations.safetensors";
/// The output with the digests of parts of [`ACTIVATIONS`].
pub const DIGESTS: &str = "activations.digests";
/// The output with the key of each image.
pub const KEYS: &str = "keys.json";
/// The output with a [`Sample`](crate::dataset::Sample) for each image, in scans of earlier versions.
pub const SAMPLES: &str = "samples.json";

pub use crate::store::MOMENTS;

/// Parameters of a scan, in addition to the weights and the shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The layer or dictionary whose units are scanned.
    pub layer: Place,
}

/// The distribution of each unit over the rows: small, so that pages can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// Number of rows.
    pub count: u64,
    /// Moments of the mean over positions.
    pub mean: Distribution,
    /// Moments of the maximum over positions.
    pub max: Distribution,
}

/// Means and standard deviations (of the population), one per unit; NaN for a unit with an activation that is not a
/// finite number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Mean over rows.
    #[serde(deserialize_with = "numbers")]
    pub mean: Vec<f64>,
    /// Standard deviation over rows.
    #[serde(deserialize_with = "numbers")]
    pub sd: Vec<f64>,
}

/// Reads a list of numbers in which `null` stands for NaN.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let all = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(all.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}

words! {
    /// The pooling of an activation map to one number.
    pub enum Pool {
        /// The mean over all positions.
        Mean = "mean",
        /// The maximum over all positions.
        Max = "max",
    }
}

/// The field of all kinds that pool activation maps.
pub(super) const POOL: Field = Field::compute(
    "pool",
    Type::Choice(Pool::WORDS),
    "The pooling of the activation map: its mean, or its maximum. At a transformer's layer, the positions are all tokens, including the class token.",
)
.or(Preset::Text(Pool::Mean.word()));

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Number of rows.
    pub count: u64,
    /// Images that could not be decoded, with the reasons; they have no row.
    pub skipped: Vec<(String, String)>,
    /// What was seen in the shard; `None` for scans that were measured before ledgers were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// The scans, one per shard, that a request about a place over `dataset` uses. `inputs` holds the path of the place's
/// dictionary.
pub fn requests(
    model: &ModelRef,
    dataset: &DatasetRef,
    place: &Place,
    inputs: &Inputs,
    precision: Precision,
) -> Vec<Request> {
    let params = serde_json::to_value(Params { layer: place.clone() });
    let Ok(Value::Object(params)) = params else { unreachable!("a struct is an object") };
    let dictionaries = Vec::from_iter(inputs.dictionary(place).cloned());
    let one = DatasetRef { shards: Vec::new(), ..dataset.pictures() };
    let of_shard = |shard: &ShardRef| DatasetRef { shards: vec![shard.clone()], ..one.clone() };
    let shards = dataset.shards.iter().map(of_shard);
    shards
        .map(|shard| Request {
            kind: NAME.to_owned(),
            impl_version: IMPL_VERSION,
            params: params.clone(),
            model: model.clone(),
            dataset: Some(shard),
            inputs: Inputs { dictionaries: dictionaries.clone(), ..Inputs::default() },
            uses: Vec::new(),
            precision,
        })
        .collect()
}

/// A request over only some of the shards of its data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The request.
    pub request: Request,
    /// The key of a scan of each of its shards.
    pub scans: Vec<Digest>,
}

/// `request` over those shards of its data set whose scans are stored. `None` if these are none or all, if it uses no scan of
/// some shard, or if something else that it uses is not stored.
pub fn part(request: &Request, is_stored: &mut dyn FnMut(&Request) -> bool) -> Option<Part> {
    let dataset = request.dataset.as_ref()?;
    let one = DatasetRef { shards: Vec::new(), ..dataset.pictures() };
    let content =
        |shard: &ShardRef| DatasetRef { shards: vec![shard.clone()], ..one.clone() }.content();
    let contents: Vec<Digest> = dataset.shards.iter().map(content).collect();
    let own: HashSet<Digest> = contents.iter().copied().collect();
    let of_shard = |used: &Request| {
        let content = used.dataset.as_ref().filter(|_| used.kind == NAME)?.content();
        own.contains(&content).then_some(content)
    };
    // For each shard, whether all its scans are stored, and the key of one of them.
    let mut there: HashMap<Digest, (bool, Digest)> = HashMap::new();
    for used in &request.uses {
        let is_stored = is_stored(used);
        match of_shard(used) {
            Some(shard) => there.entry(shard).or_insert_with(|| (true, used.key())).0 &= is_stored,
            None if is_stored => {}
            None => return None,
        }
    }
    let count = there.values().filter(|(is_stored, _)| *is_stored).count();
    if count == 0 || count == there.len() || there.len() < own.len() {
        return None;
    }
    let (mut part, mut scans) = (request.clone(), Vec::new());
    let shards = &mut part.dataset.as_mut()?.shards;
    shards.clear();
    for (content, shard) in contents.iter().zip(&dataset.shards) {
        if let (true, scan) = there[content] {
            shards.push(shard.clone());
            scans.push(scan);
        }
    }
    part.uses.retain(|used| of_shard(used).is_none_or(|shard| there[&shard].0));
    Some(Part { request: part, scans })
}

/// How many pictures a scan looks at, if its data set's reference says so.
pub fn images(scan: &Request) -> Option<u64> {
    scan.dataset.as_ref()?.shards.iter().map(|shard| shard.count).sum()
}

/// How many bytes a scan takes for each image, in half precision: mean and maximum of each unit, and the embedding.
pub fn bytes(units: u32, embedding: u32) -> u64 {
    2 * (2 * u64::from(units) + u64::from(embedding))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Conventions;

    #[test]
    fn a_part_of_a_request_has_the_scanned_shards_and_is_the_request_about_them_alone() {
        let model = ModelRef {
            name: "m".into(),
            path: "/m".into(),
            digest: Digest::of(b"m"),
            conventions: Conventions::default(),
        };
        let place = Place::of(json!({ "layer": "a" }).as_object().expect("an object"));
        let place = place.expect("a place");
        // Two of the shards are equal.
        let shards = [b"a", b"b", b"c", b"b"]
            .map(|bytes| ShardRef::new("/d".into(), Digest::of(bytes)))
            .to_vec();
        let set = |shards: &[ShardRef]| -> DatasetRef {
            let set = json!({ "name": "d", "format": "tar", "captions": true, "shards": shards });
            serde_json::from_value(set).expect("a data set")
        };
        let asked = |shards: &[ShardRef]| {
            let dataset = set(shards);
            let inputs = Inputs::default();
            let mut uses = requests(&model, &dataset, &place, &inputs, Precision::F32);
            uses.push(Request { kind: "direction".into(), dataset: None, ..uses[0].clone() });
            let first = uses[0].clone();
            Request { kind: "k".into(), dataset: Some(dataset), uses, ..first }
        };
        let whole = asked(&shards);
        let stored = |of: &[usize]| {
            let of: Vec<Digest> = of.iter().map(|at| whole.uses[*at].key()).collect();
            part(&whole, &mut |used| of.contains(&used.key()))
        };
        assert_eq!(stored(&[4]), None, "nothing is scanned");
        assert_eq!(stored(&[0, 1, 2, 4]), None, "everything is");
        assert_eq!(stored(&[0, 1]), None, "something else is missing");
        let first = stored(&[0, 4]).expect("a part");
        assert_eq!(first.request.key(), asked(&shards[..1]).key());
        assert_eq!(first.scans, [whole.uses[0].key()]);
        let others = stored(&[1, 2, 4]).expect("a part");
        let of = |request: &Request| request.dataset.as_ref().map(|set| set.shards.clone());
        assert_eq!(of(&others.request), Some(shards[1..].to_vec()));
        assert_eq!((others.request.uses.len(), others.scans.len()), (4, 3));
        // Without a scan of each shard, the result says nothing about the data set.
        let mut lacking = whole.clone();
        lacking.uses.remove(2);
        assert_eq!(part(&lacking, &mut |used| used.key() == whole.uses[0].key()), None);
    }

    #[test]
    fn a_unit_without_numbers_leaves_the_others_theirs() {
        let with = Distribution { mean: vec![1.5, f64::NAN], sd: vec![0.5, f64::INFINITY] };
        let text = serde_json::to_string(&with).expect("JSON");
        assert_eq!(text, r#"{"mean":[1.5,null],"sd":[0.5,null]}"#);
        let read: Distribution = serde_json::from_str(&text).expect("a distribution");
        assert_eq!((read.mean[0], read.sd[0]), (1.5, 0.5));
        assert!(read.mean[1].is_nan() && read.sd[1].is_nan());
    }
}
