//! Max-T: the units of a layer in, one after the other, and groups of images; for each group how far its unit stands out from what the
//! most deviating of all units reaches when the group is drawn by lot, out.
//!
//! Westfall and Young, *Resampling-Based Multiple Testing*, 1993, section 2.3, in its single-step form. The statistic is that of
//! Mann and Whitney, standardised with the correction for ties, so that units with many equal activations count like others. A unit is
//! ranked once. Ranks are doubled, so that mean ranks are whole numbers: their sums are exact in any order, and a result does not depend
//! on the number of threads.

use std::collections::BTreeSet;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use tch::Tensor;

use super::rank::key;
use super::tally::{PLACES, place_of};
use crate::failure::Failure;

/// Statistics that differ by less are equal: they differ by rounding.
const SAME: f64 = 1e-9;
/// Above this fraction of the images that a group has, a product of matrices is faster than adding up the ranks of the group.
const DENSE: f64 = 0.05;
/// Permutations and units in a product of matrices.
const TILE: (usize, usize) = (128, 256);

/// The ranks of a unit's activations.
#[derive(Debug, Clone)]
pub(crate) struct Doubled {
    /// Twice the mean rank of each image, from 2.
    ranks: Vec<u32>,
    /// The sum of t³ − t over the sizes t of runs of equal activations.
    ties: f64,
}

impl Doubled {
    /// Ranks activations, none of which is NaN; `None` if all are equal.
    pub(crate) fn of(numbers: &[f32]) -> Option<Self> {
        let (mut ranks, mut ties) = (vec![0; numbers.len()], 0.0);
        let mut run = |below: usize, size: usize| {
            let t = size as f64;
            ties += t * (t * t - 1.0);
            (2 * below + size + 1) as u32
        };
        let places: Option<Vec<usize>> = numbers.iter().map(|number| place_of(*number)).collect();
        match places {
            // In half precision there are few numbers, which are counted without being sorted.
            Some(places) => {
                let mut table = vec![0u32; PLACES];
                places.iter().for_each(|place| table[*place] += 1);
                let mut below = 0;
                for count in &mut table {
                    let size = *count as usize;
                    if size > 0 {
                        *count = run(below, size);
                        below += size;
                    }
                }
                ranks.iter_mut().zip(&places).for_each(|(rank, place)| *rank = table[*place]);
            }
            None => {
                let mut order: Vec<(u32, u32)> =
                    numbers.iter().zip(0..).map(|(number, at)| (key(*number), at)).collect();
                order.sort_unstable();
                let mut below = 0;
                for equal in order.chunk_by(|a, b| a.0 == b.0) {
                    let rank = run(below, equal.len());
                    equal.iter().for_each(|(_, at)| ranks[*at as usize] = rank);
                    below += equal.len();
                }
            }
        }
        let all = numbers.len() as f64;
        (ties < all * (all * all - 1.0)).then_some(Self { ranks, ties })
    }

    /// The mean and the standard deviation of the sum of doubled ranks over a group of `m` images, by chance.
    fn by_chance(&self, m: usize) -> (f64, f64) {
        let (all, m) = (self.ranks.len() as f64, m as f64);
        let n = all - m;
        // Four times that of a sum of ranks.
        let variance = m * n / 3.0 * ((all + 1.0) - self.ties / (all * (all - 1.0)));
        (m * (all + 1.0), variance.sqrt())
    }

    /// The standardised statistic of a group, and the area under the ROC curve.
    pub(crate) fn told(&self, group: &[u32]) -> (f64, f64) {
        let sum = self.sum(group);
        let (all, m) = (self.ranks.len(), group.len());
        let (mean, sd) = self.by_chance(m);
        let pairs = (sum as f64 - (m * (m + 1)) as f64) / 2.0;
        ((sum as f64 - mean) / sd, pairs / (m * (all - m)) as f64)
    }

    fn sum(&self, group: &[u32]) -> u64 {
        group.iter().map(|at| u64::from(self.ranks[*at as usize])).sum()
    }
}

/// Which way a unit is to stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is higher for the group.
    Higher,
    /// It is higher or lower.
    Either,
}

impl Way {
    /// The statistic as it counts.
    pub(crate) fn counted(self, z: f64) -> f64 {
        match self {
            Self::Higher => z,
            Self::Either => z.abs(),
        }
    }
}

/// Groups drawn by lot: for each permutation the first images of a random order of all, so that groups of different sizes are
/// nested, and one pass over the units serves all of them.
#[derive(Debug)]
pub(crate) struct Lots {
    images: usize,
    /// The different sizes of groups, rising.
    sizes: Vec<Size>,
    /// The different numbers of images that are drawn, rising.
    ends: Vec<usize>,
    /// For each permutation the images, rising between two ends.
    drawn: Vec<Vec<u32>>,
    way: Way,
}

/// The size of a group.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Number of images.
    inside: usize,
    /// The place of the number that is drawn among all of them: the images inside, or those outside if they are fewer.
    end: usize,
    /// Whether those outside are drawn.
    is_rest: bool,
}

/// For each size of a group and each permutation, the greatest statistic of all units so far.
#[derive(Debug, Clone)]
pub(crate) struct Greatest(Vec<Vec<f64>>);

impl Greatest {
    fn joined(mut self, other: Self) -> Self {
        for (ours, theirs) in self.0.iter_mut().zip(other.0) {
            ours.iter_mut().zip(theirs).for_each(|(x, other)| *x = x.max(other));
        }
        self
    }
}

impl Lots {
    /// Draws groups of these sizes, each larger than zero and smaller than the number of images. Each permutation has random numbers of
    /// its own.
    pub(crate) fn draw(
        images: usize,
        sizes: impl Iterator<Item = usize>,
        (permutations, seed): (u32, u64),
        way: Way,
    ) -> Self {
        let few = |size: usize| size.min(images - size);
        let sizes: BTreeSet<usize> = sizes.collect();
        let ends: BTreeSet<usize> = sizes.iter().map(|size| few(*size)).collect();
        let size = |inside: usize| Size {
            inside,
            end: ends.range(..few(inside)).count(),
            is_rest: few(inside) != inside,
        };
        let sizes = sizes.into_iter().map(size).collect();
        let most = ends.last().copied().unwrap_or_default();
        let one = |at: u32| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(u64::from(at));
            let mut all: Vec<u32> = (0..images as u32).collect();
            for next in 0..most {
                let other = rng.random_range(next as u32..images as u32);
                all.swap(next, other as usize);
            }
            all.truncate(most);
            let mut start = 0;
            for end in &ends {
                // Nearer in memory.
                all[start..*end].sort_unstable();
                start = *end;
            }
            all
        };
        let drawn = (0..permutations).into_par_iter().map(one).collect();
        let ends = ends.iter().copied().collect();
        Self { images, sizes, ends, drawn, way }
    }

    /// Before any unit.
    pub(crate) fn nothing(&self) -> Greatest {
        Greatest(vec![vec![f64::NEG_INFINITY; self.drawn.len()]; self.sizes.len()])
    }

    /// The sums of a unit's ranks over the images that a permutation draws, one for each end.
    fn sums(&self, unit: &Doubled, drawn: &[u32], out: &mut Vec<u64>) {
        let (mut start, mut sum) = (0, 0);
        out.clear();
        for end in &self.ends {
            sum += unit.sum(&drawn[start..*end]);
            out.push(sum);
            start = *end;
        }
    }

    /// The statistic of a group of a size as it counts, with the unit's mean and deviation for that size.
    fn counted(&self, size: Size, (mean, sd): (f64, f64), sums: &[u64]) -> f64 {
        let sum = sums[size.end];
        let inside = match size.is_rest {
            false => sum,
            true => (self.images * (self.images + 1)) as u64 - sum,
        };
        self.way.counted((inside as f64 - mean) / sd)
    }

    /// Takes in units, none of which is constant.
    ///
    /// # Errors
    /// If memory runs out.
    pub(crate) fn take_in(
        &self,
        units: &[Doubled],
        greatest: &mut Greatest,
    ) -> Result<(), Failure> {
        let most = self.ends.last().copied().unwrap_or_default();
        match most as f64 > DENSE * (self.images * self.ends.len()) as f64 {
            true => self.multiply(units, greatest),
            false => {
                self.add_up(units, greatest);
                Ok(())
            }
        }
    }

    fn add_up(&self, units: &[Doubled], greatest: &mut Greatest) {
        let one = |(mut mine, mut sums): (Greatest, Vec<u64>), unit: &Doubled| {
            let scales: Vec<_> =
                self.sizes.iter().map(|size| unit.by_chance(size.inside)).collect();
            for (permutation, drawn) in self.drawn.iter().enumerate() {
                self.sums(unit, drawn, &mut sums);
                self.raise(&mut mine, &scales, permutation, &sums);
            }
            (mine, sums)
        };
        let found = units.par_iter().fold(|| (self.nothing(), vec![]), one).map(|(mine, _)| mine);
        let found = found.reduce(|| self.nothing(), Greatest::joined);
        let known = std::mem::replace(greatest, Greatest(vec![]));
        *greatest = known.joined(found);
    }

    /// Raises what a unit exceeds in a permutation.
    fn raise(
        &self,
        greatest: &mut Greatest,
        scales: &[(f64, f64)],
        permutation: usize,
        sums: &[u64],
    ) {
        for ((size, scale), known) in self.sizes.iter().zip(scales).zip(&mut greatest.0) {
            let found = self.counted(*size, *scale, sums);
            known[permutation] = known[permutation].max(found);
        }
    }

    /// The same by products of matrices: `[permutations, images]` of ones and zeros by `[images, units]` of ranks. In double
    /// precision a sum of whole numbers is exact.
    fn multiply(&self, units: &[Doubled], greatest: &mut Greatest) -> Result<(), Failure> {
        for units in units.chunks(TILE.1) {
            let flat: Vec<f64> =
                units.iter().flat_map(|unit| unit.ranks.iter().copied().map(f64::from)).collect();
            let ranks = Tensor::from_slice(&flat).f_view([units.len() as i64, -1])?.f_tr()?;
            let scales = |unit: &Doubled| -> Vec<(f64, f64)> {
                self.sizes.iter().map(|size| unit.by_chance(size.inside)).collect()
            };
            let scales: Vec<_> = units.iter().map(scales).collect();
            for first in (0..self.drawn.len()).step_by(TILE.0) {
                let drawn = &self.drawn[first..self.drawn.len().min(first + TILE.0)];
                let mut start = 0;
                let mut sums: Vec<Vec<f64>> = Vec::new();
                for end in &self.ends {
                    let mut ones = vec![0.0f64; drawn.len() * self.images];
                    for (row, drawn) in ones.chunks_exact_mut(self.images).zip(drawn) {
                        drawn[start..*end].iter().for_each(|at| row[*at as usize] = 1.0);
                    }
                    let ones = Tensor::from_slice(&ones).f_view([drawn.len() as i64, -1])?;
                    let found = ones.f_matmul(&ranks)?; // [permutations, units]
                    let mut found = Vec::<f64>::try_from(found.f_contiguous()?.f_view(-1)?)?;
                    if let Some(before) = sums.last() {
                        found.iter_mut().zip(before).for_each(|(sum, before)| *sum += before);
                    }
                    sums.push(found);
                    start = *end;
                }
                let mut own = Vec::new();
                for at in 0..drawn.len() * units.len() {
                    own.clear();
                    own.extend(sums.iter().map(|sums| sums[at] as u64));
                    let (row, column) = (at / units.len(), at % units.len());
                    self.raise(greatest, &scales[column], first + row, &own);
                }
            }
        }
        Ok(())
    }

    /// The p-values of a unit that has this statistic for a group of that size: the one adjusted for all units, and that of the
    /// unit alone. Each is the fraction of groups, the real one among them, for which the statistic is at least as large. `None` if
    /// no such groups were drawn.
    pub(crate) fn chances(
        &self,
        greatest: &Greatest,
        unit: &Doubled,
        inside: usize,
        statistic: f64,
    ) -> Option<(f64, f64)> {
        let at = self.sizes.iter().position(|size| size.inside == inside)?;
        let (size, scale) = (self.sizes[at], unit.by_chance(inside));
        let least = self.way.counted(statistic) - SAME;
        let part = |count: usize| (count + 1) as f64 / (self.drawn.len() + 1) as f64;
        let of_all = greatest.0[at].iter().filter(|found| **found >= least).count();
        let reaches = |sums: &mut Vec<u64>, drawn: &Vec<u32>| {
            self.sums(unit, drawn, sums);
            self.counted(size, scale, sums) >= least
        };
        let alone = self.drawn.par_iter().map_init(Vec::new, reaches);
        Some((part(of_all), part(alone.filter(|reaches| *reaches).count())))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::fit::rank::ranked;

    fn unit(numbers: &[f32]) -> Doubled {
        Doubled::of(numbers).expect("it varies")
    }

    /// Units of noise, some behind a ReLU, over 40 images.
    fn units() -> Vec<Doubled> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut column = |at: usize| -> Vec<f32> {
            let number = |_| {
                let number: f32 = rng.sample(rand_distr::StandardNormal);
                if at.is_multiple_of(2) { number } else { number.max(0.0) }
            };
            (0..40).map(number).collect()
        };
        (0..30).map(|at| unit(&column(at))).collect()
    }

    #[test]
    fn doubled_ranks_are_twice_the_ranks_and_constant_units_have_none() {
        for halves in [true, false] {
            let number = |at: usize| {
                let number = ((at * 7_919) % 61) as f32 / 8.0 - 3.0;
                if halves { number } else { number + 0.1 }
            };
            let numbers: Vec<f32> = (0..150).map(number).collect();
            let doubled: Vec<f64> = unit(&numbers).ranks.into_iter().map(f64::from).collect();
            let known: Vec<f64> = ranked(&numbers).into_iter().map(|rank| 2.0 * rank).collect();
            assert_eq!(doubled, known);
        }
        assert!(Doubled::of(&[0.5; 9]).is_none() && Doubled::of(&[]).is_none());
        assert!(Doubled::of(&[0.1, 0.1]).is_none() && Doubled::of(&[0.0, -0.0]).is_none());
    }

    #[test]
    fn products_of_matrices_are_the_sums_of_ranks() {
        let units = units();
        for way in [Way::Higher, Way::Either] {
            let lots = Lots::draw(40, [3, 20, 36, 9].into_iter(), (150, 5), way);
            let (mut sums, mut products) = (lots.nothing(), lots.nothing());
            lots.add_up(&units, &mut sums);
            lots.multiply(&units, &mut products).expect("memory");
            assert_eq!(sums.0, products.0);
            // Taken in one after the other they are the same.
            let mut single = lots.nothing();
            units.iter().for_each(|unit| {
                lots.take_in(std::slice::from_ref(unit), &mut single).expect("memory")
            });
            assert_eq!(single.0, sums.0);
        }
    }

    #[test]
    fn chances_are_those_of_numpy_over_all_groups() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/selectivity.json");
        let golden: Value =
            serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON");
        let all = |value: &Value| -> Vec<f64> {
            value
                .as_array()
                .expect("a list")
                .iter()
                .map(|x| x.as_f64().expect("a number"))
                .collect()
        };
        let family = &golden["family"];
        let columns = family["columns"].as_array().expect("units");
        let units: Vec<Doubled> = columns
            .iter()
            .map(|column| unit(&all(column).into_iter().map(|x| x as f32).collect::<Vec<_>>()))
            .collect();
        let group: Vec<u32> = all(&family["group"]).into_iter().map(|at| at as u32).collect();
        let images = units[0].ranks.len();
        for (way, name) in [(Way::Higher, "higher"), (Way::Either, "either")] {
            const COUNT: u32 = 20_000;
            let lots = Lots::draw(images, std::iter::once(group.len()), (COUNT, 1), way);
            let mut greatest = lots.nothing();
            lots.take_in(&units, &mut greatest).expect("memory");
            let known = &family[name];
            for (at, unit) in units.iter().enumerate() {
                let (z, area) = unit.told(&group);
                assert!((z - all(&known["z"])[at]).abs() < 1e-9, "{at}");
                assert!((area - all(&family["area"])[at]).abs() < 1e-12, "{at}");
                let (p, alone) = lots.chances(&greatest, unit, group.len(), z).expect("drawn");
                // The known ones are of every group there is; these of as many as were drawn.
                for (found, known) in [(p, all(&known["p"])[at]), (alone, all(&known["alone"])[at])]
                {
                    let error = 4.0 * (known * (1.0 - known) / f64::from(COUNT)).sqrt() + 1e-4;
                    assert!((found - known).abs() < error, "{name} {at}: {found} {known}");
                }
            }
            assert!(lots.chances(&greatest, &units[0], 1, 0.0).is_none());
        }
    }

    #[test]
    fn groups_are_those_of_their_seed_whatever_the_threads() {
        let units = units();
        let found = |threads, seed| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let lots = Lots::draw(40, [2, 5].into_iter(), (80, seed), Way::Higher);
                let mut greatest = lots.nothing();
                lots.take_in(&units, &mut greatest).expect("memory");
                greatest.0
            })
        };
        assert_eq!(found(1, 4), found(3, 4));
        assert_ne!(found(1, 4), found(1, 5));
    }
}
