//! Values in prose: parses code spans that begin with `= `.
//!
//! `` `= id.path | format` `` refers to a figure of the same note, `` `= note#id.path` `` to one of another. A value may be
//! computed (`` `= a.x - b.x` ``), and have a condition (`` `= a.x ? > 3` ``), both in the language of claims. Whether the figures exist
//! and what their results are are unknown here.

use std::ops::Range;

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

/// The figure at the beginning of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The note as in a wikilink; `None` for the same note.
    pub note: Option<String>,
    /// The block's id.
    pub id: String,
    /// Span of both in the text.
    pub place: Range<usize>,
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

/// The figure at the beginning of a text that is one path.
fn named(text: &str) -> Option<Head> {
    let main = text.rsplit_once('|').map_or(text, |(main, _)| main);
    let (note, path_at) = match main.rfind('#') {
        None => (None, 0),
        Some(hash) => (Some(main.cut(..hash).trim()).filter(|name| !name.is_empty()), hash + 1),
    };
    let after = main.cut(path_at..);
    let id_at = path_at + after.len() - after.trim_start().len();
    let id = name(main.cut(id_at..));
    let end = id_at + id.len();
    let place = if note.is_some() { 0..end } else { id_at..end };
    let head = Head { note: note.map(str::to_owned), id: id.to_owned(), place };
    id.starts_with(char::is_alphabetic).then_some(head)
}

/// The name at the beginning of a text.
fn name(text: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.cut(..text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

/// The first name in a text that a path follows.
fn pathed(text: &str) -> Option<Head> {
    let mut at = 0;
    while at < text.len() {
        let rest = text.cut(at..);
        let id = name(rest);
        if id.is_empty() {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let next = text.cut(at + id.len()..);
        let has_path = next.starts_with('[')
            || next.strip_prefix('.').is_some_and(|next| next.starts_with(char::is_alphabetic));
        if has_path && id.starts_with(char::is_alphabetic) && !text.cut(..at).ends_with('.') {
            return Some(Head { note: None, id: id.to_owned(), place: at..at + id.len() });
        }
        at += id.len();
    }
    None
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
mod tests {
    use super::*;
    use crate::claim::Step;

    fn headed(text: &str) -> Head {
        head(text).unwrap_or_else(|| panic!("{text} begins with no figure"))
    }

    fn asked(text: &str) -> Query {
        parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    fn steps(text: &str) -> Vec<Step> {
        let query = asked(text);
        let Expression::Value(reference) = query.expression else { panic!("{text} is no path") };
        reference.steps.into_iter().map(|(step, _)| step).collect()
    }

    #[test]
    fn a_value_names_a_note_a_block_a_path_and_a_format() {
        let query = asked("Piggy bank v1.2#vis.images[-1].activation | .2f");
        let named = headed("Piggy bank v1.2#vis.images[-1].activation | .2f");
        assert_eq!((named.note.as_deref(), &*named.id), (Some("Piggy bank v1.2"), "vis"));
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(
            steps("Piggy bank v1.2#vis.images[-1].activation | .2f"),
            [field("images"), Step::At(-1), field("activation")]
        );
        assert_eq!(query.format.map(|(format, _)| format), Format::read(".2f"));
        assert_eq!(headed("#vis.unit").note, None);
        assert_eq!(headed(" vis . unit ").id, "vis");
        assert_eq!(steps("grid.cells[ 2 ]"), [field("cells"), Step::At(2)]);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            steps("grid[unit=4, recipe = draft].activation")[0],
            Step::Where(vec![pair("unit", "4"), pair("recipe", "draft")])
        );
        let title = headed("Cats, dogs - and more#vis.x");
        assert_eq!((title.note.as_deref(), &*title.id), (Some("Cats, dogs - and more"), "vis"));
        let title = headed("What is this?#vis.x ? > 3");
        assert_eq!((title.note.as_deref(), &*title.id), (Some("What is this?"), "vis"));
        assert_eq!(
            steps("r.ranked[text=\"a, b] c\"].cosine")[1],
            Step::Where(vec![pair("text", "a, b] c")])
        );
    }

    #[test]
    fn a_value_may_be_computed_and_have_a_condition() {
        for (text, head, expression, format, test) in [
            ("vis.a | .1f ? > 3", "vis", "vis.a", true, Some("> 3")),
            ("vis.a ? in 3..b#c.d", "vis", "vis.a", false, Some("in 3..b#c.d")),
            ("vis.a - vis.b | +.1f", "vis", "vis.a - vis.b", true, None),
            ("(1 + vis.a) / 2", "vis", "(1 + vis.a) / 2", false, None),
            (
                "count of vis.top[:8].label in hands",
                "vis",
                "count of vis.top[:8].label in hands",
                false,
                None,
            ),
            (
                "all hands#x.top.label in hands",
                "x",
                "all of hands#x.top.label in hands",
                false,
                None,
            ),
            (
                "count of vis.top.label ~ /a|b/ | d ? >= 6",
                "vis",
                "count of vis.top.label ~ /a|b/",
                true,
                Some(">= 6"),
            ),
        ] {
            let query = asked(text);
            assert_eq!(headed(text).id, head, "{text}");
            assert_eq!(query.expression.to_string(), expression, "{text}");
            assert_eq!(query.format.is_some(), format, "{text}");
            assert_eq!(query.test.map(|test| test.written).as_deref(), test, "{text}");
        }
    }

    #[test]
    fn only_code_that_begins_with_the_sign_and_a_space_is_a_value() {
        assert_eq!(of_code("`= vis.unit`", "= vis.unit"), Some("vis.unit"));
        assert_eq!(of_code("``= a.b``", "= a.b"), Some("a.b"));
        for (source, text) in [
            ("` = vis.unit `", "= vis.unit"),
            ("`=`", "="),
            ("`= `", "= "),
            ("`=  `", "=  "),
            ("`=> x`", "=> x"),
            ("`=x`", "=x"),
            ("`== x`", "== x"),
            ("`a = b`", "a = b"),
            ("`= 0`", "= 0"),
            ("`= (len l2)`", "= (len l2)"),
            ("`= 5 + 3`", "= 5 + 3"),
            ("`= Note#`", "= Note#"),
            ("`= #.activation`", "= #.activation"),
            ("`= .activation`", "= .activation"),
            ("`= \"text\"`", "= \"text\""),
        ] {
            assert_eq!(of_code(source, text), None, "{source}");
        }
    }

    #[test]
    fn every_mistake_in_how_a_value_is_written_has_its_place_and_a_hint() {
        let all: Vec<String> = [
            "vis.activation | .1x",
            "vis.activation |",
            "vis.",
            "vis.top.0",
            "vis.a b",
            "vis +",
            "vis.unit / (vis.top[0].activation",
            "vis.unit ?",
            "vis.unit ? 3",
            "vis.unit | .1f ? > ",
            "vis.unit ? > 3 | .1f",
            "count of vis.top.label inn hands",
            "vis.top[one]",
            "vis.top[",
            "vis.top[0",
            "vis.top[unit=3",
            "vis.top[9999999999999999999999]",
        ]
        .iter()
        .map(|text| match parse(text) {
            Ok(query) => panic!("{text}: {query:?}"),
            Err(fault) => {
                let hint = fault.problem.hint.unwrap_or_default();
                format!("{text}\n  {}: {}\n  {hint}", &text[fault.span], fault.problem.message)
            }
        })
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn no_text_whatever_makes_the_reader_panic() {
        let pieces = [
            "vis",
            ".",
            "[",
            "]",
            "#",
            "|",
            "=",
            ",",
            "\"",
            "'",
            "-",
            "−",
            "0",
            "é",
            "末",
            " ",
            "?",
            "> 3",
            " in ",
            "count of ",
            "(",
            ")",
            "~ /a/",
            "..",
            ":",
            " within 5% of ",
            "\u{fdd0}",
            "\n",
            ".1f",
            "%",
            "\\",
            "[0]",
            "top",
            "\u{301}",
            "🐖",
        ];
        // Every text of up to four pieces, and longer ones picked by a generator that is the same each time.
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for _ in 0..60_000 {
            let count = 1 + next(12);
            let text: String = (0..count).map(|_| pieces[next(pieces.len())]).collect();
            let (whole, source) = (format!("= {text}"), format!("`= {text}`"));
            let Some(text) = of_code(&source, &whole) else { continue };
            let value = InlineValue::parse(&source, 0..source.len(), text);
            match &value.asked {
                Err(fault) => {
                    assert!(text.get(fault.span.clone()).is_some(), "{text:?} {fault:?}");
                    assert!(source.get(value.place(&fault.span)).is_some(), "{text:?}");
                    assert!(fault.problem.hint.is_some(), "{text:?}");
                }
                Ok(query) => {
                    for reference in query.expression.references() {
                        assert!(text.get(reference.span()).is_some(), "{text:?} {reference:?}");
                    }
                    assert!(text.get(value.head.place.clone()).is_some(), "{text:?}");
                }
            }
        }
    }
}
