//! Reads entries of the configuration and collects what is wrong with them. Knows none of its fields.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::source::{Source, escapes};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Entry, Node, Reader, Value};

/// Hint for a path outside the garden.
pub const INSIDE: &str = "use an absolute path for weights or data outside the garden";

/// Reads the configuration's entries and collects diagnostics.
pub(super) struct Settings<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) root: &'a Path,
    pub(super) problems: Vec<Diagnostic>,
}

impl Settings<'_> {
    /// The value, or `None` with its problem collected.
    pub(super) fn kept<T>(
        &mut self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, Diagnostic>,
    ) -> Option<T> {
        match read(&self.reader) {
            Ok(found) => Some(found),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, entry: &Entry, default: bool) -> bool {
        match entry.node.value {
            Value::Null => default,
            _ => self.kept(|reader| reader.flag(&entry.node, &entry.key)).unwrap_or(default),
        }
    }

    pub(super) fn wrong(&mut self, node: &Node, field: &str, expected: &str) {
        self.problems.push(self.reader.wrong(node, field, expected));
    }

    pub(super) fn unknown(&mut self, entry: &Entry, what: &str, known: &[&str]) {
        self.problems.push(self.reader.unknown(entry, what, known));
    }

    pub(super) fn text(&mut self, entry: &Entry) -> Option<String> {
        match entry.node.value {
            Value::Null => None,
            _ => self.kept(|reader| reader.text(&entry.node, &entry.key)),
        }
    }

    pub(super) fn each<T>(
        &mut self,
        entry: &Entry,
        read: fn(&mut Self, &Entry) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let Some(entries) = entry.node.entries() else {
            let of = if entry.key == "lists" { "lists of texts" } else { "paths" };
            self.wrong(&entry.node, &entry.key, &format!("a mapping of names to {of}"));
            return BTreeMap::new();
        };
        let read = |named: &Entry| Some((named.key.clone(), read(self, named)?));
        entries.iter().filter_map(read).collect()
    }

    /// The path of an entry, which is required.
    pub(super) fn source(&mut self, named: &Entry, written: String) -> Option<Source> {
        let span = self.reader.key_span(named);
        if written.is_empty() {
            self.unplaced(named);
            return None;
        }
        if escapes(&written) {
            self.leaves(span.clone(), &written);
        }
        Some(Source::new(self.root, written, span))
    }

    pub(super) fn unplaced(&mut self, named: &Entry) {
        let message = format!("`{}` has no `path`", named.key);
        let hint = format!("add one: {}: {{ path: … }}", named.key);
        self.problems.push(self.reader.at_key(named, message).hint(hint));
    }

    pub(super) fn leaves(&mut self, span: Range<usize>, written: &str) {
        let message = format!("`{written}` is outside the garden");
        self.problems.push(self.reader.at.error(span, message).hint(INSIDE));
    }
}
