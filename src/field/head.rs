//! Attention heads at the block's layer.

use neuronotes_core::kind::{Kind, MOST_HEADS};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use neuronotes_core::suggest;
use serde_json::{Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::layer::numbers;
use super::line::list;
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// Layers that a hint names.
const MOST_NAMED: usize = 3;

/// Some heads of the layer.
pub(super) struct Heads {
    /// Whether all are meant if the field is left out.
    pub(super) all: bool,
}

impl Family for Heads {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        numbers(node, "head", MOST_HEADS, at)
    }

    /// An empty list stands for all heads until the layer is known to have some.
    fn absent(&self, _: &dyn Sources) -> Option<Json> {
        self.all.then(|| json!([]))
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let count = at_layer(sources)
            .map_err(|problem| vec![Wrong { field: Some("layer"), ..Wrong::new("", problem) }])?;
        let heads: Vec<u32> = serde_json::from_value(value).unwrap_or_default();
        if heads.is_empty() {
            return Ok(Some((0..count).collect::<Vec<_>>().into()));
        }
        let name = sources.layer_written().unwrap_or_default().to_owned();
        let outside = heads.iter().enumerate().filter(|(_, head)| **head >= count);
        let outside = outside.map(|(index, head)| {
            let message =
                format!("head {head} is out of range: the layer `{name}` has {count} heads");
            let hint = format!("count from 0 to {}", count.saturating_sub(1));
            Wrong::new(format!("/{index}"), Problem::new(message).hint(hint))
        });
        let outside: Vec<Wrong> = outside.collect();
        if outside.is_empty() { Ok(Some(heads.into())) } else { Err(outside) }
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        let heads: Vec<u32> = serde_json::from_value(value.clone()).unwrap_or_default();
        list(&heads.iter().map(u32::to_string).collect::<Vec<_>>())
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn takes(&self) -> String {
        "list of heads".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let head = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
        json!({ "anyOf": [head, shape::list(&head, MOST_HEADS)] })
    }
}

/// The number of heads at the block's layer.
fn at_layer(sources: &dyn Sources) -> Result<u32, Problem> {
    let (model, architecture) = sources.model();
    let all = architecture.heads();
    let place = sources.place();
    let layer = place.filter(|place| place.dictionary.is_none()).map(|place| &place.layer);
    if let Some((_, count)) = all.iter().find(|(known, _)| Some(known) == layer) {
        return Ok(*count);
    }
    let written = sources.layer_written().unwrap_or_default();
    let message = format!("no attention heads write into the embedding at `{written}`");
    // The last layers first: they write the most.
    let names = all.iter().rev().take(MOST_NAMED).map(|(layer, _)| layer.name.shown().to_owned());
    let names: Vec<String> = names.collect();
    Err(Problem::new(message)
        .hint(format!("the model `{model}` has heads at {}", suggest::quoted(&names, "or"))))
}
