//! How a model is loaded: its device, its precision, and how its BatchNorms are applied.

use neuronotes_core::model::{Conventions, Precision};
use tch::Device;

/// How a model is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    /// The device to load it to.
    pub device: Device,
    /// What the weights alone do not say.
    pub conventions: Conventions,
    /// Arithmetic of the forward pass.
    pub precision: Precision,
    /// How each BatchNorm is applied.
    pub norm: BatchNorm,
    /// The seed by which the weights of the visual tower are shuffled, if they are.
    pub shuffled: Option<u64>,
}

/// How each BatchNorm is applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchNorm {
    /// It is folded into the convolution before it. Fastest, but activations between the two
    /// ([`Stage::splits_norm`](neuronotes_core::model::Stage::splits_norm)) cannot be had.
    Folded,
    /// It is applied separately, with its running statistics.
    Apart,
    /// It normalises by the statistics of each batch, and updates its running statistics.
    Training {
        /// The weight of a batch's statistics in the running ones.
        momentum: f64,
    },
}

impl Loading {
    /// Single precision, with BatchNorm folded.
    pub fn new(device: Device, conventions: Conventions) -> Self {
        Self {
            device,
            conventions,
            precision: Precision::F32,
            norm: BatchNorm::Folded,
            shuffled: None,
        }
    }
}
