//! Models, data sets and dictionaries that were found.

use std::sync::Arc;

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::model::{Architecture, Layer, ModelRef};
use neuronotes_core::request::FileRef;

/// A usable model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its reference for requests.
    pub reference: ModelRef,
    /// Its layers.
    pub architecture: Arc<Architecture>,
    /// What its files contain besides a CLIP, in words; `None` if nothing or unknown.
    pub beside: Option<String>,
}

/// A usable data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its reference for requests.
    pub reference: DatasetRef,
    /// What was read from it; `None` if only frozen results are published.
    pub ledger: Arc<Ledger>,
}

/// A usable dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    /// Its file, under its name in the configuration.
    pub file: FileRef,
    /// Its features.
    pub features: u32,
    /// The layer that it is over.
    pub layer: Layer,
    /// The layer's model.
    pub model: ModelRef,
}
