//! Measures `activation_histogram`: how a unit's activations are distributed over a data set.

use neuronotes_core::kind::activation_histogram::{Outcome, Params, Quantile};

use super::target::Target;
use crate::failure::Failure;
use crate::table::{nothing_read, summary};
use crate::workbench::Workbench;

const PROBABILITIES: [f64; 8] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let values = scans.into_iter().flat_map(|scan| scan.activations).collect();
    let outcome = distribution(values, params.bins).ok_or_else(|| nothing_read(bench))?;
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// Statistics and buckets; `None` if there are no values.
fn distribution(mut values: Vec<f64>, bins: u32) -> Option<Outcome> {
    let summary = summary(&values);
    values.sort_by(f64::total_cmp);
    let (min, max) = (*values.first()?, *values.last()?);
    // A unit with one constant value still gets buckets of some width, as in NumPy.
    let (low, high) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    let bins = bins.max(1);
    let edges: Vec<f64> = (0..=bins)
        .map(|i| match i == bins {
            true => high,
            false => low + (high - low) * f64::from(i) / f64::from(bins),
        })
        .collect();
    let mut counts = vec![0; bins as usize];
    for value in &values {
        let bucket = edges.partition_point(|edge| edge <= value).saturating_sub(1);
        counts[bucket.min(bins as usize - 1)] += 1;
    }
    Some(Outcome {
        count: values.len() as u64,
        mean: summary.mean,
        sd: summary.sd,
        min,
        max,
        quantiles: PROBABILITIES
            .map(|share| Quantile { share, activation: quantile(&values, share) })
            .to_vec(),
        edges,
        counts,
    })
}

/// Linearly interpolated between the sorted values, as NumPy's default.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_numpy() {
        // np.histogram([...], 4), np.quantile, mean, std
        let outcome =
            distribution(vec![3.0, -1.0, 0.5, 0.0, 1.0, 1.0, 3.0, 2.0], 4).expect("values");
        assert_eq!((outcome.count, outcome.min, outcome.max), (8, -1.0, 3.0));
        assert_eq!(outcome.edges, [-1.0, 0.0, 1.0, 2.0, 3.0]);
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
        let outcome = distribution(vec![2.0; 5], 2).expect("values");
        assert_eq!(outcome.edges, [1.5, 2.0, 2.5]);
        assert_eq!(outcome.counts, [0, 5]);
        assert_eq!(outcome.sd, 0.0);
        assert!(distribution(Vec::new(), 4).is_none());
    }
}
