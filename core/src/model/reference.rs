//! How a request names a model: its weights, and the arithmetic of the forward pass.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::convention::Conventions;
use crate::digest::Digest;

/// Arithmetic of the forward pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE single precision.
    #[default]
    F32,
    /// bfloat16: the range of single precision with 8 bits; LayerNorm and sums in single precision.
    Bf16,
    /// IEEE half precision; LayerNorm and sums in single precision; on a GPU only.
    F16,
}

impl Precision {
    /// All, the default first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// The names of all.
    pub const NAMES: [&str; 3] = ["f32", "bf16", "f16"];

    /// Its name in YAML and JSON.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precision| precision.name() == name)
    }
}

/// A model. Only the digest of its weights and its conventions decide a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// The name in `neuronotes.yaml`.
    pub name: String,
    /// The absolute path of a safetensors file or a PyTorch archive.
    pub path: PathBuf,
    /// The digest of the file's bytes.
    pub digest: Digest,
    /// What the weights were trained with and do not say themselves.
    pub conventions: Conventions,
}
