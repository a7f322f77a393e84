//! The terms of a direction in the space of embeddings or of the units of a layer, as in a block and in a request.
//!
//! A direction is a sum of terms. Each term other than units and the direction of another block is the mean of the normalised embeddings of its items, normalised again
//! and multiplied by its weight. At a layer other than the embedding, activations averaged over positions take the
//! place of embeddings, and there are no texts.

use serde::{Deserialize, Serialize};

/// One term of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its weight.
    pub weight: f64,
    /// Its items.
    pub of: Source,
}

/// The items of a term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A text, inserted into every template.
    Text(String),
    /// Pictures: their paths in a block, the digests of their bytes in a request.
    Images(Vec<String>),
    /// Words, each drawn as a picture.
    Words(Vec<String>),
    /// Units of the layer with weights; at the embedding, its coordinates.
    Units(Vec<(u32, f64)>),
    /// Pictures of other figures: their names in a block, their request keys in a request.
    Use(Vec<String>),
    /// All images of a data set: its name in a block, the digest of its content in a request.
    Dataset(String),
    /// The direction of another block: its name in a block, its request key in a request.
    Target(String),
}

/// The name of the parameter that a direction is.
pub const DIRECTION: &str = "direction";
/// The names of sources in a block; `image` is a single picture of [`Source::Images`].
pub const SOURCES: [&str; 8] =
    ["text", "image", "images", "words", "units", "dataset", "use", "target"];
/// Maximum number of terms in a sum.
pub const MOST_TERMS: usize = 32;
