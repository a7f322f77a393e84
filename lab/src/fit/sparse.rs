//! Multinomial logistic regression with an L1 penalty: a standardised sample and a penalty in; sparse weights, and how close
//! they are to the minimum, out. A solver starts where it last ended, and is quick for a penalty a little below the last one.
//!
//! The objective is `mean −log p + λ Σ |W|`, in standardised units, without a penalty on biases. scikit-learn's `C` is
//! `1 / (λ images)`. Method: proximal Newton steps with one block of curvature for each class, after Friedman, Hastie and
//! Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010, all classes at once. The
//! weights of a block that may leave zero are chosen by the strong rule of Tibshirani et al., *Strong rules for discarding
//! predictors in lasso-type problems*, 2012, and all others are checked after each step, which one product of the residuals
//! and all columns answers together with the duality gap.

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _,
};
use rayon::slice::ParallelSlice as _;
use tch::{Kind, Tensor};

use super::curvature;
use super::descent::{Signs, descend};
use super::multinomial::{Fit, Sample};
use super::point::{Point, Sparse, scores};
use super::view::numbers;
use crate::failure::Failure;
use crate::monitor::Monitor;

/// The most steps at one penalty.
const STEPS: u32 = 200;
/// The least variance of a class's probability: where all is certain, a Newton step would be endless.
const FLATTEST: f64 = 1e-6;
/// The most that the blocks' curvature is raised by. They leave out how classes compete; by Gershgorin's theorem the whole
/// is at most twice the blocks.
const STEEPEST: f64 = 64.0;
/// The most steps in a row that make neither the objective nor the gap smaller: then it is as exact as numbers are.
const VAIN: u32 = 10;

/// One class's weights that may differ from zero.
#[derive(Debug, Default)]
struct Block {
    units: Vec<u32>,
    /// As many weights, and the bias.
    weights: Vec<f64>,
    /// The curvature of the loss in these at the last step, row by row.
    curvature: Vec<f64>,
}

impl Block {
    fn bias(&self) -> f64 {
        self.weights.last().copied().unwrap_or_default()
    }

    /// Makes room for these units, which are not in it yet.
    fn join(&mut self, units: Vec<u32>) {
        let bias = self.bias();
        let own = self.units.drain(..).zip(self.weights.drain(..));
        let mut all: Vec<(u32, f64)> =
            own.chain(units.into_iter().map(|unit| (unit, 0.0))).collect();
        all.sort_by_key(|(unit, _)| *unit);
        (self.units, self.weights) = all.into_iter().unzip();
        self.weights.push(bias);
    }

    /// Leaves out the weights that are zero.
    fn thin(&mut self) {
        let bias = self.bias();
        (self.units, self.weights) = self.sparse().into_iter().unzip();
        self.weights.push(bias);
    }

    /// The weights other than zero.
    fn sparse(&self) -> Sparse {
        let all = self.units.iter().copied().zip(self.weights.iter().copied());
        all.filter(|(_, weight)| *weight != 0.0).collect()
    }

    /// `d' C d` for the move d from other weights.
    fn bend(&self, from: &[f64]) -> f64 {
        let moved: Vec<f64> = self.weights.iter().zip(from).map(|(a, b)| a - b).collect();
        let rows = self.curvature.chunks(moved.len()).zip(&moved);
        rows.map(|(row, own)| own * row.iter().zip(&moved).map(|(c, d)| c * d).sum::<f64>()).sum()
    }
}

/// Fits a sample at one penalty after the other.
#[derive(Debug)]
pub struct Solver<'a> {
    sample: &'a Sample,
    signs: Signs,
    /// The duality gap at which a point is good enough, relative to the loss without weights.
    tolerance: f64,
    blocks: Vec<Block>,
    scores: Tensor, // [classes, images]
    fit: Fit,
    /// The slope of the loss in each weight: classes × units.
    slope: Vec<f32>,
    /// Its slope in each bias.
    levels: Vec<f64>,
    units: usize,
    /// The last penalty.
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
        let biases = sample.biases();
        let none = vec![vec![]; biases.len()];
        let scores = scores(&sample.columns, &none, &biases)?;
        let fit = Fit::at(&scores, &sample.truth)?;
        let block = |bias: f64| Block { weights: vec![bias], ..Block::default() };
        let mut solver = Self {
            without: fit.loss,
            blocks: biases.into_iter().map(block).collect(),
            slope: vec![],
            levels: vec![],
            units: sample.columns.size()[0] as usize,
            before: 0.0,
            factor: 1.0,
            noise: if sample.columns.kind() == Kind::Double { 1e-15 } else { 1e-7 },
            sample,
            signs,
            tolerance,
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

    /// Computes the slopes.
    fn look(&mut self) -> Result<(), Failure> {
        let residual = self.fit.residual(&self.sample.truth)?;
        let slope = self.sample.slope(&residual)?;
        self.slope = Vec::try_from(slope.f_to_kind(Kind::Float)?.f_contiguous()?.f_view([-1])?)?;
        self.levels =
            Vec::try_from(residual.f_mean_dim([1i64].as_slice(), false, Kind::Double)?)?;
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
        self.blocks.iter_mut().for_each(Block::thin);
        self.join((2.0 * penalty - self.before).max(0.0));
        self.before = penalty;
        let (mut steps, mut best, mut vain) = (0, f64::INFINITY, 0);
        // How far the objective fell in the last step; `None` if it cannot fall any more.
        let mut fell = Some(f64::INFINITY);
        loop {
            let gap = self.gap(penalty)? / self.without;
            let falls = fell.is_some_and(|fell| fell > self.noise * self.value(penalty));
            vain = if gap < best || falls { 0 } else { vain + 1 };
            best = best.min(gap);
            if gap <= self.tolerance || steps >= STEPS || vain > VAIN {
                return Ok(self.point(penalty, gap, steps));
            }
            // A weight outside the blocks that is pulled away from zero joins them.
            let joined = self.join(penalty);
            if fell.is_none() && !joined {
                return Ok(self.point(penalty, gap, steps)); // As exact as numbers are.
            }
            monitor.check()?;
            fell = self.step(penalty)?;
            steps += 1;
            if fell.is_some() {
                self.look()?;
            }
        }
    }

    /// Lets weights that are pulled by more than `least` join the blocks; whether there were any.
    fn join(&mut self, least: f64) -> bool {
        let signs = self.signs;
        let mut joined = false;
        for (block, slope) in self.blocks.iter_mut().zip(self.slope.chunks(self.units.max(1))) {
            let pulled = |&(slope, _): &(&f32, u32)| signs.pull(f64::from(*slope)) > least;
            let pulled = slope.iter().zip(0u32..).filter(pulled).map(|(_, unit)| unit);
            let more: Vec<u32> =
                pulled.filter(|unit| block.units.binary_search(unit).is_err()).collect();
            joined |= !more.is_empty();
            block.join(more);
        }
        joined
    }

    /// Computes the curvature of each block anew.
    fn bend(&mut self) -> Result<(), Failure> {
        let chance = &self.fit.probabilities;
        let variance = chance.f_mul(&chance.f_neg()?.f_add_scalar(1.0)?)?.f_clamp_min(FLATTEST)?;
        let columns = &self.sample.columns;
        if let (Some(columns), Some(variance)) = (numbers(columns), numbers(&variance)) {
            let rows = variance.par_chunks(self.sample.images());
            self.blocks.par_iter_mut().zip(rows).for_each(|(block, variance)| {
                block.curvature = curvature::drawn(columns, &block.units, variance);
            });
            return Ok(());
        }
        for (block, class) in self.blocks.iter_mut().zip(0..) {
            let variance = variance.f_get(class)?;
            block.curvature = curvature::exact(columns, &block.units, &variance)?;
        }
        Ok(())
    }

    /// One step of all classes. How far the objective fell; `None` if it cannot fall any more.
    fn step(&mut self, penalty: f64) -> Result<Option<f64>, Failure> {
        self.bend()?;
        let before = self.value(penalty);
        let held: Vec<Vec<f64>> = self.blocks.iter().map(|block| block.weights.clone()).collect();
        while self.factor <= STEEPEST {
            self.descend(penalty, &held);
            let weights: Vec<Sparse> = self.blocks.iter().map(Block::sparse).collect();
            let biases: Vec<f64> = self.blocks.iter().map(Block::bias).collect();
            let scores = scores(&self.sample.columns, &weights, &biases)?;
            let fit = Fit::at(&scores, &self.sample.truth)?;
            let ratio = self.ratio(&scores.f_sub(&self.scores)?, &held)?;
            let old = std::mem::replace(&mut self.fit, fit);
            let fell = before - self.value(penalty);
            // Near the minimum the objective is less exact than its slope.
            if fell > -self.noise * before {
                self.scores = scores;
                self.factor = ratio.clamp(0.2, 2.0);
                return Ok(Some(fell));
            }
            self.fit = old;
            self.factor = (self.factor * 2.0).max(ratio.min(2.0));
        }
        for (block, weights) in self.blocks.iter_mut().zip(held) {
            block.weights = weights;
        }
        self.factor = 1.0;
        Ok(None)
    }

    /// Moves each block from the weights `held` to the minimum of its quadratic model.
    fn descend(&mut self, penalty: f64, held: &[Vec<f64>]) {
        let (signs, factor) = (self.signs, self.factor);
        let slopes = self.slope.par_chunks(self.units.max(1)).zip(&self.levels).zip(held);
        self.blocks.par_iter_mut().zip(slopes).for_each(|(block, ((slope, level), held))| {
            let own = block.units.iter().map(|unit| f64::from(slope[*unit as usize]));
            let slope: Vec<f64> = own.chain([*level]).collect();
            let mut penalties = vec![penalty; block.units.len()];
            penalties.push(0.0);
            let steeper: Vec<f64> = block.curvature.iter().map(|bend| bend * factor).collect();
            block.weights.clone_from(held);
            descend(&steeper, &slope, &penalties, signs, &mut block.weights);
        });
    }

    /// The loss's curvature along a move of scores, divided by that of the blocks, which leave out how classes compete.
    fn ratio(&self, moved: &Tensor, held: &[Vec<f64>]) -> Result<f64, Failure> {
        let first = self.fit.probabilities.f_mul(moved)?; // p d
        let square = first.f_mul(moved)?.f_sum(Kind::Double)?.double_value(&[]); // Σ p d²
        let mean = first.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let across = mean.f_square()?.f_sum(Kind::Double)?.double_value(&[]); // Σ (Σ p d)²
        let whole = (square - across) / self.sample.images() as f64;
        let blocks: f64 = self.blocks.iter().zip(held).map(|(block, from)| block.bend(from)).sum();
        Ok(if blocks > 0.0 && whole.is_finite() { whole / blocks } else { 1.0 })
    }

    /// The duality gap: the objective less the entropy of a feasible point of the dual, which is between the probabilities
    /// and the truth. Biases whose slope is not quite zero add their part.
    fn gap(&self, penalty: f64) -> Result<f64, Failure> {
        let scale = (penalty / self.greatest().max(f64::MIN_POSITIVE)).min(1.0);
        let truth = &self.sample.truth;
        let between = self.fit.probabilities.f_sub(truth)?.f_mul_scalar(scale)?.f_add(truth)?;
        let entropy = -between.f_xlogy(&between)?.f_sum(Kind::Double)?.double_value(&[]);
        let middle = self.blocks.iter().map(Block::bias).sum::<f64>() / self.levels.len() as f64;
        let biases = self.blocks.iter().map(Block::bias).zip(&self.levels);
        let rest: f64 = biases.map(|(bias, level)| ((bias - middle) * level).abs()).sum();
        Ok(self.value(penalty) - entropy / self.sample.images() as f64 + rest)
    }

    fn point(&self, strength: f64, gap: f64, steps: u32) -> Point {
        Point {
            strength,
            weights: self.blocks.iter().map(Block::sparse).collect(),
            biases: self.blocks.iter().map(Block::bias).collect(),
            value: self.value(strength),
            gap,
            steps,
            converged: gap <= self.tolerance,
        }
    }
}
