//! What the towers of all families have in common.

use std::fmt;

use neuronotes_core::model::Stage;
use tch::Tensor;

use super::activations::{Activations, Collector};
use super::terms::Terms;
use super::wiring::Wiring;
use crate::failure::Failure;

/// A network that turns images or texts into embeddings.
pub(super) trait Tower: fmt::Debug + Send {
    /// Runs the network on its input, up to the deepest stage that `out` collects. The input of a visual tower is
    /// `[n, 3, h, w]`, normalised; that of a text tower `[n, tokens]`, numbers of type i64.
    ///
    /// # Errors
    /// Fails if the network cannot take such an input, or if a stage cannot be had.
    fn forward(&self, input: &Tensor, out: Collector<'_>) -> Result<Activations, Failure>;

    /// Whether only inputs of the model's own size reach a stage.
    fn fixes_size(&self, stage: Stage) -> bool;

    /// What each unit of a stage adds to the embedding, if the embedding reads that stage by a matrix: `[units, embedding]`.
    fn effects(&self, _stage: Stage) -> Option<Tensor> {
        None
    }

    /// The weights by which the units at a stage are computed and read; none where they have none.
    fn wiring(&self, _stage: Stage) -> Wiring {
        Wiring::default()
    }

    /// The stages that [`Tower::terms`] needs.
    fn term_stages(&self) -> Vec<Stage> {
        Vec::new()
    }

    /// The terms of the embeddings, and what they add along a direction, `[embedding]`, given the activations at
    /// [`Tower::term_stages`].
    ///
    /// # Errors
    /// If the network's embeddings are no such sums, or activations are missing.
    fn terms(&self, _found: &Activations, _along: &Tensor) -> Result<Terms, Failure> {
        Err(Failure::new("embeddings of this network are no sum of terms"))
    }
}
