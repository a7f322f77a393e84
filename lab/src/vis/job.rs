//! One target of an optimisation, and the image that it begins from.

use tch::Tensor;

use super::objective::Target;

/// One target of a batch.
#[derive(Debug)]
pub struct Job {
    /// What to increase.
    pub target: Target,
    /// The initial image, `[1, 3, size, size]`, colours in 0…1; noise if absent.
    pub start: Option<Tensor>,
}
