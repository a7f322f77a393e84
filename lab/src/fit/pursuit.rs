//! Orthogonal matching pursuit: columns and a target in; at most so many columns with their coefficients out.
//!
//! At each step the column with the greatest cosine to what is left joins, and the target is projected on all that have joined.
//! Only the direction of a column matters, not its length.
//!
//! Pati, Rezaiifar and Krishnaprasad, *Orthogonal Matching Pursuit*, 1993. scikit-learn's `orthogonal_mp` is the same for
//! columns of length 1.

use super::lasso::{Columns, Terms};
use crate::failure::Failure;

/// A column is dependent on others if less than this part of its length is outside their span.
const DEPENDENT: f64 = 1e-6;
/// Nothing is left of a target of which less than this part is outside the span.
const NOTHING: f64 = 1e-9;

/// Terms in the order in which they joined. There are fewer than `most` if nothing of the target is left before.
///
/// # Errors
/// If libtorch fails.
pub(crate) fn fit(x: &Columns, y: &[f64], most: usize) -> Result<Terms, Failure> {
    let lengths: Vec<f64> =
        (0..x.count()).map(|at| Ok(length(&x.column(at)?))).collect::<Result<_, Failure>>()?;
    let mut left = y.to_vec();
    let mut out: Vec<usize> = Vec::new(); // columns in the span of others
    let mut chosen: Vec<usize> = Vec::new();
    let mut basis: Vec<Vec<f64>> = Vec::new(); // orthonormal
    let mut parts: Vec<Vec<f64>> = Vec::new(); // each chosen column in that basis
    let mut aims: Vec<f64> = Vec::new(); // the target in that basis
    while chosen.len() < most.min(x.rows()) && length(&left) > NOTHING * length(y) {
        let pulls = x.products(&left)?;
        let cosine =
            |at: &usize| if lengths[*at] > 0.0 { pulls[*at].abs() / lengths[*at] } else { 0.0 };
        let free = (0..x.count()).filter(|at| !chosen.contains(at) && !out.contains(at));
        // Of equal ones the first.
        let next = free.rev().max_by(|a, b| cosine(a).total_cmp(&cosine(b)));
        let Some(next) = next.filter(|at| cosine(at) > NOTHING * length(y)) else { break };
        let mut rest = x.column(next)?;
        let mut part = vec![0.0; basis.len()];
        // Twice, since the first time leaves rounding errors.
        for _ in 0..2 {
            for (share, axis) in part.iter_mut().zip(&basis) {
                let along = dot(&rest, axis);
                *share += along;
                subtract(&mut rest, axis, along);
            }
        }
        let outside = length(&rest);
        if outside <= DEPENDENT * lengths[next] {
            out.push(next);
            continue;
        }
        rest.iter_mut().for_each(|x| *x /= outside);
        part.push(outside);
        let along = dot(&left, &rest);
        subtract(&mut left, &rest, along);
        chosen.push(next);
        basis.push(rest);
        parts.push(part);
        aims.push(along);
    }
    // The parts are the columns of a triangular matrix.
    let mut coefficients = aims;
    for at in (0..chosen.len()).rev() {
        let mut sum = coefficients[at];
        for later in at + 1..chosen.len() {
            sum -= parts[later][at] * coefficients[later];
        }
        coefficients[at] = sum / parts[at][at];
    }
    Ok(chosen.into_iter().zip(coefficients).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn subtract(from: &mut [f64], axis: &[f64], along: f64) {
    from.iter_mut().zip(axis).for_each(|(x, axis)| *x -= axis * along);
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::super::golden::{golden, numbers};
    use super::*;

    #[test]
    fn coefficients_are_those_of_scikit_learn() {
        let (x, y) = (golden("x"), numbers(&golden("y")));
        let columns = Columns::new(&x).expect("columns");
        let expected = golden("pursuit"); // [terms, columns]: with 1, 2, … terms
        for row in 0..expected.size()[0] {
            let found = fit(&columns, &y, row as usize + 1).expect("a fit");
            assert_eq!(found.len(), row as usize + 1);
            for (column, expected) in numbers(&expected.get(row)).into_iter().enumerate() {
                let found = found.iter().find(|(at, _)| *at == column).map_or(0.0, |(_, c)| *c);
                assert!((found - expected).abs() <= 1e-6, "{row}, {column}: {found} {expected}");
            }
        }
    }

    #[test]
    fn columns_count_by_direction_and_dependent_ones_are_passed_over() {
        // The second column is the first, longer; the last is zero.
        let x = Tensor::from_slice(&[1.0, 9.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0f64]).view([2, 4]);
        let columns = Columns::new(&x).expect("columns");
        let found = fit(&columns, &[2.0, 1.0], 4).expect("a fit");
        assert_eq!(found, [(0, 2.0), (2, 1.0)]);
        assert_eq!(fit(&columns, &[0.0, 0.0], 4).expect("a fit"), []);
    }

    #[test]
    fn a_planted_code_is_recovered() {
        // As for the lasso: four of 256 random columns in 64 dimensions, noise of a twentieth.
        let mut all = 0;
        for seed in 0..100 {
            tch::manual_seed(seed);
            let x = Tensor::randn([64, 256], (Kind::Double, Device::Cpu));
            let sizes = numbers(&(Tensor::rand([4], (Kind::Double, Device::Cpu)) + 1.0));
            let noise = numbers(&(Tensor::randn([64], (Kind::Double, Device::Cpu)) * 0.05));
            let mut planted: Terms = (0..4)
                .map(|n| {
                    (n * 50 + seed as usize % 50, if n % 2 == 0 { sizes[n] } else { -sizes[n] })
                })
                .collect();
            let x = Columns::new(&x).expect("columns");
            let y: Vec<f64> =
                x.sum(&planted).expect("a sum").iter().zip(noise).map(|(y, e)| y + e).collect();
            let mut found = fit(&x, &y, 4).expect("a fit");
            found.sort_by_key(|(at, _)| *at);
            planted.sort_by_key(|(at, _)| *at);
            let near =
                found.iter().zip(&planted).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 0.1);
            all += usize::from(near);
        }
        // 100 when this was written.
        assert!(all >= 98, "{all} of 100");
    }
}
