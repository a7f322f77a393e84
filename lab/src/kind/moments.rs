//! Moments that several kinds give.

use crate::table::summary;

/// The excess kurtosis of the population: the mean fourth power of the distance from the mean, divided by the squared
/// variance, less 3; none where all values are the same, or there are none.
pub(super) fn kurtosis(values: &[f64]) -> Option<f64> {
    let min = values.iter().copied().reduce(f64::min)?;
    let max = values.iter().copied().reduce(f64::max)?;
    let summary = summary(values);
    // Rounding may move the mean of equal values slightly away from them.
    let spread = max > min && summary.sd > 0.0;
    let fourth = values.iter().map(|value| ((value - summary.mean) / summary.sd).powi(4));
    spread.then(|| fourth.sum::<f64>() / values.len() as f64 - 3.0)
}
