//! Logistic regression by Newton's method with one variable per image: inner products and labels in; each image's coefficient
//! in the weights out.
//!
//! With few images and many activations the minimum of `Σ cᵢ log(1 + exp(-yᵢ xᵢ·w)) / N + λ m |w|² / 2` lies in the span
//! of the images: `w = Σ αᵢ xᵢ`, and all that is needed of them is `K = X Xᵀ`. m is the mean square length of an image,
//! so that λ does not depend on the scale of activations; c lets both labels count alike.

use tch::{Kind, Tensor};

use crate::failure::Failure;

/// The most steps of Newton's method; four to eight are usual.
const STEPS: usize = 50;
/// The method ends when the objective falls by less than this.
const ENOUGH: f64 = 1e-9;
/// The least curvature of an image: images that are classified with certainty have almost none.
const FLATTEST: f64 = 1e-14;

/// The coefficients α, `[n]`: `products` are `[n, n]` in double precision, `labels` say which are of the first kind.
///
/// # Errors
/// If the products are not finite, or all labels are equal.
pub(crate) fn fit(
    products: &Tensor,
    labels: &[bool],
    regularisation: f64,
) -> Result<Tensor, Failure> {
    let n = labels.len() as f64;
    let firsts = labels.iter().filter(|first| **first).count() as f64;
    if firsts == 0.0 || firsts == n {
        return Err(Failure::new("a probe needs images of two kinds"));
    }
    let scale = products.diag(0).mean(Kind::Double).double_value(&[]);
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Failure::new("the activations are not finite, or all zero"));
    }
    let kernel = products / scale; // [n, n]
    let device = kernel.device();
    let column = |of: &dyn Fn(bool) -> f64| {
        let numbers: Vec<f64> = labels.iter().map(|&first| of(first)).collect();
        Tensor::from_slice(&numbers).to_device(device)
    };
    let sign = column(&|first| if first { 1.0 } else { -1.0 }); // [n]
    let weight = column(&|first| 0.5 / if first { firsts } else { n - firsts }); // [n], sums up to 1
    let loss = |shares: &Tensor| {
        let scores = kernel.mv(shares);
        let fit = ((&scores * &sign).log_sigmoid() * &weight).sum(Kind::Double);
        let size = (shares * &scores).sum(Kind::Double) * (regularisation / 2.0);
        (size - fit).double_value(&[])
    };
    let mut shares = sign.zeros_like();
    let mut best = loss(&shares);
    for _ in 0..STEPS {
        let scores = kernel.mv(&shares);
        let wrong = (-(&scores * &sign)).sigmoid(); // how far each is from its label
        let pull = &wrong * &sign * &weight;
        let curve = (&wrong * (wrong.ones_like() - &wrong) * &weight).clamp_min(FLATTEST); // [n]
        // (K + λ / curve) α' = K α + pull / curve
        let left = &kernel + (curve.reciprocal() * regularisation).diag(0);
        let right = (&scores + pull / &curve).unsqueeze(1);
        let lower = Tensor::linalg_cholesky(&left, false);
        let aim = right.cholesky_solve(&lower, false).squeeze_dim(1);
        let step = aim - &shares;
        let mut part = 1.0;
        let (next, value) = loop {
            let next = &shares + &step * part;
            let value = loss(&next);
            if value <= best || part < 1e-6 {
                break (next, value);
            }
            part /= 2.0;
        };
        if !value.is_finite() {
            return Err(Failure::new("a probe's objective is not a number"));
        }
        let fell = best - value;
        if fell > 0.0 {
            (shares, best) = (next, value);
        }
        if fell < ENOUGH {
            break;
        }
    }
    Ok(shares / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_minimum_the_gradient_is_zero() {
        let numbers = [1.0, 0.2, -0.5, 0.9, -1.0, 0.3, -0.4, -0.8, 0.6, 0.1f64];
        let rows = Tensor::from_slice(&numbers).view([5, 2]);
        let labels = [true, true, false, false, true];
        let shares = fit(&rows.matmul(&rows.tr()), &labels, 0.01).expect("shares");
        let weights: Vec<f64> = Vec::try_from(rows.tr().mv(&shares)).expect("weights");
        // The gradient of the objective in its first form.
        let scale = numbers.iter().map(|x| x * x).sum::<f64>() / 5.0;
        for place in 0..2 {
            let mut gradient = 0.01 * scale * weights[place];
            for (row, first) in numbers.chunks(2).zip(labels) {
                let (sign, share) = if first { (1.0, 0.5 / 3.0) } else { (-1.0, 0.5 / 2.0) };
                let score = sign * (row[0] * weights[0] + row[1] * weights[1]);
                gradient -= share * sign * row[place] / (1.0 + score.exp());
            }
            assert!(gradient.abs() < 1e-7, "{gradient}");
        }
        assert!(fit(&rows.matmul(&rows.tr()), &[true; 5], 0.01).is_err());
    }
}
