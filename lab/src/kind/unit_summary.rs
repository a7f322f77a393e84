//! Measures `unit_summary`: a unit's activations over a data set in a few numbers.

use neuronotes_core::kind::unit_summary::{Outcome, Params};

use super::moments::kurtosis;
use super::target::Target;
use crate::failure::Failure;
use crate::table::{nothing_read, summary};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let scans = Target::of(bench, &params.layer, about, params.pool)?.scans(bench)?;
    let values: Vec<f64> = scans.into_iter().flat_map(|scan| scan.activations).collect();
    let outcome = numbers(&values).ok_or_else(|| nothing_read(bench))?;
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The numbers; `None` if there are no values.
fn numbers(values: &[f64]) -> Option<Outcome> {
    let min = values.iter().copied().reduce(f64::min)?;
    let max = values.iter().copied().reduce(f64::max)?;
    let count = values.len() as u64;
    let summary = summary(values);
    let kurtosis = kurtosis(values);
    let zeros = values.iter().filter(|value| **value == 0.0).count() as u64;
    let sd = if max > min { summary.sd } else { 0.0 };
    Some(Outcome { count, mean: summary.mean, sd, kurtosis, zeros, min, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_computed_by_hand() {
        // Distances from the mean, 1, are −1 three times, and 3: a variance of 12/4 = 3, and a mean fourth power of
        // (3 + 81)/4 = 21, so that the excess is 21/9 − 3 = −2/3.
        let outcome = numbers(&[0.0, 4.0, -0.0, 0.0]).expect("values");
        assert_eq!((outcome.count, outcome.zeros), (4, 3));
        assert_eq!((outcome.mean, outcome.min, outcome.max), (1.0, 0.0, 4.0));
        assert!((outcome.sd - 3f64.sqrt()).abs() < 1e-15);
        assert!((outcome.kurtosis.expect("a spread") + 2.0 / 3.0).abs() < 1e-12);
        // Two values of equal weight have the least kurtosis that there is.
        let kurtosis = numbers(&[-1.5, 2.5, 2.5, -1.5]).expect("values").kurtosis;
        assert!((kurtosis.expect("a spread") + 2.0).abs() < 1e-12);
        // One of 101 images that differs is a Bernoulli distribution with p = 1/101, whose excess is 1/(p(1 − p)) − 6.
        let mut values = vec![0.25; 100];
        values.push(8.25);
        let kurtosis = numbers(&values).expect("values").kurtosis.expect("a spread");
        assert!((kurtosis - (101.0 * 101.0 / 100.0 - 6.0)).abs() < 1e-9, "{kurtosis}");
    }

    #[test]
    fn equal_values_have_no_kurtosis_and_no_values_no_numbers() {
        let outcome = numbers(&[0.1; 7]).expect("values");
        assert_eq!((outcome.sd, outcome.kurtosis, outcome.zeros), (0.0, None, 0));
        assert_eq!(numbers(&[]), None);
    }
}
