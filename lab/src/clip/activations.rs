//! Named activations: what a forward pass meets, as far as it was asked for.
//!
//! n: images or texts, c: units, h and w: rows and columns of a map, t: tokens.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use neuronotes_core::model::Stage;
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Activations by stage.
#[derive(Debug, Default)]
pub struct Activations {
    after: BTreeMap<Stage, Tensor>,
    cuts: Vec<Cut>,
}

/// A ReLU at which the graph was cut: what follows it has gradients with respect to `after` alone, so that whoever
/// goes backward decides how they get past the ReLU.
#[derive(Debug)]
pub struct Cut {
    /// What the ReLU was given: `[n, c, h, w]`, in the graph of what came before.
    pub before: Tensor,
    /// What it gave: `[n, c, h, w]`, a leaf.
    pub after: Tensor,
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

    /// The ReLUs at which the graph was cut, in the order of the forward pass. Each depends on at most the three
    /// before it.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
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

/// Collects what is asked for, and ends the forward pass once that is complete: what it returns is followed by `?`.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    wanted: &'a [Stage],
    cutting: bool,
    found: Activations,
}

impl<'a> Collector<'a> {
    /// Nothing yet.
    pub fn new(wanted: &'a [Stage]) -> Self {
        Self { wanted, cutting: false, found: Activations::default() }
    }

    /// Nothing yet; the graph will be cut at each ReLU.
    pub fn cutting(wanted: &'a [Stage]) -> Self {
        Self { cutting: true, ..Self::new(wanted) }
    }

    /// Applies a ReLU. `given` is the stage of `x`, which nobody but this collector may hold: where neither it nor
    /// `stage` is wanted, the ReLU overwrites it, for in a ResNet at reduced precision memory takes as long as arithmetic.
    pub fn relu(&mut self, given: Stage, stage: Stage, mut x: Tensor) -> ControlFlow<(), Tensor> {
        let after = match self.cutting || self.wants(given) {
            true => x.relu(),
            false => x.relu_(),
        };
        let after = match self.cutting {
            true => {
                let after = after.detach().set_requires_grad(true);
                self.found.cuts.push(Cut { before: x, after: after.shallow_clone() });
                after
            }
            false => after,
        };
        self.offer(stage, after)
    }

    /// Keeps an activation if it is wanted, and hands it back; breaks off once all that is wanted has been found.
    pub fn offer(&mut self, stage: Stage, x: Tensor) -> ControlFlow<(), Tensor> {
        if self.wants(stage) {
            self.found.after.insert(stage, x.shallow_clone());
        }
        match self.wanted.iter().all(|stage| self.found.after.contains_key(stage)) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(x),
        }
    }

    /// The stages that were asked for.
    pub fn wanted(&self) -> &'a [Stage] {
        self.wanted
    }

    /// Whether that activation was asked for.
    pub fn wants(&self, stage: Stage) -> bool {
        self.wanted.contains(&stage)
    }

    /// What was found.
    pub fn done(self) -> Activations {
        self.found
    }
}
