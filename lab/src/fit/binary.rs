//! Logistic regression between two kinds of rows, with an intercept and an L2 penalty, by Newton's method with conjugate
//! gradients: rows and labels in; one weight a column out.
//!
//! Minimises `Σ cᵢ log(1 + exp(-yᵢ (xᵢ·w + b))) + λ m |w|² / 2`. The cᵢ let both kinds count alike and sum up to 1; m is the
//! mean square length of a row after the mean row is subtracted, so that λ does not depend on the scale of the rows. It is
//! scikit-learn's `LogisticRegression(class_weight="balanced", C=1 / (λ m n))`. The Hessian is never built: each of its
//! products reads the rows twice.

use tch::{Kind, Tensor};

use crate::failure::Failure;

/// The most steps of Newton's method; five to fifteen are usual.
const STEPS: u32 = 100;
/// The most products with the Hessian in a step.
const PRODUCTS: usize = 500;
/// Up to so many numbers are computed with in double precision.
const DOUBLE: usize = 1 << 24;

/// A fitted regression.
#[derive(Debug)]
pub(crate) struct Fitted {
    /// One weight a column.
    pub weights: Vec<f64>,
    /// What is added to a row's product with the weights.
    pub intercept: f64,
    /// Steps of Newton's method.
    pub steps: u32,
}

/// Fits `[n, d]`; `labels` say which rows are of the first kind, for which weights are positive. `check` is asked before each
/// product.
///
/// # Errors
/// If all labels are equal, all rows are equal or not finite, `check` says so, or the gradient does not vanish.
pub(crate) fn fit(
    rows: &Tensor,
    labels: &[bool],
    regularisation: f64,
    check: &mut dyn FnMut() -> Result<(), Failure>,
) -> Result<Fitted, Failure> {
    tch::no_grad(|| Problem::new(rows, labels, regularisation)?.solve(check))
}

/// What is minimised. Weights and the intercept are one vector, `[d + 1]` in double precision.
struct Problem {
    /// `[n, d]`, centred and scaled to a mean square length of 1.
    rows: Tensor,
    /// `[n]`: 1 for the first kind, −1 for the other.
    sign: Tensor,
    /// `[n]`.
    share: Tensor,
    /// `[d + 1]`: λ, and 0 for the intercept.
    penalty: Tensor,
    /// `[1, d]`: what was subtracted from the rows.
    mean: Tensor,
    /// What they were then divided by.
    scale: f64,
    /// How far the gradient must fall.
    enough: f64,
}

impl Problem {
    fn new(rows: &Tensor, labels: &[bool], regularisation: f64) -> Result<Self, Failure> {
        let (n, d) = rows.size2()?;
        let firsts = labels.iter().filter(|first| **first).count();
        if firsts == 0 || firsts == labels.len() || n != labels.len() as i64 {
            return Err(Failure::new("a logistic regression needs rows of two kinds"));
        }
        let (kind, enough) = match rows.numel() <= DOUBLE {
            true => (Kind::Double, 1e-8),
            false => (Kind::Float, 1e-5),
        };
        let rows = rows.to_kind(kind);
        let mean = rows.mean_dim([0i64].as_slice(), true, kind);
        let rows = rows - &mean;
        let square = rows.square().sum(Kind::Double).double_value(&[]) / n as f64;
        if !(square.is_finite() && square > 0.0) {
            return Err(Failure::new("all pictures have the same activations, or none are finite"));
        }
        let scale = square.sqrt();
        let (first, other) = (0.5 / firsts as f64, 0.5 / (labels.len() - firsts) as f64);
        let column = |of: &dyn Fn(bool) -> f64| {
            let numbers: Vec<f64> = labels.iter().map(|&first| of(first)).collect();
            Tensor::from_slice(&numbers).to_device(rows.device())
        };
        let penalty = Tensor::full([d + 1], regularisation, (Kind::Double, rows.device()));
        let _ = penalty.get(d).fill_(0.0);
        Ok(Self {
            sign: column(&|is_first| if is_first { 1.0 } else { -1.0 }),
            share: column(&|is_first| if is_first { first } else { other }),
            penalty,
            rows: rows / scale,
            mean,
            scale,
            enough,
        })
    }

    /// Scores of the rows: `[d + 1]` to `[n]`.
    fn scores(&self, at: &Tensor) -> Tensor {
        let d = self.rows.size()[1];
        let weights = at.narrow(0, 0, d).to_kind(self.rows.kind());
        self.rows.mv(&weights).to_kind(Kind::Double) + at.get(d)
    }

    /// The sum of rows and of 1 by coefficients: `[n]` to `[d + 1]`.
    fn sums(&self, coefficients: &Tensor) -> Tensor {
        let weights = self.rows.tr().mv(&coefficients.to_kind(self.rows.kind()));
        let intercept = coefficients.sum(Kind::Double).view(1);
        Tensor::cat(&[weights.to_kind(Kind::Double), intercept], 0)
    }

    fn objective(&self, at: &Tensor, scores: &Tensor) -> f64 {
        let fit = ((scores * &self.sign).log_sigmoid() * &self.share).sum(Kind::Double);
        let size = (at * at * &self.penalty).sum(Kind::Double) / 2.0;
        (size - fit).double_value(&[])
    }

    fn solve(&self, check: &mut dyn FnMut() -> Result<(), Failure>) -> Result<Fitted, Failure> {
        let mut at = self.penalty.zeros_like();
        let mut scores = self.scores(&at);
        let mut value = self.objective(&at, &scores);
        let mut first = None;
        for steps in 0..STEPS {
            check()?;
            let wrong = (-(&scores * &self.sign)).sigmoid(); // how far each is from its label
            let pull = &wrong * &self.sign * &self.share;
            let gradient = &at * &self.penalty - self.sums(&pull);
            let length = norm(&gradient);
            if !(length.is_finite() && value.is_finite()) {
                return Err(Failure::new("the objective of a logistic regression is not a number"));
            }
            let first = *first.get_or_insert(length);
            if length <= self.enough * first {
                let d = self.rows.size()[1];
                let weights = at.narrow(0, 0, d) / self.scale; // [d]
                let middle = self.mean.to_kind(Kind::Double).mv(&weights).double_value(&[0]);
                let intercept = at.double_value(&[d]) - middle;
                return Ok(Fitted { weights: Vec::<f64>::try_from(weights)?, intercept, steps });
            }
            let curve = &wrong * (wrong.ones_like() - &wrong) * &self.share;
            let enough = (length / first).sqrt().min(0.1) * length;
            let step = self.step(&gradient, &curve, enough, check)?;
            let slope = (&gradient * &step).sum(Kind::Double).double_value(&[]);
            let mut part = 1.0;
            loop {
                let next = &at + &step * part;
                let found = self.scores(&next);
                let lower = self.objective(&next, &found);
                // Near the minimum, rounding decides.
                let rounding = f64::EPSILON * 16.0 * value.abs();
                if lower <= value + 1e-4 * part * slope + rounding || part < 1e-9 {
                    (at, scores, value) = (next, found, lower);
                    break;
                }
                part /= 2.0;
            }
        }
        let message = format!("the logistic regression did not converge in {STEPS} steps");
        Err(Failure::new(message).hint("raise `regularisation`"))
    }

    /// Newton's step by conjugate gradients, until the residual is no longer than `enough`.
    fn step(
        &self,
        gradient: &Tensor,
        curve: &Tensor,
        enough: f64,
        check: &mut dyn FnMut() -> Result<(), Failure>,
    ) -> Result<Tensor, Failure> {
        let mut step = gradient.zeros_like();
        let mut residual = -gradient;
        let mut direction = residual.shallow_clone();
        let mut square = norm(&residual).powi(2);
        for _ in 0..PRODUCTS {
            check()?;
            let product =
                self.sums(&(self.scores(&direction) * curve)) + &direction * &self.penalty;
            let curvature = (&direction * &product).sum(Kind::Double).double_value(&[]);
            if curvature <= 0.0 {
                break;
            }
            let part = square / curvature;
            step += &direction * part;
            residual -= product * part;
            let next = norm(&residual).powi(2);
            if next.sqrt() <= enough {
                break;
            }
            direction = &residual + &direction * (next / square);
            square = next;
        }
        Ok(step)
    }
}

fn norm(vector: &Tensor) -> f64 {
    vector.square().sum(Kind::Double).double_value(&[]).sqrt()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::auc::area;
    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        rows: Vec<Vec<f64>>,
        labels: Vec<bool>,
        /// Strength, weights and intercept.
        fits: Vec<(f64, Vec<f64>, f64)>,
        /// The area under the curve of each fit's scores, rounded to one decimal, so that some are equal.
        aucs: Vec<f64>,
    }

    /// Fits by scikit-learn, from tests/reference/logistic.py.
    fn golden() -> Golden {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/logistic.json");
        let text = std::fs::read(path).expect("the golden file");
        serde_json::from_slice(&text).expect("JSON")
    }

    #[test]
    fn weights_are_those_of_scikit_learn() {
        let Golden { rows, labels, fits, .. } = golden();
        let table = Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1]);
        assert_eq!(fits.len(), 3);
        for (regularisation, expected, intercept) in fits {
            let found = fit(&table, &labels, regularisation, &mut || Ok(())).expect("a fit");
            let apart: f64 =
                found.weights.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum();
            let size: f64 = expected.iter().map(|x| x * x).sum();
            assert!((apart / size).sqrt() < 1e-5, "{regularisation}: {found:?} {expected:?}");
            assert!((found.intercept - intercept).abs() < 1e-4, "{found:?} {intercept}");
            assert!(found.steps < 30, "{found:?}");
        }
    }

    #[test]
    fn areas_under_the_curve_are_those_of_scikit_learn_with_ties_too() {
        let Golden { rows, labels, fits, aucs } = golden();
        assert_eq!(aucs.len(), fits.len());
        for ((_, weights, _), expected) in fits.iter().zip(aucs) {
            let score = |row: &Vec<f64>| -> f64 {
                let sum: f64 = row.iter().zip(weights).map(|(x, weight)| x * weight).sum();
                (sum * 10.0).round_ties_even() / 10.0
            };
            let scores = rows.iter().map(score).zip(&labels);
            let (first, other): (Vec<_>, Vec<_>) = scores.partition(|(_, first)| **first);
            let only = |scores: Vec<(f64, &bool)>| -> Vec<f64> {
                scores.into_iter().map(|(score, _)| score).collect()
            };
            let found = area(&only(first), &only(other)).expect("an area");
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn more_columns_than_rows_are_fitted_as_well() {
        let Golden { rows, labels, .. } = golden();
        let (rows, labels) = (&rows[..6], &labels[..6]);
        let table = Tensor::from_slice(&rows.concat()).view([6, -1]);
        let found = fit(&table, labels, 0.01, &mut || Ok(())).expect("a fit").weights;
        // Two equal columns share the weight of one that is √2 as large.
        let wide = Tensor::cat(&[&table, &table], 1) / 2f64.sqrt();
        let wide = fit(&wide, labels, 0.01, &mut || Ok(())).expect("a fit").weights;
        for (one, half) in found.iter().zip(&wide) {
            assert!((one - half * 2f64.sqrt()).abs() < 1e-6 * found.len() as f64, "{one} {half}");
        }
    }

    #[test]
    fn one_kind_or_equal_rows_are_errors_and_a_fit_can_be_cancelled() {
        let table = Tensor::from_slice(&[1.0, 2.0, 3.0, 5.0]).view([4, 1]);
        let labels = [true, true, false, false];
        let failed = |table: &Tensor, labels: &[bool], check: &mut dyn FnMut() -> _| {
            fit(table, labels, 0.1, check).expect_err("a failure").to_string()
        };
        assert!(failed(&table, &[true; 4], &mut || Ok(())).contains("two kinds"));
        let equal = table.ones_like();
        assert!(failed(&equal, &labels, &mut || Ok(())).contains("the same activations"));
        let cancelled = fit(&table, &labels, 0.1, &mut || Err(Failure::Cancelled));
        assert!(matches!(cancelled, Err(Failure::Cancelled)));
    }
}
