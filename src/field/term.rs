//! The terms of a direction: how one is read from YAML, and how its names are resolved to digests.

use std::collections::BTreeSet;
use std::ops::Range;

use neuronotes_core::kind::direction::TAKEN;
use neuronotes_core::kind::term::{MOST_TERMS, SOURCES, Source, Term};
use neuronotes_core::kind::{MOST_PICTURES, MOST_UNITS, Takes};
use neuronotes_core::problem::Problem;
use neuronotes_core::suggest;
use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, Wrong};
use super::number::number;
use super::place::ResolvedPlace;
use super::reading::Reading;
use super::sources::Sources;
use super::{block, file, shape};
use crate::yaml::{Entry, Node, Value};

/// Greatest weight of a term, of either sign.
const HEAVIEST: f64 = 1000.0;
/// What a term looks like.
const MAPPING: &str = "a mapping such as `text: …` or `image: …`";

/// Reads one term, or a sum of terms, whose value is at `pointer`.
pub(super) fn read(node: &Node, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let Value::Map(entries) = &node.value else { return at.wrong(node, MAPPING) };
    match entries.as_slice() {
        [Entry { key, node: sum, .. }] if key == "sum" => {
            let terms = match &sum.value {
                Value::List(terms) if !terms.is_empty() => terms,
                _ => return at.wrong(sum, "a list of terms"),
            };
            if terms.len() > MOST_TERMS {
                return at.too_many(sum, terms.len(), MOST_TERMS);
            }
            let one = |(index, term)| read_term(term, &format!("{pointer}/{index}"), true, at);
            Json::Array(terms.iter().enumerate().map(one).collect())
        }
        _ => json!([read_term(node, &format!("{pointer}/0"), false, at)]),
    }
}

/// The terms of a value; empty if it is malformed.
pub(super) fn terms(value: &Json) -> Vec<Term> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// A direction with this one term.
pub(super) fn single(of: Json) -> Json {
    json!([{ "weight": 1.0, "of": of }])
}

/// Puts digests for the names in terms, which stand under `pointer` in the value.
pub(super) fn resolve(
    terms: &mut [Term],
    pointer: &str,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<(), Vec<Wrong>> {
    let mut problems = Vec::new();
    for (index, term) in terms.iter_mut().enumerate() {
        let pointer = format!("{pointer}/{index}/of/{}", key(&term.of));
        let found = resolve_source(&mut term.of, &pointer, asked, sources);
        problems.extend(found.err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The names of blocks in terms, each with what it must be.
pub(super) fn blocks(terms: Vec<Term>) -> Vec<(Takes, String)> {
    let used = terms.into_iter().flat_map(|term| match term.of {
        Source::Use(names) => names.into_iter().map(|name| (Takes::PICTURES, name)).collect(),
        Source::Target(name) => vec![(TAKEN, name)],
        _ => vec![],
    });
    used.collect()
}

/// The texts in terms, which stand under `pointer` in the value, with their pointers.
pub(super) fn prompts(terms: Vec<Term>, pointer: &str) -> Vec<(String, String)> {
    let texts = terms.into_iter().enumerate().filter_map(|(index, term)| match term.of {
        Source::Text(text) => Some((format!("{pointer}/{index}/of/text"), text)),
        _ => None,
    });
    texts.collect()
}

/// The schema of a term, or of a sum of terms.
pub(super) fn schema_direction() -> Json {
    let sum = schema_term(true);
    json!({ "anyOf": [
        schema_term(false),
        {
            "type": "object",
            "properties": { "sum": { "type": "array", "items": sum, "minItems": 1, "maxItems": MOST_TERMS } },
            "required": ["sum"],
            "additionalProperties": false,
        },
    ] })
}

fn read_term(node: &Node, pointer: &str, in_sum: bool, at: &mut Reading<'_, '_>) -> Json {
    let Value::Map(entries) = &node.value else { return at.wrong(node, MAPPING) };
    let mut weight = 1.0;
    let mut sources = Vec::new();
    for entry in entries {
        match entry.key.as_str() {
            "weight" if in_sum => {
                weight = read_weight("`weight`", &entry.node, at).unwrap_or(weight);
            }
            key if SOURCES.contains(&key) => sources.push(entry),
            key => {
                let known = SOURCES.iter().copied().chain(["sum", "weight"]);
                let hint = match key {
                    "weight" => Some("only a term of a `sum` has a weight".to_owned()),
                    "sum" => Some("a `sum` stands alone, and its terms cannot be sums".to_owned()),
                    _ => suggest::hint(key, known),
                };
                let span = at.reader.key_span(entry);
                at.problem_at(span, format!("a direction has no `{key}`"), hint);
            }
        }
    }
    let (source, second) = match sources.as_slice() {
        [] => {
            if at.is_sound() {
                let names = SOURCES.map(str::to_owned);
                at.wrong(node, &format!("one of {}", suggest::quoted(&names, "and")));
            }
            return Json::Null;
        }
        [source, rest @ ..] => (*source, rest.first()),
    };
    if let Some(second) = second {
        let message =
            format!("a direction can have only one of `{}` and `{}`", source.key, second.key);
        let hint = "several are added up in a `sum`".to_owned();
        at.problem_at(at.reader.key_span(second), message, Some(hint));
    }
    json!({ "weight": weight, "of": read_source(source, pointer, at) })
}

fn read_source(entry: &Entry, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let node = &entry.node;
    let key = if entry.key == "image" { "images" } else { &entry.key };
    let pointer = format!("{pointer}/of/{key}");
    let value = match (entry.key.as_str(), &node.value) {
        ("image", Value::List(_)) => at.wrong(node, "the path of one picture"),
        ("image" | "images", _) => file::paths(node, &pointer, at),
        ("units", _) => read_units(node, &pointer, at),
        ("use", _) => block::names(node, &pointer, at),
        ("words", _) => {
            let items = at.one_or_many(node, "a list of words");
            at.items(node, items, &pointer, MOST_PICTURES)
        }
        _ => match at.text(node) {
            Some(text) => {
                at.place(pointer, at.reader.item_span(node));
                text.into()
            }
            None => Json::Null,
        },
    };
    json!({ key: value })
}

/// Pairs of a unit and its weight, each unit once: from a list, or from a mapping to weights.
pub(super) fn read_units(node: &Node, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let whole = |node: &Node| match node.value {
        Value::Integer(n) => u32::try_from(n).ok(),
        _ => None,
    };
    let mut found: Vec<(Range<usize>, Option<u32>, f64)> = Vec::new();
    match &node.value {
        Value::List(items) => {
            found.extend(items.iter().map(|item| (at.reader.item_span(item), whole(item), 1.0)));
        }
        Value::Map(entries) => {
            for entry in entries {
                let weight = read_weight("the weight of a unit", &entry.node, at).unwrap_or(1.0);
                found.push((at.reader.key_span(entry), entry.key.parse().ok(), weight));
            }
        }
        _ => return at.wrong(node, "a list of units, or a mapping of units to weights"),
    }
    if found.is_empty() {
        at.problem(node, "there are no units here".to_owned(), None);
    }
    if found.len() > MOST_UNITS {
        return at.too_many(node, found.len(), MOST_UNITS);
    }
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    for (index, (span, unit, weight)) in found.into_iter().enumerate() {
        let message = match unit {
            None => Some("a unit must be a whole number from 0".to_owned()),
            Some(unit) if !seen.insert(unit) => {
                Some(format!("unit {unit} is listed more than once"))
            }
            Some(_) => None,
        };
        match message {
            Some(message) => at.problem_at(span, message, None),
            None => {
                at.place(format!("{pointer}/{index}"), span);
                pairs.push(json!([unit, weight]));
            }
        }
    }
    Json::Array(pairs)
}

/// The schema of a term, which has a weight in a sum.
fn schema_term(in_sum: bool) -> Json {
    let one = |name: &str| match name {
        "image" | "text" | "dataset" | "target" => shape::text(),
        "units" => schema_units(),
        _ => shape::one_or_many(&shape::text(), MOST_PICTURES),
    };
    let sources = SOURCES.iter().map(|name| ((*name).to_owned(), one(name)));
    let weight = in_sum.then(|| ("weight".to_owned(), schema_weight()));
    json!({
        "type": "object",
        "properties": sources.chain(weight).collect::<Map<_, _>>(),
        "additionalProperties": false,
        "oneOf": SOURCES.map(|name| json!({ "required": [name] })),
    })
}

pub(super) fn schema_units() -> Json {
    let unit = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    json!({ "anyOf": [
        shape::list(&unit, MOST_UNITS),
        {
            "type": "object",
            "patternProperties": { "^[0-9]+$": schema_weight() },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": MOST_UNITS,
        },
    ] })
}

fn schema_weight() -> Json {
    json!({ "type": "number", "minimum": -HEAVIEST, "maximum": HEAVIEST, "not": { "const": 0 } })
}

/// What something is multiplied by.
fn read_weight(what: &str, node: &Node, at: &mut Reading<'_, '_>) -> Option<f64> {
    let found = number(node).filter(|weight| *weight != 0.0 && weight.abs() <= HEAVIEST);
    if found.is_none() {
        let expected = format!("a number other than 0, from −{HEAVIEST} to {HEAVIEST}");
        let message = format!("{what} must be {expected}, not {}", node.describe());
        at.problem(node, message, None);
    }
    found
}

/// The name of a source, as a value has it.
fn key(source: &Source) -> &'static str {
    match source {
        Source::Text(_) => "text",
        Source::Images(_) => "images",
        Source::Words(_) => "words",
        Source::Units(_) => "units",
        Source::Use(_) => "use",
        Source::Dataset(_) => "dataset",
        Source::Target(_) => "target",
    }
}

/// Replaces the names in a source, which is at `pointer` in the value, by digests.
fn resolve_source(
    source: &mut Source,
    pointer: &str,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<(), Vec<Wrong>> {
    let wrong = |problem: Problem| vec![Wrong::new(pointer, problem)];
    match source {
        Source::Words(_) => {}
        Source::Text(_) => {
            let (model, architecture) = sources.model();
            if architecture.text.is_none() {
                let problem = Problem::new(format!("the model `{model}` has no text tower"));
                let hint = "a direction may also be of pictures, words, units or a data set";
                return Err(wrong(problem.hint(hint)));
            }
            let embedding = architecture.embedding_layer();
            if let Some(place) = sources.place().filter(|place| place.dictionary.is_some()) {
                let name = place.shown();
                let message = format!("a text has no direction among the features of `{name}`");
                let hint = "use pictures, words, units, a data set or other directions";
                return Err(wrong(Problem::new(message).hint(hint)));
            }
            let layer = sources.place().map(|place| &place.layer);
            if let Some(layer) = layer.filter(|layer| layer.stage != embedding.stage) {
                let message =
                    format!("a text has no direction at the layer `{}`", layer.name.shown());
                let hint = "leave `layer` out: texts and pictures meet in the embedding";
                return Err(wrong(Problem::new(message).hint(hint)));
            }
        }
        Source::Units(units) => {
            let place = place(sources);
            let outside = units.iter().enumerate().filter_map(|(n, (unit, _))| {
                let problem = place.check_unit(sources.layer_written(), *unit).err()?;
                Some(Wrong::new(format!("{pointer}/{n}"), problem))
            });
            let outside: Vec<Wrong> = outside.collect();
            if !outside.is_empty() {
                return Err(outside);
            }
        }
        Source::Images(paths) => *paths = file::digests(paths, pointer, asked, sources)?,
        Source::Use(names) => {
            *names = block::keys(Takes::PICTURES, (names, pointer), asked, sources)?;
        }
        Source::Target(name) => {
            let (block, request) = block::one(TAKEN, name, sources).map_err(wrong)?;
            *name = block.key.hex();
            asked.add_used(block, request);
            asked.too_much(1).map_or(Ok(()), |problem| Err(wrong(problem)))?;
        }
        Source::Dataset(name) => {
            let dataset = sources.dataset(name).map_err(wrong)?;
            *name = dataset.content().hex();
            if asked.add_dataset(dataset.clone()) {
                asked.scanned.push(dataset);
            }
        }
    }
    Ok(())
}

/// The place of the block's directions.
fn place(sources: &dyn Sources) -> ResolvedPlace {
    let embedding = || {
        let layer = sources.model().1.embedding_layer();
        ResolvedPlace { layer, dictionary: None }
    };
    sources.place().cloned().unwrap_or_else(embedding)
}
