//! Values that hold others: lists of texts, templates, classes, pictures and units, and directions. A YAML node in; JSON
//! out, with the place of every item by its JSON pointer, and whatever is wrong with each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use neuronotes_core::kind::class::PLACE;
use neuronotes_core::kind::direction::{MOST_TERMS, SOURCES};
use neuronotes_core::kind::{
    MOST_CLASSES, MOST_LAYERS, MOST_PICTURES, MOST_TEMPLATES, MOST_TEXTS, MOST_UNITS,
};
use neuronotes_core::suggest;
use serde_json::{Value as Json, json};

use super::block::Reader;
use super::value::number;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Entry, Node, Value};

/// Greatest weight of a term, of either sign.
const HEAVIEST: f64 = 1000.0;

/// Reads one field's value.
pub(super) struct Lists<'a, 'r> {
    reader: &'a Reader<'r>,
    field: &'a str,
    /// Of items, by JSON pointer.
    pub(super) places: BTreeMap<String, Range<usize>>,
    /// What is wrong.
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a, 'r> Lists<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>, field: &'a str) -> Self {
        Self { reader, field, places: BTreeMap::new(), problems: Vec::new() }
    }

    /// A list of texts, or the name of a list of words.
    pub(super) fn texts(&mut self, node: &Node) -> Json {
        match &node.value {
            Value::List(items) => self.items(node, items, "", MOST_TEXTS),
            _ => match node.text() {
                Some(name) if !name.trim().is_empty() => name.into(),
                _ => self.wrong(node, "a list of texts, or the name of a list of words"),
            },
        }
    }

    /// Texts with a place for another; one may stand without a list.
    pub(super) fn templates(&mut self, node: &Node) -> Json {
        let items = self.one_or_many(node, "a list of texts");
        let value = self.items(node, items, "", MOST_TEMPLATES);
        for item in items {
            let Some(text) = item.item().filter(|text| !text.contains(PLACE)) else { continue };
            let message = format!("the template `{text}` has no `{PLACE}`");
            let hint = format!("`{PLACE}` is where the name goes: \"a photo of a {PLACE}.\"");
            self.problem(item, message, Some(hint));
        }
        value
    }

    /// A list of names, or a mapping of labels to one name or several.
    pub(super) fn classes(&mut self, node: &Node) -> Json {
        let class = |label: &str, names: Json| json!({ "label": label, "names": names });
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                if entries.len() > MOST_CLASSES {
                    return self.too_many(node, entries.len(), MOST_CLASSES);
                }
                let one = |(index, entry): (usize, &Entry)| {
                    let items = self.one_or_many(&entry.node, "a name or a list of names");
                    let at = format!("/{index}/names");
                    let names = self.items(&entry.node, items, &at, MOST_TEMPLATES);
                    class(&entry.key, names)
                };
                Json::Array(entries.iter().enumerate().map(one).collect())
            }
            Value::List(items) => {
                let names = self.items(node, items, "", MOST_CLASSES);
                let names = names.as_array().cloned().unwrap_or_default();
                for index in 0..names.len() {
                    if let Some(place) = self.places.remove(&format!("/{index}")) {
                        self.places.insert(format!("/{index}/names/0"), place);
                    }
                }
                let one = |name: Json| class(name.as_str().unwrap_or_default(), json!([name]));
                Json::Array(names.into_iter().map(one).collect())
            }
            _ => self.wrong(node, "a list of names, or a mapping of labels to names"),
        }
    }

    /// Paths of pictures; one may stand without a list.
    pub(super) fn pictures(&mut self, node: &Node, pointer: &str) -> Json {
        let items = self.one_or_many(node, "a list of paths");
        self.items(node, items, pointer, MOST_PICTURES)
    }

    /// Names of blocks; one may stand without a list.
    pub(super) fn figures(&mut self, node: &Node, pointer: &str) -> Json {
        let items = self.one_or_many(node, "the id of a block, or a list of those");
        self.items(node, items, pointer, MOST_PICTURES)
    }

    /// A direction of units, without the word.
    pub(super) fn several_units(&mut self, node: &Node) -> Json {
        let units = self.units(node, "/0/of/units");
        json!([{ "weight": 1.0, "of": { "units": units } }])
    }

    /// Pairs of a unit and its weight, each unit once: from a list, or from a mapping to weights.
    fn units(&mut self, node: &Node, pointer: &str) -> Json {
        let expected = "a list of units, or a mapping of units to weights";
        let whole = |node: &Node| match node.value {
            Value::Integer(n) => u32::try_from(n).ok(),
            _ => None,
        };
        let mut found: Vec<(Range<usize>, Option<u32>, f64)> = Vec::new();
        match &node.value {
            Value::List(items) => {
                let one = |item| (self.reader.item_span(item), whole(item), 1.0);
                found.extend(items.iter().map(one));
            }
            Value::Map(entries) => {
                for entry in entries {
                    let weight = self.weight("the weight of a unit", &entry.node).unwrap_or(1.0);
                    found.push((self.reader.key_span(entry), entry.key.parse().ok(), weight));
                }
            }
            _ => return self.wrong(node, expected),
        }
        if found.is_empty() {
            self.problem(node, "there are no units here".to_owned(), None);
        }
        if found.len() > MOST_UNITS {
            return self.too_many(node, found.len(), MOST_UNITS);
        }
        let mut seen = BTreeSet::new();
        let mut pairs = Vec::new();
        for (index, (span, unit, weight)) in found.into_iter().enumerate() {
            let message = match unit {
                None => Some("a unit must be a whole number from 0".to_owned()),
                Some(unit) if !seen.insert(unit) => Some(format!("unit {unit} stands twice")),
                Some(_) => None,
            };
            if let Some(message) = message {
                self.problems.push(self.reader.at.error(span, message));
                continue;
            }
            self.places.insert(format!("{pointer}/{index}"), span);
            pairs.push(json!([unit, weight]));
        }
        Json::Array(pairs)
    }

    /// What something is multiplied by.
    fn weight(&mut self, what: &str, node: &Node) -> Option<f64> {
        let found = number(node).filter(|weight| *weight != 0.0 && weight.abs() <= HEAVIEST);
        if found.is_none() {
            let expected = format!("a number other than 0, from −{HEAVIEST} to {HEAVIEST}");
            let message = format!("{what} must be {expected}, not {}", node.describe());
            self.problem(node, message, None);
        }
        found
    }

    /// Names of layers; one may stand without a list.
    pub(super) fn layers(&mut self, node: &Node) -> Json {
        let items = self.one_or_many(node, "a list of layers");
        self.items(node, items, "", MOST_LAYERS)
    }

    /// One term, or a sum of terms.
    pub(super) fn direction(&mut self, node: &Node) -> Json {
        let expected = "a mapping such as `text: …` or `image: …`";
        let Value::Map(entries) = &node.value else { return self.wrong(node, expected) };
        match entries.as_slice() {
            [Entry { key, node: sum, .. }] if key == "sum" => {
                let Value::List(terms) = &sum.value else {
                    return self.wrong(sum, "a list of terms");
                };
                if terms.is_empty() {
                    return self.wrong(sum, "a list of terms");
                }
                if terms.len() > MOST_TERMS {
                    return self.too_many(sum, terms.len(), MOST_TERMS);
                }
                let terms = terms.iter().enumerate();
                Json::Array(terms.map(|(index, term)| self.term(term, index, true)).collect())
            }
            _ => json!([self.term(node, 0, false)]),
        }
    }

    fn term(&mut self, node: &Node, index: usize, in_sum: bool) -> Json {
        let Value::Map(entries) = &node.value else {
            return self.wrong(node, "a mapping such as `text: …` or `image: …`");
        };
        let mut weight = 1.0;
        let mut sources = Vec::new();
        for entry in entries {
            match entry.key.as_str() {
                "weight" if in_sum => {
                    weight = self.weight("`weight`", &entry.node).unwrap_or(weight);
                }
                key if SOURCES.contains(&key) => sources.push(entry),
                key => {
                    let span = self.reader.key_span(entry);
                    let message = format!("a direction has no `{key}`");
                    let known = SOURCES.iter().copied().chain(["sum", "weight"]);
                    let hint = match key {
                        "weight" => Some("only a term of a `sum` has a weight".to_owned()),
                        "sum" => Some("a `sum` stands alone, and its terms are no sums".to_owned()),
                        _ => suggest::hint(key, known),
                    };
                    self.problems.push(self.reader.at.error(span, message).hint(hint));
                }
            }
        }
        let (source, second) = match sources.as_slice() {
            [] => {
                if self.problems.is_empty() {
                    self.wrong(
                        node,
                        "one of `text`, `image`, `images`, `words`, `units`, `dataset` and `use`",
                    );
                }
                return Json::Null;
            }
            [source, rest @ ..] => (*source, rest.first()),
        };
        if let Some(second) = second {
            let span = self.reader.key_span(second);
            let message = format!("a direction has one of `{}` and `{}`", source.key, second.key);
            let hint = "several are added up in a `sum`".to_owned();
            self.problems.push(self.reader.at.error(span, message).hint(hint));
        }
        json!({ "weight": weight, "of": self.source(source, index) })
    }

    fn source(&mut self, entry: &Entry, index: usize) -> Json {
        let node = &entry.node;
        let key = if entry.key == "image" { "images" } else { &entry.key };
        let pointer = format!("/{index}/of/{key}");
        let value = match (entry.key.as_str(), &node.value) {
            ("image", Value::List(_)) => self.wrong(node, "the path of one picture"),
            ("image" | "images", _) => self.pictures(node, &pointer),
            ("units", _) => self.units(node, &pointer),
            ("use", _) => self.figures(node, &pointer),
            ("words", _) => {
                let items = self.one_or_many(node, "a list of words");
                self.items(node, items, &pointer, MOST_PICTURES)
            }
            _ => match self.text(node) {
                Some(text) => {
                    self.places.insert(pointer, self.reader.item_span(node));
                    text.into()
                }
                None => Json::Null,
            },
        };
        json!({ key: value })
    }

    /// The items of a list, or one value by itself.
    fn one_or_many<'n>(&mut self, node: &'n Node, expected: &str) -> &'n [Node] {
        match &node.value {
            Value::List(items) => items,
            Value::Null | Value::Map(_) => {
                self.wrong(node, expected);
                &[]
            }
            _ => std::slice::from_ref(node),
        }
    }

    /// Texts that differ, each with its place under `pointer`.
    fn items(&mut self, list: &Node, items: &[Node], pointer: &str, most: usize) -> Json {
        if items.is_empty() {
            if self.problems.is_empty() {
                self.problem(list, format!("`{}` is an empty list", self.field), None);
            }
            return Json::Null;
        }
        if items.len() > most {
            return self.too_many(list, items.len(), most);
        }
        let mut seen = BTreeSet::new();
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(text) = self.text(item) else { continue };
            if !seen.insert(text.clone()) {
                self.problem(item, format!("`{text}` stands twice in `{}`", self.field), None);
            }
            self.places.insert(format!("{pointer}/{index}"), self.reader.item_span(item));
            texts.push(Json::from(text));
        }
        Json::Array(texts)
    }

    /// A text that is not empty.
    fn text(&mut self, node: &Node) -> Option<String> {
        let text = node.item().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            let message =
                format!("an item of `{}` must be text, not {}", self.field, node.describe());
            // `{}` alone is YAML for an empty mapping.
            let braces = matches!(&node.value, Value::Map(entries) if entries.is_empty());
            let hint = braces.then(|| format!("put it in quotes: \"{PLACE}\""));
            self.problem(node, message, hint);
        }
        text
    }

    fn wrong(&mut self, node: &Node, expected: &str) -> Json {
        let message = format!("`{}` must be {expected}, not {}", self.field, node.describe());
        let braces = matches!(&node.value, Value::Map(entries) if entries.is_empty());
        let hint =
            (braces && self.field == "templates").then(|| format!("put it in quotes: \"{PLACE}\""));
        self.problem(node, message, hint);
        Json::Null
    }

    fn too_many(&mut self, node: &Node, count: usize, most: usize) -> Json {
        let message = format!("`{}` has {count} items; the most is {most}", self.field);
        self.problem(node, message, None);
        Json::Null
    }

    fn problem(&mut self, node: &Node, message: String, hint: Option<String>) {
        let span = self.reader.item_span(node);
        self.problems.push(self.reader.at.error(span, message).hint(hint));
    }
}
