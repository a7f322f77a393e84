//! Reads YAML in a file of the garden: mappings and values with their positions in the file, and diagnostics.
//!
//! Blocks, front matter and the configuration are all read through this.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::suggest;

use super::hint::{colon_hint, hint};
use super::node::{Entry, Node, Value};
use super::parse::parse;
use crate::diagnostic::{Diagnostic, Lines, SourceFile};

/// Reads YAML that is a part of a file, or all of it.
pub struct Reader<'a> {
    /// The file.
    pub at: SourceFile<'a>,
    yaml: &'a str,
    lines: Lines,
    /// Offset of the YAML in the file; for a fenced block, of its fence.
    start: usize,
    /// Positions of pieces of the YAML: offset in the YAML, offset in the file.
    pieces: &'a [(usize, usize)],
}

impl<'a> Reader<'a> {
    /// Reads a whole file.
    pub fn of_file(at: SourceFile<'a>) -> Self {
        Self::of_part(at, at.text, 0)
    }

    /// Reads YAML that is in the file verbatim, from byte `start` on.
    pub fn of_part(at: SourceFile<'a>, yaml: &'a str, start: usize) -> Self {
        Self { at, yaml, lines: Lines::of(yaml), start, pieces: &[] }
    }

    /// Reads YAML whose lines are indented or quoted in the file, in a block that begins at byte `start`.
    pub fn of_pieces(
        at: SourceFile<'a>,
        yaml: &'a str,
        start: usize,
        pieces: &'a [(usize, usize)],
    ) -> Self {
        Self { at, yaml, lines: Lines::of(yaml), start, pieces }
    }

    /// The entries of the YAML's mapping; `what` and `example` describe it in messages.
    ///
    /// # Errors
    /// Fails if it is not YAML, or not a mapping.
    pub fn mapping(
        &self,
        what: &str,
        example: &str,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Entry>, Diagnostic> {
        let node = self.node(what, is_known)?;
        match node.value {
            Value::Map(entries) => Ok(entries),
            Value::Null => Ok(Vec::new()),
            _ => {
                let hint = colon_hint(self.yaml, usize::MAX, is_known);
                let message = format!(
                    "{what} must be a mapping such as `{example}: …`, not {}",
                    node.describe()
                );
                let problem = self.at.error(self.first_line(), message);
                Err(problem.hint(hint.map(|(_, hint)| hint)))
            }
        }
    }

    /// The items of the YAML's list; `what` and `example` describe it in messages.
    ///
    /// # Errors
    /// Fails if it is not YAML, or not a list.
    pub fn list(
        &self,
        what: &str,
        example: &str,
        is_known: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Node>, Diagnostic> {
        let node = self.node(what, is_known)?;
        match node.value {
            Value::List(items) => Ok(items),
            Value::Null => Ok(Vec::new()),
            _ => {
                let message =
                    format!("{what} must be a list such as `{example}`, not {}", node.describe());
                Err(self.at.error(self.first_line(), message))
            }
        }
    }

    fn node(&self, what: &str, is_known: &dyn Fn(&str) -> bool) -> Result<Node, Diagnostic> {
        parse(self.yaml).map_err(|error| {
            let (line, hint) = hint(self.yaml, error.line, is_known);
            let column = if line == error.line { error.column } else { 1 };
            let span = self.line_from(self.offset((line, column)));
            let message = format!("{what} is not YAML: {}", error.message);
            self.at.error(span, message).hint(hint)
        })
    }

    /// Converts a position in the YAML, line and column from 1, to an offset in the file.
    fn offset(&self, (line, column): (usize, usize)) -> usize {
        let inner = self.lines.offset(self.yaml, line, column);
        if self.pieces.is_empty() {
            return self.start + inner;
        }
        let index = self.pieces.partition_point(|(start, _)| *start <= inner);
        match index.checked_sub(1).map(|i| self.pieces[i]) {
            Some((start, source)) => source + (inner - start),
            None => self.start,
        }
    }

    /// The span from a byte of the file to the end of its line.
    fn line_from(&self, offset: usize) -> Range<usize> {
        let offset = offset.min(self.at.text.len());
        let rest = self.at.text.cut(offset..).lines().next().unwrap_or("").trim_end();
        offset..offset + rest.len()
    }

    /// The span of the first line; for a block, of its fence.
    pub fn first_line(&self) -> Range<usize> {
        self.line_from(self.start)
    }

    /// The span of an entry's key.
    pub fn key_span(&self, entry: &Entry) -> Range<usize> {
        self.at.extent(self.offset(entry.at), entry.key.len())
    }

    /// The span of a value: to the end of its line, without a comment.
    pub fn value_span(&self, node: &Node) -> Range<usize> {
        let line = self.line_from(self.offset((node.line, node.column)));
        let text = self.at.text.cut(line.clone());
        let length = text.find(" #").map_or(text.len(), |i| text.cut(..i).trim_end().len());
        line.start..line.start + length.max(usize::from(!text.is_empty()))
    }

    /// The span of a list's item: its text if it is verbatim, or else to the end of its line.
    pub fn item_span(&self, node: &Node) -> Range<usize> {
        let span = self.value_span(node);
        let written = self.at.text.cut(span.clone());
        let quoted = ["", "\"", "'"].iter().find_map(|quote| {
            let text = format!("{quote}{}{quote}", node.text()?);
            written.starts_with(&text).then_some(text.len())
        });
        match quoted {
            Some(length) if length > 0 => span.start..span.start + length,
            _ => span,
        }
    }

    /// An error at an entry's key.
    pub fn at_key(&self, entry: &Entry, message: impl Into<String>) -> Diagnostic {
        self.at.error(self.key_span(entry), message)
    }

    /// An error at a value.
    pub fn at_value(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        self.at.error(self.value_span(node), message)
    }

    /// The error that a field's value is not as expected.
    pub fn wrong(&self, node: &Node, field: &str, expected: &str) -> Diagnostic {
        self.at_value(node, format!("`{field}` must be {expected}, not {}", node.describe()))
    }

    /// The error about an unknown key; `what` names the mapping in the message.
    pub fn unknown<I>(&self, entry: &Entry, what: &str, known: I) -> Diagnostic
    where
        I: IntoIterator + Clone,
        I::Item: AsRef<str>,
    {
        let problem = self.at_key(entry, format!("{what} has no field `{}`", entry.key));
        problem.hint(suggest::hint(&entry.key, known))
    }

    /// A value as text; numbers and flags as written.
    ///
    /// # Errors
    /// Fails if it is a list, a mapping or nothing.
    pub fn text(&self, node: &Node, field: &str) -> Result<String, Diagnostic> {
        node.text().ok_or_else(|| self.wrong(node, field, "text"))
    }

    /// A boolean value.
    ///
    /// # Errors
    /// Fails if it is something else.
    pub fn flag(&self, node: &Node, field: &str) -> Result<bool, Diagnostic> {
        match node.value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(self.wrong(node, field, "`true` or `false`")),
        }
    }
}
