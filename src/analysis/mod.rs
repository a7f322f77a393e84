//! The registry of analyses: for each kind its YAML fields, defaults, documentation, and how its result
//! is drawn. How it is measured is the lab's, under the same name.
//!
//! A new kind is one file here, one in `lab/src/analysis/`, and one line in [`KINDS`].

pub mod activation_histogram;
pub mod dataset_examples;
pub mod feature_vis;
mod field;
pub mod scan;

pub use field::{COMMON, Default, Field, Role, Type};

use crate::figure::{DrawContext, Drawing};

/// One analysis that a note can ask for.
#[derive(Debug)]
pub struct Kind {
    /// Its name in YAML.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Markdown: what it measures, how, and the method's source.
    pub doc: &'static str,
    /// A block that works in the demonstration garden.
    pub example: &'static str,
    /// Raised when the same parameters give another result.
    pub impl_version: u32,
    /// Its own fields; [`COMMON`] come on top.
    pub fields: &'static [Field],
    /// Whether it reads a data set.
    pub dataset: bool,
    /// Whether it reads the scan of its layer over its data set.
    pub scan: bool,
    /// How a stored result is drawn. `Err` says what is wrong with the result.
    pub draw: fn(&DrawContext<'_>) -> Result<Drawing, String>,
}

/// Every kind, in the order in which they are documented.
pub static KINDS: &[&Kind] =
    &[&feature_vis::KIND, &dataset_examples::KIND, &activation_histogram::KIND];

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.name == name)
    }

    /// All fields that a block of this kind may have, its own first.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        let dataset = self.dataset;
        let common = COMMON.iter().filter(move |field| dataset || field.name != "dataset");
        self.fields.iter().chain(common)
    }
}
