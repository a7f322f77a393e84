//! Values in prose: parses code spans that begin with `= `.
//!
//! `` `= id.path | format` `` refers to a figure of the same note, `` `= note#id.path` `` to one of another. Whether
//! the figure exists and what its result is are unknown here.

use std::ops::Range;

use super::format::{self, Format};
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
    /// The block's id.
    pub id: String,
    /// The path into the block's data, each step with its span in the text.
    pub steps: Vec<(Step, Range<usize>)>,
    /// The number format.
    pub format: Option<(Format, Range<usize>)>,
    /// Span of note and id in the text.
    pub block: Range<usize>,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.activation`
    Field(String),
    /// `[0]`, or `[-1]` from the end
    At(i64),
    /// `[unit=4, recipe=draft]`: the item with these values
    Where(Vec<(String, String)>),
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

/// The figure that a text begins with, or may begin with.
fn head(text: &str) -> Option<Head> {
    let main = text.rsplit_once('|').map_or(text, |(main, _)| main);
    let (note, path_at) = match main.rfind('#') {
        None => (None, 0),
        Some(hash) => (Some(main.cut(..hash).trim()).filter(|name| !name.is_empty()), hash + 1),
    };
    let mut reader = Reader { text: main, at: path_at };
    reader.space();
    let id_at = reader.at;
    let id = reader.name();
    let place = if note.is_some() { 0..reader.at } else { id_at..reader.at };
    let head = Head { note: note.map(str::to_owned), id: id.to_owned(), place };
    id.starts_with(char::is_alphabetic).then_some(head)
}

impl InlineValue {
    /// A value whose code span is at `span` of a source.
    pub(super) fn parse(source: &str, span: Range<usize>, text: &str) -> Self {
        let found = source.get(span.clone()).and_then(|code| code.find(text));
        let start = found.map(|offset| span.start + offset);
        let none = || Head { note: None, id: String::new(), place: 0..text.len() };
        let head = head(text).unwrap_or_else(none);
        Self { span, text: text.to_owned(), asked: parse(text, &head), head, start }
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
}

fn parse(text: &str, head: &Head) -> Result<Query, Fault> {
    let (main, format) = match text.rsplit_once('|') {
        None => (text, None),
        Some((main, written)) => {
            let from = main.len() + 1 + (written.len() - written.trim_start().len());
            let place = from..from + written.trim().len();
            let place = if place.is_empty() { main.len()..text.len() } else { place };
            let read = Format::read(written).ok_or_else(|| {
                let message = format!("unknown format `{}`", written.trim());
                Fault::new(place.clone(), message).hint(format!("known: {}", format::KNOWN))
            })?;
            (main, Some((read, place)))
        }
    };
    let mut reader = Reader { text: main, at: head.place.end };
    let mut steps = Vec::new();
    while let Some(step) = reader.step()? {
        steps.push(step);
    }
    Ok(Query { id: head.id.clone(), steps, format, block: head.place.clone() })
}

/// Hint for code that is not a value.
const PLAIN: &str = "write a value as `= id.field | format`, such as `= vis.activation | .1f`; for plain code, put a space before the `=`";

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.cut(self.at..)
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len_utf8() } else { 0 };
        found
    }

    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest.cut(..end)
    }

    fn wrong<T>(&self, from: usize, message: String, hint: &str) -> Result<T, Fault> {
        let place = from..self.text.trim_end().len().max(from);
        Err(Fault::new(place, message).hint(hint))
    }

    /// The next step; `None` at the end.
    fn step(&mut self) -> Result<Option<(Step, Range<usize>)>, Fault> {
        self.space();
        let from = self.at;
        if self.rest().is_empty() {
            return Ok(None);
        }
        if self.take('.') {
            self.space();
            let name_at = self.at;
            let name = self.name();
            if name.is_empty() {
                return self.wrong(from, "a field name is missing after the `.`".to_owned(), PLAIN);
            }
            if name.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = format!("`.{name}` is not a field");
                return self.wrong(from, message, "write an index in a list as `[0]`");
            }
            return Ok(Some((Step::Field(name.to_owned()), name_at..self.at)));
        }
        if self.take('[') {
            let step = self.choice(from)?;
            return Ok(Some((step, from..self.at)));
        }
        self.wrong(from, format!("unexpected `{}`", self.rest().trim()), PLAIN)
    }

    /// Reads what follows an opening bracket.
    fn choice(&mut self, from: usize) -> Result<Step, Fault> {
        const HOW: &str =
            "an index is a whole number such as `[0]` or `[-1]`, or a condition such as `[unit=4]`";
        let inner = self.rest().split(']').next().unwrap_or_default();
        if let Ok(at) = inner.trim().replace('−', "-").parse() {
            self.at += inner.len();
            return match self.take(']') {
                true => Ok(Step::At(at)),
                false => self.wrong(from, "the `[` is never closed".to_owned(), HOW),
            };
        }
        let mut all = Vec::new();
        loop {
            self.space();
            let name = self.name();
            self.space();
            if name.is_empty() || !self.take('=') {
                let message = format!("`[{}]` is not an index", inner.trim());
                return self.wrong(from, message, HOW);
            }
            self.space();
            let value = match self.quoted() {
                Some(value) => value,
                None => {
                    let end = self.rest().find([',', ']']).unwrap_or(self.rest().len());
                    let value = self.rest().cut(..end).trim();
                    self.at += end;
                    value
                }
            };
            all.push((name.to_owned(), value.to_owned()));
            self.space();
            if self.take(']') {
                return Ok(Step::Where(all));
            }
            if !self.take(',') {
                return self.wrong(from, "the `[` is never closed".to_owned(), HOW);
            }
        }
    }

    /// Reads a quoted text, which may contain commas and brackets.
    fn quoted(&mut self) -> Option<&'t str> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = self.rest().cut(1..);
        let end = inner.find(quote)?;
        self.at += end + 2;
        Some(inner.cut(..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headed(text: &str) -> Head {
        head(text).unwrap_or_else(|| panic!("{text} begins with no figure"))
    }

    fn asked(text: &str) -> Query {
        parse(text, &headed(text)).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    fn steps(text: &str) -> Vec<Step> {
        asked(text).steps.into_iter().map(|(step, _)| step).collect()
    }

    #[test]
    fn a_value_names_a_note_a_block_a_path_and_a_format() {
        let query = asked("Piggy bank v1.2#vis.images[-1].activation | .2f");
        let named = headed("Piggy bank v1.2#vis.images[-1].activation | .2f");
        assert_eq!((named.note.as_deref(), &*named.id), (Some("Piggy bank v1.2"), "vis"));
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(
            query.steps.iter().map(|(step, _)| step.clone()).collect::<Vec<_>>(),
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
        assert_eq!(
            steps("r.ranked[text=\"a, b] c\"].cosine")[1],
            Step::Where(vec![pair("text", "a, b] c")])
        );
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
            "vis + 1",
            "vis.top[one]",
            "vis.top[",
            "vis.top[0",
            "vis.top[unit=3",
            "vis.top[9999999999999999999999]",
        ]
        .iter()
        .map(|text| match parse(text, &headed(text)) {
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
            "vis", ".", "[", "]", "#", "|", "=", ",", "\"", "'", "-", "−", "0", "é", "末", " ",
            "\u{fdd0}", "\n", ".1f", "%", "\\", "[0]", "top", "\u{301}", "🐖",
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
                    for (step, place) in &query.steps {
                        assert!(text.get(place.clone()).is_some(), "{text:?} {step:?}");
                    }
                    assert!(text.get(value.head.place.clone()).is_some(), "{text:?}");
                }
            }
        }
    }
}
