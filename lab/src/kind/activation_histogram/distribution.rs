//! A distribution in numbers: activations in; moments, quantiles, buckets and shape out.

use neuronotes_core::kind::activation_histogram::{Above, Quantile, Shape};

use crate::kind::moments::kurtosis;
use crate::table::summary;

const PROBABILITIES: [f64; 8] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

/// A distribution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distribution {
    pub count: u64,
    pub mean: f64,
    pub sd: f64,
    pub min: f64,
    pub max: f64,
    pub quantiles: Vec<Quantile>,
    pub counts: Vec<u64>,
    pub shape: Option<Shape>,
}

/// The edges of `bins` buckets of equal width over all these values; none if there are no values.
pub(super) fn edges<'a>(
    values: impl Iterator<Item = &'a f64> + Clone,
    bins: u32,
) -> Option<Vec<f64>> {
    let min = values.clone().copied().min_by(f64::total_cmp)?;
    let max = values.copied().max_by(f64::total_cmp)?;
    // A unit with one constant value still gets buckets of some width, as in NumPy.
    let (low, high) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    let bins = bins.max(1);
    let edge = |i: u32| match i == bins {
        true => high,
        false => low + (high - low) * f64::from(i) / f64::from(bins),
    };
    Some((0..=bins).map(edge).collect())
}

/// The bucket of a value; the last one includes its right edge.
pub(super) fn bucket(edges: &[f64], value: f64) -> usize {
    let bucket = edges.partition_point(|edge| *edge <= value).saturating_sub(1);
    bucket.min(edges.len() - 2)
}

/// The distribution of some values between edges, with its shape if `above` names deviations; none if there are no values.
pub(super) fn distribution(
    mut values: Vec<f64>,
    edges: &[f64],
    above: &[f64],
) -> Option<Distribution> {
    let summary = summary(&values);
    let shape = (!above.is_empty()).then(|| shape(&values, above));
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    let mut counts = vec![0; edges.len() - 1];
    for value in &values {
        counts[bucket(edges, *value)] += 1;
    }
    Some(Distribution {
        count: values.len() as u64,
        mean: summary.mean,
        sd: summary.sd,
        min,
        max,
        quantiles: PROBABILITIES
            .map(|share| Quantile { share, activation: quantile(&values, share) })
            .to_vec(),
        counts,
        shape,
    })
}

/// Linearly interpolated between the sorted values, as NumPy's default.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * part
}

fn shape(values: &[f64], above: &[f64]) -> Shape {
    let kurtosis = kurtosis(values);
    let summary = summary(values);
    // Rounding may move the mean of equal values slightly away from them.
    let sd = if kurtosis.is_some() { summary.sd } else { f64::INFINITY };
    let images = |deviations: f64| {
        let least = summary.mean + deviations * sd;
        values.iter().filter(|value| **value > least).count() as u64
    };
    Shape {
        kurtosis,
        sparsity: sparsity(values),
        positive: values.iter().filter(|value| **value > 0.0).count() as u64,
        above: above
            .iter()
            .map(|&deviations| Above { deviations, images: images(deviations) })
            .collect(),
    }
}

/// Lifetime sparseness (Vinje and Gallant 2000) of the values above zero.
fn sparsity(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let rates = || values.iter().map(|value| value.max(0.0));
    let (sum, squares) = (rates().sum::<f64>(), rates().map(|r| r * r).sum::<f64>());
    // Of equal values rounding would leave a trace of less than zero.
    (squares > 0.0 && n > 1.0)
        .then(|| ((1.0 - sum * sum / (n * squares)) / (1.0 - 1.0 / n)).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_numpy() {
        // np.histogram([...], 4), np.quantile, mean, std
        let values = vec![3.0, -1.0, 0.5, 0.0, 1.0, 1.0, 3.0, 2.0];
        let edges = edges(values.iter(), 4).expect("edges");
        let outcome = distribution(values, &edges, &[]).expect("values");
        assert_eq!(outcome.shape, None);
        assert_eq!((outcome.count, outcome.min, outcome.max), (8, -1.0, 3.0));
        assert_eq!(edges, [-1.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(outcome.counts, [1, 2, 2, 3]);
        assert_eq!(outcome.mean, 1.1875);
        assert!((outcome.sd - 1.3213984069916234).abs() < 1e-12, "{}", outcome.sd);
        let found: Vec<_> = outcome.quantiles.iter().map(|quantile| quantile.activation).collect();
        let expected = [-0.93, -0.65, 0.375, 1.0, 2.25, 3.0, 3.0, 3.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn equal_values_and_no_values_have_their_answers() {
        let edges = edges([2.0; 5].iter(), 2).expect("edges");
        let outcome = distribution(vec![2.0; 5], &edges, &[0.0, 2.0]).expect("values");
        assert_eq!(edges, [1.5, 2.0, 2.5]);
        let shape = outcome.shape.expect("a shape");
        assert_eq!((shape.kurtosis, shape.sparsity, shape.positive), (None, Some(0.0), 5));
        assert!(shape.above.iter().all(|above| above.images == 0));
        assert_eq!(outcome.counts, [0, 5]);
        assert_eq!(outcome.sd, 0.0);
        assert!(
            distribution(Vec::new(), &edges, &[]).is_none() && super::edges([].iter(), 4).is_none()
        );
        assert_eq!(sparsity(&[-1.0, 0.0]), None);
        assert_eq!(sparsity(&[0.0, -3.0, 2.0, 0.0]), Some(1.0));
    }

    #[test]
    fn shapes_are_those_of_scipy_and_numpy() {
        let golden = include_str!("../../../tests/golden/histogram.json");
        let golden: Vec<Golden> = serde_json::from_str(golden).expect("a list");
        assert!(golden.len() > 2);
        for of in golden {
            let deviations: Vec<f64> = of.above.iter().map(|(n, _)| *n).collect();
            let found = shape(&of.values, &deviations);
            assert!((found.kurtosis.expect("a number") - of.kurtosis).abs() < 1e-9, "{found:?}");
            assert!((found.sparsity.expect("a number") - of.sparsity).abs() < 1e-12, "{found:?}");
            assert_eq!(found.positive, of.positive);
            let above: Vec<u64> = found.above.iter().map(|above| above.images).collect();
            assert_eq!(above, of.above.iter().map(|(_, images)| *images).collect::<Vec<_>>());
        }
    }

    #[derive(serde::Deserialize)]
    struct Golden {
        values: Vec<f64>,
        kurtosis: f64,
        sparsity: f64,
        positive: u64,
        above: Vec<(f64, u64)>,
    }
}
