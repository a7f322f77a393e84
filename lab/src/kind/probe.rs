//! Measures `probe`: a linear classifier of a data set's images on the units of a layer, fitted to a stored scan.

mod judge;
pub(super) mod task;

use neuronotes_core::kind::probe::{
    Line, MOST_WEIGHTS, Outcome, Params, Penalty, Step, Strength, WEIGHTS, Weight,
};
use neuronotes_core::kind::spoiled::Spoiled;
use safetensors::{Dtype, tensor::TensorView};
use tch::{Kind, Tensor};

use crate::failure::Failure;
use crate::fit::descent::Signs;
use crate::fit::multinomial::Sample;
use crate::fit::path::{Last, Options, path};
use crate::fit::point::Point;
use crate::fit::softmax::ridge;
use crate::table::matrix::{Columns, Matrix};
use crate::workbench::Workbench;
use judge::judge;
use task::Task;

/// The distance to the minimum at which a fit is good enough, relative to the loss without weights.
const TOLERANCE: f64 = 1e-4;
/// Penalties of a path.
const POINTS: usize = 40;
/// The least penalty of a path, as a part of the greatest.
const LEAST: f64 = 0.01;
/// The path goes on to this many times the terms asked for, so that the curve shows what more would bring.
const BEYOND: f64 = 5.0;
/// The most numbers of a matrix of images and classes.
const MOST_SCORES: usize = 1 << 28;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    let columns = Columns::Units(&params.layer, params.pool);
    let mut matrix = Matrix::read(bench, dataset, columns)?;
    matrix.tell(bench, dataset)?;
    let task = Task::of(&params, &matrix.samples)?;
    if task.images() * task.labels.len() > MOST_SCORES {
        let (images, classes) = (task.images(), task.labels.len());
        let message = format!("{images} images of {classes} classes are too many for one probe");
        return Err(Failure::new(message).hint("list fewer `classes`, or use a smaller data set"));
    }
    let sides = tch::no_grad(|| Sides::of(&matrix, &task))?;
    let spoiled = matrix.spoiled;
    drop(matrix.rows);
    let fitted = tch::no_grad(|| fit(bench, &params, &sides, &task))?;
    let outcome = tch::no_grad(|| outcome(&task, &sides, &fitted, spoiled))?;
    write(bench, &sides.sample, &fitted)?;
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The images on either side of the split.
struct Sides {
    /// Those that are learnt from.
    sample: Sample,
    /// The held-out ones in the same units, `[units, images]`.
    held_out: Tensor,
}

impl Sides {
    fn of(matrix: &Matrix, task: &Task) -> Result<Self, Failure> {
        let take = |rows: &[usize]| {
            let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
            matrix.rows.f_index_select(0, &Tensor::from_slice(&rows))
        };
        let (rows, truth) = task.train();
        let sample = Sample::of(&take(&rows)?, &truth, task.labels.len())?;
        let held_out = sample.standardised(&take(&task.held_out().0)?)?;
        Ok(Self { sample, held_out })
    }

    /// The units that vary.
    fn varying(&self) -> usize {
        self.sample.sd.iter().filter(|sd| **sd > 0.0).count()
    }
}

/// A fitted probe.
struct Fitted {
    strength: f64,
    weights: Tensor, // [classes, units]
    biases: Tensor,  // [classes, 1]
    path: Vec<Step>,
    gap: f64,
    converged: bool,
    steps: u64,
}

/// Checks that there are as many units that vary as a class may have terms.
fn enough(strength: Strength, varying: usize) -> Result<(), Failure> {
    match strength {
        Strength::Terms(terms) if terms > varying as f64 => {
            let message = format!("`terms` is {terms}, but only {varying} units vary");
            Err(Failure::new(message).hint("ask for fewer terms"))
        }
        _ => Ok(()),
    }
}

fn fit(
    bench: &mut Workbench<'_>,
    params: &Params,
    sides: &Sides,
    task: &Task,
) -> Result<Fitted, Failure> {
    let sample = &sides.sample;
    let strength = params.strength();
    enough(strength, sides.varying())?;
    if let (Penalty::L2, Strength::Regularisation(strength)) = (params.penalty, strength) {
        let found = ridge(sample, strength, TOLERANCE, bench.monitor)?;
        return Ok(Fitted {
            strength,
            weights: found.weights,
            biases: found.biases,
            path: vec![],
            gap: found.gap,
            converged: found.converged,
            steps: found.steps.into(),
        });
    }
    let (last, most_terms) = match strength {
        Strength::Regularisation(strength) => (Last::Strength(strength), f64::INFINITY),
        Strength::Terms(terms) => (Last::Part(LEAST), terms * BEYOND),
    };
    let signs = if params.non_negative { Signs::NonNegative } else { Signs::Both };
    let options = Options { signs, points: POINTS, last, most_terms, tolerance: TOLERANCE };
    let points = path(sample, options, bench.monitor)?;
    let (train, held_out) = (task.train().1, task.held_out().1);
    let mut steps = Vec::new();
    for point in &points {
        bench.monitor.check()?;
        let right = |columns: &Tensor, truth: &[u32]| -> Result<u64, Failure> {
            Ok(judge(&point.scores(columns)?, truth)?.score.right)
        };
        steps.push(Step {
            regularisation: point.strength,
            terms: point.terms(),
            train: right(&sample.columns, &train)?,
            held_out: right(&sides.held_out, &held_out)?,
        });
    }
    let chosen = match strength {
        Strength::Regularisation(_) => points.last(),
        Strength::Terms(terms) => points.iter().take_while(|point| point.terms() <= terms).last(),
    };
    let chosen = chosen.ok_or_else(|| Failure::new("the path has no point"))?;
    Ok(Fitted {
        strength: chosen.strength,
        weights: dense(chosen, sample)?,
        biases: Tensor::from_slice(&chosen.biases).f_unsqueeze(1)?.f_to_kind(Kind::Float)?,
        path: steps,
        gap: points.iter().map(|point| point.gap).fold(0.0, f64::max),
        converged: points.iter().all(|point| point.converged),
        steps: points.iter().map(|point| u64::from(point.steps)).sum(),
    })
}

/// All weights of a point, `[classes, units]`.
fn dense(point: &Point, sample: &Sample) -> Result<Tensor, Failure> {
    let units = sample.sd.len();
    let mut all = vec![0.0f32; point.weights.len() * units];
    for (class, weights) in point.weights.iter().enumerate() {
        for (unit, weight) in weights {
            all[class * units + *unit as usize] = *weight as f32;
        }
    }
    Ok(Tensor::from_slice(&all).f_view([point.weights.len() as i64, units as i64])?)
}

fn outcome(
    task: &Task,
    sides: &Sides,
    fitted: &Fitted,
    spoiled: Vec<Spoiled>,
) -> Result<Outcome, Failure> {
    let sample = &sides.sample;
    let scores = |columns: &Tensor| -> Result<Tensor, Failure> {
        Ok(fitted.weights.f_matmul(columns)?.f_add(&fitted.biases)?)
    };
    let train = judge(&scores(&sample.columns)?, &task.train().1)?;
    let truth = task.held_out().1;
    let held_out = judge(&scores(&sides.held_out)?, &truth)?;
    let weights: Vec<f32> = Vec::try_from(fitted.weights.f_contiguous()?.f_view([-1])?)?;
    let biases: Vec<f32> = Vec::try_from(fitted.biases.f_contiguous()?.f_view([-1])?)?;
    let units = sample.sd.len();
    let line = |class: usize| {
        let weights = &weights[class * units..(class + 1) * units];
        let mut terms: Vec<(u32, f32)> = (0u32..).zip(weights.iter().copied()).collect();
        terms.retain(|(_, weight)| *weight != 0.0);
        let count = terms.len() as u64;
        terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        terms.truncate(MOST_WEIGHTS);
        let own = |truth: &&u32| **truth as usize == class;
        let right = truth.iter().zip(&held_out.predicted).filter(|(a, b)| own(a) && a == b);
        Line {
            label: task.labels[class].clone(),
            train: sample.counts[class],
            of: truth.iter().filter(own).count() as u64,
            right: right.count() as u64,
            bias: biases[class].into(),
            terms: count,
            weights: terms
                .into_iter()
                .map(|(unit, weight)| Weight { unit, weight: weight.into() })
                .collect(),
        }
    };
    let classes: Vec<Line> = (0..task.labels.len()).map(line).collect();
    // Of equally common classes the first.
    let commonest = classes.iter().rev().max_by_key(|line| line.train).map_or(0, |line| line.of);
    Ok(Outcome {
        units: units as u64,
        constant: (units - sides.varying() - spoiled.len()) as u64,
        spoiled,
        unlabelled: task.unlabelled,
        outside: task.outside,
        regularisation: fitted.strength,
        train: train.score,
        held_out: held_out.score,
        commonest,
        calibration: held_out.calibration(&truth),
        path: fitted.path.clone(),
        gap: fitted.gap,
        converged: fitted.converged,
        steps: fitted.steps,
        classes,
    })
}

fn write(bench: &mut Workbench<'_>, sample: &Sample, fitted: &Fitted) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(format!("the weights cannot be written ({error})"))
    };
    let of = |numbers: &[f64]| Tensor::from_slice(numbers).to_kind(Kind::Float);
    let tensors = [
        ("weights", fitted.weights.shallow_clone()),
        ("bias", fitted.biases.f_view([-1])?),
        ("mean", of(&sample.mean)),
        ("sd", of(&sample.sd)),
    ];
    let mut bytes = Vec::new();
    for (_, tensor) in &tensors {
        let numbers: Vec<f32> = Vec::try_from(tensor.f_contiguous()?.f_view([-1])?)?;
        bytes.push(numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    }
    let mut views = Vec::new();
    for ((name, tensor), bytes) in tensors.iter().zip(&bytes) {
        let shape = tensor.size().iter().map(|&n| n as usize).collect();
        views.push((*name, TensorView::new(Dtype::F32, shape, bytes).map_err(|e| broken(&e))?));
    }
    let file = safetensors::serialize(views, None).map_err(|error| broken(&error))?;
    let store = bench.store();
    bench.record.add_output(store, WEIGHTS, "application/octet-stream", &file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_terms_than_units_that_vary_are_an_error() {
        assert_eq!(enough(Strength::Terms(8.0), 8), Ok(()));
        assert_eq!(enough(Strength::Regularisation(0.1), 0), Ok(()));
        let error = enough(Strength::Terms(8.5), 8).expect_err("too many").to_string();
        assert_eq!(error, "`terms` is 8.5, but only 8 units vary");
    }
}
