//! Sweeps: other fields, each with a list of values. Each combination is a request of its own, so a sweep is no parameter, and
//! the note reads it together with the fields that it is about.

use serde_json::Value as Json;

use super::{Asked, Family, Reading, Sources, Wrong};
use crate::yaml::Node;

/// One or two fields with their values.
pub(super) struct Sweep;

impl Family for Sweep {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.wrong(node, "in the block itself")
    }

    fn resolve(
        &self,
        _: Json,
        _: &mut Asked,
        _: &mut dyn Sources,
    ) -> Result<Option<Json>, Vec<Wrong>> {
        Ok(None)
    }

    fn takes(&self) -> String {
        "mapping of fields to lists of values".into()
    }
}
