//! What a field type does.

use neuronotes_core::kind::{Kind, Takes};
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use super::asked::{Asked, Wrong};
use super::line::plain;
use super::reading::Reading;
use super::sources::Sources;
use crate::yaml::Node;

/// A request's parameter for a value, or all problems with it.
pub(super) type Resolved = Result<Option<Json>, Vec<Wrong>>;

/// The operations of a family of field types.
pub(super) trait Family {
    /// Reads a value as written in a note. Checks what the block alone determines: form, bounds, duplicates. Problems
    /// are reported to `at`.
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json;

    /// The value of a field that is left out and has no default.
    fn absent(&self, _sources: &dyn Sources) -> Option<Json> {
        None
    }

    /// The request's parameter for a value, with names resolved to digests and to one spelling; `None` if the field is
    /// not a parameter.
    ///
    /// # Errors
    /// Returns all problems, each with its place in the value.
    fn resolve(&self, value: Json, _asked: &mut Asked, _sources: &mut dyn Sources) -> Resolved {
        Ok(Some(value))
    }

    /// The name of that parameter.
    fn parameter(&self, field: &'static str) -> &'static str {
        field
    }

    /// A parameter in one line, with the note's names for pictures, data sets and blocks.
    fn shown(&self, value: &Json, _inputs: &Inputs) -> String {
        plain(value)
    }

    /// A parameter as prose can use it.
    fn quoted(&self, value: &Json, inputs: &Inputs) -> Json {
        match value {
            Json::Number(_) | Json::Bool(_) => value.clone(),
            _ => self.shown(value, inputs).into(),
        }
    }

    /// The names of blocks in a value as written, each with the blocks that the field takes.
    fn blocks(&self, _value: &Json) -> Vec<(Takes, String)> {
        Vec::new()
    }

    /// The texts of a parameter that the model's text tower reads, with their JSON pointers.
    fn prompts(&self, _value: &Json) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The accepted values, in a few words.
    fn takes(&self) -> String;

    /// The accepted values in a block of a kind, as JSON Schema.
    fn schema(&self, kind: &Kind) -> Json;
}
