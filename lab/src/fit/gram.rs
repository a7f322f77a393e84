//! How alike a few vectors are, from nothing but their inner products: their mean cosine, and two groups of them.
//!
//! Dreyer et al., *Mechanistic understanding and validation of large AI models with SemanticLens*, 2025.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Starts of k-means, of which the best counts.
const STARTS: usize = 10;
/// The most steps of a start.
const STEPS: usize = 300;
/// The most vectors that are compared with the mean if one group is of a single vector.
const SAMPLES: usize = 10;

/// The inner products of vectors of length 1.
#[derive(Debug, Clone)]
pub(crate) struct Gram<'a> {
    count: usize,
    /// `[count, count]`, row by row.
    products: &'a [f64],
}

impl<'a> Gram<'a> {
    /// Takes the products of `count` vectors.
    pub(crate) fn of(count: usize, products: &'a [f64]) -> Option<Self> {
        (products.len() == count * count && count > 1).then_some(Self { count, products })
    }

    fn at(&self, a: usize, b: usize) -> f64 {
        self.products[a * self.count + b]
    }

    fn sum(&self, some: &[usize], others: &[usize]) -> f64 {
        some.iter().map(|a| others.iter().map(|b| self.at(*a, *b)).sum::<f64>()).sum()
    }

    /// Clarity: the mean cosine of all pairs.
    pub(crate) fn clarity(&self) -> f64 {
        let n = self.count as f64;
        (self.products.iter().sum::<f64>() - n) / (n * (n - 1.0))
    }

    /// Polysemanticity: 1 less the cosine of the means of the two groups into which k-means divides the vectors. If one of them is of
    /// a single vector, 1 less the mean cosine of the first ten vectors with the mean of all.
    pub(crate) fn polysemanticity(&self, seed: u64) -> f64 {
        let first = self.halves(seed);
        let of = |wanted: bool| -> Vec<usize> {
            (0..self.count).filter(|at| first[*at] == wanted).collect()
        };
        let (some, others) = (of(true), of(false));
        if some.len() < 2 || others.len() < 2 {
            let all: Vec<usize> = (0..self.count).collect();
            let length = self.sum(&all, &all).sqrt();
            let few = &all[..SAMPLES.min(self.count)];
            return 1.0 - self.sum(few, &all) / (length * few.len() as f64);
        }
        let lengths = self.sum(&some, &some) * self.sum(&others, &others);
        1.0 - self.sum(&some, &others) / lengths.sqrt()
    }

    /// Which of two groups each vector is in: k-means++ from ten starts, that with the least sum of squared distances.
    fn halves(&self, seed: u64) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut best, mut least) = (vec![true; self.count], f64::INFINITY);
        for _ in 0..STARTS {
            let (found, sum) = self.divided(&mut rng);
            // A rounding must not make one start better than another.
            if sum < least - 1e-12 {
                (best, least) = (found, sum);
            }
        }
        best
    }

    fn divided(&self, rng: &mut ChaCha8Rng) -> (Vec<bool>, f64) {
        let start = rng.random_range(0..self.count);
        let away: Vec<f64> =
            (0..self.count).map(|at| self.distance(at, &[start]).max(0.0)).collect();
        let mut left = rng.random::<f64>() * away.iter().sum::<f64>();
        let far = away.iter().position(|away| {
            left -= away;
            left < 0.0
        });
        let mut groups = [vec![start], vec![far.unwrap_or(self.count - 1)]];
        let mut first = Vec::new();
        for _ in 0..STEPS {
            let nearer = |at: usize| {
                let [one, other] = [0, 1].map(|which| self.distance(at, &groups[which]));
                one <= other
            };
            let found: Vec<bool> = (0..self.count).map(nearer).collect();
            if found == first {
                break;
            }
            first = found;
            let of = |wanted: bool| -> Vec<usize> {
                (0..self.count).filter(|at| first[*at] == wanted).collect()
            };
            let next = [of(true), of(false)];
            if next.iter().any(Vec::is_empty) {
                break;
            }
            groups = next;
        }
        let sum =
            (0..self.count).map(|at| self.distance(at, &groups[usize::from(!first[at])])).sum();
        (first, sum)
    }

    /// The squared distance of a vector from the mean of a group.
    fn distance(&self, at: usize, group: &[usize]) -> f64 {
        let n = group.len() as f64;
        let along: f64 = group.iter().map(|other| self.at(at, *other)).sum();
        self.at(at, at) - 2.0 * along / n + self.sum(group, group) / (n * n)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::fit::golden::{golden_of, numbers};

    fn products(rows: &Tensor) -> Vec<f64> {
        numbers(&rows.matmul(&rows.tr()))
    }

    #[test]
    fn scores_are_those_of_scikit_learn() {
        let all = golden_of("quality.safetensors", "vectors"); // [units, count, width]
        let (units, count, _) = all.size3().expect("three dimensions");
        let [clarity, polysemanticity] = ["clarity", "polysemanticity"]
            .map(|name| numbers(&golden_of("quality.safetensors", name)));
        for unit in 0..units {
            let products = products(&all.get(unit));
            let gram = Gram::of(count as usize, &products).expect("products");
            let at = unit as usize;
            assert!((gram.clarity() - clarity[at]).abs() < 1e-9, "{unit}");
            let found = gram.polysemanticity(3);
            assert!((found - polysemanticity[at]).abs() < 1e-9, "{unit}: {found}");
        }
    }

    #[test]
    fn equal_vectors_are_clear_and_of_one_meaning() {
        let same = Tensor::from_slice(&[0.6f64, 0.8]).view([1, 2]).repeat([5, 1]);
        let products = products(&same.to_kind(Kind::Double));
        let gram = Gram::of(5, &products).expect("products");
        assert!((gram.clarity() - 1.0).abs() < 1e-12);
        assert!(gram.polysemanticity(0).abs() < 1e-9);
        assert!(Gram::of(1, &[1.0]).is_none() && Gram::of(2, &[1.0]).is_none());
    }
}
