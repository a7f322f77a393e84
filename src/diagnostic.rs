//! Diagnostics: an error or warning with its place and a hint, in one form for the terminal, JSON and pages.

pub mod fault;
pub mod summary;
mod window;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::{Deserialize, Serialize};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::problem::Hint;
use neuronotes_core::say;

use crate::guard::{self, Panicked};

/// Severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A warning that a note asked not to be counted: not even `--strict` does.
    Note,
    /// A problem that does not affect the exit code, which stays 0.
    Warning,
    /// Something that a note asks for is missing; the exit code is 1.
    Error,
}

/// An error or warning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Its severity.
    pub severity: Severity,
    /// The file's path relative to the garden, with `/`.
    pub file: String,
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The message: lower case, no full stop, of bounded length.
    pub message: String,
    /// What to do, if known.
    pub hint: Option<String>,
    /// Span in the file's bytes, for underlining.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// A source text with an index of its lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    starts: Vec<usize>,
    /// Number of characters before each block of the text, to find columns in very long lines quickly.
    counts: Vec<usize>,
    /// For each line, the line of the file that it comes from; empty if the text is the file's.
    written: Vec<usize>,
}

impl Lines {
    /// Indexes the lines of `source`.
    pub fn of(source: &str) -> Self {
        let after = source.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        let mut counts = Vec::with_capacity(source.len() / BLOCK + 1);
        let mut count = 0;
        for block in source.as_bytes().chunks(BLOCK) {
            counts.push(count);
            count += characters(block);
        }
        let starts = std::iter::once(0).chain(after).collect();
        Self { starts, counts, written: Vec::new() }
    }

    /// Indexes the lines of `source`, which was made from the text `written`: positions refer to the line of
    /// `written` that a line equals or follows.
    pub fn made_of(source: &str, written: &str) -> Self {
        let mut lines = Self::of(source);
        if source == written {
            return lines;
        }
        let (made, from): (Vec<&str>, Vec<&str>) =
            (source.lines().collect(), written.lines().collect());
        let alike = made.iter().zip(&from).take_while(|(a, b)| a == b).count();
        let left = made.len().min(from.len()) - alike;
        let ends =
            made.iter().rev().zip(from.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
        let mut at = alike;
        lines.written.extend(1..=alike);
        // A loop may turn ten thousand lines into a million, so lines are found by their text.
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, line) in from.iter().enumerate().take(from.len() - ends).skip(alike) {
            places.entry(line).or_default().push(place);
        }
        for line in &made[alike..made.len() - ends] {
            let same = places.get(line).filter(|_| !line.trim().is_empty());
            let next = same.and_then(|all| all.get(all.partition_point(|place| *place < at)));
            at = next.copied().unwrap_or(at);
            lines.written.push((at + 1).min(from.len()).max(1));
        }
        lines.written.extend(from.len() - ends + 1..=from.len());
        lines.written.push(from.len().max(1));
        lines
    }

    /// Whether these are the lines of the file itself.
    pub fn are_written(&self) -> bool {
        self.written.is_empty()
    }

    /// Line and column, both from 1, of a byte offset.
    pub fn position(&self, source: &str, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.before(source, offset).0.saturating_sub(self.before(source, start).0);
        (self.written.get(line - 1).copied().unwrap_or(line), before + 1)
    }

    /// Number of characters before a byte offset, and number of bytes that were read to count them.
    fn before(&self, source: &str, offset: usize) -> (usize, usize) {
        let offset = offset.min(source.len());
        let block = offset / BLOCK;
        let Some(known) = self.counts.get(block).copied() else {
            // The text ends with a block, or these lines are another text's.
            let start = self.counts.len().saturating_sub(1) * BLOCK;
            let rest = source.as_bytes().get(start..offset).unwrap_or_default();
            return (self.counts.last().copied().unwrap_or(0) + characters(rest), rest.len());
        };
        let rest = &source.as_bytes()[block * BLOCK..offset];
        (known + characters(rest), rest.len())
    }

    /// Offset of the line that contains a byte.
    pub fn start_of(&self, offset: usize) -> usize {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        self.starts.get(line - 1).copied().unwrap_or(0)
    }

    /// Byte offset of a line and column, both from 1; the end of the line if it is shorter.
    pub fn offset(&self, source: &str, line: usize, column: usize) -> usize {
        let Some(start) = self.starts.get(line.saturating_sub(1)).copied() else {
            return source.len();
        };
        let end = self.starts.get(line).map_or(source.len(), |next| next - 1);
        let text = source.cut(start..end.max(start));
        text.char_indices().nth(column.saturating_sub(1)).map_or(end, |(i, _)| start + i)
    }
}

/// Size of a block in bytes.
const BLOCK: usize = 1024;

/// Number of characters that begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// A file with its text and lines, for making diagnostics.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Path relative to the garden, with `/`.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its lines.
    pub lines: &'a Lines,
}

impl SourceFile<'_> {
    /// The span of so many bytes from an offset, limited to the text: a quoted key can have another length than its
    /// source.
    pub fn extent(&self, start: usize, length: usize) -> Range<usize> {
        let start = start.min(self.text.len());
        let most = start.saturating_add(length).min(self.text.len());
        let line = self.text.get(start..).and_then(|rest| rest.find('\n'));
        let most = most.min(line.map_or(most, |end| start + end));
        let end = (start..=most).rev().find(|at| self.text.is_char_boundary(*at));
        start..end.unwrap_or(start)
    }

    /// An error about a span.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let (line, column) = self.lines.position(self.text, span.start);
        Diagnostic {
            severity: Severity::Error,
            file: self.file.to_owned(),
            line,
            column,
            message: bounded(message.into()),
            hint: None,
            span,
        }
    }

    /// A warning about a span.
    pub fn warning(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..self.error(span, message) }
    }
}

/// Truncates messages that quote a very long name.
fn bounded(message: String) -> String {
    match say::bounded(&message) {
        Cow::Borrowed(_) => message,
        Cow::Owned(short) => short,
    }
}

impl Diagnostic {
    /// An error about a whole file.
    pub fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: 1,
            column: 1,
            message: bounded(message.into()),
            hint: None,
            span: 0..0,
        }
    }

    /// An error that reports a panic while working on a file.
    pub fn of_panic(file: impl Into<String>, panicked: &Panicked) -> Self {
        Self::of_file(file, panicked.to_string()).hint(guard::HINT)
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Hint) -> Self {
        self.hint = hint.into_hint().map(bounded);
        self
    }

    /// The location, such as `notes/a.md:12:5`.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }

    /// Text for a terminal, with the source lines if the source is available.
    pub fn terminal(&self, source: Option<&str>, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let file = say::name(&self.file);
        let title = level.primary_title(self.message.as_str());
        let place = || Origin::path(&*file).line(self.line).char_column(self.column);
        let mut group = match source {
            Some(text) if !self.span.is_empty() && text.get(self.span.clone()).is_some() => {
                let window = window::around(text, &self.span);
                let snippet = Snippet::source(window.text)
                    .line_start(self.line)
                    .annotation(AnnotationKind::Primary.span(window.span));
                match window.whole {
                    true => title.element(snippet.path(&*file)),
                    // The excerpt does not start at the beginning of its line, so its columns are not the file's.
                    false => title.element(place()).element(snippet),
                }
            }
            _ => title.element(place()),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(say::harmless(hint)));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let shown = renderer.render(&[group]);
        // The excerpt of a very long line is separated from its place like a second file; the separator is removed.
        let is_bare = |line: &&str| {
            let drawn = |c: &char| !"\u{1b}[;m ".contains(*c) && !c.is_ascii_digit();
            line.chars().filter(drawn).eq(":::".chars())
        };
        match shown.lines().any(|line| is_bare(&line)) {
            true => shown.lines().filter(|line| !is_bare(line)).collect::<Vec<_>>().join("\n"),
            false => shown,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_positions_agree_in_any_script() {
        let text = "eins\n  Größe: 7\r\n\n末尾";
        let lines = Lines::of(text);
        for (offset, _) in text.char_indices().filter(|(_, c)| *c != '\n' && *c != '\r') {
            let (line, column) = lines.position(text, offset);
            assert_eq!(lines.offset(text, line, column), offset, "{line}:{column}");
        }
        assert_eq!(lines.position(text, text.find("7").expect("in it")), (2, 10));
        assert_eq!(lines.offset(text, 99, 1), text.len());
    }

    #[test]
    fn a_place_in_a_very_long_line_is_found_without_reading_the_line() {
        for length in [20_000, 80_000] {
            let text = format!("one\n{}", "ö[[x]] ".repeat(length / 7));
            let lines = Lines::of(&text);
            for (number, (offset, _)) in text.char_indices().enumerate().skip(4).step_by(97) {
                assert_eq!(lines.position(&text, offset), (2, number - 3));
                assert!(lines.before(&text, offset).1 <= BLOCK, "{offset}");
            }
            assert_eq!(lines.position(&text, text.len()).0, 2);
            assert_eq!(lines.start_of(text.len()), 4);
        }
    }

    #[test]
    fn places_in_a_made_text_are_those_of_what_it_was_made_of() {
        let written = "a\n{% for x in y %}\nb\n{{ x }}\n{% endfor %}\nc\nd\n";
        let made = "a\nb\n1\nb\n2\nb\n3\n\nc\nd\n";
        let lines = Lines::made_of(made, written);
        let line = |text: &str| lines.position(made, made.rfind(text).expect("in it")).0;
        assert_eq!((line("a"), line("c"), line("d")), (1, 6, 7));
        assert!((2..6).contains(&line("3")) && lines.position(made, 2).0 == 3);
        assert!(!lines.are_written() && Lines::made_of(made, made).are_written());
        for (made, written) in [("", "a"), ("a\nb", ""), ("a\n\n", "a\n"), ("x", "y")] {
            let lines = Lines::made_of(made, written);
            for at in 0..=made.len() {
                assert_eq!(lines.position(made, at).0, 1, "{made:?} of {written:?}");
            }
        }
    }

    #[test]
    fn a_diagnostic_in_a_very_long_line_shows_what_is_around_it() {
        let text = format!("one\n{}[[none]]{}\n", "ö and ".repeat(2_000), " and".repeat(2_000));
        let lines = Lines::of(&text);
        let source = SourceFile { file: "notes/long.md", text: &text, lines: &lines };
        let at = text.find("[[").expect("in it");
        let diagnostic = source.warning(at..at + 8, "there is no note `none`");
        insta::assert_snapshot!(diagnostic.terminal(Some(&text), false));
    }

    #[test]
    fn a_diagnostic_shows_its_line_and_its_hint() {
        let text = "kind: feature_vis\ncaptoin: Coins\n";
        let lines = Lines::of(text);
        let source = SourceFile { file: "notes/piggy-bank.md", text, lines: &lines };
        let diagnostic = source
            .error(18..25, "unknown field `captoin`")
            .hint("did you mean `caption`?".to_owned());
        insta::assert_snapshot!(diagnostic.terminal(Some(text), false));
        insta::assert_snapshot!(diagnostic.terminal(None, false));
        insta::assert_snapshot!(diagnostic.to_string());
    }
}
