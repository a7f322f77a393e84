//! A difference as one JSON object.

use crate::diff::difference::Difference;

/// The object, on one line. Its fields are those of [`Difference`].
pub fn json(difference: &Difference) -> String {
    serde_json::to_string(difference).unwrap_or_default()
}
