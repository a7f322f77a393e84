//! A path of sparse regressions: a standardised sample in; the weights at each of a falling series of penalties out.

use super::descent::Signs;
use super::multinomial::Sample;
use super::point::Point;
use super::sparse::Solver;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};

/// The factor between two penalties, if there are not too many of them.
const COARSEST: f64 = 0.9;

/// Which path is followed, and how exactly.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which signs weights may have.
    pub signs: Signs,
    /// The most penalties, which fall by equal factors.
    pub points: usize,
    /// The last penalty.
    pub last: Last,
    /// The path ends behind the first point with more weights for each class on average.
    pub most_terms: f64,
    /// The duality gap at which a point is good enough, relative to the loss without weights.
    pub tolerance: f64,
}

/// The last penalty of a path.
#[derive(Debug, Clone, Copy)]
pub enum Last {
    /// This λ.
    Strength(f64),
    /// This part of the greatest, at which all weights are zero.
    Part(f64),
}

/// The whole path, from the penalty at which all weights are zero.
///
/// # Errors
/// If no unit varies, numbers are not finite, or it is cancelled.
pub fn path(
    sample: &Sample,
    options: Options,
    monitor: &mut dyn Monitor,
) -> Result<Vec<Point>, Failure> {
    let mut solver = Solver::new(sample, options.signs, options.tolerance)?;
    let greatest = solver.greatest();
    if !(greatest.is_finite() && greatest > 1e-9) {
        return Err(Failure::new("no unit tells the classes apart: none varies with them"));
    }
    let part = match options.last {
        Last::Part(part) => part,
        Last::Strength(strength) => strength / greatest,
    };
    // No finer than the strong rule needs to choose well.
    let steps = (part.ln() / COARSEST.ln()).ceil().clamp(0.0, options.points as f64 - 1.0) as usize;
    let mut all = Vec::new();
    for step in 0..=steps {
        let done = if steps == 0 { 1.0 } else { step as f64 / steps as f64 };
        monitor.progress(&Progress {
            stage: "fitting the probe",
            step: step as u64,
            total: steps as u64 + 1,
            unit: "step",
            picture: None,
        });
        let point = solver.solve(greatest * part.powf(done), monitor)?;
        let terms = point.terms();
        all.push(point);
        if terms > options.most_terms {
            break;
        }
    }
    Ok(all)
}
