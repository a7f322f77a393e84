//! Two records of one request in, each with its store; how far their outputs are the same, out.

use std::collections::BTreeMap;

use neuronotes_core::kind::{Noise, feature_vis};
use neuronotes_core::store::{Output, Record, Store};
use serde::Serialize;
use serde_json::Value;

use super::numbers::{Difference, differences};
use super::seeds::{distance, embeddings};
use super::tensors::apart;
use super::verdict::Verdict;

/// The most differences that are listed.
const LISTED: usize = 10;
/// As far as the levels of two pictures may be apart on average, of 255.
const LEVELS: f64 = 1.0;
/// As far as two optimised pictures may be apart, of the distance of another seed's.
const SEEDS: f64 = 1.0;

/// A picture that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picture {
    /// The output's name.
    pub name: String,
    /// The mean difference of its levels, of 255; `None` if it has another size or cannot be read.
    pub levels: Option<f64>,
    /// Of an optimised picture: its distance by the model's embeddings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
    /// Of an optimised picture: the distance of the next seed's picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between_seeds: Option<f64>,
    /// Whether it is within the result's own noise.
    pub within: bool,
}

/// How far two results are the same.
pub(super) struct Compared {
    /// The same, within noise or different.
    pub verdict: Verdict,
    /// How many values differ.
    pub differing: usize,
    /// Some of them.
    pub differences: Vec<Difference>,
    /// The pictures that differ.
    pub pictures: Vec<Picture>,
}

/// Compares two results by the rule of their kind. `other` is the result of the next seed, in the second store.
pub(super) fn compare(
    (old_store, old): (&Store, &Record),
    (new_store, new): (&Store, &Record),
    other: Option<&Record>,
    noise: &Noise,
) -> Compared {
    let mut found = Vec::new();
    let mut pictures = Vec::new();
    if !old.outputs.keys().eq(new.outputs.keys()) {
        let names = |record: &Record| record.outputs.keys().cloned().map(Value::from).collect();
        let (before, now) = (names(old), names(new));
        let path = "outputs".to_owned();
        found.push(Difference { path, before, now, relative: None, within: false });
    }
    let optimised = match noise.seeds {
        true => seeded((old_store, old), (new_store, new), other),
        false => BTreeMap::new(),
    };
    for (name, before, now) in both(old, new).filter(|(_, old, new)| old.digest != new.digest) {
        let bytes = old_store.blob(&before.digest).zip(new_store.blob(&now.digest));
        let Some((before, now)) = bytes else {
            found.push(unlike(name, "unreadable"));
            continue;
        };
        let media = &old.outputs[name].media_type;
        if media == "application/json" {
            match (serde_json::from_slice(&before), serde_json::from_slice(&now)) {
                (Ok(before), Ok(now)) => found.extend(differences(&before, &now, noise)),
                _ => found.push(unlike(name, "unreadable")),
            }
        } else if media.starts_with("image/") {
            let levels = levels(&before, &now);
            let plain = levels.is_some_and(|levels| levels <= LEVELS);
            let known = optimised.get(name.as_str()).copied();
            let within = match known {
                Some((distance, between)) => distance <= SEEDS * between,
                // The smaller copies and films of optimised pictures follow these.
                None => plain || noise.seeds,
            };
            let (distance, between_seeds) = known.unzip();
            pictures.push(Picture { name: name.clone(), levels, distance, between_seeds, within });
        } else if name.ends_with(".safetensors") {
            let difference = apart(&before, &now);
            let relative = difference.as_ref().map(|(_, relative)| *relative);
            let within = relative.is_some_and(|relative| relative <= noise.relative);
            found.push(Difference { relative, within, ..unlike(name, "other bytes") });
        }
        // Anything else, such as digests of rows, follows from these.
    }
    if noise.seeds {
        let all = pictures.iter().all(|picture| picture.within);
        let near = !optimised.is_empty() && optimised.values().all(|(own, between)| own <= between);
        for one in found.iter_mut().filter(|one| one.relative.is_some()) {
            one.within |= all && near;
        }
        found.retain(|one| !one.path.contains(".embedding["));
    }
    let is_same = old.outputs == new.outputs;
    let is_within =
        found.iter().all(|one| one.within) && pictures.iter().all(|picture| picture.within);
    let differing = found.len();
    let size = |one: &Difference| one.relative.unwrap_or(f64::INFINITY);
    found.sort_by(|a, b| a.within.cmp(&b.within).then(size(b).total_cmp(&size(a))));
    found.truncate(LISTED);
    let verdict = match (is_same, is_within) {
        (true, _) => Verdict::Same,
        (false, true) => Verdict::Noise,
        (false, false) => Verdict::Different,
    };
    Compared { verdict, differing, differences: found, pictures }
}

/// The outputs that both records have.
fn both<'a>(
    old: &'a Record,
    new: &'a Record,
) -> impl Iterator<Item = (&'a String, &'a Output, &'a Output)> {
    old.outputs.iter().filter_map(|(name, before)| Some((name, before, new.outputs.get(name)?)))
}

/// For each optimised picture its distance, and that of the next seed's picture.
fn seeded(
    (old_store, old): (&Store, &Record),
    (new_store, new): (&Store, &Record),
    other: Option<&Record>,
) -> BTreeMap<String, (f64, f64)> {
    let Some(other) = other else { return BTreeMap::new() };
    let (before, now) = (embeddings(old_store, old), embeddings(new_store, new));
    let others = embeddings(new_store, other);
    let one = |at: usize| {
        let (before, now, other) = (before.get(at)?, now.get(at)?, others.get(at)?);
        Some((feature_vis::picture(at), (distance(before, now)?, distance(now, other)?)))
    };
    (0..before.len()).filter_map(one).collect()
}

/// An output that differs and is not compared number by number.
fn unlike(name: &str, how: &str) -> Difference {
    let path = name.to_owned();
    Difference { path, before: Value::Null, now: how.into(), relative: None, within: false }
}

/// The mean difference of two pictures' levels, of 255; `None` if they have other sizes, or one cannot be read.
fn levels(before: &[u8], now: &[u8]) -> Option<f64> {
    let read = |bytes: &[u8]| Some(image::load_from_memory(bytes).ok()?.to_rgba8());
    let (before, now) = (read(before)?, read(now)?);
    if before.dimensions() != now.dimensions() {
        return None;
    }
    let pairs = before.as_raw().iter().zip(now.as_raw());
    let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    Some(sum as f64 / before.as_raw().len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use neuronotes_core::kind::feature_vis::{Made, Outcome};

    use super::*;

    /// A store with a result that has one picture of this grey, reaches this activation and has this embedding.
    fn stored(folder: &std::path::Path, grey: u8, activation: f64, angle: f32) -> (Store, Record) {
        let store = Store::open(folder).expect("a store");
        let mut record = Record::new(Digest::of(b"key"), "feature_vis", 1, Value::Null);
        let mut png = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([grey; 3]));
        picture.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
        let name = feature_vis::picture(0);
        record.add_output(&store, &name, "image/png", png.get_ref()).expect("stored");
        let made = Made {
            activation,
            activation_at_start: 0.5,
            strength: None,
            curve: vec![],
            embedding: vec![angle.cos(), angle.sin()],
        };
        let images = vec![made];
        let outcome = Outcome { size: 4, web: None, film: None, images, restarted_with: None };
        record.set_result(&store, &outcome).expect("stored");
        (store, record)
    }

    #[test]
    fn results_are_the_same_within_noise_or_different() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str, grey, activation, angle| {
            stored(&dir.path().join(name), grey, activation, angle)
        };
        let (store, old) = at("old", 100, 2.0, 0.0);
        let plain = |(new_store, new): &(Store, Record)| {
            compare((&store, &old), (new_store, new), None, &Noise::ACTIVATIONS).verdict
        };
        assert_eq!(plain(&at("same", 100, 2.0, 0.0)), Verdict::Same);
        assert_eq!(plain(&at("near", 101, 2.001, 0.0)), Verdict::Noise);
        assert_eq!(plain(&at("bright", 103, 2.0, 0.0)), Verdict::Different);
        assert_eq!(plain(&at("strong", 100, 2.5, 0.0)), Verdict::Different);
        // By the distance between seeds: of the next seed's picture, 0.3 radians away from what was measured now.
        let seeds = Noise { seeds: true, ..Noise::ACTIVATIONS };
        let by_seed = |name: &str, angle: f32, other: Option<f32>| {
            let (new_store, new) = at(name, 200, 2.5, angle);
            let other = other.map(|other| {
                let folder = dir.path().join(name);
                stored(&folder, 0, 1.0, other).1
            });
            compare((&store, &old), (&new_store, &new), other.as_ref(), &seeds)
        };
        let near = by_seed("within", 0.2, Some(0.5));
        assert_eq!(near.verdict, Verdict::Noise, "{:?}", near.differences);
        let picture = &near.pictures[0];
        let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-6);
        assert!(close(picture.distance, 1.0 - 0.2f64.cos()), "{picture:?}");
        assert!(close(picture.between_seeds, 1.0 - 0.3f64.cos()), "{picture:?}");
        assert_eq!(by_seed("beyond", 0.4, Some(0.7)).verdict, Verdict::Different);
        assert_eq!(by_seed("unknown", 0.2, None).verdict, Verdict::Different);
    }
}
