//! Multinomial logistic regression with an L2 penalty, by L-BFGS: a standardised sample in; weights, biases and how close they
//! are to the minimum out.
//!
//! The objective is `mean −log p + λ |W|² / 2`, in standardised units, without a penalty on biases. scikit-learn's `C` is
//! `1 / (λ images)`. Method: Liu and Nocedal, *On the limited memory BFGS method for large scale optimization*, 1989, with the
//! line search of Lewis and Overton, *Nonsmooth optimization via quasi-Newton methods*, 2013, algorithm 2.6.

use std::collections::VecDeque;

use tch::{Kind, Tensor};

use super::multinomial::{Fit, Sample};
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};

/// The most steps.
const STEPS: u32 = 1000;
/// Steps that the method remembers.
const MEMORY: usize = 10;
/// The most steps in a row that do not lower the gap: then it is as small as numbers allow.
const VAIN: u32 = 50;
/// The part of the promised descent that a step must bring.
const DESCENT: f64 = 1e-4;
/// The part of the slope that may be left after a step.
const LEFT: f64 = 0.9;
/// The most lengths that are tried for a step.
const TRIES: usize = 20;

/// A fitted regression.
#[derive(Debug)]
pub struct Ridge {
    /// `[classes, units]`, in standardised units.
    pub weights: Tensor,
    /// `[classes, 1]`.
    pub biases: Tensor,
    /// A bound on how far the objective is above its minimum, relative to the loss without weights.
    pub gap: f64,
    /// Steps of L-BFGS.
    pub steps: u32,
    /// Whether the gap is within the tolerance.
    pub converged: bool,
}

/// The objective at a point.
struct At {
    point: Tensor, // [classes, units + 1]: weights, and the bias last
    slope: Tensor, // the same
    value: f64,
}

/// Fits a regression until its gap is below `tolerance`.
///
/// # Errors
/// If the numbers are not finite, or it is cancelled.
pub fn ridge(
    sample: &Sample,
    strength: f64,
    tolerance: f64,
    monitor: &mut dyn Monitor,
) -> Result<Ridge, Failure> {
    let units = sample.columns.size()[0];
    let biases = Tensor::from_slice(&sample.biases()).f_unsqueeze(1)?;
    let biases = biases.f_to_kind(sample.columns.kind())?;
    let options = (sample.columns.kind(), sample.columns.device());
    let zeros = Tensor::f_zeros([biases.size()[0], units], options)?;
    let mut at = At::of(sample, Tensor::f_cat(&[zeros, biases], 1)?, strength)?;
    let without = at.value;
    let mut memory: VecDeque<(Tensor, Tensor, f64)> = VecDeque::new();
    let mut steps = 0;
    let mut gap = at.gap(units, strength)? / without;
    let (mut best, mut vain) = (gap, 0);
    while gap > tolerance && steps < STEPS && vain < VAIN {
        monitor.check()?;
        monitor.progress(&Progress {
            stage: "fitting the probe",
            step: steps.into(),
            total: STEPS.into(),
            unit: "step",
            picture: None,
        });
        let direction = towards(&at.slope, &memory)?;
        let first = if memory.is_empty() { 1.0 / norm(&at.slope)?.max(1.0) } else { 1.0 };
        let Some(next) = searched(sample, strength, &at, &direction, first)? else {
            if memory.is_empty() {
                break; // The slope itself leads no further down: this is as exact as numbers are.
            }
            memory.clear();
            continue;
        };
        steps += 1;
        let (moved, turned) = (next.point.f_sub(&at.point)?, next.slope.f_sub(&at.slope)?);
        let bend = inner(&moved, &turned)?;
        if bend > 0.0 {
            memory.push_back((moved, turned, bend));
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        at = next;
        gap = at.gap(units, strength)? / without;
        vain = if gap < best { 0 } else { vain + 1 };
        best = best.min(gap);
    }
    let weights = at.point.f_narrow(1, 0, units)?.f_contiguous()?;
    let biases = at.point.f_narrow(1, units, 1)?.f_contiguous()?;
    Ok(Ridge { weights, biases, gap, steps, converged: gap <= tolerance })
}

impl At {
    fn of(sample: &Sample, point: Tensor, strength: f64) -> Result<Self, Failure> {
        let units = point.size()[1] - 1;
        let (weights, biases) = (point.f_narrow(1, 0, units)?, point.f_narrow(1, units, 1)?);
        let fit = Fit::at(&sample.scores(&weights, &biases)?, &sample.truth)?;
        let residual = fit.residual(&sample.truth)?;
        let slope = sample.slope(&residual)?.f_add(&weights.f_mul_scalar(strength)?)?;
        let level = residual.f_mean_dim([1i64].as_slice(), true, Kind::Double)?;
        let slope = Tensor::f_cat(&[slope, level.f_to_kind(point.kind())?], 1)?;
        let value = fit.loss + strength / 2.0 * inner(&weights, &weights)?;
        Ok(Self { point, slope, value })
    }

    /// A bound on how far the objective is above its minimum. In the weights it curves by at least λ everywhere, so it falls
    /// by at most |slope|² / 2λ; in the biases by about the slope times their distance.
    fn gap(&self, units: i64, strength: f64) -> Result<f64, Failure> {
        let slope = self.slope.f_narrow(1, 0, units)?;
        let (level, biases) =
            (self.slope.f_narrow(1, units, 1)?, self.point.f_narrow(1, units, 1)?);
        let centred = biases.f_sub(&biases.f_mean(Kind::Double)?.f_to_kind(biases.kind())?)?;
        Ok(inner(&slope, &slope)? / (2.0 * strength) + inner(&level.f_abs()?, &centred.f_abs()?)?)
    }
}

/// A step of acceptable length along a direction; `None` if there is none.
fn searched(
    sample: &Sample,
    strength: f64,
    at: &At,
    direction: &Tensor,
    first: f64,
) -> Result<Option<At>, Failure> {
    let descent = inner(&at.slope, direction)?;
    if descent >= 0.0 {
        return Ok(None);
    }
    let noise = if at.point.kind() == Kind::Double { 1e-15 } else { 1e-7 };
    let (mut short, mut long, mut length) = (0.0, f64::INFINITY, first);
    let mut found = None;
    for _ in 0..TRIES {
        let point = at.point.f_add(&direction.f_mul_scalar(length)?)?;
        let next = At::of(sample, point, strength)?;
        let left = inner(&next.slope, direction)?;
        // Near the minimum the objective is less exact than its slope, which then decides (Hager and Zhang 2005).
        let level = next.value <= at.value + noise * at.value && left.abs() <= LEFT * descent.abs();
        if !level && next.value > at.value + DESCENT * length * descent {
            long = length;
        } else {
            let steep = left < LEFT * descent;
            found = Some(next);
            if !steep {
                break;
            }
            short = length;
        }
        length = if long.is_finite() { f64::midpoint(short, long) } else { 2.0 * short };
    }
    Ok(found)
}

/// The direction that the remembered steps make of a slope: two loops.
fn towards(slope: &Tensor, memory: &VecDeque<(Tensor, Tensor, f64)>) -> Result<Tensor, Failure> {
    let mut direction = slope.f_neg()?;
    let mut parts = Vec::new();
    for (moved, turned, bend) in memory.iter().rev() {
        let part = inner(moved, &direction)? / bend;
        direction = direction.f_sub(&turned.f_mul_scalar(part)?)?;
        parts.push(part);
    }
    if let Some((_, turned, bend)) = memory.back() {
        direction = direction.f_mul_scalar(bend / inner(turned, turned)?)?;
    }
    for ((moved, turned, bend), part) in memory.iter().zip(parts.iter().rev()) {
        let other = inner(turned, &direction)? / bend;
        direction = direction.f_add(&moved.f_mul_scalar(part - other)?)?;
    }
    Ok(direction)
}

/// The inner product, in double precision.
fn inner(a: &Tensor, b: &Tensor) -> Result<f64, Failure> {
    Ok(a.f_mul(b)?.f_sum(Kind::Double)?.double_value(&[]))
}

fn norm(of: &Tensor) -> Result<f64, Failure> {
    Ok(inner(of, of)?.sqrt())
}
