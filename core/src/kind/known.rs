//! What is known of what a block names before anything is measured.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dataset::{DatasetRef, Said};
use crate::problem::Problem;
use crate::request::Request;

/// What the plan knows of a block.
pub trait Known {
    /// The data set that the block reads.
    fn dataset(&self) -> Option<DatasetRef>;
    /// What a data set says of its images; `None` if that is not known here.
    fn said(&mut self, dataset: &DatasetRef) -> Option<Arc<Said>>;
    /// The request of the block that a field names.
    fn used(&self, field: &str) -> Option<&Request>;
    /// The number of units of the block's layer or dictionary.
    fn units(&self) -> Option<u32>;
    /// The files of labels that the block names, as far as what is in them is known.
    fn rated(&self) -> &[Rated];
}

/// A file of labels that a rater gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The item of the field by which the file was found.
    pub item: usize,
    /// The file's path in the garden.
    pub file: String,
    /// The names of the pictures that the rater labelled or skipped.
    pub pictures: BTreeSet<String>,
}

/// A problem with what a field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    /// The field at which it is reported, if the block has it.
    pub field: &'static str,
    /// The JSON pointer of the part of the parameter that is wrong.
    pub pointer: String,
    /// The problem.
    pub problem: Problem,
}

impl Misnamed {
    /// A problem with the whole value of a field.
    pub(super) fn new(field: &'static str, problem: Problem) -> Self {
        Self { field, pointer: String::new(), problem }
    }

    /// A problem with an item of a field that is a list.
    pub(super) fn item(field: &'static str, index: usize, problem: Problem) -> Self {
        Self { field, pointer: format!("/{index}"), problem }
    }
}
