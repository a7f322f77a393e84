//! Weights files: names, types, shapes and places of the tensors in safetensors files and in archives of PyTorch, read
//! from their headers alone. Knows nothing of networks.

mod archive;
mod error;
mod header;
pub mod parts;
mod pickle;
mod safetensors;
mod tensor;
mod tree;

pub use error::{HeaderError, printable};
pub use header::Header;
pub use tensor::TensorInfo;
