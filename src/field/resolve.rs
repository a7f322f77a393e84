//! A field's value as a request's parameter: names resolved by what the plan knows, defaults filled in.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::{Field, MOST_PICTURES, Takes};
use neuronotes_core::model::Architecture;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, FileRef, Inputs, Request};
use serde_json::{Map, Value as Json};

use super::{ResolvedPlace, family};

/// Most measurements that one rests on, each counted as often as it is used: a request holds them all.
const MOST_NESTED: usize = 1000;

/// What names in a block's fields lead to.
pub trait Sources {
    /// The name and the sizes of the block's model.
    fn model(&self) -> (&str, &Architecture);
    /// The layer or the dictionary that the block is about; none where its kind is about none.
    fn place(&self) -> Option<&ResolvedPlace>;
    /// The name that the block gives it.
    fn layer_written(&self) -> Option<&str>;
    /// The block's id.
    fn id(&self) -> &str;
    /// The text of another field, where the block has it.
    fn written(&self, field: &str) -> Option<&str>;
    /// The data set of that name.
    ///
    /// # Errors
    /// Fails if there is none, or it cannot be used.
    fn dataset(&mut self, name: &str) -> Result<DatasetRef, Problem>;
    /// The words of the data set of that name, which must be a list of words.
    ///
    /// # Errors
    /// Fails if it is none, or cannot be read.
    fn words(&mut self, name: &str) -> Result<Vec<String>, Problem>;
    /// The picture at a path in the garden.
    ///
    /// # Errors
    /// Fails if there is none that can be used.
    fn picture(&mut self, path: &str) -> Result<FileRef, Problem>;
    /// The file of published weights at a path in the garden.
    ///
    /// # Errors
    /// Fails if there is none that can be used.
    fn weights(&mut self, path: &str) -> Result<FileRef, Problem>;
    /// The requests of the block of that name, one for each measurement of a sweep.
    ///
    /// # Errors
    /// Fails if there is none that a field may take that takes such blocks.
    fn used(&mut self, takes: Takes, name: &str) -> Result<Vec<(BlockRef, Request)>, Problem>;
}

/// What a block asks for, as far as its fields are resolved.
#[derive(Debug, Default)]
pub struct Asked {
    /// The request's parameters.
    pub params: Map<String, Json>,
    /// Where the things are that parameters name by digest.
    pub inputs: Inputs,
    /// Data sets that a direction is a mean of, or a group consists of: their scans are needed.
    pub scanned: Vec<DatasetRef>,
    /// Whether a field is about pictures of the block's own data set.
    pub needs_dataset: bool,
    /// Requests of other blocks.
    pub uses: Vec<Request>,
}

impl Asked {
    /// Adds a data set that a parameter names by the digest of its content; whether it is a new one.
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

    /// What is wrong where a field uses so many figures, with all that they rest on.
    pub(super) fn too_much(&self, figures: usize) -> Option<Problem> {
        if figures > MOST_PICTURES {
            let message = format!("{figures} figures are used here; the most is {MOST_PICTURES}");
            return Some(Problem::new(message));
        }
        (self.uses.iter().map(nested).sum::<usize>() > MOST_NESTED).then(|| {
            Problem::new(format!("this depends on more than {MOST_NESTED} other measurements"))
        })
    }
}

/// How many measurements a request holds, itself among them.
fn nested(request: &Request) -> usize {
    request.uses.iter().map(nested).sum::<usize>() + 1
}

/// What is wrong with a part of a field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field, where it is another one than the one that was resolved.
    pub field: Option<&'static str>,
    /// The JSON pointer of the part.
    pub pointer: String,
    /// What is wrong.
    pub problem: Problem,
}

impl Wrong {
    pub(super) fn new(pointer: impl Into<String>, problem: Problem) -> Self {
        Self { field: None, pointer: pointer.into(), problem }
    }
}

/// Takes a field in: its value, where the block or a default gives one.
///
/// # Errors
/// Returns everything that is wrong with it.
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
