//! Turns a field's value into a request's parameter: resolves names through the plan, and fills in defaults.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::{Field, MOST_PICTURES, Takes};
use neuronotes_core::model::Architecture;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, FileRef, Inputs, Request};
use serde_json::{Map, Value as Json};

use super::{ResolvedPlace, family};

/// Maximum number of measurements that one depends on, each counted as often as it is used: a request contains them
/// all.
const MOST_NESTED: usize = 1000;

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
    /// The requests of the block of that name, one for each measurement of a sweep.
    ///
    /// # Errors
    /// Fails if there is no such block, or the field does not take it.
    fn used(&mut self, takes: Takes, name: &str) -> Result<Vec<(BlockRef, Request)>, Problem>;
}

/// The part of a request that a block's fields determine.
#[derive(Debug, Default)]
pub struct Asked {
    /// The request's parameters.
    pub params: Map<String, Json>,
    /// The files and data sets that parameters identify by digest.
    pub inputs: Inputs,
    /// Data sets whose mean is part of a direction, or that are a group: their scans are needed.
    pub scanned: Vec<DatasetRef>,
    /// Whether a field is about pictures of the block's own data set.
    pub needs_dataset: bool,
    /// Requests of other blocks.
    pub uses: Vec<Request>,
}

impl Asked {
    /// Adds a data set that a parameter identifies by the digest of its content. Returns whether it is new.
    pub(super) fn add_dataset(&mut self, dataset: DatasetRef) -> bool {
        let is_new = !self.inputs.datasets.contains(&dataset);
        if is_new {
            self.inputs.datasets.push(dataset);
        }
        is_new
    }

    /// Adds a measurement of another block, which the request uses.
    pub(super) fn add_used(&mut self, block: BlockRef, request: Request) {
        let same = |known: &&BlockRef| known.key == block.key;
        let known: Vec<&BlockRef> = self.inputs.blocks.iter().filter(same).collect();
        let has_role = known.iter().any(|known| known.role == block.role);
        if known.is_empty() {
            self.uses.push(request);
        }
        if !has_role {
            self.inputs.blocks.push(block);
        }
    }

    /// The problem if a field uses too many figures, or depends on too many measurements.
    pub(super) fn too_much(&self, figures: usize) -> Option<Problem> {
        if figures > MOST_PICTURES {
            let message =
                format!("{figures} figures are used here; at most {MOST_PICTURES} are allowed");
            return Some(Problem::new(message));
        }
        (self.uses.iter().map(nested).sum::<usize>() > MOST_NESTED).then(|| {
            Problem::new(format!("this depends on more than {MOST_NESTED} other measurements"))
        })
    }
}

/// The number of measurements that a request contains, including itself.
fn nested(request: &Request) -> usize {
    request.uses.iter().map(nested).sum::<usize>() + 1
}

/// A problem with a part of a field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field, if it is not the one being resolved.
    pub field: Option<&'static str>,
    /// The JSON pointer of the part.
    pub pointer: String,
    /// The problem.
    pub problem: Problem,
}

impl Wrong {
    pub(super) fn new(pointer: impl Into<String>, problem: Problem) -> Self {
        Self { field: None, pointer: pointer.into(), problem }
    }
}

/// Resolves a field whose value the block or a default gives.
///
/// # Errors
/// Returns all problems.
pub fn resolve(
    field: &'static Field,
    value: Option<Json>,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<(), Vec<Wrong>> {
    let family = family(field.ty);
    let Some(value) = value.or_else(|| family.absent(sources)) else { return Ok(()) };
    if let Some(parameter) = family.resolve(value, asked, sources)? {
        asked.params.insert(family.parameter(field.name).to_owned(), parameter);
    }
    Ok(())
}
