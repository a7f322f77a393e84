//! The results of a report.

use super::attack::Attacks;
use super::units::Found;
use crate::train::measure::Accuracy;

/// The results of a report.
#[derive(Debug)]
pub struct Report {
    /// BLAKE3 digest of the weights file.
    pub weights: String,
    /// Number of names to choose from.
    pub names: usize,
    /// Accuracy by type of picture.
    pub accuracies: Vec<(String, Accuracy)>,
    /// The effect of a wrong word on pictures.
    pub attacks: Attacks,
    /// The last layer's units.
    pub units: Found,
    /// The last layer, by its name in notes.
    pub layer: String,
}
