//! `lists:` of the configuration: named lists of texts, which claims and values in prose compare with.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;

use super::settings::Settings;
use crate::yaml::{Entry, Value};

/// Maximum number of texts in a list.
const MOST: usize = 20_000;

/// A named list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Its texts, at least one.
    pub items: Vec<String>,
    /// The lines of the configuration that it is written in, without indentation.
    pub lines: Vec<String>,
    /// Span of its name in the configuration.
    pub span: Range<usize>,
}

impl Settings<'_> {
    /// The texts of a named list.
    pub(super) fn named_list(&mut self, entry: &Entry) -> Option<List> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let is_name = entry.key.starts_with(char::is_alphabetic) && entry.key.chars().all(is_part);
        if !is_name {
            let message = format!("`{}` is not a name of a list", entry.key);
            let hint = "begin it with a letter; letters, digits, `-` and `_` may follow";
            self.problems.push(self.reader.at_key(entry, message).hint(hint));
            return None;
        }
        let nodes = match &entry.node.value {
            Value::List(nodes) if (1..=MOST).contains(&nodes.len()) => nodes,
            Value::List(nodes) if !nodes.is_empty() => {
                let message = format!(
                    "`{}` has {} items; at most {MOST} are allowed",
                    entry.key,
                    nodes.len()
                );
                self.problems.push(self.reader.at_key(entry, message));
                return None;
            }
            _ => {
                self.wrong(&entry.node, &entry.key, "a list of at least one text");
                return None;
            }
        };
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.item().filter(|text| !text.trim().is_empty()) {
                Some(text) => items.push(text),
                None => {
                    let message =
                        format!("an item of `{}` must be text, not {}", entry.key, node.describe());
                    self.problems.push(self.reader.at_value(node, message));
                    return None;
                }
            }
        }
        let span = self.reader.key_span(entry);
        let last = nodes.last().map_or(span.end, |node| self.reader.item_span(node).end);
        let text = self.reader.at.text.cut(span.start..last.max(span.end));
        let end =
            text.len() + self.reader.at.text.cut(last.max(span.end)..).find('\n').unwrap_or(0);
        let text = self.reader.at.text.cut(span.start..span.start + end);
        let lines = text.lines().map(|line| line.trim().to_owned()).collect();
        Some(List { items, lines, span })
    }
}
