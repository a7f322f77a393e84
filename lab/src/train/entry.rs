//! One measurement of a training in progress, as a line of its log has it.

use serde::{Deserialize, Serialize};

use super::measure::Accuracy;

/// How a training stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Steps done.
    pub step: u64,
    /// Pictures shown.
    pub samples: u64,
    /// Time spent.
    pub seconds: f64,
    /// Side of the pictures, in pixels.
    pub side: u32,
    /// Learning rate.
    pub rate: f64,
    /// Mean loss of the steps since the last entry.
    pub loss: f64,
    /// Names found for held-out pictures.
    pub pictures: Accuracy,
    /// Names found for words in held-out fonts.
    pub words: Accuracy,
    /// Names found for a picture of each name that is trained on.
    pub trained_pictures: Accuracy,
    /// Names found for a word of each name that is trained on.
    pub trained_words: Accuracy,
}
