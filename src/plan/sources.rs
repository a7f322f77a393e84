//! What names in a block's fields lead to: the configuration's models and data sets, files of the garden, other blocks.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::model::{Architecture, Layer};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{FigureRef, FileRef, Request};

use super::{Asking, Planner, input};
use crate::field::Sources;

/// The planner and the block that it plans.
pub(super) struct Known<'p, 'a, 'n> {
    pub(super) planner: &'p mut Planner<'a>,
    pub(super) at: Asking<'n>,
    /// The layer that the block is about.
    pub(super) layer: Option<&'n Layer>,
}

impl Sources for Known<'_, '_, '_> {
    fn model(&self) -> (&str, &Architecture) {
        (&self.at.model.reference.name, &self.at.model.architecture)
    }

    fn layer(&self) -> Option<&Layer> {
        self.layer
    }

    fn layer_written(&self) -> Option<&str> {
        self.written("layer")
    }

    fn id(&self) -> &str {
        &self.at.block.id
    }

    fn written(&self, field: &str) -> Option<&str> {
        self.at.block.fields.text(field)
    }

    fn dataset(&mut self, name: &str) -> Result<DatasetRef, Problem> {
        let Planner { resources, config, digests, .. } = &mut *self.planner;
        resources.dataset(config, digests, name)
    }

    fn words(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let list = self.dataset(name)?;
        self.planner.resources.words(&list)?;
        input::word_list(&list)
    }

    fn picture(&mut self, path: &str) -> Result<FileRef, Problem> {
        let found = |planner: &mut Planner<'_>| input::picture(planner.root, planner.digests, path);
        self.file(path, found)
    }

    fn weights(&mut self, path: &str) -> Result<FileRef, Problem> {
        let found = |planner: &mut Planner<'_>| input::weights(planner.root, planner.digests, path);
        self.file(path, found)
    }

    fn block(&mut self, kind: &str, name: &str) -> Result<Request, Problem> {
        self.planner.reference(self.layer, self.at, (kind, name))
    }

    fn figures(&mut self, name: &str) -> Result<Vec<(FigureRef, Request)>, Problem> {
        self.planner.figure(self.at, name)
    }
}

impl<'a> Known<'_, 'a, '_> {
    /// A file of the garden; where a site is made of frozen results alone, as it was when they were frozen.
    fn file(
        &mut self,
        path: &str,
        found: impl FnOnce(&mut Planner<'a>) -> Result<FileRef, Problem>,
    ) -> Result<FileRef, Problem> {
        self.planner.folders.extend(input::folder(self.planner.root, path));
        let found = found(self.planner);
        found.or_else(|problem| self.planner.resources.file(path).ok_or(problem))
    }
}
