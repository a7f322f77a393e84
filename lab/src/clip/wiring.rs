//! The weights by which units are computed and read, as rows of matrices.

use tch::{Device, Kind, Tensor};

/// The weights of a layer's units. In double precision on the processor.
#[derive(Debug, Default)]
pub struct Wiring {
    /// The weights by which each unit is computed: `[units, …]`.
    pub into: Option<Tensor>,
    /// The weights by which the next layers read each unit: `[units, …]`.
    pub out: Option<Tensor>,
}

impl Wiring {
    /// Weights in and out, each as several matrices `[units, …]` side by side; none if the list is empty.
    pub(super) fn of(into: &[Tensor], out: &[Tensor]) -> Self {
        let beside = |parts: &[Tensor]| {
            let plain = |part: &Tensor| part.to_device(Device::Cpu).to_kind(Kind::Double);
            let parts: Vec<Tensor> = parts.iter().map(plain).collect();
            (!parts.is_empty()).then(|| Tensor::cat(&parts, 1))
        };
        Self { into: beside(into), out: beside(out) }
    }
}

/// A convolution's weights `[to, from, k, k]`, or a matrix `[to, from]`, as rows of what it writes: `[to, …]`.
pub(super) fn written(weight: &Tensor) -> Tensor {
    weight.contiguous().flatten(1, -1)
}

/// The same as rows of what it reads: `[from, …]`.
pub(super) fn read(weight: &Tensor) -> Tensor {
    weight.transpose(0, 1).contiguous().flatten(1, -1)
}
