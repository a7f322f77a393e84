//! An entry of the training log.

use serde::{Deserialize, Serialize};

use super::measure::Accuracy;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Finished steps.
    pub step: u64,
    /// Pictures shown.
    pub samples: u64,
    /// Seconds spent.
    pub seconds: f64,
    /// Width and height of the pictures, in pixels.
    pub side: u32,
    /// Learning rate.
    pub rate: f64,
    /// Mean loss of the steps since the last entry.
    pub loss: f64,
    /// Accuracy on held-out pictures.
    pub pictures: Accuracy,
    /// Accuracy on words in held-out fonts.
    pub words: Accuracy,
    /// Accuracy on a training picture of each name.
    pub trained_pictures: Accuracy,
    /// Accuracy on a training word of each name.
    pub trained_words: Accuracy,
}
