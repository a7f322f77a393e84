//! The record of a training: its inputs and outputs, so that weights can be matched to the run that made them.

use std::path::Path;

use neuronotes_core::file::write_atomic;
use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use crate::failure::Failure;

/// A finished training. Digests are BLAKE3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Digest of the weights file.
    pub weights: String,
    /// Digest of the training set and of the list of names, one after the other.
    pub data: String,
    /// Everything else that decided the training, except the rounding of its arithmetic.
    pub recipe: Recipe,
    /// Pictures shown.
    pub samples: u64,
    /// Seconds spent.
    pub seconds: f64,
    /// `cpu` or `cuda:N`; with the number of threads and libtorch's version, this decides the rounding.
    pub device: String,
    /// Threads on the CPU.
    pub threads: u32,
    /// libtorch's version.
    pub libtorch: String,
}

impl Record {
    /// Writes it atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed =
            |why: String| Failure::new(format!("{} cannot be written ({why})", path.display()));
        let mut text =
            serde_json::to_string_pretty(self).map_err(|error| failed(error.to_string()))?;
        text.push('\n');
        write_atomic(path, text.as_bytes()).map_err(|error| failed(error.to_string()))
    }
}
