//! Measures `feature_vis`: an image optimised until a unit answers to it as strongly as can be.

use std::time::Duration;

use neuronotes::analysis::feature_vis::{KIND, Outcome, Params};

use super::{check_unit, layer, params};
use crate::failure::Failure;
use crate::monitor::{Every, Progress};
use crate::session::{Bench, png};
use crate::vis::objective::Target;
use crate::vis::optimise::{Recipe, optimise};

/// Most points of the curve.
const POINTS: usize = 64;

pub(super) fn run(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let params: Params = params(&bench.request.params, Some(&KIND))?;
    let clip = bench.clip()?;
    let layer = layer(&clip.architecture, &params.layer)?;
    check_unit(&params.layer, layer.units as usize, params.unit)?;
    let target = Target { stage: layer.stage, unit: params.unit, objective: params.objective };
    let recipe = Recipe {
        size: params.size,
        steps: params.steps,
        learning_rate: params.learning_rate,
        transforms: params.transforms,
        seed: params.seed,
    };
    // Each step disturbs the picture to another size, for which trying algorithms would never pay.
    tch::Cuda::cudnn_set_benchmark(false);
    let monitor = &mut *bench.monitor;
    let mut picture_due = Every::new(Duration::from_millis(300), Duration::from_secs(1));
    let made = optimise(&clip, &target, &recipe, |step| {
        monitor.check()?;
        let picture = match picture_due.due() {
            true => Some(png(&step.pixels(), params.size, params.size)?),
            false => None,
        };
        monitor.progress(&Progress {
            stage: "optimising",
            step: step.done.into(),
            total: params.steps.into(),
            unit: "step",
            picture: picture.as_deref(),
        });
        Ok(())
    })?;
    let outcome = Outcome {
        size: params.size,
        activation: made.activation,
        activation_at_start: made.activation_at_start,
        curve: thin(&made.values),
    };
    let picture = png(&made.pixels, params.size, params.size)?;
    let store = &bench.store();
    bench.record.add_output(store, "image.png", "image/png", &picture)?;
    bench.record.set_result(store, &outcome)?;
    Ok(())
}

/// At most [`POINTS`] of the values with their step, counted from 0; first and last among them.
fn thin(values: &[f64]) -> Vec<(u32, f64)> {
    let last = values.len().saturating_sub(1);
    let points = values.len().min(POINTS);
    (0..points)
        .map(|i| {
            let at = if points > 1 { (i * last + (points - 1) / 2) / (points - 1) } else { 0 };
            (at as u32, values[at])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_its_ends_and_never_more_than_64_points() {
        for count in [1usize, 2, 3, 63, 64, 65, 512, 4096] {
            let values: Vec<_> = (0..count).map(|i| i as f64).collect();
            let curve = thin(&values);
            assert_eq!(curve.len(), count.min(64));
            assert_eq!(curve.first(), Some(&(0, 0.0)));
            assert_eq!(curve.last(), Some(&(count as u32 - 1, count as f64 - 1.0)));
            assert!(curve.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
