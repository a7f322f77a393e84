//! How well scores find the images of a group: scores in; the area under the ROC curve and the average precision with bootstrap
//! intervals, both curves, and how many of the first are right, out.

use neuronotes_core::statistics::quantile;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

/// Resamples of the bootstrap.
pub(crate) const RESAMPLES: u32 = 2000;
/// Points of a curve, about.
const POINTS: f64 = 64.0;

/// A score with the central 95 % of its bootstrap distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    /// The score of the images as they are.
    pub value: f64,
    /// The interval; `None` if none was asked for.
    pub interval: Option<(f64, f64)>,
}

/// Images in falling order of their scores.
#[derive(Debug, Clone)]
pub(crate) struct Ranking {
    /// The place of each image in the list of scores, whether it is positive, and whether the next score is another one.
    order: Vec<(u32, bool, bool)>,
    positive: Vec<u32>,
    negative: Vec<u32>,
}

/// The places of two curves, each a list of points.
pub(crate) type Curves = (Vec<(f64, f64)>, Vec<(f64, f64)>);

impl Ranking {
    /// Ranks images; of equal scores that with the smaller number of `ties` goes first, one for each image. `None` if all or none
    /// are positive, or a score is NaN.
    pub(crate) fn of(scores: &[f64], positive: &[bool], ties: &[u32]) -> Option<Self> {
        let places = |wanted: bool| -> Vec<u32> {
            let all = positive.iter().zip(0u32..);
            all.filter(|(is, _)| **is == wanted).map(|(_, place)| place).collect()
        };
        let (first, other) = (places(true), places(false));
        let is_odd = scores.iter().any(|score| score.is_nan()) || scores.len() != positive.len();
        if first.is_empty() || other.is_empty() || is_odd {
            return None;
        }
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        // Zero has two signs, and `total_cmp` tells them apart.
        let score = |place: u32| scores[place as usize] + 0.0;
        let tie = |place: u32| ties[place as usize];
        order.sort_by(|a, b| score(*b).total_cmp(&score(*a)).then(tie(*a).cmp(&tie(*b))));
        let ends =
            |at: usize| order.get(at + 1).is_none_or(|next| score(*next) != score(order[at]));
        let all = order.iter().enumerate();
        let order = all.map(|(at, place)| (*place, positive[*place as usize], ends(at))).collect();
        Some(Self { order, positive: first, negative: other })
    }

    /// The area under the ROC curve and the average precision if each image counts so many times.
    ///
    /// Of equal scores, a pair counts half in the area, and all are taken together in the precision, as in scikit-learn's
    /// `average_precision_score`: the sum over thresholds of the precision times the gain in recall.
    fn scores(&self, times: &[u32]) -> (f64, f64) {
        let (mut found, mut wrong, mut pairs, mut precision) = (0u64, 0u64, 0u64, 0.0);
        let total = self.negative.len() as u64;
        let mut run = [0u64; 2];
        for &(place, is_positive, ends) in &self.order {
            run[usize::from(!is_positive)] += u64::from(times[place as usize]);
            if ends {
                let [first, other] = run;
                (found, wrong) = (found + first, wrong + other);
                // Twice the pairs, so that a tie counts one.
                pairs += first * (2 * (total - wrong) + other);
                if first > 0 {
                    precision += first as f64 * (found as f64 / (found + wrong) as f64);
                }
                run = [0; 2];
            }
        }
        (pairs as f64 / (2 * found * total) as f64, precision / found as f64)
    }

    /// The area under the ROC curve and the average precision; if a seed is given with the percentile interval of a bootstrap that
    /// draws as many positive and as many negative images as there are (Efron and Tibshirani, *An Introduction to the
    /// Bootstrap*, 1993, chapter 13). Each resample has random numbers of its own, whatever the number of threads.
    pub(crate) fn estimate(&self, seed: Option<u64>) -> [Estimate; 2] {
        let (area, precision) = self.scores(&vec![1; self.order.len()]);
        let Some(seed) = seed else {
            return [area, precision].map(|value| Estimate { value, interval: None });
        };
        let resample = |times: &mut Vec<u32>, at: u32| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(u64::from(at));
            times.clear();
            times.resize(self.order.len(), 0);
            for group in [&self.positive, &self.negative] {
                let count = group.len() as u32;
                for _ in 0..count {
                    times[group[rng.random_range(0..count) as usize] as usize] += 1;
                }
            }
            self.scores(times)
        };
        let all: Vec<(f64, f64)> =
            (0..RESAMPLES).into_par_iter().map_init(Vec::new, resample).collect();
        let (mut areas, mut precisions): (Vec<f64>, Vec<f64>) = all.into_iter().unzip();
        let interval = |numbers: &mut Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            Some((quantile(numbers, 0.025)?, quantile(numbers, 0.975)?))
        };
        [
            Estimate { value: area, interval: interval(&mut areas) },
            Estimate { value: precision, interval: interval(&mut precisions) },
        ]
    }

    /// How many of the first images are positive, as many as there are positive ones, and the place from 0 of the first that is not.
    pub(crate) fn first(&self) -> (u64, u64) {
        let first = &self.order[..self.positive.len()];
        let hits = first.iter().filter(|(_, is_positive, _)| *is_positive).count();
        let miss = self.order.iter().position(|(_, is_positive, _)| !is_positive);
        (hits as u64, miss.unwrap_or_default() as u64)
    }

    /// The ROC curve, as pairs of false and true positive rate, and the curve of precision over recall, as pairs of recall and
    /// precision. Every point is one of the whole curve; of many, some are left out.
    pub(crate) fn curves(&self) -> Curves {
        let (m, n) = (self.positive.len() as f64, self.negative.len() as f64);
        let (mut roc, mut precision) = (vec![(0.0, 0.0)], Vec::new());
        let (mut found, mut wrong) = (0.0, 0.0);
        let (mut along, mut recalled) = (0.0, -1.0);
        for &(_, is_positive, ends) in &self.order {
            if is_positive {
                found += 1.0
            } else {
                wrong += 1.0
            }
            if !ends {
                continue;
            }
            let (far, recall) = (found / m + wrong / n, found / m);
            let is_last = found + wrong == m + n;
            if is_last || far - along >= 2.0 / POINTS {
                roc.push((wrong / n, recall));
                along = far;
            }
            if found > 0.0 && (recall - recalled >= 1.0 / POINTS || is_last) {
                precision.push((recall, found / (found + wrong)));
                recalled = recall;
            }
        }
        (roc, precision)
    }
}

/// The mean average precision of all orders of so many images, if none are equal.
///
/// An image at a place k of N is positive in m of N orders, and then a fraction (m − 1) / (N − 1) of those before it are.
pub(crate) fn by_chance(positive: u64, all: u64) -> f64 {
    let harmonic: f64 = (1..=all).rev().map(|k| 1.0 / k as f64).sum();
    let share = match all {
        0 | 1 => return positive as f64,
        all => (positive.saturating_sub(1)) as f64 / (all - 1) as f64,
    };
    share + (1.0 - share) * harmonic / all as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    fn all(value: &Value) -> Vec<f64> {
        value.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
    }

    /// Ties that keep the order of the list.
    fn listed(count: usize) -> Vec<u32> {
        (0..count as u32).collect()
    }

    #[test]
    fn areas_precisions_and_intervals_are_those_of_scikit_learn_and_numpy() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/selectivity.json");
        let golden: Value =
            serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON");
        let cases = golden["found"].as_array().expect("cases");
        assert_eq!(cases.len(), 5);
        for case in cases {
            let positive: Vec<bool> =
                all(&case["positive"]).into_iter().map(|one| one == 1.0).collect();
            let ranking = Ranking::of(&all(&case["scores"]), &positive, &listed(positive.len()))
                .expect("two groups");
            let found = ranking.estimate(Some(7));
            for (found, name) in found.iter().zip(["area", "precision"]) {
                let known = case[name].as_f64().expect("a number");
                assert!((found.value - known).abs() < 1e-12, "{name} {} {known}", found.value);
                let (low, high) = found.interval.expect("an interval");
                // Other random numbers: NumPy's own interval moves by as much from seed to seed.
                let [lowest, highest] = [0, 1].map(|at| all(&case[format!("{name}_interval")])[at]);
                assert!((low - lowest).abs() < 0.012, "{name} {low} {lowest}");
                assert!((high - highest).abs() < 0.012, "{name} {high} {highest}");
            }
            let (roc, curve) = ranking.curves();
            let [x, y] = ["fpr", "tpr"].map(|name| all(&case["roc"][name]));
            let known: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
            let near = |point: &(f64, f64), all: &[(f64, f64)]| {
                all.iter().any(|p| (p.0 - point.0).abs() < 1e-12 && (p.1 - point.1).abs() < 1e-12)
            };
            assert!(roc.iter().all(|point| near(point, &known)), "{roc:?} {known:?}");
            let [x, y] = ["recall", "precision"].map(|name| all(&case["curve"][name]));
            let known: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
            assert!(curve.iter().all(|point| near(point, &known)), "{curve:?} {known:?}");
        }
    }

    #[test]
    fn an_average_precision_by_chance_is_the_mean_over_all_orders() {
        // Every order of five images, two of which are positive.
        let mut sum = 0.0;
        let mut count = 0.0;
        for first in 0..5 {
            for second in first + 1..5 {
                let positive: Vec<bool> = (0..5).map(|at| at == first || at == second).collect();
                let scores: Vec<f64> = (0..5).map(|at| -f64::from(at)).collect();
                let ranking =
                    Ranking::of(&scores, &positive, &listed(scores.len())).expect("two groups");
                sum += ranking.estimate(None)[1].value;
                count += 1.0;
            }
        }
        assert!((by_chance(2, 5) - sum / count).abs() < 1e-12);
        assert!((by_chance(1, 2) - 0.75).abs() < 1e-12);
        assert_eq!((by_chance(3, 3), by_chance(1, 1)), (1.0, 1.0));
    }

    #[test]
    fn the_first_images_and_equal_scores_are_counted_as_they_lie() {
        let ranking =
            Ranking::of(&[0.5, 0.9, 0.9, 0.1, 0.7], &[true, true, false, false, true], &listed(5))
                .expect("two");
        assert_eq!(ranking.first(), (2, 1), "0.9, 0.9, 0.7: the second is not");
        let other = [4, 3, 2, 1, 0];
        let ranking =
            Ranking::of(&[0.5, 0.9, 0.9, 0.1, 0.7], &[true, true, false, false, true], &other);
        assert_eq!(ranking.expect("two").first(), (2, 0), "the first 0.9 is not");
        let same =
            Ranking::of(&[0.0, -0.0, 0.0], &[true, false, false], &listed(3)).expect("two groups");
        let [area, precision] = same.estimate(Some(0));
        assert_eq!((area.value, precision.value), (0.5, 1.0 / 3.0));
        assert_eq!(area.interval, Some((0.5, 0.5)));
        let (roc, curve) = same.curves();
        assert_eq!((roc, curve), (vec![(0.0, 0.0), (1.0, 1.0)], vec![(1.0, 1.0 / 3.0)]));
        assert!(Ranking::of(&[1.0, 2.0], &[true, true], &[0, 1]).is_none());
        assert!(Ranking::of(&[1.0, 2.0], &[false, false], &[0, 1]).is_none());
        assert!(Ranking::of(&[1.0, f64::NAN], &[true, false], &[0, 1]).is_none());
    }

    #[test]
    fn intervals_are_those_of_their_seed() {
        let scores: Vec<f64> = (0..60).map(|at| f64::from(at * 37 % 61)).collect();
        let positive: Vec<bool> = (0..60).map(|at| at * 37 % 61 + at % 5 * 9 > 50).collect();
        let ranking = Ranking::of(&scores, &positive, &listed(scores.len())).expect("two groups");
        assert_eq!(ranking.estimate(Some(1)), ranking.estimate(Some(1)));
        assert_ne!(ranking.estimate(Some(1)), ranking.estimate(Some(2)));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        assert_eq!(pool.install(|| ranking.estimate(Some(1))), ranking.estimate(Some(1)));
    }
}
