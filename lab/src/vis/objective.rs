//! Objectives: activations in; the number that is to grow out.

use neuronotes::analysis::feature_vis::Objective;
use neuronotes::model::Stage;
use tch::{Kind, Tensor};

use crate::clip::activations::Activations;
use crate::failure::Failure;

/// A unit, and what of it is to grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The unit's layer.
    pub stage: Stage,
    /// Channel, from 0.
    pub unit: u32,
    /// Over all positions, or the central one.
    pub objective: Objective,
}

impl Target {
    /// The unit's activation, a scalar: for a vector layer its one value, whatever the objective.
    ///
    /// # Errors
    /// Where the activations lack the layer.
    pub fn value(&self, activations: &Activations) -> Result<Tensor, Failure> {
        Ok(self.of(activations.get(self.stage)?))
    }

    /// What to follow the gradient of, a scalar. It is [`Target::value`], except where a ReLU is silent
    /// for the whole image: there no gradient comes through, and its input is followed until it speaks.
    /// (Lucid redirects the gradient of every ReLU for 16 steps to the same end.)
    ///
    /// # Errors
    /// Where the activations lack the layer.
    pub fn ascent(&self, activations: &Activations, value: &Tensor) -> Result<Tensor, Failure> {
        match activations.before_relu(self.stage) {
            Some(before) if value.double_value(&[]) == 0.0 => Ok(self.of(before)),
            _ => Ok(value.shallow_clone()),
        }
    }

    fn of(&self, layer: &Tensor) -> Tensor {
        let unit = i64::from(self.unit);
        let unit = match layer.dim() {
            3 => layer.select(2, unit), // [1, t]
            _ => layer.select(1, unit), // [1, h, w] or [1]
        };
        match (self.objective, unit.dim()) {
            (Objective::Neuron, 3) => {
                let (h, w) = (unit.size()[1], unit.size()[2]);
                unit.select(2, w / 2).select(1, h / 2).mean(Kind::Float)
            }
            (Objective::Neuron, 2) => {
                // The class token stands before the patches, which are a square.
                let side = (unit.size()[1] - 1).isqrt();
                unit.select(1, 1 + side / 2 * side + side / 2).mean(Kind::Float)
            }
            _ => unit.mean(Kind::Float),
        }
    }
}
