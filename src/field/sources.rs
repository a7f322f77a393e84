//! Resolves the names in fields: of data sets, files and other blocks.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::Takes;
use neuronotes_core::labelling::Answers;
use neuronotes_core::model::Architecture;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, FileRef, Request};

use super::place::ResolvedPlace;

/// Resolves the names in a block's fields.
pub trait Sources {
    /// The name and the sizes of the block's model.
    fn model(&self) -> (&str, &Architecture);
    /// The layer or the dictionary that the block is about; `None` if its kind is about no layer.
    fn place(&self) -> Option<&ResolvedPlace>;
    /// The block's name for it.
    fn layer_written(&self) -> Option<&str>;
    /// The block's id.
    fn id(&self) -> &str;
    /// The text of another field, if the block has it.
    fn written(&self, field: &str) -> Option<&str>;
    /// The data set of that name.
    ///
    /// # Errors
    /// Fails if there is no such data set, or it cannot be used.
    fn dataset(&mut self, name: &str) -> Result<DatasetRef, Problem>;
    /// The words of the data set of that name, which must be a list of words.
    ///
    /// # Errors
    /// Fails if it is not one, or cannot be read.
    fn words(&mut self, name: &str) -> Result<Vec<String>, Problem>;
    /// The texts of the garden's list of that name.
    ///
    /// # Errors
    /// Fails if there is no such list.
    fn list(&self, name: &str) -> Result<Vec<String>, Problem>;
    /// The picture at a path in the garden.
    ///
    /// # Errors
    /// Fails if the file is missing or cannot be used.
    fn picture(&mut self, path: &str) -> Result<FileRef, Problem>;
    /// The file of published weights at a path in the garden.
    ///
    /// # Errors
    /// Fails if the file is missing or cannot be used.
    fn weights(&mut self, path: &str) -> Result<FileRef, Problem>;
    /// The files of labels at a path in the garden, or like a pattern, in the order of their names, and what is in them. What is in a
    /// file is unknown if only its digest is, as with frozen results.
    ///
    /// # Errors
    /// Fails if a file is missing or cannot be used; that no file is like a pattern is no failure.
    fn labels(&mut self, path: &str) -> Result<Vec<(FileRef, Option<Answers>)>, Problem>;
    /// The requests of the block of that name, one for each measurement of a sweep.
    ///
    /// # Errors
    /// Fails if there is no such block, or the field does not take it.
    fn used(&mut self, takes: Takes, name: &str) -> Result<Vec<(BlockRef, Request)>, Problem>;
}
