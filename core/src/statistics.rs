//! Statistics: fractions, confidence intervals and quantiles.

/// `hits` divided by `count`; zero if `count` is zero.
pub fn part(hits: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { hits as f64 / count as f64 }
}

/// Number of standard deviations from the mean; `None` if the deviation is zero.
pub fn deviations(value: f64, mean: f64, sd: f64) -> Option<f64> {
    (sd > 0.0).then(|| (value - mean) / sd)
}

/// A quantile of ascending numbers, interpolated linearly, as NumPy does by default; `None` if there are none.
pub fn quantile(ascending: &[f64], fraction: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let at = fraction.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    Some(low + (high - low) * at.fract())
}

/// Wilson's 95 % confidence interval of `hits` out of `count`; from 0 to 1 if `count` is zero.
///
/// Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, 1927: unlike the normal
/// approximation, it is valid for small counts and near 0 and 1.
pub fn wilson(hits: u64, count: u64) -> (f64, f64) {
    if count == 0 {
        return (0.0, 1.0);
    }
    const Z: f64 = 1.959_963_984_540_054;
    let (hits, n) = (hits.min(count) as f64, count as f64);
    let middle = (hits + Z * Z / 2.0) / (n + Z * Z);
    let half = Z / (n + Z * Z) * (hits * (n - hits) / n + Z * Z / 4.0).sqrt();
    // Rounding would leave a trace of what is exactly 0 or 1.
    let low = if hits == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if hits == n { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_spread_nothing_is_so_many_deviations_away() {
        assert_eq!(deviations(1.0, 0.5, 0.25), Some(2.0));
        assert_eq!(deviations(1.0, 0.5, 0.0), None);
        assert_eq!(deviations(1.0, 0.5, f64::NAN), None);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let numbers = [-1.0, 0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 3.0];
        // np.quantile(numbers, …)
        for (fraction, expected) in
            [(0.0, -1.0), (0.25, 0.375), (0.5, 1.0), (0.75, 2.25), (1.0, 3.0)]
        {
            assert_eq!(quantile(&numbers, fraction), Some(expected), "{fraction}");
        }
        assert_eq!(quantile(&[2.5], 0.3), Some(2.5));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn wilsons_interval_is_that_of_its_closed_form() {
        // (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), by Python.
        for (hits, count, low, high) in [
            (0, 10, 0.0, 0.2775328),
            (7, 10, 0.39677815, 0.89220873),
            (10, 10, 0.7224672, 1.0),
            (353, 3212, 0.09954647, 0.12118625),
        ] {
            let (found_low, found_high) = wilson(hits, count);
            assert!((found_low - low).abs() < 1e-7, "{hits} of {count}: {found_low}");
            assert!((found_high - high).abs() < 1e-7, "{hits} of {count}: {found_high}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        for count in 1..200 {
            assert_eq!((wilson(0, count).0, wilson(count, count).1), (0.0, 1.0), "{count}");
        }
    }
}
