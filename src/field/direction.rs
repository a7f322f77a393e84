//! Directions: sums of texts, pictures, words, units, data sets, other figures' pictures and other directions. A parameter is an
//! array of [`Term`](neuronotes_core::kind::term::Term), with digests for names.

use neuronotes_core::kind::direction::TAKEN;
use neuronotes_core::kind::term::{DIRECTION, MOST_TERMS};
use neuronotes_core::kind::{Kind, Takes};
use neuronotes_core::request::Inputs;
use serde_json::{Value as Json, json};

use super::asked::Asked;
use super::family::{Family, Resolved};
use super::line::list;
use super::reading::Reading;
use super::sources::Sources;
use super::{block, shape, sum, term};
use crate::yaml::{Node, Value};

/// A direction, in one of the forms in which a block can give it. The parameter is the same.
pub(super) enum Direction {
    /// One term, or a sum of terms.
    Terms,
    /// Units, without the word.
    Units,
    /// The direction that another block has, by its name.
    Target,
}

impl Family for Direction {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match self {
            Self::Terms => term::read(node, "", at),
            Self::Units => {
                let units = term::read_units(node, "/0/of/units", at);
                term::single(json!({ "units": units }))
            }
            Self::Target => {
                let Some(name) = node.text() else { return at.wrong(node, "the name of a block") };
                at.place("/0/of/target".to_owned(), at.reader.value_span(node));
                term::single(json!({ "target": name }))
            }
        }
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let mut terms = term::terms(&value);
        term::resolve(&mut terms, "", asked, sources)?;
        Ok(serde_json::to_value(terms).ok())
    }

    fn parameter(&self, _: &'static str) -> &'static str {
        DIRECTION
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        match serde_json::from_value::<Vec<_>>(value.clone()) {
            Ok(terms) => sum::line(&terms, inputs),
            Err(_) => value.to_string(),
        }
    }

    fn blocks(&self, value: &Json) -> Vec<(Takes, String)> {
        term::blocks(term::terms(value))
    }

    fn prompts(&self, value: &Json) -> Vec<(String, String)> {
        term::prompts(term::terms(value), "")
    }

    fn takes(&self) -> String {
        match self {
            Self::Terms => "mapping".into(),
            Self::Units => "list of units, or mapping of units to weights".into(),
            Self::Target => block::One { takes: TAKEN }.takes(),
        }
    }

    fn schema(&self, _: &Kind) -> Json {
        match self {
            Self::Terms => term::schema_direction(),
            Self::Units => term::schema_units(),
            Self::Target => shape::text(),
        }
    }
}

/// A list of directions, each as [`Direction::Terms`] has it, or as the name of another block; one may stand without a list.
pub(super) struct Directions;

impl Directions {
    /// What it takes.
    const TAKES: &str = "a list of names of directions, or of mappings such as `units: …`";
}

impl Family for Directions {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let items = match &node.value {
            Value::List(items) if !items.is_empty() => items,
            Value::List(_) | Value::Null => return at.wrong(node, Self::TAKES),
            _ => std::slice::from_ref(node),
        };
        if items.len() > MOST_TERMS {
            return at.too_many(node, items.len(), MOST_TERMS);
        }
        let mut read: Vec<Json> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/{index}");
            let value = match (&item.value, item.item()) {
                (Value::Map(_), _) => term::read(item, &pointer, at),
                (_, Some(name)) => {
                    at.place(format!("{pointer}/0/of/target"), at.reader.item_span(item));
                    term::single(json!({ "target": name }))
                }
                _ => at.wrong(item, Self::TAKES),
            };
            if read.contains(&value) && at.is_sound() {
                at.problem(item, format!("`{}` lists this more than once", at.field), None);
            }
            read.push(value);
        }
        Json::Array(read)
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let (mut resolved, mut problems) = (Vec::new(), Vec::new());
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            let mut terms = term::terms(value);
            let found = term::resolve(&mut terms, &format!("/{index}"), asked, sources);
            problems.extend(found.err().unwrap_or_default());
            resolved.push(terms);
        }
        match problems.is_empty() {
            true => Ok(serde_json::to_value(resolved).ok()),
            false => Err(problems),
        }
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        let all = value.as_array().into_iter().flatten();
        list(&all.map(|terms| Direction::Terms.shown(terms, inputs)).collect::<Vec<_>>())
    }

    fn blocks(&self, value: &Json) -> Vec<(Takes, String)> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|terms| Direction::Terms.blocks(terms))
            .collect()
    }

    fn prompts(&self, value: &Json) -> Vec<(String, String)> {
        let all = value.as_array().into_iter().flatten().enumerate();
        all.flat_map(|(at, terms)| term::prompts(term::terms(terms), &format!("/{at}"))).collect()
    }

    fn takes(&self) -> String {
        "list of names of blocks and of mappings".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let one = json!({ "anyOf": [{ "type": "string" }, term::schema_direction()] });
        shape::one_or_many(&one, MOST_TERMS)
    }
}
