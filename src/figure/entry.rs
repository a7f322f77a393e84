//! An entry of the registry of figures: what a kind says of how its results are drawn.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use neuronotes_core::kind::Kind;

use super::context::DrawContext;
use super::drawing::Drawing;

/// How the results of a kind are drawn.
#[derive(Debug)]
pub struct Figure {
    /// The kind.
    pub kind: &'static Kind,
    /// Height in CSS pixels that the figure takes at a width of 640, given the measurement's parameters: reserved while it
    /// is measured, so that nothing jumps.
    pub height: fn(&Map<String, Value>) -> u32,
    /// How a stored result is drawn. `Err` says what is wrong with the result.
    pub draw: fn(&DrawContext<'_>) -> Result<Drawing, String>,
}

/// A measurement's parameters as the kind's own type; `None` where they have another form.
pub(super) fn typed<P: DeserializeOwned>(params: &Map<String, Value>) -> Option<P> {
    P::deserialize(params).ok()
}
