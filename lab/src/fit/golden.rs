//! Golden numbers for the tests of this module: a tensor's name in; its numbers out.

use std::path::Path;

use safetensors::SafeTensors;
use tch::{Kind, Tensor};

/// A tensor of `golden/sparse.safetensors`, which `tests/reference/sparse.py` writes.
pub(super) fn golden(name: &str) -> Tensor {
    golden_of("sparse.safetensors", name)
}

/// A tensor in double precision of a file in `golden`.
pub(super) fn golden_of(file: &str, name: &str) -> Tensor {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let bytes = std::fs::read(path).expect("a golden file");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let view = tensors.tensor(name).expect("a tensor");
    let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
    Tensor::f_from_data_size(view.data(), &shape, Kind::Double).expect("numbers")
}

/// All numbers of a tensor.
pub(super) fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.contiguous().view(-1)).expect("numbers")
}
