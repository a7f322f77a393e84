//! Pictures that a result holds, for other figures to be made of: a stored result in, their names out.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A picture among a record's outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// The output.
    pub output: String,
    /// What tells it from the others; empty where it is the only one.
    pub label: String,
}

/// Where a picture is from that another figure holds, as a result says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The request key of that figure.
    pub figure: Digest,
    /// Which of its pictures it is; empty where it is the only one.
    pub label: String,
}
