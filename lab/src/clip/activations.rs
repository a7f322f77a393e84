//! Named activations: what a forward pass meets, as far as it was asked for.
//!
//! n: images or texts, c: units, h and w: rows and columns of a map, t: tokens.

use std::collections::BTreeMap;

use neuronotes::model::Stage;
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Activations by stage.
#[derive(Debug, Default)]
pub struct Activations {
    after: BTreeMap<Stage, Tensor>,
    before: BTreeMap<Stage, Tensor>,
}

impl Activations {
    /// The activation at `stage`: `[n, c, h, w]` on a map, `[n, t, c]` on tokens, else `[n, c]`.
    ///
    /// # Errors
    /// Where it was not asked for, or the model has no such stage.
    pub fn get(&self, stage: Stage) -> Result<&Tensor, Failure> {
        self.after
            .get(&stage)
            .ok_or_else(|| Failure::new(format!("the model has no activation {stage:?}")))
    }

    /// What the ReLU at `stage` was given, where it is one: `[n, c, h, w]`.
    pub fn before_relu(&self, stage: Stage) -> Option<&Tensor> {
        self.before.get(&stage)
    }
}

/// An activation with its units in the second place and its positions in the third, in single precision:
/// `[n, c, h, w]`, `[n, t, c]` or `[n, c]` to `[n, c, positions]`.
pub fn by_unit(activation: &Tensor) -> Tensor {
    let activation = activation.to_kind(Kind::Float);
    match activation.dim() {
        4 => activation.flatten(2, -1),
        3 => activation.transpose(1, 2),
        _ => activation.unsqueeze(-1),
    }
}

/// Collects what is asked for, and knows when that is complete.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    wanted: &'a [Stage],
    found: Activations,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub fn new(wanted: &'a [Stage]) -> Self {
        Self { wanted, found: Activations::default() }
    }

    /// Applies a ReLU, and keeps what it was given as well. `given` is the stage of `x`, which nobody but this
    /// collector may hold: where neither is wanted, the ReLU overwrites it, for in a ResNet at reduced precision memory
    /// takes as long as arithmetic.
    pub fn relu(&mut self, given: Stage, stage: Stage, mut x: Tensor) -> Tensor {
        if self.wants(stage) {
            let after = x.relu();
            self.found.before.insert(stage, x);
            self.found.after.insert(stage, after.shallow_clone());
            after
        } else if self.wants(given) {
            x.relu()
        } else {
            x.relu_()
        }
    }

    /// Keeps an activation that is wanted.
    pub fn offer(&mut self, stage: Stage, x: &Tensor) {
        if self.wants(stage) {
            self.found.after.insert(stage, x.shallow_clone());
        }
    }

    /// Whether that activation was asked for.
    pub fn wants(&self, stage: Stage) -> bool {
        self.wanted.contains(&stage)
    }

    /// Whether all that was asked for is there: the forward pass may stop.
    pub fn complete(&self) -> bool {
        self.wanted.iter().all(|stage| self.found.after.contains_key(stage))
    }

    /// What was found.
    pub fn done(self) -> Activations {
        self.found
    }
}
