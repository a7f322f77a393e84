//! Reads the value of one field: a YAML node in; JSON, the places of its parts by JSON pointer, and the problems of
//! each out. Shared by all families.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use neuronotes_core::kind::class::PLACE;
use serde_json::Value as Json;

use super::value::FieldValue;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Reader, Value};

/// The state while one field's value is read.
pub(super) struct Reading<'a, 'r> {
    pub(super) reader: &'a Reader<'r>,
    /// The field's name.
    pub(super) field: &'a str,
    places: BTreeMap<String, Range<usize>>,
    problems: Vec<Diagnostic>,
}

impl<'a, 'r> Reading<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>, field: &'a str) -> Self {
        Self { reader, field, places: BTreeMap::new(), problems: Vec::new() }
    }

    /// The value that was read at a node, or the problems.
    pub(super) fn finish(self, value: Json, node: &Node) -> Result<FieldValue, Vec<Diagnostic>> {
        match self.problems.is_empty() {
            true => {
                let span = self.reader.value_span(node);
                Ok(FieldValue { value, span, places: self.places })
            }
            false => Err(self.problems),
        }
    }

    /// Whether there are no problems so far.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Records the span of a part of the value.
    pub(super) fn place(&mut self, pointer: String, span: Range<usize>) {
        self.places.insert(pointer, span);
    }

    /// Changes the pointer of a part of the value.
    pub(super) fn rename(&mut self, from: &str, to: String) {
        if let Some(span) = self.places.remove(from) {
            self.places.insert(to, span);
        }
    }

    /// The items of a list, or one value by itself.
    pub(super) fn one_or_many<'n>(&mut self, node: &'n Node, expected: &str) -> &'n [Node] {
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
    pub(super) fn items(
        &mut self,
        list: &Node,
        items: &[Node],
        pointer: &str,
        most: usize,
    ) -> Json {
        if items.is_empty() {
            if self.is_sound() {
                let hint = "list at least one".to_owned();
                self.problem(list, format!("`{}` is an empty list", self.field), Some(hint));
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
                let message = format!("`{}` lists `{text}` more than once", self.field);
                self.problem(item, message, None);
            }
            self.place(format!("{pointer}/{index}"), self.reader.item_span(item));
            texts.push(Json::from(text));
        }
        Json::Array(texts)
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, node: &Node) -> Option<String> {
        let text = node.item().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            let message =
                format!("an item of `{}` must be text, not {}", self.field, node.describe());
            let hint = is_braces(node).then(|| format!("put it in quotes: \"{PLACE}\""));
            self.problem(node, message, hint);
        }
        text
    }

    /// A text, which may be empty.
    pub(super) fn any_text(&mut self, node: &Node) -> Json {
        node.text().map_or_else(|| self.wrong(node, "text"), Json::from)
    }

    /// Reports a value that is not what was expected.
    pub(super) fn wrong(&mut self, node: &Node, expected: &str) -> Json {
        self.hinted(node, expected, None)
    }

    /// Reports a value that is not what was expected, with a hint.
    pub(super) fn hinted(&mut self, node: &Node, expected: &str, hint: Option<String>) -> Json {
        let message = format!("`{}` must be {expected}, not {}", self.field, node.describe());
        self.problem(node, message, hint);
        Json::Null
    }

    /// Reports a list of too many items.
    pub(super) fn too_many(&mut self, node: &Node, count: usize, most: usize) -> Json {
        let message = format!("`{}` has {count} items; at most {most} are allowed", self.field);
        self.problem(node, message, None);
        Json::Null
    }

    /// Reports a problem with a value.
    pub(super) fn problem(&mut self, node: &Node, message: String, hint: Option<String>) {
        self.problem_at(self.reader.item_span(node), message, hint);
    }

    /// Reports a problem at a place of the file.
    pub(super) fn problem_at(&mut self, span: Range<usize>, message: String, hint: Option<String>) {
        self.problems.push(self.reader.at.error(span, message).hint(hint));
    }
}

/// Whether a value is `{}`, which is YAML for an empty mapping.
pub(super) fn is_braces(node: &Node) -> bool {
    matches!(&node.value, Value::Map(entries) if entries.is_empty())
}
