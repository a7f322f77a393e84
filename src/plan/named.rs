//! Names of units in front matter.

use neuronotes_core::digest::Digest;
use neuronotes_core::model::Place;

/// Model digest, place and unit.
pub type NamedUnit = (Digest, Place, u32);

/// A note's name for a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The unit.
    pub unit: NamedUnit,
    /// Its name.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// The layer's or the dictionary's name for readers.
    pub layer: String,
}
