//! Texts, alone and in lists, and names that prompts are made of.

use neuronotes_core::kind::class::{Class, PLACE};
use neuronotes_core::kind::{Kind, MOST_CLASSES, MOST_TEMPLATES, MOST_TEXTS};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Inputs;
use serde_json::{Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::{list, plain, texts};
use super::reading::Reading;
use super::reading::is_braces;
use super::shape;
use super::sources::Sources;
use crate::yaml::{Entry, Node, Value};

/// One text.
pub(super) struct Text;

impl Family for Text {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.any_text(node)
    }

    fn takes(&self) -> String {
        "text".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

/// One text that the model reads.
pub(super) struct Prompt;

impl Family for Prompt {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        Text.read(node, at)
    }

    fn prompts(&self, value: &Json) -> Vec<(String, String)> {
        vec![(String::new(), plain(value))]
    }

    fn takes(&self) -> String {
        Text.takes()
    }

    fn schema(&self, kind: &Kind) -> Json {
        Text.schema(kind)
    }
}

/// The block's name within its note.
pub(super) struct Id;

impl Family for Id {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.text() {
            Some(id) if is_id(&id) => id.into(),
            Some(_) => at.wrong(node, "letters, digits, `-` and `_`, beginning with a letter"),
            None => at.wrong(node, "text"),
        }
    }

    fn takes(&self) -> String {
        "text".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::text()
    }
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// A list of texts, or the name of a list of words.
pub(super) struct Texts;

impl Family for Texts {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match &node.value {
            Value::List(items) => at.items(node, items, "", MOST_TEXTS),
            _ => match node.text() {
                Some(name) if !name.trim().is_empty() => name.into(),
                _ => at.wrong(node, "a list of texts, or the name of a list of words"),
            },
        }
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let Json::String(name) = value else { return Ok(Some(value)) };
        let words = sources.words(&name).and_then(bounded);
        Ok(Some(words.map_err(|problem| vec![Wrong::new("", problem)])?.into()))
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        list(&texts(value))
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn prompts(&self, value: &Json) -> Vec<(String, String)> {
        let texts = texts(value).into_iter().enumerate();
        texts.map(|(index, text)| (format!("/{index}"), text)).collect()
    }

    fn takes(&self) -> String {
        "list of texts, or a name".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "anyOf": [shape::text(), shape::list(&shape::text(), MOST_TEXTS)] })
    }
}

fn bounded(words: Vec<String>) -> Result<Vec<String>, Problem> {
    if words.len() <= MOST_TEXTS {
        return Ok(words);
    }
    Err(Problem::new(format!(
        "the list has {} words; at most {MOST_TEXTS} are allowed",
        words.len()
    )))
}

/// Texts with a place for another; one may stand without a list.
pub(super) struct Templates;

impl Family for Templates {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        if is_braces(node) {
            let hint = format!("put it in quotes: \"{PLACE}\"");
            return at.hinted(node, "a list of texts", Some(hint));
        }
        let items = at.one_or_many(node, "a list of texts");
        let value = at.items(node, items, "", MOST_TEMPLATES);
        for item in items {
            let Some(text) = item.item().filter(|text| !text.contains(PLACE)) else { continue };
            let message = format!("the template `{text}` has no `{PLACE}`");
            let hint = format!("`{PLACE}` is where the name goes: \"a photo of a {PLACE}.\"");
            at.problem(item, message, Some(hint));
        }
        value
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        list(&texts(value))
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn takes(&self) -> String {
        format!("list of texts with `{PLACE}`")
    }

    fn schema(&self, _: &Kind) -> Json {
        let template = json!({ "type": "string", "pattern": "\\{\\}" });
        shape::one_or_many(&template, MOST_TEMPLATES)
    }
}

/// A list of names, or a mapping of labels to one name or several.
pub(super) struct Classes;

impl Family for Classes {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let class = |label: &str, names: Json| json!({ "label": label, "names": names });
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                if entries.len() > MOST_CLASSES {
                    return at.too_many(node, entries.len(), MOST_CLASSES);
                }
                let one = |(index, entry): (usize, &Entry)| {
                    let items = at.one_or_many(&entry.node, "a name or a list of names");
                    let pointer = format!("/{index}/names");
                    class(&entry.key, at.items(&entry.node, items, &pointer, MOST_TEMPLATES))
                };
                Json::Array(entries.iter().enumerate().map(one).collect())
            }
            Value::List(items) => {
                let names = at.items(node, items, "", MOST_CLASSES);
                let names = names.as_array().cloned().unwrap_or_default();
                for index in 0..names.len() {
                    at.rename(&format!("/{index}"), format!("/{index}/names/0"));
                }
                let one = |name: Json| class(name.as_str().unwrap_or_default(), json!([name]));
                Json::Array(names.into_iter().map(one).collect())
            }
            _ => at.wrong(node, "a list of names, or a mapping of labels to names"),
        }
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        let one = |class: &Class| match class.names.as_slice() {
            [name] if *name == class.label => name.clone(),
            names => format!("{} ({})", class.label, names.join(", ")),
        };
        match serde_json::from_value::<Vec<Class>>(value.clone()) {
            Ok(classes) => list(&classes.iter().map(one).collect::<Vec<_>>()),
            Err(_) => plain(value),
        }
    }

    fn prompts(&self, value: &Json) -> Vec<(String, String)> {
        let classes: Vec<Class> = serde_json::from_value(value.clone()).unwrap_or_default();
        let named = |(index, class): (usize, Class)| {
            let names = class.names.into_iter().enumerate();
            names.map(move |(n, name)| (format!("/{index}/names/{n}"), name))
        };
        classes.into_iter().enumerate().flat_map(named).collect()
    }

    fn takes(&self) -> String {
        "list of names, or mapping of labels to names".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let names = shape::one_or_many(&shape::text(), MOST_TEMPLATES);
        json!({ "anyOf": [
            shape::list(&shape::text(), MOST_CLASSES),
            { "type": "object", "additionalProperties": names, "minProperties": 1, "maxProperties": MOST_CLASSES },
        ] })
    }
}
/// A list of labels, or a mapping of categories to one label or several.
pub(super) struct Categories;

impl Family for Categories {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        Classes.read(node, at)
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        Classes.shown(value, inputs)
    }

    fn takes(&self) -> String {
        "list of labels, or mapping of categories to labels".into()
    }

    fn schema(&self, kind: &Kind) -> Json {
        Classes.schema(kind)
    }
}
