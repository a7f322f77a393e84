//! TextSpan: what a head adds to the embeddings of images, and candidate directions in; the directions along which it varies most,
//! chosen one after the other, out.
//!
//! Gandelsman, Efros and Steinhardt, *Interpreting CLIP's Image Representation via Text-Based Decomposition*, ICLR 2024,
//! Algorithm 1. Candidates are projected onto the first singular vectors of the contributions, which are not centred for that;
//! then, of the centred contributions, the candidate along which the variance is largest is projected out of contributions and
//! candidates, and so on. Candidates keep the lengths that projections leave them.
//!
//! Variances along directions depend on the contributions by their covariance alone, so that it takes the place of the images:
//! everything happens in the coordinates of its principal components within the span, r of them.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use crate::failure::Failure;

/// Singular vectors are kept if their singular value is more than this part of the first.
const LEAST: f64 = 1e-5;
/// A variance that is a smaller part of the mean square is rounding, as is the variance along a candidate that is a smaller part
/// of the whole.
const NOTHING: f64 = 1e-12;

/// The span of a head's contributions.
#[derive(Debug)]
pub(crate) struct Span {
    mean: Tensor,        // [d]
    basis: Tensor,       // [d, r], orthonormal
    variances: Vec<f64>, // along each column of the basis, falling
    total: f64,
}

/// Candidates in the coordinates of a span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidates {
    rows: Vec<f64>, // [candidates, r]
    width: usize,
}

/// A chosen candidate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    /// Which.
    pub at: usize,
    /// The fraction of the whole variance along it, without what those before it explain.
    pub explained: f64,
    /// What was left of it, of length 1, in the coordinates of the span.
    along: Vec<f64>,
}

impl Span {
    /// The span of contributions, `[images, d]`, along at most `rank` directions.
    ///
    /// # Errors
    /// If numbers are not finite, or libtorch fails.
    pub(crate) fn of(contributions: &Tensor, rank: usize) -> Result<Self, Failure> {
        let rows = contributions.f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?;
        let count = rows.size()[0].max(1) as f64;
        let mean = rows.f_mean_dim([0i64].as_slice(), false, Kind::Double)?;
        let square = rows.f_transpose(0, 1)?.f_matmul(&rows)? / count; // [d, d]
        let centred = &rows - &mean;
        let covariance = centred.f_transpose(0, 1)?.f_matmul(&centred)? / count;
        let trace = |matrix: &Tensor| matrix.trace().f_double_value(&[]);
        let (size, total) = (trace(&square)?, trace(&covariance)?);
        if !size.is_finite() {
            return Err(Failure::new("what a head adds to the embeddings is not finite")
                .hint("check the weights, or use `precision: f32`"));
        }
        let (values, vectors) = square.f_linalg_eigh("L")?; // ascending
        let values = Vec::<f64>::try_from(values)?;
        let first = values.last().copied().unwrap_or_default();
        // The eigenvalues are the squares of singular values.
        let kept = |value: &&f64| **value > LEAST * LEAST * first;
        let kept = values.iter().rev().take(rank).take_while(kept).count() as i64;
        let inside = vectors.f_narrow(1, values.len() as i64 - kept, kept)?; // [d, r]
        let within = inside.f_transpose(0, 1)?.f_matmul(&covariance.f_matmul(&inside)?)?;
        if kept == 0 || total <= NOTHING * size {
            let basis = inside.f_narrow(1, 0, 0)?;
            return Ok(Self { mean, basis, variances: Vec::new(), total: 0.0 });
        }
        let (variances, turned) = within.f_linalg_eigh("L")?;
        let basis = inside.f_matmul(&turned.f_flip([1i64])?)?;
        let mut variances = Vec::<f64>::try_from(variances)?;
        variances.reverse();
        variances.iter_mut().for_each(|variance| *variance = variance.max(0.0));
        Ok(Self { mean, basis, variances, total })
    }

    /// The variance of the contributions: the mean squared distance from their mean; 0 if there is only rounding.
    pub(crate) fn variance(&self) -> f64 {
        self.total
    }

    /// The number of directions that were kept.
    pub(crate) fn rank(&self) -> usize {
        self.variances.len()
    }

    /// Candidates, `[candidates, d]` in double precision on the processor, projected onto the span.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(crate) fn inside(&self, candidates: &Tensor) -> Result<Candidates, Failure> {
        let rows = candidates.f_matmul(&self.basis)?.f_contiguous()?.f_view(-1)?;
        Ok(Candidates { rows: Vec::try_from(rows)?, width: self.rank() })
    }

    /// Random candidates: directions that are uniformly distributed, within the span.
    pub(crate) fn random(&self, count: usize, rng: &mut ChaCha8Rng) -> Candidates {
        let rows = (0..count * self.rank()).map(|_| rng.sample(StandardNormal)).collect();
        Candidates { rows, width: self.rank() }
    }

    /// Chooses at most `top` candidates, of equal ones the first; fewer if nothing is left to explain.
    pub(crate) fn choose(&self, candidates: &Candidates, top: usize) -> Vec<Chosen> {
        let width = self.rank();
        let mut rows = candidates.rows.clone();
        let mut covariance = vec![0.0; width * width];
        for (at, variance) in self.variances.iter().enumerate() {
            covariance[at * width + at] = *variance;
        }
        let along = |row: &[f64]| {
            row.iter().zip(&self.variances).map(|(x, variance)| x * x * variance).sum::<f64>()
        };
        let mut scores: Vec<f64> = rows.chunks_exact(width.max(1)).map(along).collect();
        let least = NOTHING * scores.iter().copied().fold(0.0, f64::max);
        let mut found: Vec<Chosen> = Vec::new();
        while found.len() < top {
            let best = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            let Some(at) = best.filter(|&at| scores[at] > least) else { break };
            let row = &rows[at * width..(at + 1) * width];
            let length = dot(row, row).sqrt();
            let unit: Vec<f64> = row.iter().map(|x| x / length).collect();
            let moved: Vec<f64> =
                covariance.chunks_exact(width).map(|line| dot(line, &unit)).collect();
            let variance = dot(&unit, &moved);
            // Scores follow the projections of both sides, without going over the covariance again.
            for (row, score) in rows.chunks_exact_mut(width).zip(&mut scores) {
                let part = dot(row, &unit);
                *score += part * (part * variance - 2.0 * dot(row, &moved));
                row.iter_mut().zip(&unit).for_each(|(x, u)| *x -= part * u);
            }
            for (a, line) in covariance.chunks_exact_mut(width).enumerate() {
                for (b, entry) in line.iter_mut().enumerate() {
                    *entry +=
                        variance * unit[a] * unit[b] - unit[a] * moved[b] - moved[a] * unit[b];
                }
            }
            scores[at] = 0.0;
            found.push(Chosen { at, explained: variance / self.total, along: unit });
        }
        found
    }

    /// The fraction of the variance along `top` principal components within the span: no other directions explain more.
    pub(crate) fn components(&self, top: usize) -> f64 {
        self.fraction(self.variances.iter().take(top).sum())
    }

    /// The fraction of the variance within the span of some candidates.
    pub(crate) fn together(&self, candidates: &Candidates, some: &[usize]) -> f64 {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for &at in some {
            let start = at * candidates.width;
            let mut row = candidates.rows[start..start + candidates.width].to_vec();
            let before = dot(&row, &row).sqrt();
            // Twice: what rounding leaves of the first time is gone after the second.
            for _ in 0..2 {
                for axis in &basis {
                    let part = dot(&row, axis);
                    row.iter_mut().zip(axis).for_each(|(x, a)| *x -= part * a);
                }
            }
            let length = dot(&row, &row).sqrt();
            // A text that is in the span of others adds nothing.
            if length > 1e-9 * before {
                basis.push(row.into_iter().map(|x| x / length).collect());
            }
        }
        let along = |axis: &Vec<f64>| {
            axis.iter().zip(&self.variances).map(|(x, variance)| x * x * variance).sum::<f64>()
        };
        self.fraction(basis.iter().map(along).sum())
    }

    fn fraction(&self, variance: f64) -> f64 {
        if self.total > 0.0 { variance / self.total } else { 0.0 }
    }

    /// Contributions, `[images, d]`, along what a candidate was chosen for, less their mean, in standard deviations: `[images]`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(crate) fn deviations(
        &self,
        contributions: &Tensor,
        chosen: &Chosen,
    ) -> Result<Vec<f64>, Failure> {
        let direction = self.basis.f_mv(&Tensor::from_slice(&chosen.along))?; // [d]
        let rows = contributions.f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?;
        let along = (rows - &self.mean).f_mv(&direction)?;
        let sd = (chosen.explained * self.total).sqrt();
        Ok(Vec::try_from(along / sd)?)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::seq::SliceRandom as _;

    use super::super::golden::{golden_of, numbers};
    use super::*;

    const FILE: &str = "spans.safetensors";

    #[test]
    fn spans_are_those_of_the_published_algorithm_in_numpy() {
        let texts = golden_of(FILE, "texts");
        for head in ["wide", "narrow", "cut"] {
            let of = |name: &str| golden_of(FILE, &format!("{head}.{name}"));
            let one = |name: &str| of(name).double_value(&[0]);
            let rows = of("contributions");
            let span = Span::of(&rows, one("most") as usize).expect("a span");
            assert_eq!(span.rank() as f64, one("rank"), "{head}");
            assert!((span.variance() / one("variance") - 1.0).abs() < 1e-9, "{head}");
            let inside = span.inside(&texts).expect("candidates");
            let expected = numbers(&of("explained"));
            let found = span.choose(&inside, expected.len());
            let which: Vec<f64> = found.iter().map(|chosen| chosen.at as f64).collect();
            assert_eq!(which, numbers(&of("chosen")), "{head}");
            for (chosen, expected) in found.iter().zip(&expected) {
                assert!((chosen.explained - expected).abs() < 1e-9, "{head} {}", chosen.explained);
            }
            let all = numbers(&of("components"));
            for (top, expected) in (1..).zip(all) {
                assert!((span.components(top) - expected).abs() < 1e-9, "{head} {top}");
            }
            let some: Vec<usize> = numbers(&of("some")).iter().map(|at| *at as usize).collect();
            let together = span.together(&inside, &some);
            assert!((together - one("together")).abs() < 1e-9, "{head} {together}");
            let along = span.deviations(&rows, &found[1]).expect("numbers");
            for (found, expected) in along.iter().zip(numbers(&of("along"))) {
                assert!((found - expected).abs() < 1e-7, "{head}: {found} {expected}");
            }
        }
    }

    fn normals(count: i64, width: i64, rng: &mut ChaCha8Rng) -> Tensor {
        let all: Vec<f64> = (0..count * width).map(|_| rng.sample(StandardNormal)).collect();
        Tensor::from_slice(&all).view([count, width])
    }

    fn units(count: i64, width: i64, rng: &mut ChaCha8Rng) -> Tensor {
        let rows = normals(count, width, rng);
        &rows / rows.norm_scalaropt_dim(2, [1i64].as_slice(), true)
    }

    /// A head that writes three of sixty texts, each less than the one before, and a little of everything.
    fn planted(texts: &Tensor, which: &[i64], noise: f64, rng: &mut ChaCha8Rng) -> Tensor {
        let width = texts.size()[1];
        let sizes = Tensor::from_slice(&[3.0, 2.0, 1.2]).view([1, 3]);
        let written = texts.index_select(0, &Tensor::from_slice(which));
        let mean = units(1, width, rng) * 4.0;
        (normals(400, 3, rng) * sizes).matmul(&written) + normals(400, width, rng) * noise + mean
    }

    #[test]
    fn planted_texts_are_found_in_their_order_and_noise_has_none_that_stand_out() {
        let (mut found, mut above) = (0, 0);
        for seed in 0..100 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let texts = units(60, 40, &mut rng);
            let mut all: Vec<i64> = (0..60).collect();
            all.shuffle(&mut rng);
            let rows = planted(&texts, &all[..3], 0.05, &mut rng);
            let span = Span::of(&rows, 80).expect("a span");
            let inside = span.inside(&texts).expect("candidates");
            let chosen = span.choose(&inside, 3);
            let which: Vec<i64> = chosen.iter().map(|chosen| chosen.at as i64).collect();
            let explained: f64 = chosen.iter().map(|chosen| chosen.explained).sum();
            let random = |span: &Span, rng: &mut ChaCha8Rng| {
                let random = span.random(60, rng);
                span.choose(&random, 3).iter().map(|chosen| chosen.explained).sum::<f64>()
            };
            found += usize::from(which == all[..3] && explained > 0.95);
            assert!(explained <= span.components(3) + 1e-12);
            assert!(random(&span, &mut rng) < 0.8 * explained, "seed {seed}");
            // Of noise, texts explain what random directions do.
            let noise = Span::of(&normals(400, 40, &mut rng), 80).expect("a span");
            let inside = noise.inside(&texts).expect("candidates");
            let of_noise: f64 =
                noise.choose(&inside, 3).iter().map(|chosen| chosen.explained).sum();
            above += usize::from(of_noise > 1.3 * random(&noise, &mut rng));
        }
        assert!(found >= 95, "{found} of 100 heads were recovered");
        assert!(above <= 5, "{above} of 100 heads of noise seemed to have texts");
    }

    #[test]
    fn a_head_that_always_adds_the_same_has_no_span() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let rows = normals(1, 8, &mut rng).expand([30, 8], true).contiguous();
        let span = Span::of(&rows, 80).expect("a span");
        assert_eq!((span.rank(), span.variance()), (0, 0.0));
        let inside = span.inside(&units(5, 8, &mut rng)).expect("candidates");
        assert!(span.choose(&inside, 3).is_empty());
        assert_eq!(span.components(3), 0.0);
        assert_eq!(span.together(&inside, &[0, 1]), 0.0);
        let rows = Tensor::from_slice(&[f64::NAN, 1.0]).view([2, 1]);
        assert!(Span::of(&rows, 80).is_err());
    }

    #[test]
    fn equal_texts_are_chosen_once_and_no_more_than_there_are_directions() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let rows = normals(50, 2, &mut rng).matmul(&units(2, 6, &mut rng));
        let span = Span::of(&rows, 80).expect("a span");
        assert_eq!(span.rank(), 2);
        let texts = units(1, 6, &mut rng);
        let texts = Tensor::cat(&[&texts, &texts, &units(3, 6, &mut rng)], 0);
        let chosen = span.choose(&span.inside(&texts).expect("candidates"), 5);
        assert_eq!(chosen.len(), 2, "two directions are all that there are");
        let explained: f64 = chosen.iter().map(|chosen| chosen.explained).sum();
        assert!((explained - 1.0).abs() < 1e-9, "{explained}");
        let which: Vec<usize> = chosen.iter().map(|chosen| chosen.at).collect();
        assert!(!which.contains(&1), "of equal ones the first: {which:?}");
    }
}
