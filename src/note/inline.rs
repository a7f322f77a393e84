//! A value out of a result, as prose asks for it: a code span that begins with `= ` in; what it asks for, or what is
//! wrong with how it is written, out.
//!
//! `` `= id.path | format` `` asks a figure of the same note, `` `= note#id.path` `` one of another. Whether there is
//! such a figure and what came out of it is not known here.

use std::borrow::Cow;
use std::ops::Range;

use super::format::{self, Format};

use neuronotes_core::cut::Cut as _;

/// A value that a note's prose or a caption shows.
#[derive(Debug, Clone, PartialEq)]
pub struct InlineValue {
    /// The code span in the source; of a value in a caption, the caption.
    pub span: Range<usize>,
    /// What is asked for as it is written, without `= `.
    pub text: String,
    /// What it begins with. Where there is no such figure it is code, and no value.
    pub head: Head,
    /// The same, understood.
    pub asked: Result<Query, Fault>,
    /// Where the text stands in the source, if it stands there as it is.
    start: Option<usize>,
}

/// What a value begins with: the figure that it is out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The note as a wikilink names it; none for the note that the value stands in.
    pub note: Option<String>,
    /// The block.
    pub id: String,
    /// Where both stand in the text.
    pub place: Range<usize>,
}

/// What a value asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The block.
    pub id: String,
    /// The way into what is known of the block, each step with its place in the text.
    pub steps: Vec<(Step, Range<usize>)>,
    /// How a number is written.
    pub format: Option<(Format, Range<usize>)>,
    /// Where note and id stand in the text.
    pub block: Range<usize>,
}

/// One step into a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `.activation`
    Field(String),
    /// `[0]`, or `[-1]` from the end.
    At(i64),
    /// `[unit=4, recipe=draft]`: the one of which this holds.
    Where(Vec<(String, String)>),
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, in the value's text.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a code span asks for, where it may be a value: `source` is the whole span, `text` what CommonMark makes of it. It
/// begins with what may be the id of a figure; whether there is that figure is not known here.
///
/// A space before the sign, `` ` = x ` ``, leaves it code.
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
    /// A value whose code span stands at `span` of a source.
    pub(super) fn parse(source: &str, span: Range<usize>, text: &str) -> Self {
        let found = source.get(span.clone()).and_then(|code| code.find(text));
        let start = found.map(|offset| span.start + offset);
        let none = || Head { note: None, id: String::new(), place: 0..text.len() };
        let head = head(text).unwrap_or_else(none);
        Self { span, text: text.to_owned(), asked: parse(text, &head), head, start }
    }

    /// The same, standing in a caption, whose place in the note is all that is known.
    pub(super) fn in_caption(self, span: Range<usize>) -> Self {
        Self { span, start: None, ..self }
    }

    /// Where a part of the text stands in the source; the whole code span where that is not known.
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
            let read = Format::read(written).ok_or_else(|| Fault {
                place: place.clone(),
                message: format!("there is no format `{}`", written.trim()),
                hint: Some(format!("known: {}", format::KNOWN)),
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

/// What to do about code that is no value.
const PLAIN: &str = "a value is written `= id.field | format`, such as `= vis.activation | .1f`; code that is none has a \
                     space before the `=`";

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
        Err(Fault { place, message, hint: Some(hint.to_owned()) })
    }

    /// The next step; none at the end.
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
                return self.wrong(from, "there is no field after the `.`".to_owned(), PLAIN);
            }
            if name.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = format!("`.{name}` is no field");
                return self.wrong(from, message, "a place in a list is written `[0]`");
            }
            return Ok(Some((Step::Field(name.to_owned()), name_at..self.at)));
        }
        if self.take('[') {
            let step = self.choice(from)?;
            return Ok(Some((step, from..self.at)));
        }
        self.wrong(from, format!("`{}` is no part of a value", self.rest().trim()), PLAIN)
    }

    /// What stands between brackets, of which the first is read.
    fn choice(&mut self, from: usize) -> Result<Step, Fault> {
        const HOW: &str = "a place is a whole number such as `[0]` or `[-1]`, or what holds of it, such as `[unit=4]`";
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
                let message = format!("`[{}]` is no place in a list", inner.trim());
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

    /// A text in quotes, which may have commas and brackets in it.
    fn quoted(&mut self) -> Option<&'t str> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = self.rest().cut(1..);
        let end = inner.find(quote)?;
        self.at += end + 2;
        Some(inner.cut(..end))
    }
}

/// Stand around a value's number in plain text. Noncharacters, which Unicode keeps for such uses.
const VALUE: [char; 2] = ['\u{FDD0}', '\u{FDD1}'];
/// Stand around a citation's.
const CITATION: [char; 2] = ['\u{FDD2}', '\u{FDD3}'];

/// What stands in plain text for the value of that number.
pub(super) fn mark(number: usize) -> String {
    format!("{}{number}{}", VALUE[0], VALUE[1])
}

/// What stands in plain text for the citation of that number.
pub(super) fn citation_mark(number: usize) -> String {
    format!("{}{number}{}", CITATION[0], CITATION[1])
}

/// Text of a note, without what would be taken for a mark.
pub(super) fn unmarked(text: &str) -> String {
    if !may_have_marks(text) {
        return text.to_owned();
    }
    text.replace([VALUE[0], VALUE[1], CITATION[0], CITATION[1]], "\u{FFFD}")
}

/// All marks begin with this byte, and hardly any text has it.
fn may_have_marks(text: &str) -> bool {
    text.as_bytes().contains(&0xEF)
}

/// Plain text out of a note with its values in their places: `shown` gives what is shown for the n-th.
pub fn fill<'v>(text: &str, shown: impl Fn(usize) -> Option<&'v str>) -> String {
    replaced(text, VALUE, |out, number| {
        out.push_str(number.and_then(&shown).unwrap_or("…"));
        false
    })
}

/// Whether a text out of a note has citations in it.
pub fn has_citations(text: &str) -> bool {
    may_have_marks(text) && text.contains(CITATION)
}

/// Plain text out of a note with its citations in their places: `spoken` gives what a line of text says for the n-th. Where it
/// says nothing, neither does a gap stay.
pub fn fill_citations<'v>(text: &str, spoken: impl Fn(usize) -> Option<Cow<'v, str>>) -> String {
    replaced(text, CITATION, |out, number| {
        let text = number.and_then(&spoken).unwrap_or_default();
        out.push_str(&text);
        text.is_empty()
    })
}

/// A text whose marks are replaced by what `put` writes; it says whether a gap is to be closed there.
fn replaced(
    text: &str,
    marks: [char; 2],
    put: impl Fn(&mut String, Option<usize>) -> bool,
) -> String {
    if !may_have_marks(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(marks) {
        let (before, from) = rest.split_at(start);
        let opens = from.starts_with(marks[0]);
        let from = from.cut(marks[0].len_utf8()..);
        let digits = from.bytes().take_while(u8::is_ascii_digit).count();
        let closed = from.cut(digits..).starts_with(marks[1]);
        // Text that was cut may have lost one end of a mark.
        out.push_str(if opens {
            before
        } else {
            before.trim_end_matches(|c: char| c.is_ascii_digit())
        });
        rest = from;
        if opens {
            let number = from.cut(..digits).parse().ok().filter(|_| closed);
            let gap = put(&mut out, number);
            rest = from.cut(digits..).strip_prefix(marks[1]).unwrap_or(from.cut(digits..));
            let ends = |c: char| c.is_whitespace() || ".,;:!?)”’…".contains(c);
            if gap && rest.chars().next().is_none_or(ends) {
                out.truncate(out.trim_end_matches(' ').len());
                if out.is_empty() {
                    rest = rest.trim_start_matches(' ');
                }
            }
        }
    }
    out + rest
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
                let hint = fault.hint.unwrap_or_default();
                format!("{text}\n  {}: {}\n  {hint}", &text[fault.place], fault.message)
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
                    assert!(text.get(fault.place.clone()).is_some(), "{text:?} {fault:?}");
                    assert!(source.get(value.place(&fault.place)).is_some(), "{text:?}");
                    assert!(fault.hint.is_some(), "{text:?}");
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

    #[test]
    fn marks_are_filled_in_and_pieces_of_marks_leave_nothing_behind() {
        let shown = |n: usize| ["12.3", "a"].get(n).copied();
        let text = format!("reaches {}, {} and {}.", mark(0), mark(1), mark(7));
        assert_eq!(fill(&text, shown), "reaches 12.3, a and ….");
        let whole = format!("a{}b", mark(0));
        let ends: Vec<String> =
            whole.char_indices().map(|(at, _)| fill(&whole[at..], shown)).collect();
        assert_eq!(ends, ["a12.3b", "12.3b", "b", "b", "b"]);
        let starts: Vec<String> =
            whole.char_indices().map(|(at, _)| fill(&whole[..at], shown)).collect();
        assert_eq!(starts, ["", "a", "a…", "a…", "a12.3"]);
        assert_eq!(fill(&unmarked("\u{fdd0}0\u{fdd1}"), shown), "\u{fffd}0\u{fffd}");
    }

    #[test]
    fn citations_that_say_nothing_leave_no_gap() {
        let spoken = |n: usize| ["Goh et al.", ""].get(n).map(|text| Cow::Borrowed(*text));
        let (named, silent) = (citation_mark(0), citation_mark(1));
        for (text, said) in [
            (format!("{named} found it {silent}."), "Goh et al. found it."),
            (format!("In CLIP {silent} that answer"), "In CLIP that answer"),
            (format!("{silent} Here"), "Here"),
            (format!("(see {silent}) and {silent}{silent}"), "(see) and"),
            (format!("It is{silent}so"), "It isso"),
            (format!("Lost {}", citation_mark(9)), "Lost"),
        ] {
            assert_eq!(fill_citations(&text, spoken), said, "{text:?}");
        }
        assert_eq!(unmarked("\u{fdd2}0\u{fdd3}"), "\u{fffd}0\u{fffd}");
    }
}
