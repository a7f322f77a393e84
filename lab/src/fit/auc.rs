//! The area under the ROC curve: scores of two groups in; the fraction of pairs that are in the right order, and a bootstrap
//! interval of it, out.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

/// Resamples of the bootstrap.
const RESAMPLES: usize = 1000;

/// An area under the ROC curve, from 0 to 1; 0.5 is chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// The area.
    pub area: f64,
    /// The lower bound of the 95 % interval.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// The area under the ROC curve, with the 95 % percentile interval of a bootstrap that draws images of each group anew; `None`
/// if a group is empty or a score is NaN.
///
/// The area is that of Mann and Whitney: the fraction of pairs in which the positive score is the greater one, equal scores
/// counting half. Interval: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13.
pub fn auc(positive: &[f64], negative: &[f64], seed: u64) -> Option<Auc> {
    Resamples::of(positive.len(), negative.len(), seed).auc(positive, negative)
}

/// The area alone; `None` if a group is empty or a score is NaN.
pub fn area(positive: &[f64], negative: &[f64]) -> Option<f64> {
    let order = Order::of(positive, negative)?;
    Some(order.area(&vec![1; positive.len() + negative.len()]))
}

/// The resamples of a bootstrap, which many scores of the same images can share.
#[derive(Debug, Clone)]
pub struct Resamples {
    positive: usize,
    negative: usize,
    /// For each resample, how often each image is drawn: the positive ones, and behind them the negative ones.
    drawn: Vec<u32>,
}

impl Resamples {
    /// The resamples of so many images of each group.
    pub fn of(positive: usize, negative: usize, seed: u64) -> Self {
        let all = positive + negative;
        let mut drawn = vec![0; RESAMPLES * all];
        // An empty group has no area, and nothing to draw.
        if positive > 0 && negative > 0 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            for row in drawn.chunks_exact_mut(all) {
                let (first, second) = row.split_at_mut(positive);
                for group in [first, second] {
                    let count = group.len();
                    (0..count).for_each(|_| group[rng.random_range(0..count)] += 1);
                }
            }
        }
        Self { positive, negative, drawn }
    }

    /// What [`auc`] returns for these scores; `None` also if there are more or fewer of them than images.
    pub fn auc(&self, positive: &[f64], negative: &[f64]) -> Option<Auc> {
        if (positive.len(), negative.len()) != (self.positive, self.negative) {
            return None;
        }
        let order = Order::of(positive, negative)?;
        let all = self.positive + self.negative;
        let area = order.area(&vec![1; all]);
        let of = |resample: usize| order.area(&self.drawn[resample * all..][..all]);
        let mut areas: Vec<f64> = (0..RESAMPLES).into_par_iter().map(of).collect();
        areas.sort_by(f64::total_cmp);
        let bound = |part: f64| areas[(part * (RESAMPLES - 1) as f64).round() as usize];
        Some(Auc { area, low: bound(0.025), high: bound(0.975) })
    }
}

/// All scores in rising order; equal ones form a run.
struct Order {
    /// How many are positive: places below this are.
    positive: u32,
    /// The places of all scores, the positive ones before the negative ones, and whether a run ends there.
    places: Vec<(u32, bool)>,
}

impl Order {
    fn of(positive: &[f64], negative: &[f64]) -> Option<Self> {
        let odd = positive.iter().chain(negative).any(|score| score.is_nan());
        if positive.is_empty() || negative.is_empty() || odd {
            return None;
        }
        let scores = positive.iter().chain(negative).copied();
        let mut all: Vec<(f64, u32)> = scores.zip(0..).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ends = |at: usize| all.get(at + 1).is_none_or(|next| next.0 != all[at].0);
        let places = all.iter().enumerate().map(|(at, (_, place))| (*place, ends(at))).collect();
        Some(Self { positive: positive.len() as u32, places })
    }

    /// The area if each image counts so many times.
    fn area(&self, drawn: &[u32]) -> f64 {
        let (mut below, mut all, mut pairs) = (0u64, 0u64, 0u64);
        let mut run = [0u64; 2];
        for &(place, ends) in &self.places {
            run[usize::from(place >= self.positive)] += u64::from(drawn[place as usize]);
            if ends {
                let [first, second] = run;
                // Twice the pairs, so that a tie counts one.
                pairs += first * (2 * below + second);
                (all, below) = (all + first, below + second);
                run = [0; 2];
            }
        }
        pairs as f64 / (2 * all * below) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_fraction_of_pairs_in_the_right_order() {
        // Pairs: 0.9 is above all four, 0.5 above 0.1 and 0.2 and equal to one, 0.3 above 0.1 and 0.2.
        let found = area(&[0.9, 0.5, 0.3], &[0.1, 0.2, 0.5, 0.7]).expect("an area");
        assert!((found - (4.0 + 2.5 + 2.0) / 12.0).abs() < 1e-12, "{found}");
        assert_eq!(area(&[1.0], &[0.0]), Some(1.0));
        assert_eq!(area(&[1.0; 3], &[1.0; 5]), Some(0.5));
        assert_eq!(area(&[0.0], &[-0.0]), Some(0.5));
        assert_eq!(area(&[], &[1.0]), None);
        assert_eq!(area(&[f64::NAN], &[1.0]), None);
    }

    #[test]
    fn the_interval_covers_the_true_area_about_as_often_as_it_says() {
        // Two normal distributions at a distance of 1: the area is Φ(1 / √2) = 0.7602.
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut covered = 0;
        for seed in 0..100 {
            let mut draw = |mean: f64| {
                let normal =
                    |rng: &mut ChaCha8Rng| rng.sample::<f64, _>(rand_distr::StandardNormal);
                (0..40).map(|_| mean + normal(&mut rng)).collect::<Vec<f64>>()
            };
            let (first, second) = (draw(1.0), draw(0.0));
            let found = auc(&first, &second, seed).expect("an area");
            assert!(found.low <= found.area && found.area <= found.high, "{found:?}");
            covered += u32::from((found.low..=found.high).contains(&0.7602));
        }
        assert!((88..=100).contains(&covered), "{covered} of 100");
    }

    #[test]
    fn the_interval_is_that_of_its_seed() {
        let (first, second) = ([0.4, 0.7, 0.9, 0.2], [0.1, 0.5, 0.3]);
        assert_eq!(auc(&first, &second, 1), auc(&first, &second, 1));
        // Many scores share the resamples.
        let shared = Resamples::of(4, 3, 1);
        assert_eq!(shared.auc(&first, &second), auc(&first, &second, 1));
        assert_eq!(shared.auc(&first, &first), None, "other images");
        let sure = auc(&[2.0, 3.0], &[0.0, 1.0], 0).expect("an area");
        assert_eq!((sure.low, sure.area, sure.high), (1.0, 1.0, 1.0));
    }
}
