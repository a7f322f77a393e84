//! A labelling sheet: labels and images in; what its page shows out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::format::{FORMAT, format};
use crate::digest::Digest;

/// The keys by which labels are chosen, in their order: digits, then the letters without `s` and `u`, which skip and undo.
pub const KEYS: &str = "123456789abcdefghijklmnopqrtvwxyz";

/// A labelling sheet: what its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// [`FORMAT`].
    #[serde(deserialize_with = "format")]
    format: String,
    /// Digest of the names of its images, in hexadecimal.
    pub sheet: String,
    /// The labels to choose from.
    pub categories: Vec<String>,
    /// The images, in the order in which they are shown.
    pub images: Vec<Shown>,
}

/// An image on a labelling sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its name in the file that a rater saves.
    pub name: String,
    /// A data URI.
    pub source: String,
}

impl Sheet {
    /// A sheet of these images.
    pub fn new(categories: Vec<String>, images: Vec<Shown>) -> Self {
        // Whatever their order and the labels: of the same images, answers can go on.
        let names: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
        let text: Vec<&str> = names.into_iter().collect();
        let sheet = Digest::of(text.join("\n").as_bytes()).hex();
        Self { format: FORMAT.to_owned(), sheet, categories, images }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_known_by_its_images_whatever_their_order() {
        let of = |names: &[&str], labels: &[&str]| {
            let image = |name: &&str| Shown { name: (*name).to_owned(), source: String::new() };
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            Sheet::new(labels, names.iter().map(image).collect()).sheet
        };
        assert_eq!(of(&["a", "b"], &["x"]), of(&["b", "a"], &["y", "z"]));
        assert_ne!(of(&["a", "b"], &["x"]), of(&["a"], &["x"]));
    }
}
