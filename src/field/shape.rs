//! Shapes of values, as JSON Schema.

use serde_json::{Value as Json, json};

/// A text; numbers and flags are accepted as written.
pub(super) fn text() -> Json {
    json!({ "type": ["string", "number", "boolean"] })
}

/// A list of at most `most` different items.
pub(super) fn list(item: &Json, most: usize) -> Json {
    json!({ "type": "array", "items": item, "minItems": 1, "maxItems": most, "uniqueItems": true })
}

/// A list of at most `most` different items, or a single item.
pub(super) fn one_or_many(item: &Json, most: usize) -> Json {
    json!({ "anyOf": [item, list(item, most)] })
}
