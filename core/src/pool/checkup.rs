//! The first worker's check-up: what a client asks it to look at, and what it finds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::problem::Problem;

/// What a first worker must check, before others are started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Its name: never used twice.
    pub nonce: String,
    /// Version of the client's program; the worker's must be the same.
    pub version: String,
    /// A blob that the client has put into the store, to be read and compared.
    pub blob: Digest,
    /// Weights and data that the wanted requests name, as workers see them.
    pub files: Vec<Probed>,
    /// The wanted device: `auto`, `cpu`, `cuda`, `cuda:N`.
    pub device: String,
}

/// A file or folder that workers need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// What it is, for people: `the weights of RN50x4`, `shard 3 of web`.
    pub what: String,
    /// Its absolute path on the workers' machine.
    pub path: PathBuf,
    /// The digest of a file's bytes; `None` for a folder, which must only be there.
    pub digest: Option<Digest>,
    /// A file's length in bytes, if it is known: it is compared first.
    pub bytes: Option<u64>,
}

/// What a first worker found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkup {
    /// The probe's name.
    pub nonce: String,
    /// The worker's name.
    pub worker: String,
    /// The name of its machine.
    pub host: String,
    /// Version of its program.
    pub version: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// `cpu` or `cuda:N`, and the device's name by its vendor; `None` if there is none that can be used.
    pub device: Option<(String, String)>,
    /// Version of the GPU's driver, if there is one.
    pub driver: Option<String>,
    /// The processor's features that libtorch uses, such as `AVX512`.
    pub instructions: String,
    /// A blob that the worker has put into the store, for the client to read; `None` if it could not.
    pub blob: Option<Digest>,
    /// Everything that is wrong: figures cannot be measured there.
    pub problems: Vec<Problem>,
    /// What differs and does no harm.
    pub notes: Vec<String>,
}
