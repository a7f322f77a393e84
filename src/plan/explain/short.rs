//! Values in one line.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use serde_json::Value;

/// A value in one short line, with digests abbreviated.
pub fn short(value: &Value) -> String {
    const MOST: usize = 100;
    let text = match value {
        Value::String(text) => match text.parse::<Digest>() {
            Ok(digest) => digest.short(),
            Err(_) => value.to_string(),
        },
        value => value.to_string(),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.cut(..end)),
        None => text,
    }
}
