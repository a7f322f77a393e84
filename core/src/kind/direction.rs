//! A direction in the space of embeddings, or of the units of a layer, as a block names it and as the lab gets it.
//!
//! A direction is a sum of terms. Each term is the mean of the normalised embeddings of what it names,
//! normalised again and multiplied by its weight. At a layer that is not the embedding, activations averaged over
//! positions stand for embeddings, and texts have none.

use serde::{Deserialize, Serialize};

/// One term of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// What it is multiplied by.
    pub weight: f64,
    /// What it is the mean of.
    pub of: Source,
}

/// What a term is the mean of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A text, in every template.
    Text(String),
    /// Pictures: in a block their paths, in a request the digests of their bytes.
    Images(Vec<String>),
    /// Words, each drawn as a picture of itself.
    Words(Vec<String>),
    /// Units of the layer with their weights; of the embedding, its coordinates.
    Units(Vec<(u32, f64)>),
    /// Pictures of other figures: in a block their names, in a request their request keys.
    Use(Vec<String>),
    /// All images of a data set: in a block its name, in a request the digest of its content.
    Dataset(String),
}

/// The names that a block gives to sources; `image` is one picture of [`Source::Images`].
pub const SOURCES: [&str; 7] = ["text", "image", "images", "words", "units", "dataset", "use"];
/// Most terms of a sum.
pub const MOST_TERMS: usize = 32;
