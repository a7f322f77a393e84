//! Sweeps: other fields, each with a list of values. Each combination is a request of its own, so a sweep is not a
//! parameter, and it is read together with the fields that it varies.

use neuronotes_core::kind::{Field, Kind, MOST_POINTS, Role, Type};
use serde_json::{Map, Value as Json, json};

use super::asked::Asked;
use super::family::{Family, Resolved};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// Whether a field can be swept, so that each of several values is measured.
pub fn can_be_swept(field: &Field) -> bool {
    field.role != Role::Presentation && field.ty != Type::Sweep
}

/// One or two fields with their values.
pub(super) struct Sweep {
    /// The family of each field type.
    pub(super) family: fn(Type) -> Box<dyn Family>,
}

impl Family for Sweep {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.wrong(node, "in the block itself")
    }

    fn resolve(&self, _: Json, _: &mut Asked, _: &mut dyn Sources) -> Resolved {
        Ok(None)
    }

    fn takes(&self) -> String {
        "mapping of fields to lists of values".into()
    }

    fn schema(&self, kind: &Kind) -> Json {
        let swept = kind.all_fields().filter(|field| can_be_swept(field));
        let values =
            |field: &Field| shape::list(&(self.family)(field.ty).schema(kind), MOST_POINTS);
        json!({
            "type": "object",
            "properties": swept.map(|field| (field.name.to_owned(), values(field))).collect::<Map<_, _>>(),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 2,
        })
    }
}
