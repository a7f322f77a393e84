//! The result of a probe: its lines, and how well it classifies.

use serde::{Deserialize, Serialize};

use crate::kind::spoiled::{self, Spoiled};
use crate::statistics::part;

/// The output with all weights, as f32: `weights`, `[classes, units]`, in units of each unit's standard deviation; `bias`,
/// `[classes]`; `mean` and `sd`, `[units]`, over the images that it was fitted to. The score of a class is
/// `bias + Σ weight (activation − mean) / sd`; a unit whose `sd` is zero is left out.
pub const WEIGHTS: &str = "probe.safetensors";
/// Maximum number of weights of a class in the outcome, those of greatest size.
pub const MOST_WEIGHTS: usize = 64;

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The classes, in the order of the block or else sorted.
    pub classes: Vec<Line>,
    /// Number of units.
    pub units: u64,
    /// Number of units that are the same for all images, and so are left out.
    pub constant: u64,
    /// Units that are left out, since an activation of theirs is NaN or infinite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spoiled: Vec<Spoiled>,
    /// Number of images without the caption or label that `truth` names.
    pub unlabelled: u64,
    /// Number of images that are of none of the classes.
    pub outside: u64,
    /// Strength of the penalty, λ.
    pub regularisation: f64,
    /// The images that it was fitted to.
    pub train: Score,
    /// The images that were held out.
    pub held_out: Score,
    /// Number of held-out images of the class that is most common among those that it was fitted to.
    pub commonest: u64,
    /// Held-out images by the probability of their predicted class, in ten bins of equal width without empty ones.
    pub calibration: Vec<Bin>,
    /// The path from the greatest penalty; empty for L2.
    pub path: Vec<Step>,
    /// A bound on the distance to the minimum of the objective, relative to the loss without weights.
    pub gap: f64,
    /// Whether that is within the tolerance, at every step of the path.
    pub converged: bool,
    /// Number of optimisation steps.
    pub steps: u64,
}

/// One class: a line of the probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its label.
    pub label: String,
    /// Number of its images that the probe was fitted to.
    pub train: u64,
    /// Number of its held-out images.
    pub of: u64,
    /// Number of these that are classified correctly.
    pub right: u64,
    /// Its bias.
    pub bias: f64,
    /// Number of its weights other than zero.
    pub terms: u64,
    /// Its weights of greatest size, at most [`MOST_WEIGHTS`], the greatest first.
    pub weights: Vec<Weight>,
}

/// One term of a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// The unit.
    pub unit: u32,
    /// Its weight, in units of its standard deviation.
    pub weight: f64,
}

/// How well images are classified.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Number of images.
    pub of: u64,
    /// Number of images whose class is the most probable one.
    pub right: u64,
    /// Number of images whose class is among the five most probable.
    pub top5: u64,
    /// Mean of −log p, p the probability of the image's class.
    pub loss: f64,
}

/// Images whose predicted class has about the same probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// Least probability.
    pub low: f64,
    /// Greatest probability.
    pub high: f64,
    /// Number of images.
    pub of: u64,
    /// Number of images that are classified correctly.
    pub right: u64,
    /// Their mean probability.
    pub confidence: f64,
}

/// A probe on the path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Strength of the penalty, λ.
    pub regularisation: f64,
    /// Weights other than zero for each class, on average.
    pub terms: f64,
    /// Number of images it was fitted to that are classified correctly.
    pub train: u64,
    /// Number of held-out images that are classified correctly.
    pub held_out: u64,
}

impl Outcome {
    /// Weights other than zero for each class, on average.
    pub fn terms(&self) -> f64 {
        let all: u64 = self.classes.iter().map(|line| line.terms).fold(0, u64::saturating_add);
        all as f64 / self.classes.len().max(1) as f64
    }

    /// The expected calibration error of held-out images: the mean distance between the accuracy of a bin and its mean
    /// probability. Guo et al., *On Calibration of Modern Neural Networks*, 2017, with ten bins.
    pub fn calibration_error(&self) -> f64 {
        let off = |bin: &Bin| bin.of as f64 * (part(bin.right, bin.of) - bin.confidence).abs();
        let all: f64 = self.calibration.iter().map(|bin| bin.of as f64).sum();
        self.calibration.iter().map(off).sum::<f64>() / all.max(1.0)
    }
}

/// A made-up outcome with two classes and this greatest weight.
pub fn sample(weight: f64) -> Outcome {
    let line = |label: &str, right: u64, weights: &[(u32, f64)]| Line {
        label: label.to_owned(),
        train: 30,
        of: 10,
        right,
        bias: -0.25,
        terms: weights.len() as u64,
        weights: weights.iter().map(|&(unit, weight)| Weight { unit, weight }).collect(),
    };
    let step = |regularisation: f64, terms: f64, train: u64, held_out: u64| Step {
        regularisation,
        terms,
        train,
        held_out,
    };
    let bin = |low: f64, of: u64, right: u64| Bin {
        low,
        high: low + 0.1,
        of,
        right,
        confidence: low + 0.05,
    };
    Outcome {
        classes: vec![
            line("castle", 9, &[(7, weight), (2, -0.5)]),
            line("cat", 8, &[(5, 0.75 * weight)]),
        ],
        units: 384,
        constant: 1,
        spoiled: spoiled::sample(9),
        unlabelled: 2,
        outside: 3,
        regularisation: 0.05,
        train: Score { of: 60, right: 57, top5: 60, loss: 0.3 },
        held_out: Score { of: 20, right: 17, top5: 20, loss: 0.4 },
        commonest: 10,
        calibration: vec![bin(0.5, 8, 5), bin(0.9, 12, 12)],
        path: vec![
            step(0.2, 0.0, 30, 10),
            step(0.1, 1.0, 48, 15),
            step(0.05, 1.5, 57, 17),
            step(0.025, 4.0, 60, 16),
        ],
        gap: 2e-5,
        converged: true,
        steps: 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_error_weighs_bins_by_their_images() {
        // (8 |5/8 − 0.55| + 12 |1 − 0.95|) / 20
        let found = sample(1.0).calibration_error();
        assert!((found - (8.0 * 0.075 + 12.0 * 0.05) / 20.0).abs() < 1e-12, "{found}");
        assert_eq!(Outcome { calibration: vec![], ..sample(1.0) }.calibration_error(), 0.0);
    }
}
