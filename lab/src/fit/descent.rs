//! Coordinate descent on a quadratic function with an L1 penalty: a matrix of curvatures and a slope in; the weights at the
//! minimum out.
//!
//! Friedman, Hastie and Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010,
//! section 2.1.

/// The most passes over all weights.
const PASSES: usize = 500;
/// The least curvature of a weight, relative to the greatest.
const FLATTEST: f64 = 1e-9;

/// What a weight may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// Any number.
    Both,
    /// A number from 0.
    NonNegative,
}

impl Signs {
    /// How far a slope exceeds what the penalty holds at a weight: zero everywhere at the minimum.
    pub fn violation(self, slope: f64, weight: f64, penalty: f64) -> f64 {
        match (weight, self) {
            (weight, _) if weight > 0.0 => (slope + penalty).abs(),
            (weight, _) if weight < 0.0 => (slope - penalty).abs(),
            _ => (self.pull(slope) - penalty).max(0.0),
        }
    }

    /// How strongly a slope pulls a weight away from zero.
    pub fn pull(self, slope: f64) -> f64 {
        match self {
            Self::Both => slope.abs(),
            Self::NonNegative => -slope,
        }
    }

    /// The minimum of `curvature (w − aim)² / 2 + penalty |w|`.
    fn shrunk(self, aim: f64, penalty: f64, curvature: f64) -> f64 {
        let size = (aim.abs() - penalty / curvature).max(0.0);
        match self {
            Self::NonNegative if aim < 0.0 => 0.0,
            _ => size.copysign(aim),
        }
    }
}

/// Moves `weights` to the minimum of `slope · d + d' curvature d / 2 + Σ penaltyⱼ |wⱼ + dⱼ|`, where d is how far they move.
/// `curvature` is square, row by row; a weight whose penalty is zero may have either sign.
pub fn descend(
    curvature: &[f64],
    slope: &[f64],
    penalties: &[f64],
    signs: Signs,
    weights: &mut [f64],
) {
    let n = weights.len();
    let most = (0..n).map(|at| curvature[at * n + at]).fold(0.0, f64::max);
    let floor = (most * FLATTEST).max(f64::MIN_POSITIVE);
    let mut slope = slope.to_vec();
    for _ in 0..PASSES {
        let (mut furthest, mut size) = (0.0f64, 0.0f64);
        for at in 0..n {
            let own = curvature[at * n + at].max(floor);
            let signs = if penalties[at] > 0.0 { signs } else { Signs::Both };
            let next = signs.shrunk(weights[at] - slope[at] / own, penalties[at], own);
            let moved = next - weights[at];
            size = size.max(own * next * next);
            if moved != 0.0 {
                weights[at] = next;
                furthest = furthest.max(own * moved * moved);
                let row = &curvature[at * n..(at + 1) * n];
                slope.iter_mut().zip(row).for_each(|(slope, across)| *slope += across * moved);
            }
        }
        if furthest <= 1e-14 * size || furthest == 0.0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVATURE: [f64; 9] = [2.0, 0.5, 0.3, 0.5, 1.0, -0.2, 0.3, -0.2, 1.5];

    fn minimum(slope: [f64; 3], penalties: [f64; 3], signs: Signs) -> ([f64; 3], [f64; 3]) {
        let mut weights = [0.1, -0.4, 0.0];
        let start = weights;
        descend(&CURVATURE, &slope, &penalties, signs, &mut weights);
        let mut there = slope;
        for (at, slope) in there.iter_mut().enumerate() {
            let row = &CURVATURE[at * 3..at * 3 + 3];
            *slope += (0..3).map(|to| row[to] * (weights[to] - start[to])).sum::<f64>();
        }
        (weights, there)
    }

    #[test]
    fn at_the_minimum_no_slope_exceeds_the_penalty() {
        for signs in [Signs::Both, Signs::NonNegative] {
            for slope in [[-1.0, 0.4, 0.2], [0.3, -2.0, 1.0], [0.1, 0.1, 0.1]] {
                let penalties = [0.5, 0.5, 0.0];
                let (weights, there) = minimum(slope, penalties, signs);
                for at in 0..2 {
                    let off = signs.violation(there[at], weights[at], 0.5);
                    assert!(off < 1e-6, "{slope:?} {weights:?} {there:?}");
                    assert!(signs == Signs::Both || weights[at] >= 0.0, "{weights:?}");
                }
                // Without a penalty the slope is zero, whatever the sign.
                assert!(there[2].abs() < 1e-6, "{there:?}");
            }
        }
    }

    #[test]
    fn a_flat_coordinate_does_not_run_away_to_nan() {
        let mut weights = [0.0, 0.0];
        descend(&[1.0, 0.0, 0.0, 0.0], &[-1.0, 0.0], &[0.1, 0.1], Signs::Both, &mut weights);
        assert!((weights[0] - 0.9).abs() < 1e-9 && weights[1] == 0.0, "{weights:?}");
    }
}
