//! The bootstrap of means: numbers of images in pairs in; the mean of each, that of the difference, and intervals of them, out.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Resamples.
const RESAMPLES: usize = 1000;

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The means before and after, and of after minus before, with the central 95 % of 1,000 bootstrap resamples of the images: each
/// resample has the same images before and after. Zeros if there are none.
///
/// Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13.
pub fn paired(before: &[f64], after: &[f64], seed: u64) -> [Mean; 3] {
    let count = before.len().min(after.len());
    let mean = |numbers: &[f64]| numbers[..count].iter().sum::<f64>() / count.max(1) as f64;
    let whole = [mean(before), mean(after)];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut resample = || {
        let mut sums = [0.0; 2];
        for _ in 0..count {
            let at = rng.random_range(0..count);
            sums[0] += before[at];
            sums[1] += after[at];
        }
        sums.map(|sum| sum / count.max(1) as f64)
    };
    let drawn: Vec<[f64; 2]> = (0..RESAMPLES).map(|_| resample()).collect();
    let with = |value: f64, of: &dyn Fn(&[f64; 2]) -> f64| {
        let mut all: Vec<f64> = drawn.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let bound = |part: f64| all[(part * (RESAMPLES - 1) as f64).round() as usize];
        Mean { value, low: bound(0.025), high: bound(0.975) }
    };
    [
        with(whole[0], &|drawn| drawn[0]),
        with(whole[1], &|drawn| drawn[1]),
        with(whole[1] - whole[0], &|drawn| drawn[1] - drawn[0]),
    ]
}

#[cfg(test)]
mod tests {
    use rand_distr::StandardNormal;

    use super::*;

    #[test]
    fn a_difference_of_pairs_is_surer_than_its_parts() {
        // Images differ widely, and each changes by −1.
        let before: Vec<f64> = (0..50).map(|n| f64::from(n * n)).collect();
        let after: Vec<f64> = before.iter().map(|x| x - 1.0).collect();
        let [first, second, change] = paired(&before, &after, 3);
        assert!((first.value - 808.5).abs() < 1e-9 && (second.value - 807.5).abs() < 1e-9);
        assert!(first.high - first.low > 100.0, "{first:?}");
        assert!([change.low, change.value, change.high].iter().all(|x| (x + 1.0).abs() < 1e-9));
        assert_eq!(paired(&before, &after, 3), [first, second, change]);
        assert_eq!(paired(&[], &[], 0)[2], Mean { value: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn the_interval_covers_the_true_mean_about_as_often_as_it_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut covered = 0;
        for seed in 0..100 {
            let mut draw = |mean: f64| -> Vec<f64> {
                (0..60).map(|_| mean + rng.sample::<f64, _>(StandardNormal)).collect()
            };
            let (before, after) = (draw(0.0), draw(0.5));
            let change = paired(&before, &after, seed)[2];
            covered += u32::from((change.low..=change.high).contains(&0.5));
        }
        assert!((88..=100).contains(&covered), "{covered} of 100");
    }
}
