//! A field's value as it is written.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;

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
