//! Named activations: the requested ones of a forward pass.
//!
//! n: images or texts, c: units, h and w: rows and columns of a map, t: tokens.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use neuronotes_core::model::Stage;
use tch::{Kind, Tensor};

use super::hook::Hook;
use crate::failure::Failure;

/// Activations by stage.
#[derive(Debug, Default)]
pub struct Activations {
    after: BTreeMap<Stage, Tensor>,
    cuts: Vec<Cut>,
}

/// A ReLU at which the graph was cut: what follows it has gradients with respect to `after` alone, so that the backward
/// pass decides how they pass the ReLU.
#[derive(Debug)]
pub struct Cut {
    /// The input of the ReLU: `[n, c, h, w]`, in the graph of what came before.
    pub before: Tensor,
    /// The output of the ReLU: `[n, c, h, w]`, a leaf.
    pub after: Tensor,
}

impl Activations {
    /// The activation at `stage`: `[n, c, h, w]` on a map, `[n, t, c]` on tokens, else `[n, c]`.
    ///
    /// # Errors
    /// If it was not requested, or the model has no such stage.
    pub fn get(&self, stage: Stage) -> Result<&Tensor, Failure> {
        self.after
            .get(&stage)
            .ok_or_else(|| Failure::new(format!("the model has no activation {stage:?}")))
    }

    /// Those of several batches, one after the other, of which the first `count` images are kept.
    ///
    /// # Errors
    /// If memory runs out, or the batches have other stages.
    pub(super) fn joined(parts: &[Self], count: i64) -> Result<Self, Failure> {
        let mut after = BTreeMap::new();
        for stage in parts.first().into_iter().flat_map(|part| part.after.keys()) {
            let all: Vec<&Tensor> =
                parts.iter().map(|part| part.get(*stage)).collect::<Result<_, _>>()?;
            after.insert(*stage, Tensor::f_cat(&all, 0)?.f_narrow(0, 0, count)?);
        }
        Ok(Self { after, cuts: Vec::new() })
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
    arranged(&activation.to_kind(Kind::Float))
}

/// The same in the precision that it has.
pub fn arranged(activation: &Tensor) -> Tensor {
    match activation.dim() {
        4 => activation.flatten(2, -1),
        3 => activation.transpose(1, 2),
        _ => activation.unsqueeze(-1),
    }
}

/// Collects the requested activations, and ends the forward pass by `?` once it has all of them.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    wanted: &'a [Stage],
    cutting: bool,
    hook: Option<Hook<'a>>,
    failure: Option<Failure>,
    found: Activations,
}

impl<'a> Collector<'a> {
    /// A collector of these stages.
    pub fn new(wanted: &'a [Stage]) -> Self {
        let found = Activations::default();
        Self { wanted, cutting: false, hook: None, failure: None, found }
    }

    /// A collector of these stages that cuts the graph at each ReLU.
    pub fn cutting(wanted: &'a [Stage]) -> Self {
        Self { cutting: true, ..Self::new(wanted) }
    }

    /// A collector of these stages in a pass in which the activation at another stage is replaced.
    pub fn hooked(wanted: &'a [Stage], hook: Hook<'a>) -> Self {
        Self { hook: Some(hook), ..Self::new(wanted) }
    }

    /// Applies a ReLU. `given` is the stage of `x`, which nothing but this collector may hold: unless `given` is held, the
    /// ReLU overwrites `x`, because in a ResNet at reduced precision memory traffic takes as long as arithmetic.
    pub fn relu(&mut self, given: Stage, stage: Stage, mut x: Tensor) -> ControlFlow<(), Tensor> {
        let after = match self.cutting || self.holds(given) {
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

    /// Keeps an activation if it was requested, and returns it, or what replaces it; breaks once all requested activations
    /// have been found.
    pub fn offer(&mut self, stage: Stage, mut x: Tensor) -> ControlFlow<(), Tensor> {
        if let Some(hook) = self.hook.as_mut().filter(|hook| hook.stage == stage) {
            match hook.replaced(&x) {
                Ok(new) => x = new,
                Err(failure) => {
                    self.failure = Some(failure);
                    return ControlFlow::Break(());
                }
            }
        }
        if self.wanted.contains(&stage) {
            self.found.after.insert(stage, x.shallow_clone());
        }
        match self.wanted.iter().all(|stage| self.found.after.contains_key(stage)) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(x),
        }
    }

    /// The stages that the pass must reach: the requested ones, and the one whose activation is replaced.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        self.wanted.iter().copied().chain(self.hook.as_ref().map(|hook| hook.stage))
    }

    /// Whether somebody may hold that activation after it was offered, so that it must not be overwritten.
    pub fn holds(&self, stage: Stage) -> bool {
        self.stages().any(|held| held == stage)
    }

    /// The activations that were found.
    ///
    /// # Errors
    /// If an activation could not be replaced, or the pass ended before it was reached.
    pub fn done(self) -> Result<Activations, Failure> {
        match (self.failure, self.hook) {
            (Some(failure), _) => Err(failure),
            (None, Some(Hook { stage, reached: false, .. })) => Err(Failure::new(format!(
                "the pass did not reach {stage:?}, which it was to replace"
            ))),
            (None, _) => Ok(self.found),
        }
    }
}
