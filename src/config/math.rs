//! `math:` of the configuration: macros of formulas, and a file with more of them.

use std::ops::Range;

use super::settings::Settings;
use super::source::Source;
use crate::yaml::{Entry, Value};

/// Macros for formulas.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mathematics {
    /// The commands, in order.
    pub macros: Vec<Command>,
    /// A file of definitions in TeX.
    pub preamble: Option<Source>,
}

/// A command and its definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// With or without `\`.
    pub name: String,
    /// TeX with `#1` … for its arguments.
    pub body: String,
    /// Default of its first argument, if that is optional.
    pub default: Option<String>,
    /// Span of its name in the configuration.
    pub span: Range<usize>,
}

impl Settings<'_> {
    pub(super) fn mathematics(&mut self, entry: &Entry) -> Mathematics {
        let mut mathematics = Mathematics::default();
        let Some(entries) = entry.node.entries() else {
            self.wrong(&entry.node, "math", "a mapping with `macros` or `preamble`");
            return mathematics;
        };
        for entry in entries {
            match entry.key.as_str() {
                "macros" => match entry.node.entries() {
                    Some(commands) => {
                        let read = commands.iter().filter_map(|command| self.command(command));
                        mathematics.macros = read.collect();
                    }
                    None => self.wrong(&entry.node, "macros", "a mapping of commands to TeX"),
                },
                "preamble" => {
                    let written = self.text(entry).unwrap_or_default();
                    let source = self.source(entry, written);
                    mathematics.preamble = source.filter(|source| !source.leaves());
                }
                _ => self.unknown(entry, "`math`", &["macros", "preamble"]),
            }
        }
        mathematics
    }

    /// `"\\R": "\\mathbb{R}"`, or as MathJax has it: `[body, number of arguments, default]`.
    fn command(&mut self, entry: &Entry) -> Option<Command> {
        let (body, default) = match &entry.node.value {
            Value::List(items) => {
                let text = |index: usize| items.get(index).and_then(|item| item.text());
                (text(0), text(2))
            }
            _ => (entry.node.text(), None),
        };
        let Some(body) = body else {
            self.wrong(&entry.node, &entry.key, "TeX, such as \"\\\\mathbb{R}\"");
            return None;
        };
        Some(Command { name: entry.key.clone(), body, default, span: self.reader.key_span(entry) })
    }
}
