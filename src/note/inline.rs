//! Values in prose: parses code spans that begin with `= `.
//!
//! `` `= id.path | format` `` refers to a figure of the same note, `` `= note#id.path` `` to one of another. A value may be
//! computed (`` `= a.x - b.x` ``), and have a condition (`` `= a.x ? > 3` ``), both in the language of claims. Whether the figures exist
//! and what their results are are unknown here.

mod head;

use std::ops::Range;

pub use head::Head;
use head::{named, pathed};

use super::format::{self, Format};
use crate::claim::{self, Expression, Reference};
use crate::diagnostic::fault::Fault;

use neuronotes_core::cut::Cut as _;

/// A value in a note's prose or in a caption.
#[derive(Debug, Clone, PartialEq)]
pub struct InlineValue {
    /// Its code span in the source; for a value in a caption, the caption.
    pub span: Range<usize>,
    /// The expression as written, without `= `.
    pub text: String,
    /// The figure that it refers to. If that does not exist, the span is ordinary code.
    pub head: Head,
    /// The parsed expression, or an error.
    pub asked: Result<Query, Fault>,
    /// Position of the text in the source, if it is there verbatim.
    start: Option<usize>,
}

/// A parsed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is shown: a value of a figure, or something computed from values.
    pub expression: Expression,
    /// The number format.
    pub format: Option<(Format, Range<usize>)>,
    /// What is expected of it.
    pub test: Option<Expected>,
}

/// A condition on a value in prose.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The value with its test.
    pub condition: Expression,
    /// The test as written, without `?`.
    pub written: String,
    /// Its span in the text.
    pub place: Range<usize>,
}

/// Parses a code span that may be a value: `source` is the whole span, `text` its content in CommonMark. It begins
/// with a possible id of a figure; whether that figure exists is unknown here.
///
/// A space before the sign, as in `` ` = x ` ``, marks it as code.
pub(super) fn of_code<'t>(source: &str, text: &'t str) -> Option<&'t str> {
    let written = source.trim_start_matches('`').starts_with('=');
    let text = text.strip_prefix("= ")?.trim();
    (written && head(text).is_some()).then_some(text)
}

/// The figure that a text names first, or may name.
fn head(text: &str) -> Option<Head> {
    match expression(text) {
        Ok((expression, _)) => {
            // One with a path is a figure's rather than a list of the garden.
            let all = expression.references();
            let first = all.iter().find(|of| of.is_block || !of.steps.is_empty());
            let first = first.or(all.first()).copied()?;
            let (note, place) = (first.note.clone(), first.place.clone());
            Some(Head { note, id: first.name.clone(), place })
        }
        Err(_) => pathed(text).or_else(|| named(text)),
    }
}

/// Words with which a computed value may begin.
const FIRST: [&str; 8] = ["count", "all", "any", "none", "at", "exactly", "not", "true"];

/// A value that is one path, whose note may have any name; and where it ends.
fn simple(text: &str) -> Result<(Expression, usize), Fault> {
    let head = named(text)
        .ok_or_else(|| Fault::new(0..text.len(), "this names no figure").hint(claim::PLAIN))?;
    let is_block = text.cut(..head.place.end).contains('#');
    let (steps, end) = claim::steps(text, head.place.end)?;
    let rest = text.cut(end..).trim_start();
    if !(rest.is_empty() || rest.starts_with(['|', '?'])) {
        let place = end + text.cut(end..).len() - rest.len()..text.trim_end().len();
        let message = format!("unexpected `{}`", text.cut(place.clone()));
        return Err(Fault::new(place, message).hint(claim::PLAIN));
    }
    let Head { note, id: name, place } = head;
    Ok((Expression::Value(Reference { note, is_block, name, steps, place }), end))
}

/// What a text asks for, and where that ends.
fn expression(text: &str) -> Result<(Expression, usize), Fault> {
    let is_title = |c: char| c.is_alphanumeric() || " _-/'’,&:".contains(c);
    let titled = text.split_once('#').is_some_and(|(before, _)| {
        let first = before.split_whitespace().next().unwrap_or_default();
        before.chars().all(is_title) && !FIRST.contains(&first)
    });
    let ends = |(expression, end): (Expression, usize)| {
        let rest = text.cut(end..).trim_start();
        (rest.is_empty() || rest.starts_with(['|', '?'])).then_some((expression, end))
    };
    let found = || claim::prefix(text).ok().and_then(ends);
    let simple = simple(text);
    match simple {
        Ok(simple) if titled => Ok(simple),
        Ok(simple) => Ok(found().unwrap_or(simple)),
        Err(fault) => found().ok_or_else(|| {
            let other = match claim::prefix(text) {
                Err(other) => other,
                Ok((_, end)) => claim::unexpected(text, end),
            };
            if other.span.start > fault.span.start { other } else { fault }
        }),
    }
}

impl InlineValue {
    /// A value whose code span is at `span` of a source.
    pub(super) fn parse(source: &str, span: Range<usize>, text: &str) -> Self {
        let found = source.get(span.clone()).and_then(|code| code.find(text));
        let start = found.map(|offset| span.start + offset);
        let none = || Head { note: None, id: String::new(), place: 0..text.len() };
        let head = head(text).unwrap_or_else(none);
        Self { span, text: text.to_owned(), asked: parse(text), head, start }
    }

    /// The same in a caption, of which only the position in the note is known.
    pub(super) fn in_caption(self, span: Range<usize>) -> Self {
        Self { span, start: None, ..self }
    }

    /// Position of a part of the text in the source; the whole code span if unknown.
    pub fn place(&self, part: &Range<usize>) -> Range<usize> {
        match self.start {
            Some(start) if !part.is_empty() => start + part.start..start + part.end,
            _ => self.span.clone(),
        }
    }

    /// The values that it names, those of its condition too.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let all = self.asked.iter().flat_map(|query| match &query.test {
            Some(expected) => expected.condition.references(),
            None => query.expression.references(),
        });
        all.collect::<Vec<_>>().into_iter()
    }
}

/// Parses a value with its format and its condition.
fn parse(text: &str) -> Result<Query, Fault> {
    let (expression, end) = expression(text)?;
    let rest = text.cut(end..);
    let (shown, test_at) = match rest.find('?') {
        None => (rest, None),
        Some(at) => (rest.cut(..at), Some(end + at)),
    };
    let format = match shown.split_once('|') {
        None => None,
        Some((before, written)) => {
            let bar = end + before.len();
            let from = bar + 1 + (written.len() - written.trim_start().len());
            let place = from..from + written.trim().len();
            let place = if place.is_empty() { bar..text.len() } else { place };
            let read = Format::read(written).ok_or_else(|| {
                let message = format!("unknown format `{}`", written.trim());
                Fault::new(place.clone(), message).hint(format!("known: {}", format::KNOWN))
            })?;
            Some((read, place))
        }
    };
    let test = match test_at {
        None => None,
        Some(at) => {
            let test = claim::test(text, at + 1)?;
            let written = text.cut(at + 1..).trim().to_owned();
            let condition = Expression::Compared(Box::new(expression.clone()), test);
            Some(Expected { condition, written, place: at..text.trim_end().len() })
        }
    };
    Ok(Query { expression, format, test })
}

#[cfg(test)]
mod tests;
