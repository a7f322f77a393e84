//! Pictures in stored results that other figures can use.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A picture among a record's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Name of the output.
    pub output: String,
    /// Its description among the result's pictures; empty if it is the only one.
    pub label: String,
}

/// The origin of a picture that comes from another figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The request key of that figure.
    pub figure: Digest,
    /// Its description among that figure's pictures; empty if it is the only one.
    pub label: String,
}
