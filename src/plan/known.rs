//! What is known of the names in a block before anything is measured, for the kinds to check.

use std::sync::Arc;

use neuronotes_core::dataset::{DatasetRef, Said};
use neuronotes_core::kind::{Known, Misnamed, Rated};
use neuronotes_core::request::Request;

use super::planner::Planner;
use crate::field::{Asked, ResolvedPlace, Wrong};

/// What the plan knows of one block.
pub(super) struct Facts<'p, 'a> {
    pub(super) planner: &'p mut Planner<'a>,
    pub(super) asked: &'p Asked,
    pub(super) dataset: Option<&'p DatasetRef>,
    pub(super) place: Option<&'p ResolvedPlace>,
}

impl Known for Facts<'_, '_> {
    fn dataset(&self) -> Option<DatasetRef> {
        self.dataset.cloned()
    }

    fn said(&mut self, dataset: &DatasetRef) -> Option<Arc<Said>> {
        let Planner { resources, digests, .. } = &mut *self.planner;
        resources.said(digests, dataset)
    }

    fn used(&self, field: &str) -> Option<&Request> {
        let block = self.asked.inputs.blocks.iter().find(|block| block.role == field)?;
        self.asked.uses.iter().find(|used| used.key() == block.key)
    }

    fn units(&self) -> Option<u32> {
        self.place.map(ResolvedPlace::units)
    }

    fn rated(&self) -> &[Rated] {
        &self.asked.rated
    }
}

/// A problem with a name, as one of the field's.
pub(super) fn wrong(misnamed: Misnamed) -> Wrong {
    let Misnamed { field, pointer, problem } = misnamed;
    Wrong { field: Some(field), pointer, problem }
}
