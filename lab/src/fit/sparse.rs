//! Multinomial logistic regression with an L1 penalty: a standardised sample and a penalty in; sparse weights, and how close
//! they are to the minimum, out. A solver starts where it last ended, and is quick for a penalty a little below the last one.
//!
//! The objective is `mean −log p + λ Σ |W|`, in standardised units, without a penalty on biases. scikit-learn's `C` is
//! `1 / (λ images)`. Method: proximal Newton steps with one block of curvature for each class, after Friedman, Hastie and
//! Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010, all classes at once. The
//! weights of a block that may leave zero are chosen by the strong rule of Tibshirani et al., *Strong rules for discarding
//! predictors in lasso-type problems*, 2012, and all others are checked once for each penalty. Every result has a duality gap.

use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use super::descent::{Signs, descend};
use super::multinomial::{Fit, Sample};
use crate::failure::Failure;
use crate::monitor::Monitor;

/// The most steps at one penalty.
const STEPS: u32 = 200;
/// The least variance of a class's probability: where all is certain, a Newton step would be endless.
const FLATTEST: f64 = 1e-6;
/// The most that the blocks' curvature is raised by. They leave out how classes compete; by Gershgorin's theorem the whole
/// is at most twice the blocks.
const STEEPEST: f64 = 64.0;
/// The most times that the gap is looked at without being smaller than before: then it is as exact as numbers are.
const VAIN: u32 = 5;
/// A class takes part in a step if its worst slope exceeds the penalty by more than this part of the worst of all.
const WORTH: f64 = 0.03;

/// The regression at one penalty.
#[derive(Debug, Clone)]
pub struct Point {
    /// The penalty, λ.
    pub strength: f64,
    /// Each class's weights other than zero: unit and weight in standardised units, by unit.
    pub weights: Vec<Vec<(u32, f64)>>,
    /// Each class's bias.
    pub biases: Vec<f64>,
    /// The objective.
    pub value: f64,
    /// The duality gap relative to the loss without weights.
    pub gap: f64,
    /// Steps.
    pub steps: u32,
    /// Whether the gap is within the tolerance.
    pub converged: bool,
}

impl Point {
    /// The number of weights other than zero, for each class on average.
    pub fn terms(&self) -> f64 {
        self.weights.iter().map(Vec::len).sum::<usize>() as f64 / self.weights.len().max(1) as f64
    }

    /// The scores, `[classes, images]`, of standardised columns, `[units, images]`.
    ///
    /// # Errors
    /// If memory runs out.
    pub fn scores(&self, columns: &Tensor) -> Result<Tensor, Failure> {
        let used: BTreeSet<u32> = self.weights.iter().flatten().map(|(unit, _)| *unit).collect();
        let used: Vec<u32> = used.into_iter().collect();
        let mut weights = vec![0.0; self.weights.len() * used.len()];
        for (class, own) in self.weights.iter().enumerate() {
            for (unit, weight) in own {
                let at = used.binary_search(unit).unwrap_or_default();
                weights[class * used.len() + at] = *weight;
            }
        }
        let shape = [self.weights.len() as i64, used.len() as i64];
        let weights = Tensor::from_slice(&weights).f_view(shape)?.f_to_kind(columns.kind())?;
        let places: Vec<i64> = used.into_iter().map(i64::from).collect();
        let columns = columns.f_index_select(0, &Tensor::from_slice(&places))?;
        let biases = Tensor::from_slice(&self.biases).f_unsqueeze(1)?.f_to_kind(columns.kind())?;
        Ok(weights.f_matmul(&columns)?.f_add(&biases)?)
    }
}

/// One class's weights that may differ from zero.
#[derive(Debug, Default)]
struct Block {
    units: Vec<i64>,
    /// As many weights, and the bias.
    weights: Vec<f64>,
    /// How far its worst slope exceeds the penalty.
    violation: f64,
}

/// The quadratic model of a block: its slope, and its curvature row by row.
type Model = (Vec<f64>, Vec<f64>);

/// Fits a sample at one penalty after the other.
#[derive(Debug)]
pub struct Solver<'a> {
    sample: &'a Sample,
    signs: Signs,
    /// The duality gap at which a point is good enough, relative to the loss without weights.
    tolerance: f64,
    ones: Tensor, // [1, images]
    blocks: Vec<Block>,
    scores: Tensor, // [classes, images]
    fit: Fit,
    /// The slope of the loss at the last point that was checked as a whole: classes × units.
    slope: Vec<f32>,
    units: usize,
    /// The penalty of that point.
    before: f64,
    /// The loss without weights.
    without: f64,
    /// The factor of the blocks' curvature.
    factor: f64,
    /// The rounding of the objective, relative to it.
    noise: f64,
}

impl<'a> Solver<'a> {
    /// A solver without weights. `tolerance` is of the duality gap relative to the loss there.
    ///
    /// # Errors
    /// If numbers are not finite.
    pub fn new(sample: &'a Sample, signs: Signs, tolerance: f64) -> Result<Self, Failure> {
        let kind = (sample.columns.kind(), sample.columns.device());
        let units = sample.columns.size()[0];
        let ones = Tensor::f_ones([1, sample.images() as i64], kind)?;
        let biases = sample.biases();
        let column = Tensor::from_slice(&biases).f_to_kind(kind.0)?.f_unsqueeze(1)?;
        let scores = column.f_mul(&ones)?;
        let fit = Fit::at(&scores, &sample.truth)?;
        let block = |bias: f64| Block { units: vec![], weights: vec![bias], violation: 0.0 };
        let mut solver = Self {
            without: fit.loss,
            blocks: biases.into_iter().map(block).collect(),
            slope: vec![],
            units: units as usize,
            before: 0.0,
            factor: 1.0,
            noise: if kind.0 == Kind::Double { 1e-15 } else { 1e-7 },
            sample,
            signs,
            tolerance,
            ones,
            scores,
            fit,
        };
        solver.look()?;
        solver.before = solver.greatest();
        Ok(solver)
    }

    /// The strongest pull on any weight: without weights, the penalty that holds them all at zero.
    pub fn greatest(&self) -> f64 {
        let pull = |slope: &f32| self.signs.pull(f64::from(*slope));
        self.slope.iter().map(pull).fold(0.0, f64::max)
    }

    /// Computes the whole slope.
    fn look(&mut self) -> Result<(), Failure> {
        let slope = self.sample.slope(&self.fit.residual(&self.sample.truth)?)?;
        self.slope = Vec::try_from(slope.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?)?;
        Ok(())
    }

    /// The objective.
    fn value(&self, penalty: f64) -> f64 {
        let sizes = self.blocks.iter().map(|block| {
            block.weights.iter().take(block.units.len()).map(|weight| weight.abs()).sum::<f64>()
        });
        self.fit.loss + penalty * sizes.sum::<f64>()
    }

    /// The regression at a penalty.
    ///
    /// # Errors
    /// If numbers are not finite, or it is cancelled.
    pub fn solve(&mut self, penalty: f64, monitor: &mut dyn Monitor) -> Result<Point, Failure> {
        self.choose((2.0 * penalty - self.before).max(0.0));
        let tolerance = self.tolerance;
        let (mut steps, mut stuck, mut best, mut vain) = (0, false, f64::INFINITY, 0);
        let gap = loop {
            // Until the blocks' weights are about as good as they need to be; then all weights are looked at.
            let enough = tolerance * self.without * 0.1;
            while steps < STEPS && !stuck {
                monitor.check()?;
                let fell = self.step(penalty)?;
                steps += 1;
                stuck = fell.is_none();
                if fell.is_none_or(|fell| fell < enough) {
                    break;
                }
            }
            self.look()?;
            let gap = self.gap(penalty)? / self.without;
            if gap < best {
                vain = 0;
            } else {
                (vain, self.factor) = (vain + 1, 2.0);
            }
            best = best.min(gap);
            if gap <= tolerance || steps >= STEPS || vain > VAIN {
                break gap;
            }
            // A weight outside the blocks that is pulled away from zero joins them.
            let joined = self.choose(penalty);
            if stuck && !joined {
                break gap; // As exact as numbers are.
            }
            stuck = false;
        };
        self.before = penalty;
        Ok(self.point(penalty, gap, steps))
    }

    /// Makes blocks of the weights other than zero, of those pulled by more than `least`, and of those in blocks now if the
    /// penalty stays the same. Notes each class's violation. Returns whether any joined.
    fn choose(&mut self, least: f64) -> bool {
        let signs = self.signs;
        let mut joined = false;
        for (block, slope) in self.blocks.iter_mut().zip(self.slope.chunks(self.units.max(1))) {
            let bias = block.weights.last().copied().unwrap_or_default();
            let mut now: Vec<(i64, f64)> =
                block.units.iter().copied().zip(block.weights.iter().copied()).collect();
            now.retain(|(_, weight)| *weight != 0.0);
            let known: Vec<i64> = now.iter().map(|(unit, _)| *unit).collect();
            let pulled = slope.iter().zip(0..).filter(|(slope, unit)| {
                signs.pull(f64::from(**slope)) > least && known.binary_search(unit).is_err()
            });
            let more: Vec<(i64, f64)> = pulled.map(|(_, unit)| (unit, 0.0)).collect();
            joined |= !more.is_empty();
            now.extend(more);
            now.sort_by_key(|(unit, _)| *unit);
            (block.units, block.weights) = now.into_iter().unzip();
            block.weights.push(bias);
            block.violation = f64::INFINITY;
        }
        joined
    }

    /// A block's columns, and a last one of ones: `[weights, images]`.
    fn columns(&self, class: usize) -> Result<Tensor, Failure> {
        let units = Tensor::from_slice(&self.blocks[class].units);
        let own = self.sample.columns.f_index_select(0, &units)?;
        Ok(Tensor::f_cat(&[own, self.ones.shallow_clone()], 0)?)
    }

    /// The quadratic model of a class's loss in its block.
    fn model(&self, class: usize, columns: &Tensor, residual: &Tensor) -> Result<Model, Failure> {
        let images = self.sample.images() as f64;
        let chance = self.fit.probabilities.f_get(class as i64)?;
        let variance = chance.f_mul(&chance.f_neg()?.f_add_scalar(1.0)?)?.f_clamp_min(FLATTEST)?;
        let slope = columns.f_mv(&residual.f_get(class as i64)?)?;
        let curvature = columns.f_mul(&variance)?.f_matmul(&columns.f_transpose(0, 1)?)?;
        let numbers = |of: &Tensor| -> Result<Vec<f64>, Failure> {
            let of = of.f_to_kind(Kind::Double)?.f_div_scalar(images)?;
            Ok(Vec::try_from(of.f_contiguous()?.f_view([-1])?)?)
        };
        Ok((numbers(&slope)?, numbers(&curvature)?))
    }

    /// One step of all classes that are off. How far the objective fell; `None` if it cannot fall any more.
    fn step(&mut self, penalty: f64) -> Result<Option<f64>, Failure> {
        let residual = self.fit.residual(&self.sample.truth)?;
        let signs = self.signs;
        let worst = self.blocks.iter().map(|block| block.violation).fold(0.0, f64::max);
        let off = |class: &usize| {
            let violation = self.blocks[*class].violation;
            violation.is_infinite() || violation > WORTH * worst
        };
        let taking: Vec<usize> = (0..self.blocks.len()).filter(off).collect();
        let before = self.value(penalty);
        let held: Vec<Vec<f64>> =
            taking.iter().map(|at| self.blocks[*at].weights.clone()).collect();
        let mut models: Vec<Model> = Vec::new();
        while self.factor <= STEEPEST {
            let scores = self.scores.copy();
            for (at, &class) in taking.iter().enumerate() {
                let columns = self.columns(class)?;
                if models.len() <= at {
                    models.push(self.model(class, &columns, &residual)?);
                }
                let (slope, curvature) = &models[at];
                let block = &mut self.blocks[class];
                let mut penalties = vec![penalty; block.units.len()];
                penalties.push(0.0);
                let parts = slope.iter().zip(&held[at]).zip(&penalties);
                block.violation = parts
                    .map(|((slope, weight), penalty)| match *penalty > 0.0 {
                        true => signs.violation(*slope, *weight, *penalty),
                        false => slope.abs(),
                    })
                    .fold(0.0, f64::max);
                block.weights.clone_from(&held[at]);
                let steeper: Vec<f64> = curvature.iter().map(|x| x * self.factor).collect();
                descend(&steeper, slope, &penalties, signs, &mut block.weights);
                let weights = Tensor::from_slice(&block.weights).f_to_kind(scores.kind())?;
                let own = columns.f_transpose(0, 1)?.f_mv(&weights)?;
                scores.f_get(class as i64)?.f_copy_(&own)?;
            }
            let fit = Fit::at(&scores, &self.sample.truth)?;
            let moved = scores.f_sub(&self.scores)?;
            let ratio = self.ratio(&moved)?;
            let old = std::mem::replace(&mut self.fit, fit);
            let fell = before - self.value(penalty);
            // Near the minimum the objective is less exact than its slope.
            if fell > -self.noise * before {
                self.scores = scores;
                self.factor = if fell > self.noise * before { ratio.clamp(0.7, 2.0) } else { 2.0 };
                return Ok(Some(fell));
            }
            self.fit = old;
            for (class, weights) in taking.iter().zip(&held) {
                self.blocks[*class].weights.clone_from(weights);
            }
            self.factor = (self.factor * 2.0).max(ratio.min(2.0));
        }
        self.factor = 1.0;
        Ok(None)
    }

    /// The loss's curvature along a move of scores, divided by that of the blocks, which leave out how classes compete.
    fn ratio(&self, moved: &Tensor) -> Result<f64, Failure> {
        let chance = &self.fit.probabilities;
        let first = chance.f_mul(moved)?; // p d
        let square = first.f_mul(moved)?.f_sum(Kind::Double)?.double_value(&[]); // Σ p d²
        let mean = first.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let across = mean.f_square()?.f_sum(Kind::Double)?.double_value(&[]); // Σ (Σ p d)²
        let own = first.f_square()?.f_sum(Kind::Double)?.double_value(&[]); // Σ p² d²
        let (whole, blocks) = (square - across, square - own);
        Ok(if blocks > 0.0 && whole.is_finite() { whole / blocks } else { 1.0 })
    }

    /// The duality gap: the objective less the entropy of a feasible point of the dual, which is between the probabilities
    /// and the truth. Biases whose slope is not quite zero add their part.
    fn gap(&self, penalty: f64) -> Result<f64, Failure> {
        let scale = (penalty / self.greatest().max(f64::MIN_POSITIVE)).min(1.0);
        let truth = &self.sample.truth;
        let between = self.fit.probabilities.f_sub(truth)?.f_mul_scalar(scale)?.f_add(truth)?;
        let entropy = -between.f_xlogy(&between)?.f_sum(Kind::Double)?.double_value(&[]);
        let residual = self.fit.residual(truth)?;
        let levels = residual.f_mean_dim([1i64].as_slice(), false, Kind::Double)?;
        let levels: Vec<f64> = Vec::try_from(levels)?;
        let biases = || self.blocks.iter().filter_map(|block| block.weights.last().copied());
        let middle = biases().sum::<f64>() / levels.len() as f64;
        let rest: f64 =
            biases().zip(&levels).map(|(bias, level)| ((bias - middle) * level).abs()).sum();
        Ok(self.value(penalty) - entropy / self.sample.images() as f64 + rest)
    }

    fn point(&self, strength: f64, gap: f64, steps: u32) -> Point {
        let of_block = |block: &Block| {
            let units = block.units.iter().map(|unit| *unit as u32);
            let all = units.zip(block.weights.iter().copied());
            all.filter(|(_, weight)| *weight != 0.0).collect()
        };
        let bias = |block: &Block| block.weights.last().copied().unwrap_or_default();
        Point {
            strength,
            weights: self.blocks.iter().map(of_block).collect(),
            biases: self.blocks.iter().map(bias).collect(),
            value: self.value(strength),
            gap,
            steps,
            converged: gap <= self.tolerance,
        }
    }
}
