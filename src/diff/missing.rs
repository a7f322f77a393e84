//! Results that a side does not have.

use serde::Serialize;

/// A figure whose result is missing on a side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `a` or `b`.
    pub side: &'static str,
    /// The figure, as `note.md#id`.
    pub figure: String,
    /// Why.
    pub why: String,
    /// What measures it.
    pub hint: String,
}
