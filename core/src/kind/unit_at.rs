//! A unit of another layer than the block's, as in a request.

use serde::{Deserialize, Serialize};

/// A unit of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitAt {
    /// The layer, by its canonical spelling.
    pub layer: String,
    /// The channel, from 0.
    pub unit: u32,
}
