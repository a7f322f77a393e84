//! Least squares with an L1 penalty: columns and a target in; a few columns with their coefficients out, and how far from the
//! optimum they can be.
//!
//! The objective and its scale are those of scikit-learn's `Lasso` without an intercept:
//! `|y − Xw|² / (2 rows) + penalty · |w|₁`, with `w ≥ 0` if asked. Coordinate descent runs on a working set, which grows
//! by the columns that violate the optimality conditions most; the duality gap is over all columns.
//!
//! Friedman, Hastie and Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010;
//! Kim et al., *An Interior-Point Method for Large-Scale L1-Regularized Least Squares*, 2007, for the gap.

use tch::{Device, Kind, Tensor};

use crate::failure::Failure;

/// The duality gap, divided by |y|², at which a fit is done.
const GAP: f64 = 1e-8;
/// The most times that the working set grows.
const ROUNDS: usize = 200;
/// Columns by which an empty working set grows; a larger one doubles.
const GROWTH: usize = 10;
/// The most sweeps over a working set.
const SWEEPS: usize = 20_000;
/// Penalties on a path, evenly spaced by their logarithms.
const STEPS: u32 = 60;
/// The smallest penalty of a path, divided by the largest.
const SMALLEST: f64 = 1e-3;
/// Times that the last step of a path is halved.
const HALVINGS: usize = 8;

/// Columns with their coefficients, in the order of the columns.
pub(crate) type Terms = Vec<(usize, f64)>;

/// The columns of a regression.
#[derive(Debug)]
pub(crate) struct Columns {
    columns: Tensor, // [columns, rows], double precision, on the CPU
    rows: usize,
    count: usize,
}

/// A solution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    /// Columns whose coefficient is not zero.
    pub terms: Terms,
    /// The penalty.
    pub penalty: f64,
    /// The duality gap divided by |y|²: the objective is at most that much of |y|² / (2 rows) above its minimum.
    pub gap: f64,
}

impl Columns {
    /// Takes a matrix `[rows, columns]`.
    ///
    /// # Errors
    /// If it is empty, not finite, or zero.
    pub(crate) fn new(matrix: &Tensor) -> Result<Self, Failure> {
        let (rows, count) = matrix.size2()?;
        let columns = matrix.to_device(Device::Cpu).to_kind(Kind::Double).tr().contiguous();
        let size = if columns.numel() > 0 { columns.abs().max().double_value(&[]) } else { 0.0 };
        if !(size.is_finite() && size > 0.0) {
            return Err(Failure::new("a regression has no columns, or they are zero or NaN"));
        }
        Ok(Self { columns, rows: rows as usize, count: count as usize })
    }

    /// The length of a column.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The inner product of each column with a vector.
    pub(crate) fn products(&self, vector: &[f64]) -> Result<Vec<f64>, Failure> {
        Ok(Vec::try_from(self.columns.f_mv(&Tensor::from_slice(vector))?)?)
    }

    /// One column.
    pub(crate) fn column(&self, index: usize) -> Result<Vec<f64>, Failure> {
        Ok(Vec::try_from(self.columns.f_get(index as i64)?)?)
    }

    /// The sum of columns times their coefficients.
    pub(crate) fn sum(&self, terms: &[(usize, f64)]) -> Result<Vec<f64>, Failure> {
        if terms.is_empty() {
            return Ok(vec![0.0; self.rows]);
        }
        let (indices, coefficients): (Vec<i64>, Vec<f64>) =
            terms.iter().map(|&(index, coefficient)| (index as i64, coefficient)).unzip();
        let columns = self.columns.f_index_select(0, &Tensor::from_slice(&indices))?;
        Ok(Vec::try_from(columns.tr().f_mv(&Tensor::from_slice(&coefficients))?)?)
    }

    /// The inner products of some columns with each other: `[n, n]`.
    fn gram(&self, indices: &[usize]) -> Result<Vec<Vec<f64>>, Failure> {
        let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
        let columns = self.columns.f_index_select(0, &Tensor::from_slice(&indices))?;
        let flat: Vec<f64> = Vec::try_from(columns.f_matmul(&columns.tr())?.view(-1))?;
        Ok(flat.chunks_exact(indices.len().max(1)).map(<[f64]>::to_vec).collect())
    }
}

/// Minimises the objective, starting from some terms.
///
/// # Errors
/// If the duality gap stays above 1e-8 of |y|².
pub(crate) fn fit(
    x: &Columns,
    y: &[f64],
    penalty: f64,
    positive: bool,
    start: &[(usize, f64)],
) -> Result<Fit, Failure> {
    let size: f64 = y.iter().map(|y| y * y).sum();
    if size == 0.0 {
        return Ok(Fit { terms: Vec::new(), penalty, gap: 0.0 });
    }
    // Of the objective times the number of rows.
    let strength = penalty * x.rows as f64;
    let mut terms = start.to_vec();
    let mut exact = 1e-6;
    let mut gap = f64::INFINITY;
    for _ in 0..ROUNDS {
        let fitted = x.sum(&terms)?;
        let left: Vec<f64> = y.iter().zip(&fitted).map(|(y, fitted)| y - fitted).collect();
        let pulls = x.products(&left)?;
        gap = duality_gap(&terms, &left, y, &pulls, strength, positive) / size;
        if gap <= GAP {
            terms.retain(|(_, coefficient)| *coefficient != 0.0);
            return Ok(Fit { terms, penalty, gap });
        }
        let pull = |index: usize| if positive { pulls[index] } else { pulls[index].abs() };
        let mut new: Vec<usize> = (0..x.count)
            .filter(|index| pull(*index) > strength && terms.iter().all(|(at, _)| at != index))
            .collect();
        if new.is_empty() {
            // What is left is the working set's own inexactness.
            exact *= 1e-2;
        }
        new.sort_by(|a, b| pull(*b).total_cmp(&pull(*a)));
        new.truncate(terms.len().max(GROWTH));
        terms.extend(new.into_iter().map(|index| (index, 0.0)));
        descend(x, y, strength, positive, exact * size.sqrt(), &mut terms)?;
        terms.retain(|(_, coefficient)| *coefficient != 0.0);
        terms.sort_by_key(|(index, _)| *index);
    }
    Err(Failure::new(format!("a sparse regression did not converge (duality gap {gap:.1e})"))
        .hint("use a larger `penalty`, or fewer `terms`"))
}

/// Coordinate descent on the columns of `terms`, until no step changes what is fitted by more than `exact`.
fn descend(
    x: &Columns,
    y: &[f64],
    strength: f64,
    positive: bool,
    exact: f64,
    terms: &mut Terms,
) -> Result<(), Failure> {
    if terms.is_empty() {
        return Ok(());
    }
    let indices: Vec<usize> = terms.iter().map(|(index, _)| *index).collect();
    let gram = x.gram(&indices)?;
    let fitted = x.sum(terms)?;
    let left: Vec<f64> = y.iter().zip(&fitted).map(|(y, fitted)| y - fitted).collect();
    let all = x.products(&left)?;
    let mut pulls: Vec<f64> = indices.iter().map(|index| all[*index]).collect();
    for _ in 0..SWEEPS {
        let mut furthest = 0.0_f64;
        for (at, row) in gram.iter().enumerate() {
            let square = row[at];
            if square <= 0.0 {
                continue;
            }
            let before = terms[at].1;
            let after = soft(pulls[at] + square * before, strength, positive) / square;
            let step = after - before;
            if step != 0.0 {
                terms[at].1 = after;
                pulls.iter_mut().zip(row).for_each(|(pull, product)| *pull -= product * step);
                furthest = furthest.max(step.abs() * square.sqrt());
            }
        }
        if furthest <= exact {
            break;
        }
    }
    Ok(())
}

/// A number moved towards zero by `strength`, and no further; zero if it must not be negative and is.
fn soft(number: f64, strength: f64, positive: bool) -> f64 {
    match number {
        number if number > strength => number - strength,
        number if number < -strength && !positive => number + strength,
        _ => 0.0,
    }
}

/// How far the objective, times the number of rows, can be from its minimum.
fn duality_gap(
    terms: &[(usize, f64)],
    left: &[f64],
    y: &[f64],
    pulls: &[f64],
    strength: f64,
    positive: bool,
) -> f64 {
    let greatest = strongest(pulls, positive);
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let squares = dot(left, left);
    let l1: f64 = terms.iter().map(|(_, coefficient)| coefficient.abs()).sum();
    let scale = if greatest > strength { strength / greatest } else { 1.0 };
    (0.5 * squares * (1.0 + scale * scale) + strength * l1 - scale * dot(left, y)).max(0.0)
}

/// The greatest inner product, of either sign unless it must be positive.
fn strongest(pulls: &[f64], positive: bool) -> f64 {
    pulls
        .iter()
        .fold(0.0, |most, pull| if positive { pull.max(most) } else { pull.abs().max(most) })
}

/// The solution with the smallest penalty before one with more than `most` terms: along a path of penalties from the one at
/// which the first term appears down to a thousandth of it, with the last step halved eight times. `check` is called
/// at every step.
///
/// # Errors
/// If a fit does not converge, or `check` fails.
pub(crate) fn at_most(
    x: &Columns,
    y: &[f64],
    most: usize,
    positive: bool,
    check: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<Fit, Failure> {
    let first = strongest(&x.products(y)?, positive) / x.rows.max(1) as f64;
    let mut best = Fit { terms: Vec::new(), penalty: first, gap: 0.0 };
    if first == 0.0 {
        return Ok(best);
    }
    let mut too_small = None;
    for step in 1..=STEPS {
        check()?;
        let penalty = first * SMALLEST.powf(f64::from(step) / f64::from(STEPS));
        let found = fit(x, y, penalty, positive, &best.terms)?;
        if found.terms.len() > most {
            too_small = Some(penalty);
            break;
        }
        best = found;
    }
    let Some(mut low) = too_small else { return Ok(best) };
    for _ in 0..HALVINGS {
        check()?;
        let found = fit(x, y, (low * best.penalty).sqrt(), positive, &best.terms)?;
        match found.terms.len() > most {
            true => low = found.penalty,
            false => best = found,
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{golden, numbers};
    use super::*;

    /// Coefficients of all columns.
    fn dense(x: &Columns, terms: &[(usize, f64)]) -> Vec<f64> {
        let mut all = vec![0.0; x.count()];
        terms.iter().for_each(|&(index, coefficient)| all[index] = coefficient);
        all
    }

    #[test]
    fn coefficients_are_those_of_scikit_learn() {
        let x = Columns::new(&golden("x")).expect("columns");
        let y = numbers(&golden("y"));
        for (name, positive) in [("signed", false), ("positive", true)] {
            let penalties = numbers(&golden("penalties"));
            let expected = golden(name);
            for (row, penalty) in penalties.into_iter().enumerate() {
                let found = fit(&x, &y, penalty, positive, &[]).expect("a fit");
                let expected = numbers(&expected.get(row as i64));
                let scale = expected.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
                assert!(scale > 0.0 && found.gap <= GAP, "{name} {penalty}: {found:?}");
                for (found, expected) in dense(&x, &found.terms).iter().zip(&expected) {
                    assert!(
                        (found - expected).abs() <= 1e-3 * expected.abs() + 1e-5 * scale,
                        "{name} {penalty}: {found} is not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn above_the_greatest_penalty_nothing_is_left() {
        let x = Columns::new(&golden("x")).expect("columns");
        let y = numbers(&golden("y"));
        let top = strongest(&x.products(&y).expect("products"), false) / y.len() as f64;
        assert_eq!(fit(&x, &y, top * 1.0001, false, &[]).expect("a fit").terms, []);
        assert_eq!(fit(&x, &y, top * 0.999, false, &[]).expect("a fit").terms.len(), 1);
        assert_eq!(fit(&x, &vec![0.0; y.len()], 0.1, false, &[]).expect("a fit").terms, []);
        let nothing = Tensor::zeros([3, 2], (Kind::Double, Device::Cpu));
        assert!(Columns::new(&nothing).is_err());
    }

    #[test]
    fn columns_that_are_equal_or_zero_and_more_terms_than_columns_are_fitted_too() {
        // The second column is the first, the fourth is zero.
        let x = [1.0, 1.0, 0.2, 0.0, 0.5, 0.5, -1.0, 0.0, -0.3, -0.3, 0.4, 0.0f64];
        let x = Columns::new(&Tensor::from_slice(&x).view([3, 4])).expect("columns");
        let y = [1.0, 2.0, 3.0];
        let found = at_most(&x, &y, 64, false, &mut || Ok(())).expect("a fit");
        assert!(found.gap <= GAP && found.terms.len() <= 3, "{found:?}");
        assert!(found.terms.iter().all(|(at, _)| *at != 3), "{found:?}");
        // Without the second column the objective has the same minimum.
        let alone = Tensor::from_slice(&[1.0, 0.2, 0.5, -1.0, -0.3, 0.4f64]).view([3, 2]);
        let alone = Columns::new(&alone).expect("columns");
        let other = fit(&alone, &y, found.penalty, false, &[]).expect("a fit");
        let whole = |terms: &Terms| terms.iter().map(|(_, c)| c.abs()).sum::<f64>();
        assert!((whole(&found.terms) - whole(&other.terms)).abs() < 1e-3, "{found:?} {other:?}");
    }

    #[test]
    fn a_planted_code_is_recovered() {
        // Four of 256 random columns in 64 dimensions, coefficients 1 to 2 of either sign, noise of a twentieth.
        let (mut all, mut none_missed) = (0, 0);
        for seed in 0..100 {
            tch::manual_seed(seed);
            let x = Tensor::randn([64, 256], (Kind::Double, Device::Cpu));
            let x = &x / x.norm_scalaropt_dim(2.0, [0i64].as_slice(), true);
            let sizes = numbers(&(Tensor::rand([4], (Kind::Double, Device::Cpu)) + 1.0));
            let noise = Tensor::randn([64], (Kind::Double, Device::Cpu)) * (0.05 / 8.0);
            let planted: Terms = (0..4)
                .map(|n| {
                    (n * 50 + seed as usize % 50, if n % 2 == 0 { sizes[n] } else { -sizes[n] })
                })
                .collect();
            let x = Columns::new(&x).expect("columns");
            let noise = numbers(&noise);
            let y: Vec<f64> =
                x.sum(&planted).expect("a sum").iter().zip(noise).map(|(y, e)| y + e).collect();
            let found = at_most(&x, &y, 4, false, &mut || Ok(())).expect("a fit");
            let right = |found: &Terms| {
                planted.iter().all(|(index, size)| {
                    found.iter().any(|(at, c)| at == index && c.signum() == size.signum())
                })
            };
            all += usize::from(found.terms.len() == 4 && right(&found.terms));
            // With a small penalty a lasso has more terms than were planted, but the planted ones among them.
            let wide = at_most(&x, &y, 12, false, &mut || Ok(())).expect("a fit");
            none_missed += usize::from(right(&wide.terms));
        }
        // 99 and 100 when this was written.
        assert!(all >= 97 && none_missed >= 99, "{all} {none_missed} of 100");
    }
}
