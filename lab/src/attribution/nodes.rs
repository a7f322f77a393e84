//! Nodes and weights of the Gauss–Legendre quadrature. Knows nothing of what is integrated.

use std::f64::consts::PI;

/// Steps of Newton's method; it doubles the right digits with each, from four on.
const STEPS: usize = 12;

/// Nodes in (0, 1), ascending, and their weights, whose sum is 1. A rule of `count` nodes is exact for polynomials of a degree
/// below `2 · count`. The nodes are the roots of the Legendre polynomial of that degree, found by Newton's method (Press et
/// al., *Numerical Recipes*, section 4.6).
pub fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |index: usize| {
        // Close to the root; cos falls, so that nodes ascend from the last.
        let mut x = (PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..STEPS {
            let (value, before) = legendre(count, x);
            slope = n * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        ((x + 1.0) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).rev().map(node).collect()
}

/// The Legendre polynomials of the degrees `count` and `count - 1` at `x`.
fn legendre(count: usize, x: f64) -> (f64, f64) {
    let (mut value, mut before) = (1.0, 0.0);
    for degree in 0..count {
        let n = degree as f64;
        (value, before) = (((2.0 * n + 1.0) * x * value - n * before) / (n + 1.0), value);
    }
    (value, before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }

    #[test]
    fn small_rules_are_those_of_the_tables() {
        // On (-1, 1): Abramowitz and Stegun, table 25.4.
        for (count, expected) in [
            (1, &[(0.0, 2.0)][..]),
            (2, &[(-0.577_350_269_189_626, 1.0), (0.577_350_269_189_626, 1.0)]),
            (
                3,
                &[
                    (-0.774_596_669_241_483, 0.555_555_555_555_556),
                    (0.0, 0.888_888_888_888_889),
                    (0.774_596_669_241_483, 0.555_555_555_555_556),
                ],
            ),
            (
                5,
                &[
                    (-0.906_179_845_938_664, 0.236_926_885_056_189),
                    (-0.538_469_310_105_683, 0.478_628_670_499_366),
                    (0.0, 0.568_888_888_888_889),
                    (0.538_469_310_105_683, 0.478_628_670_499_366),
                    (0.906_179_845_938_664, 0.236_926_885_056_189),
                ],
            ),
        ] {
            let found = gauss_legendre(count);
            assert_eq!(found.len(), expected.len());
            for ((x, weight), (expected, of)) in found.into_iter().zip(expected) {
                close(x, (expected + 1.0) / 2.0);
                close(weight, of / 2.0);
            }
        }
    }

    #[test]
    fn a_rule_integrates_polynomials_below_twice_its_nodes() {
        for count in [1, 2, 7, 50, 300] {
            let rule = gauss_legendre(count);
            assert!(rule.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for power in [0, 1, count, 2 * count - 1] {
                let exponent = i32::try_from(power).expect("a small number");
                let sum: f64 = rule.iter().map(|(x, weight)| weight * x.powi(exponent)).sum();
                close(sum, 1.0 / (power as f64 + 1.0));
            }
            let beyond = i32::try_from(2 * count).expect("a small number");
            let sum: f64 = rule.iter().map(|(x, weight)| weight * x.powi(beyond)).sum();
            if count < 5 {
                assert!((sum - 1.0 / (f64::from(beyond) + 1.0)).abs() > 1e-9, "{count}");
            }
        }
    }
}
