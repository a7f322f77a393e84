//! The regressions against scikit-learn's, and against planted weights.

use std::fs;
use std::path::Path;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde_json::Value;
use tch::{Kind, Tensor};

use super::auc::area;
use super::descent::Signs;
use super::multinomial::Sample;
use super::path::{Last, Options, path};
use super::point::Point;
use super::softmax::ridge;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress, Silent};

/// What tests/reference/probe.py wrote.
fn known() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/probe.json");
    serde_json::from_slice(&fs::read(file).expect("a golden file")).expect("JSON")
}

fn numbers(of: &Value) -> Vec<f64> {
    match of {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn sample_of(known: &Value, kind: Kind) -> Sample {
    let truth: Vec<u32> = numbers(&known["truth"]).iter().map(|class| *class as u32).collect();
    let rows = Tensor::from_slice(&numbers(&known["rows"])).view([truth.len() as i64, -1]);
    Sample::of(&rows.to_kind(kind), &truth, 4).expect("a sample")
}

/// The greatest difference, relative to the greatest number.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / most
}

/// Less the mean over classes, on which nothing depends: `classes` numbers for each of some units, class by class.
fn centred(numbers: &[f64]) -> Vec<f64> {
    let units = numbers.len() / 4;
    let middle = |unit: usize| (0..4).map(|class| numbers[class * units + unit]).sum::<f64>() / 4.0;
    numbers.iter().enumerate().map(|(at, number)| number - middle(at % units)).collect()
}

#[test]
fn dense_weights_are_scikit_learns() {
    let known = known();
    for (kind, tolerance) in [(Kind::Double, 1e-9), (Kind::Float, 1e-7)] {
        let sample = sample_of(&known, kind);
        for fitted in known["ridge"].as_array().expect("fits") {
            let strength = fitted["strength"].as_f64().expect("a number");
            let found = ridge(&sample, strength, tolerance, &mut Silent).expect("a fit");
            assert!(found.converged, "{strength} {kind:?}: {found:?}");
            let flat = |of: &Tensor| Vec::try_from(of.to_kind(Kind::Double).view(-1)).expect("f64");
            let weights: Vec<f64> = flat(&found.weights);
            let off = apart(&weights, &numbers(&fitted["weights"]));
            assert!(off < 1e-3, "{strength} {kind:?}: {off}");
            let off = apart(&centred(&flat(&found.biases)), &numbers(&fitted["biases"]));
            assert!(off < 1e-3, "{strength} {kind:?}: {off}");
        }
    }
}

fn options(signs: Signs, tolerance: f64) -> Options {
    Options { signs, points: 20, last: Last::Part(0.01), most_terms: f64::INFINITY, tolerance }
}

/// All weights of a point, classes × units.
fn dense(point: &Point, units: usize) -> Vec<f64> {
    let mut all = vec![0.0; point.weights.len() * units];
    for (class, weights) in point.weights.iter().enumerate() {
        weights.iter().for_each(|(unit, weight)| all[class * units + *unit as usize] = *weight);
    }
    all
}

#[test]
fn sparse_weights_are_scikit_learns() {
    let known = known();
    for (kind, tolerance) in [(Kind::Double, 1e-7), (Kind::Float, 1e-6)] {
        let sample = sample_of(&known, kind);
        for fitted in known["lasso"].as_array().expect("fits") {
            let strength = fitted["strength"].as_f64().expect("a number");
            let last = Last::Strength(strength);
            let options = Options { last, ..options(Signs::Both, tolerance) };
            let found = path(&sample, options, &mut Silent).expect("a path").pop().expect("a fit");
            assert!(found.converged, "{strength} {kind:?}: {} {}", found.gap, found.steps);
            let value = fitted["value"].as_f64().expect("a number");
            assert!((found.value - value).abs() < 2.0 * tolerance * value, "{kind:?} {found:?}");
            // With an even number of classes, moving all of a unit's weights may cost nothing.
            let off = apart(&centred(&dense(&found, 12)), &centred(&numbers(&fitted["weights"])));
            assert!(off < 1e-3, "{strength} {kind:?}: {off}");
            let off = apart(&centred(&found.biases), &numbers(&fitted["biases"]));
            assert!(off < 1e-3, "{strength} {kind:?}: {off}");
        }
    }
}

#[test]
fn the_area_under_the_curve_is_scikit_learns() {
    let known = known();
    let all = numbers(&known["scores"]).into_iter().zip(numbers(&known["truth"]));
    let (first, other): (Vec<_>, Vec<_>) = all.partition(|(_, class)| *class == 0.0);
    let scores = |of: Vec<(f64, f64)>| of.into_iter().map(|(score, _)| score).collect::<Vec<_>>();
    let found = area(&scores(first), &scores(other)).expect("an area");
    assert!((found - known["auc"].as_f64().expect("a number")).abs() < 1e-12, "{found}");
}

/// Images of three classes, each of which raises two of `units` units; the rest is noise.
fn planted(images: usize, units: usize, seed: u64) -> Sample {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth: Vec<u32> = (0..images).map(|_| rng.random_range(0..3)).collect();
    let mut rows = Vec::new();
    for class in &truth {
        for unit in 0..units {
            let raised = if unit / 2 == *class as usize { 1.5 } else { 0.0 };
            rows.push(raised + rng.sample::<f64, _>(StandardNormal));
        }
    }
    let rows = Tensor::from_slice(&rows).view([images as i64, -1]).to_kind(Kind::Float);
    Sample::of(&rows, &truth, 3).expect("a sample")
}

#[test]
fn planted_units_come_first_on_the_path() {
    for seed in 0..20 {
        let sample = planted(300, 40, seed);
        let options = options(Signs::NonNegative, 1e-5);
        let all = path(&sample, options, &mut Silent).expect("a path");
        assert_eq!((all.len(), all[0].terms()), (20, 0.0));
        let enough = all.iter().find(|point| point.terms() >= 2.0).expect("terms");
        for (class, weights) in enough.weights.iter().enumerate() {
            let mut strongest = weights.clone();
            strongest.sort_by(|a, b| b.1.total_cmp(&a.1));
            let mut units: Vec<u32> = strongest.iter().take(2).map(|(unit, _)| *unit).collect();
            units.sort_unstable();
            assert_eq!(units, [2 * class as u32, 2 * class as u32 + 1], "seed {seed}");
        }
        for point in &all {
            assert!(point.converged, "seed {seed}: {} after {}", point.gap, point.steps);
            assert!(point.weights.iter().flatten().all(|(_, weight)| *weight > 0.0));
        }
        let losses: Vec<f64> = all.iter().map(|point| point.value).collect();
        assert!(losses.is_sorted_by(|a, b| a >= b), "{losses:?}");
    }
}

#[test]
fn the_path_ends_behind_the_terms_asked_for() {
    let few = Options { most_terms: 2.0, ..options(Signs::Both, 1e-4) };
    let all = path(&planted(200, 30, 5), few, &mut Silent).expect("a path");
    let (last, others) = all.split_last().expect("points");
    assert!(last.terms() > 2.0 && others.iter().all(|point| point.terms() <= 2.0));
}

#[test]
fn equal_units_and_more_units_than_images_converge() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rows = Vec::new();
    let truth: Vec<u32> = (0..24).map(|image| image % 2).collect();
    for class in &truth {
        let own = f64::from(*class) + rng.sample::<f64, _>(StandardNormal);
        rows.extend([own, own, 2.0 * own + 1.0]);
        rows.extend((0..50).map(|_| rng.sample::<f64, _>(StandardNormal)));
    }
    let rows = Tensor::from_slice(&rows).view([24, -1]).to_kind(Kind::Float);
    let sample = Sample::of(&rows, &truth, 2).expect("a sample");
    for point in path(&sample, options(Signs::Both, 1e-5), &mut Silent).expect("a path") {
        assert!(point.converged, "{} after {} steps at {}", point.gap, point.steps, point.strength);
    }
    let found = ridge(&sample, 1e-3, 1e-6, &mut Silent).expect("a fit");
    assert!(found.converged, "{found:?}");
    // Units that say the same share their weight, whatever their scale.
    let weight = |unit: i64| found.weights.double_value(&[1, unit]);
    let apart = (weight(0) - weight(1)).abs().max((weight(0) - weight(2)).abs());
    assert!(weight(0) > 0.0 && apart < 1e-3 * weight(0), "{} {apart}", weight(0));
}

/// Images of three classes: a unit that tells them apart, the same again, its negative, one that is constant, and one of noise.
/// The last class has one image.
fn awkward() -> (Sample, usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let truth: Vec<u32> = (0..61).map(|image| if image == 60 { 2 } else { image % 2 }).collect();
    let mut rows = Vec::new();
    for class in &truth {
        let own = 1.5 * f64::from(*class) + rng.sample::<f64, _>(StandardNormal);
        rows.extend([own, own, -own, 0.3, rng.sample::<f64, _>(StandardNormal)]);
    }
    let rows = Tensor::from_slice(&rows).view([61, -1]);
    (Sample::of(&rows, &truth, 3).expect("a sample"), 5)
}

#[test]
fn constant_units_have_no_weight_and_a_class_of_one_image_is_fitted_too() {
    let (sample, units) = awkward();
    assert_eq!((sample.counts[2], sample.sd[3]), (1, 0.0));
    let all = path(&sample, options(Signs::Both, 1e-7), &mut Silent).expect("a path");
    for point in &all {
        assert!(point.converged, "{} after {} at {}", point.gap, point.steps, point.strength);
        let constant = point.weights.iter().flatten().filter(|(unit, _)| *unit == 3);
        assert_eq!(constant.count(), 0);
    }
    let last = all.last().expect("a point");
    assert!(dense(last, units).iter().any(|weight| weight.abs() > 0.1), "{last:?}");
    let found = ridge(&sample, 1e-3, 1e-9, &mut Silent).expect("a fit");
    assert!(found.converged, "{found:?}");
    for class in 0..3 {
        let weight = |unit: i64| found.weights.double_value(&[class, unit]);
        // The squares are smallest if units that are equal up to the sign share the weight equally.
        assert!((weight(0) - weight(1)).abs() < 1e-4, "{found:?}");
        assert!((weight(0) + weight(2)).abs() < 1e-4, "{found:?}");
        assert!(weight(3).abs() < 1e-12 && weight(0).is_finite(), "{found:?}");
    }
}

#[test]
fn a_path_to_more_terms_than_there_are_units_ends_at_the_last_penalty() {
    let (sample, units) = awkward();
    let many = Options { most_terms: 100.0, ..options(Signs::Both, 1e-5) };
    let all = path(&sample, many, &mut Silent).expect("a path");
    assert_eq!(all.len(), 20);
    assert!(all.iter().all(|point| point.converged && point.terms() <= units as f64));
}

#[test]
fn many_images_have_the_same_weights_as_with_all_their_curvature() {
    // In single precision the curvature of so many images is that of a part of them; in double precision that of all.
    let images = 6000;
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    // In the order of their classes, as files in folders are.
    let truth: Vec<u32> = (0..images).map(|image| image * 5 / images).collect();
    let mut rows = Vec::new();
    for class in &truth {
        let shared = rng.sample::<f64, _>(StandardNormal);
        for unit in 0..12 {
            let raised = if unit % 5 == *class { 1.0 } else { 0.0 };
            rows.push(raised + 0.5 * shared + rng.sample::<f64, _>(StandardNormal));
        }
    }
    let rows = Tensor::from_slice(&rows).view([i64::from(images), -1]);
    let of = |kind: Kind, tolerance: f64| {
        let sample = Sample::of(&rows.to_kind(kind), &truth, 5).expect("a sample");
        let options = Options { points: 10, ..options(Signs::Both, tolerance) };
        path(&sample, options, &mut Silent).expect("a path")
    };
    let (some, all) = (of(Kind::Float, 1e-6), of(Kind::Double, 1e-8));
    for (some, all) in some.iter().zip(&all) {
        assert!(some.converged && all.converged, "{} {}", some.gap, all.gap);
        assert!(some.steps < 40, "{} steps", some.steps);
        assert!((some.value - all.value).abs() < 2e-6 * all.value, "{some:?} {all:?}");
    }
    let (some, all) = (some.last().expect("a point"), all.last().expect("a point"));
    let off = apart(&dense(some, 12), &dense(all, 12));
    assert!(off < 2e-3, "{off}");
}

#[test]
fn classes_that_compete_for_positive_weights_converge_far_down_the_path() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let truth: Vec<u32> = (0..600).map(|image| image % 6).collect();
    let mut rows = Vec::new();
    for class in &truth {
        let raised = (0..8).map(|unit| 0.4 * f64::from((class * (unit + 1)) % 5));
        rows.extend(raised.map(|raised| raised + rng.sample::<f64, _>(StandardNormal)));
    }
    let rows = Tensor::from_slice(&rows).view([600, -1]).to_kind(Kind::Float);
    let sample = Sample::of(&rows, &truth, 6).expect("a sample");
    for signs in [Signs::Both, Signs::NonNegative] {
        let options = Options { points: 10, last: Last::Part(1e-3), ..options(signs, 1e-5) };
        for point in path(&sample, options, &mut Silent).expect("a path") {
            assert!(point.converged, "{} after {} steps", point.gap, point.steps);
        }
    }
}

#[test]
fn units_that_never_vary_are_an_error() {
    let rows = Tensor::ones([6, 3], (Kind::Float, tch::Device::Cpu));
    let sample = Sample::of(&rows, &[0, 1, 0, 1, 0, 1], 2).expect("a sample");
    let error = path(&sample, options(Signs::Both, 1e-4), &mut Silent).expect_err("no weights");
    assert!(error.to_string().contains("no unit"), "{error}");
}

/// Cancels at once.
struct Cancelled;

impl Monitor for Cancelled {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn stopped(&self) -> bool {
        true
    }
}

#[test]
fn fits_end_when_they_are_cancelled() {
    let sample = planted(60, 8, 0);
    let options = options(Signs::Both, 1e-4);
    assert!(matches!(path(&sample, options, &mut Cancelled), Err(Failure::Cancelled)));
    assert!(matches!(ridge(&sample, 1e-3, 1e-6, &mut Cancelled), Err(Failure::Cancelled)));
}
