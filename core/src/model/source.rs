//! Where in a weights file a tensor is that OpenAI's checkpoints have under another name.

use super::checkpoint::{Header, TensorInfo};

/// Where a tensor is in a file, by the names there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One tensor, as it is.
    Whole(String),
    /// A matrix with rows and columns exchanged.
    Transposed(String),
    /// Three tensors, one below the other.
    Stacked([String; 3]),
}

impl Source {
    /// The names in the file.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Whole(name) | Self::Transposed(name) => std::slice::from_ref(name),
            Self::Stacked(names) => names,
        }
    }

    /// The shape in OpenAI's form; `None` if the file lacks the tensor.
    pub fn shape(&self, header: &Header) -> Option<Vec<u64>> {
        let shape = |name: &String| header.tensors.get(name).map(|info: &TensorInfo| &info.shape);
        match self {
            Self::Whole(name) => shape(name).cloned(),
            Self::Transposed(name) => Some(shape(name)?.iter().rev().copied().collect()),
            Self::Stacked([first, second, third]) => {
                let (first, second, third) = (shape(first)?, shape(second)?, shape(third)?);
                let alike = first == second && first == third && !first.is_empty();
                // Tensors of different shapes cannot be stacked; the shape of the first one alone then fails later
                // checks.
                let times = if alike { 3 } else { 1 };
                let rows = first.first().map(|rows| rows.saturating_mul(times));
                Some(rows.into_iter().chain(first.iter().skip(1).copied()).collect())
            }
        }
    }
}
