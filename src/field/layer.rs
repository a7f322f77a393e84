//! Layers of the model and dictionaries over them, and their units.

use neuronotes_core::kind::{Kind, MOST_LAYERS, MOST_UNITS};
use neuronotes_core::model::{Architecture, Layer, Place};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use neuronotes_core::suggest;
use serde_json::{Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::{list, plain, texts};
use super::number::{is_digits, wrong};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::{Node, Value};

/// The place that the block is about: a layer, or a dictionary over one.
pub(super) struct One;

impl Family for One {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn absent(&self, sources: &dyn Sources) -> Option<Json> {
        serde_json::to_value(sources.place()?.place()).ok()
    }

    fn resolve(&self, _: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let dictionary = sources.place().and_then(|place| place.dictionary.as_ref());
        asked.inputs.dictionaries.extend(dictionary.map(|(file, _)| file.clone()));
        Ok(self.absent(sources))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        let place = serde_json::from_value::<Place>(value.clone());
        place.map_or_else(|_| plain(value), |place| inputs.place_name(&place).to_owned())
    }

    fn takes(&self) -> String {
        "layer or dictionary".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// A list of layers; one may stand without a list. The parameter is their canonical spellings.
pub(super) struct Several;

impl Family for Several {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let items = at.one_or_many(node, "a list of layers");
        at.items(node, items, "", MOST_LAYERS)
    }

    fn absent(&self, sources: &dyn Sources) -> Option<Json> {
        Some(sources.model().1.middle_layers().into())
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let mut problems = Vec::new();
        let mut layers: Vec<String> = Vec::new();
        for (index, name) in texts(&value).iter().enumerate() {
            let place = format!("/{index}");
            match layer_named(sources.model(), name, []) {
                Ok(layer) if layers.contains(&layer.name.canonical) => {
                    let message = format!("the layer `{name}` is listed more than once");
                    problems.push(Wrong::new(place, Problem::new(message)));
                }
                Ok(layer) => layers.push(layer.name.canonical),
                Err(problem) => problems.push(Wrong::new(place, problem)),
            }
        }
        if problems.is_empty() { Ok(Some(layers.into())) } else { Err(problems) }
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        list(&texts(value))
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn takes(&self) -> String {
        "list of layers".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::one_or_many(&shape::text(), MOST_LAYERS)
    }
}

/// A unit of the block's place.
pub(super) struct Unit;

impl Family for Unit {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.value {
            Value::Integer(n) if u32::try_from(n).is_ok() => n.into(),
            // The maximum is mentioned only if the number exceeds it.
            _ if node.written.as_deref().is_some_and(is_digits) => {
                wrong(node, &format!("a whole number from 0 to {}", u32::MAX), at)
            }
            _ => wrong(node, "a whole number from 0", at),
        }
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let unit = value.as_u64().and_then(|unit| u32::try_from(unit).ok());
        if let (Some(unit), Some(place)) = (unit, sources.place()) {
            place
                .check_unit(sources.layer_written(), unit)
                .map_err(|problem| vec![Wrong::new("", problem)])?;
        }
        Ok(Some(value))
    }

    fn takes(&self) -> String {
        "whole number from 0".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

/// Several units of the block's place, each by itself.
pub(super) struct Channels;

impl Family for Channels {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        numbers(node, "unit", MOST_UNITS, at)
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let units: Vec<u32> = serde_json::from_value(value.clone()).unwrap_or_default();
        let outside = units.into_iter().enumerate().filter_map(|(index, unit)| {
            let problem = sources.place()?.check_unit(sources.layer_written(), unit).err()?;
            Some(Wrong::new(format!("/{index}"), problem))
        });
        let outside: Vec<Wrong> = outside.collect();
        if outside.is_empty() { Ok(Some(value)) } else { Err(outside) }
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        let units: Vec<u32> = serde_json::from_value(value.clone()).unwrap_or_default();
        list(&units.iter().map(u32::to_string).collect::<Vec<_>>())
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn takes(&self) -> String {
        "list of units".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let unit = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
        json!({ "anyOf": [unit, shape::list(&unit, MOST_UNITS)] })
    }
}

/// A list of different whole numbers from 0, or one of them, each with its place; `noun` is what a number stands for.
pub(super) fn numbers(node: &Node, noun: &str, most: usize, at: &mut Reading<'_, '_>) -> Json {
    let items = match &node.value {
        Value::List(items) if !items.is_empty() => items.as_slice(),
        Value::Integer(_) => std::slice::from_ref(node),
        _ => return at.wrong(node, &format!("a list of {noun}s")),
    };
    if items.len() > most {
        return at.too_many(node, items.len(), most);
    }
    let mut numbers: Vec<u32> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let span = at.reader.item_span(item);
        let number = match item.value {
            Value::Integer(n) => u32::try_from(n).ok(),
            _ => None,
        };
        let message = match number {
            None => format!("a {noun} must be a whole number from 0"),
            Some(number) if numbers.contains(&number) => {
                format!("{noun} {number} is listed more than once")
            }
            Some(number) => {
                at.place(format!("/{index}"), span);
                numbers.push(number);
                continue;
            }
        };
        at.problem_at(span, message, None);
    }
    numbers.into()
}

/// The layer of that name, in any of its spellings, of a model with its name and sizes. `others` are names that could stand
/// in its place, for the hint.
///
/// # Errors
/// Fails if the model has no such layer.
pub fn layer_named<'a>(
    (model, architecture): (&str, &Architecture),
    name: &str,
    others: impl IntoIterator<Item = &'a str>,
) -> Result<Layer, Problem> {
    architecture.layer(name).map_err(|layers| {
        let mut nearest = suggest::nearest(name, others, 3);
        nearest.extend(layers);
        let hint = (!nearest.is_empty())
            .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
        Problem::new(format!("the model `{model}` has no layer `{name}`")).hint(hint)
    })
}
