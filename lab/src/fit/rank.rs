//! Ranks: numbers in; the rank of each, and how well any group of them is told from the others, out.

/// The ranks of numbers, from 1; equal ones have their mean rank. None of them is NaN, and -0 equals 0.
pub(crate) fn ranked(numbers: &[f32]) -> Vec<f64> {
    // A number whose bits are in the order of the numbers, and the place behind it: sorted without looking anything up.
    let mut order: Vec<u64> = numbers
        .iter()
        .zip(0u64..)
        .map(|(number, place)| u64::from(key(*number)) << 32 | place)
        .collect();
    order.sort_unstable();
    let mut ranks = vec![0.0; numbers.len()];
    runs(&order, |start, run| {
        let mean = start as f64 + (run.len() as f64 + 1.0) / 2.0;
        run.iter().for_each(|key| ranks[(key & u64::from(u32::MAX)) as usize] = mean);
    });
    ranks
}

/// Calls `each` with the start of every run of equal numbers, and the run.
fn runs(order: &[u64], mut each: impl FnMut(usize, &[u64])) {
    let mut start = 0;
    for run in order.chunk_by(|a, b| a >> 32 == b >> 32) {
        each(start, run);
        start += run.len();
    }
}

/// A number's bits in the order of the numbers; -0 equals 0.
pub(super) fn key(number: f32) -> u32 {
    let bits = (number + 0.0).to_bits();
    bits ^ (if bits >> 31 == 1 { u32::MAX } else { 1 << 31 })
}

/// Numbers of which groups are told from the others.
#[derive(Debug, Clone)]
pub(crate) struct Ranks {
    /// The rank of each, from 1.
    pub ranks: Vec<f64>,
    /// The sum of t³ − t over the sizes t of runs of equal numbers.
    ties: f64,
}

impl Ranks {
    /// Ranks numbers.
    pub(crate) fn of(numbers: &[f32]) -> Self {
        let ranks = ranked(numbers);
        let mut order: Vec<u64> =
            numbers.iter().map(|number| u64::from(key(*number)) << 32).collect();
        order.sort_unstable();
        let mut ties = 0.0;
        runs(&order, |_, run| {
            let size = run.len() as f64;
            ties += size * (size * size - 1.0);
        });
        Self { ranks, ties }
    }

    /// Mann and Whitney's test of a group, by its places, against all others: the area under the ROC curve, and the distance of the
    /// statistic from its mean under chance, in standard deviations and corrected for continuity. `None` if one of the two is
    /// empty or all numbers are equal.
    pub(crate) fn told(&self, group: &[u32]) -> Option<(f64, f64)> {
        let (all, m) = (self.ranks.len() as f64, group.len() as f64);
        let n = all - m;
        if m < 1.0 || n < 1.0 {
            return None;
        }
        let sum: f64 = group.iter().map(|place| self.ranks[*place as usize]).sum();
        let pairs = sum - m * (m + 1.0) / 2.0;
        let variance = m * n / 12.0 * ((all + 1.0) - self.ties / (all * (all - 1.0)));
        let z = ((pairs - m * n / 2.0).abs() - 0.5) / variance.sqrt();
        (variance > 1e-9).then(|| (pairs / (m * n), z))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::auc::area;
    use crate::fit::ranksum::{Side, chances, compare};

    #[test]
    fn infinities_and_signs_are_in_order() {
        let numbers = [0.5, f32::NEG_INFINITY, -1.0, f32::INFINITY, -2.0, 0.0, -0.0];
        assert_eq!(ranked(&numbers), [6.0, 1.0, 3.0, 7.0, 2.0, 4.5, 4.5]);
        assert_eq!(ranked(&[]), Vec::<f64>::new());
    }

    #[test]
    fn a_group_is_told_from_the_others_as_in_a_column() {
        let numbers = [0.5f32, 1.0, 1.0, -2.0, 0.0, 0.5, 3.0, 1.0, -1.0, 0.0];
        let group = [1u32, 2, 6, 9];
        let ranks = Ranks::of(&numbers);
        let (found, z) = ranks.told(&group).expect("two groups");
        let (mut first, mut other) = (vec![], vec![]);
        let mut sides = vec![Side::Negative; numbers.len()];
        for (place, number) in numbers.iter().enumerate() {
            let own = group.contains(&(place as u32));
            if own { &mut first } else { &mut other }.push(f64::from(*number));
            sides[place] = if own { Side::Positive } else { Side::Negative };
        }
        assert!((found - area(&first, &other).expect("an area")).abs() < 1e-12);
        let table = tch::Tensor::from_slice(&numbers).view([10, 1]);
        let column = compare(&table, &sides, |_| Ok(())).expect("a column")[0].expect("it varies");
        let p = chances(&[z]).expect("a chance")[0];
        assert!((p - column.p).abs() < 1e-12, "{p} {}", column.p);
        assert!(ranks.told(&[]).is_none());
        assert!(ranks.told(&(0..10).collect::<Vec<u32>>()).is_none());
        assert!(Ranks::of(&[1.0; 4]).told(&[0]).is_none());
    }
}
