//! An entry of the registry of figures: how a kind's results are drawn.

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
    /// Height in CSS pixels of the figure at a width of 640, for the measurement's parameters. It is reserved during
    /// the measurement, so that nothing moves.
    pub height: fn(&Map<String, Value>) -> u32,
    /// Draws a stored result. `Err` describes a problem with the result.
    pub draw: fn(&DrawContext<'_>) -> Result<Drawing, String>,
}

/// A measurement's parameters as the kind's own type; `None` if they have another type.
pub(super) fn typed<P: DeserializeOwned>(params: &Map<String, Value>) -> Option<P> {
    P::deserialize(params).ok()
}
