//! Field types: how the values of each are read from YAML, which parameters a request gets for them, how they are shown
//! in one line, and how they are documented.
//!
//! A field type is a variant of [`Type`] and an implementation of [`Family`] in one file here. Names that lead out of
//! the block are resolved through [`Sources`], which the plan implements.

mod block;
mod direction;
pub mod document;
mod file;
mod group;
mod layer;
mod name;
mod number;
mod place;
pub mod prompt;
mod reading;
mod resolve;
pub mod schema;
mod sweep;
mod term;
mod text;
mod word;

use std::collections::BTreeMap;
use std::ops::Range;

use neuronotes_core::kind::{Field, Kind, Takes, Type};
use neuronotes_core::model::Precision;
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Reader};

pub use group::line as group_line;
pub use layer::layer_named;
pub use place::ResolvedPlace;
pub use resolve::{Asked, Sources, Wrong, resolve};
pub use sweep::can_be_swept;
pub use term::line as direction_line;

use reading::Reading;

/// A field's value and its place in the source.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValue {
    /// The value, of the field's type.
    pub value: Json,
    /// Its span in the source.
    pub span: Range<usize>,
    /// Spans of its parts, by their JSON pointers in `value`.
    pub places: BTreeMap<String, Range<usize>>,
}

impl FieldValue {
    /// The span of a part of the value, by its JSON pointer; the whole value's if that is unknown.
    pub fn place(&self, pointer: &str) -> Range<usize> {
        self.places.get(pointer).unwrap_or(&self.span).clone()
    }
}

/// A request's parameter for a value, or all problems with it.
type Resolved = Result<Option<Json>, Vec<Wrong>>;

/// The operations of a family of field types.
trait Family {
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

/// The family of a field type.
fn family(ty: Type) -> Box<dyn Family> {
    match ty {
        Type::Integer { min, max } => Box::new(number::Integer { min, max }),
        Type::Number { min, max } => Box::new(number::Number { min, max }),
        Type::Flag => Box::new(word::Flag),
        Type::Choice(words) => Box::new(word::Choice { words, is_parameter: true }),
        Type::Precision => Box::new(word::Choice { words: &Precision::NAMES, is_parameter: false }),
        Type::Seed => Box::new(number::Seed),
        Type::Text => Box::new(text::Text),
        Type::Id => Box::new(text::Id),
        Type::Texts => Box::new(text::Texts),
        Type::Templates => Box::new(text::Templates),
        Type::Classes => Box::new(text::Classes),
        Type::Model | Type::Dataset => Box::new(name::Name),
        Type::Content => Box::new(name::Content),
        Type::Layer => Box::new(layer::One),
        Type::Layers => Box::new(layer::Several),
        Type::Unit => Box::new(layer::Unit),
        Type::Channels => Box::new(layer::Channels),
        Type::Picture => Box::new(file::Picture),
        Type::Pictures => Box::new(file::Pictures),
        Type::Weights => Box::new(file::Weights),
        Type::Block(takes) => Box::new(block::One { takes }),
        Type::Blocks(takes) => Box::new(block::Several { takes }),
        Type::Direction => Box::new(direction::Direction),
        Type::Directions => Box::new(direction::Directions),
        Type::Units => Box::new(direction::Units),
        Type::Target => Box::new(direction::Target),
        Type::Group => Box::new(group::Members),
        Type::Sweep => Box::new(sweep::Sweep),
    }
}

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
    direction::Direction.shown(terms, inputs)
}

/// The name of the parameter that a request has for a field.
pub fn parameter(field: &Field) -> &'static str {
    family(field.ty).parameter(field.name)
}

/// The names of blocks in a field's value, each with the blocks that the field takes.
pub fn blocks(field: &Field, value: &Json) -> Vec<(Takes, String)> {
    family(field.ty).blocks(value)
}

/// A text as it is, and anything else as JSON.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value as a list of texts; empty if it is not one.
fn texts(value: &Json) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Maximum number of items of a list that are written out.
const MOST: usize = 12;

/// Items in one line, as many as can be read at a glance.
fn list(items: &[String]) -> String {
    let mut text = items.iter().take(MOST).cloned().collect::<Vec<_>>().join(" · ");
    if items.len() > MOST {
        text.push_str(&format!(" … ({} in all)", items.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert!(list(&many).ends_with("10 · 11 … (20 in all)"), "{}", list(&many));
        assert_eq!(list(&many[..2]), "0 · 1");
    }
}
