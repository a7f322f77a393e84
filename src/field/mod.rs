//! Field types: how the values of each are read from YAML, which parameters a request gets for them, how they are shown
//! in one line, and how they are documented.
//!
//! A field type is a variant of [`Type`](neuronotes_core::kind::Type), an implementation of `Family` in one file
//! here, and a line in `table.rs`. Names that lead out of the block are resolved through [`Sources`], which the plan
//! implements.

mod asked;
mod block;
mod direction;
pub mod document;
mod expect;
mod family;
mod file;
mod group;
mod head;
mod label_file;
mod layer;
mod line;
mod lists;
mod name;
mod number;
mod place;
pub mod prompt;
mod reading;
mod resolve;
pub mod schema;
mod shape;
mod sources;
mod sum;
mod sweep;
mod table;
mod term;
mod text;
mod unit_at;
mod value;
mod word;

use neuronotes_core::kind::{Field, Takes};
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Reader};

pub use asked::{Asked, Wrong};
pub use group::line as group_line;
pub use layer::layer_named;
pub use place::ResolvedPlace;
pub use resolve::resolve;
pub use sources::Sources;
pub use sum::line as direction_line;
pub use sweep::can_be_swept;
pub use value::FieldValue;

use family::Family as _;
use reading::Reading;
use table::family;

/// Reads a field's value.
///
/// # Errors
/// Returns all problems, each with its place.
pub fn read(
    reader: &Reader<'_>,
    field: &Field,
    node: &Node,
) -> Result<FieldValue, Vec<Diagnostic>> {
    let mut at = Reading::new(reader, field.name);
    let value = family(field.ty).read(node, &mut at);
    at.finish(value, node)
}

/// A parameter in one line, with the note's names for pictures, data sets and blocks.
pub fn shown(field: &Field, value: &Json, inputs: &Inputs) -> String {
    family(field.ty).shown(value, inputs)
}

/// A parameter as prose can use it: a number, a flag, a list, or one line of text.
pub fn quoted(field: &Field, value: &Json, inputs: &Inputs) -> Json {
    family(field.ty).quoted(value, inputs)
}

/// A parameter that is a direction, in one line.
pub fn direction_shown(terms: &Json, inputs: &Inputs) -> String {
    direction::Direction::Terms.shown(terms, inputs)
}

/// The name of the parameter that a request has for a field.
pub fn parameter(field: &Field) -> &'static str {
    family(field.ty).parameter(field.name)
}

/// The names of blocks in a field's value, each with the blocks that the field takes.
pub fn blocks(field: &Field, value: &Json) -> Vec<(Takes, String)> {
    family(field.ty).blocks(value)
}
