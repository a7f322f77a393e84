//! What the fields of a block ask for, and what is wrong with them.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::{MOST_PICTURES, Rated};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, Inputs, Request};
use serde_json::{Map, Value as Json};

/// Maximum number of measurements that one depends on, each counted as often as it is used: a request contains them
/// all.
const MOST_NESTED: usize = 1000;

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
    /// Files of labels, as far as what is in them is known.
    pub rated: Vec<Rated>,
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
            // A measurement may look at pictures as the one that it uses did.
            let ours = &mut self.inputs.dictionaries;
            for theirs in &request.inputs.dictionaries {
                if !ours.iter().any(|file| file.digest == theirs.digest) {
                    ours.push(theirs.clone());
                }
            }
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
