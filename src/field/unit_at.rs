//! A unit of another layer than the block's: a mapping of both. A parameter is a [`UnitAt`], with the layer's canonical spelling.

use neuronotes_core::kind::Kind;
use neuronotes_core::kind::unit_at;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use neuronotes_core::suggest;
use serde_json::{Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::layer::layer_named;
use super::place::ResolvedPlace;
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::{Entry, Node, Value};

/// What it looks like.
const MAPPING: &str = "a mapping such as `{ layer: …, unit: 7 }`";
/// Its names.
const NAMES: [&str; 2] = ["layer", "unit"];

/// A unit of a layer that comes after the block's.
pub(super) struct UnitAt;

impl Family for UnitAt {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let Value::Map(entries) = &node.value else { return at.wrong(node, MAPPING) };
        for entry in entries.iter().filter(|entry| !NAMES.contains(&entry.key.as_str())) {
            let message = format!("`{}` has no `{}`", at.field, entry.key);
            at.problem_at(at.reader.key_span(entry), message, suggest::hint(&entry.key, NAMES));
        }
        let named = |name: &str| entries.iter().find(|entry| entry.key == name);
        let (Some(layer), Some(unit)) = (named("layer"), named("unit")) else {
            if at.is_sound() {
                at.wrong(node, MAPPING);
            }
            return Json::Null;
        };
        let number = match unit.node.value {
            Value::Integer(n) => u32::try_from(n).ok(),
            _ => None,
        };
        if number.is_none() {
            let message = "a unit must be a whole number from 0".to_owned();
            at.problem_at(at.reader.value_span(&unit.node), message, None);
        }
        let mut place = |name: &str, entry: &Entry| {
            at.place(format!("/{name}"), at.reader.value_span(&entry.node));
        };
        place("layer", layer);
        place("unit", unit);
        let layer = at.text(&layer.node);
        json!({ "layer": layer, "unit": number })
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let Ok(unit_at::UnitAt { layer: name, unit }) = serde_json::from_value(value) else {
            return Ok(None);
        };
        let wrong = |part: &str, problem| vec![Wrong::new(format!("/{part}"), problem)];
        let layer = layer_named(sources.model(), &name, []);
        let layer = layer.map_err(|problem| wrong("layer", problem))?;
        if let Some(own) = sources.place().filter(|own| layer.stage <= own.layer.stage) {
            let own = sources.layer_written().unwrap_or(own.shown());
            let problem = Problem::new(format!("the layer `{name}` does not come after `{own}`"));
            let hint = "name a layer after it: what lies before is not changed";
            return Err(wrong("layer", problem.hint(hint.to_owned())));
        }
        let canonical = layer.name.canonical.clone();
        let place = ResolvedPlace { layer, dictionary: None };
        place.check_unit(Some(&name), unit).map_err(|problem| wrong("unit", problem))?;
        Ok(serde_json::to_value(unit_at::UnitAt { layer: canonical, unit }).ok())
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        match serde_json::from_value(value.clone()) {
            Ok(unit_at::UnitAt { layer, unit }) => format!("unit {unit} of {layer}"),
            Err(_) => value.to_string(),
        }
    }

    fn takes(&self) -> String {
        "mapping".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({
            "type": "object",
            "properties": {
                "layer": shape::text(),
                "unit": { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            },
            "required": NAMES,
            "additionalProperties": false,
        })
    }
}
