//! The words and signs of the language: what a name, a number, a text and a regular expression look like.

use std::ops::Range;

use regex::RegexBuilder;
use winnow::ascii::digit1;
use winnow::combinator::{not, opt};
use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _, Stateful};
use winnow::token::{literal, one_of, take_while};

use super::expression::Pattern;
use crate::diagnostic::fault::Fault;

/// The text, with the position in it and the depth of nesting.
pub(super) type Input<'t> = Stateful<LocatingSlice<&'t str>, Depth>;

/// How deeply expressions are nested.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth(pub(super) usize);

/// Why a text is not an expression.
#[derive(Debug, Clone)]
pub(super) struct Wrong(pub(super) Fault);

impl ParserError<Input<'_>> for Wrong {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        let at = input.current_token_start();
        Self(Fault::new(at..at, "unexpected text"))
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

pub(super) type Parsed<T> = ModalResult<T, Wrong>;

/// An error that ends the parsing.
pub(super) fn wrong<T>(span: Range<usize>, message: impl Into<String>, hint: &str) -> Parsed<T> {
    Err(ErrMode::Cut(Wrong(Fault::new(span, message).hint(hint))))
}

/// Maximum length of a regular expression in bytes.
const LONGEST_PATTERN: usize = 500;
/// Maximum memory of a compiled regular expression in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

pub(super) fn at(input: &Input<'_>) -> usize {
    input.current_token_start()
}

pub(super) fn rest<'t>(input: &Input<'t>) -> &'t str {
    input.peek_finish()
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Whether a text is a name as paths have it.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_part)
}

/// Whether a note's name needs no quotes.
pub(super) fn is_bare_note(text: &str) -> bool {
    let is_of_path = |c: char| is_part(c) || matches!(c, '/' | '.');
    // Two dots are a range's.
    let is_plain = text.chars().all(is_of_path) && !text.contains("..");
    is_plain && text.starts_with(char::is_alphanumeric)
}

pub(super) fn space(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

/// A name; empty if there is none.
pub(super) fn name<'t>(input: &mut Input<'t>) -> Parsed<&'t str> {
    take_while(0.., is_part).parse_next(input)
}

/// The name of a note without quotes, with the `#` after it.
pub(super) fn bare_note<'t>(input: &mut Input<'t>) -> Parsed<&'t str> {
    let note = take_while(1.., |c: char| is_part(c) || matches!(c, '/' | '.'));
    (note.verify(is_bare_note), literal("#")).map(|(note, _)| note).parse_next(input)
}

/// A word of the language.
pub(super) fn word<'t>(word: &'static str) -> impl Parser<Input<'t>, (), ErrMode<Wrong>> {
    (space, literal(word), not(one_of(is_part))).void()
}

/// Several words of the language.
pub(super) fn words<'t>(
    all: &'static [&'static str],
) -> impl Parser<Input<'t>, (), ErrMode<Wrong>> {
    move |input: &mut Input<'t>| all.iter().try_for_each(|one| word(one).parse_next(input))
}

/// A sign of the language.
pub(super) fn sign<'t>(sign: &'static str) -> impl Parser<Input<'t>, (), ErrMode<Wrong>> {
    (space, literal(sign)).void()
}

/// Takes it if it is there.
pub(super) fn taken<'t>(
    input: &mut Input<'t>,
    parser: impl Parser<Input<'t>, (), ErrMode<Wrong>>,
) -> Parsed<bool> {
    opt(parser).map(|found| found.is_some()).parse_next(input)
}

/// A number without a sign.
pub(super) fn number(input: &mut Input<'_>) -> Parsed<f64> {
    let from = at(input);
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    let written = (digit1, opt((literal("."), digit1)), opt(exponent)).take().parse_next(input)?;
    let span = from..at(input);
    let next = rest(input).chars().next();
    if next.is_some_and(|c| c.is_alphabetic() || c == '_' || c.is_ascii_digit()) {
        let word = name(input)?;
        let hint = "write the number alone; only `%` may follow it";
        return wrong(from..at(input), format!("`{written}{word}` is not a number"), hint);
    }
    match written.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => wrong(span, format!("`{written}` is too large"), "use a smaller number"),
    }
}

/// A number, and whether `%` follows.
pub(super) fn amount(input: &mut Input<'_>) -> Parsed<(f64, bool)> {
    (number, opt(sign("%"))).map(|(number, percent)| (number, percent.is_some())).parse_next(input)
}

/// What follows a quote, up to the next one.
pub(super) fn text(input: &mut Input<'_>) -> Parsed<String> {
    let from = at(input);
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let mut text = String::new();
    loop {
        let Some(next) = input.next_token() else {
            let hint = "end the text with the same sign that it begins with";
            return wrong(from..at(input), "the quotes are never closed", hint);
        };
        match next {
            '\\' if rest(input).starts_with(['\\', quote]) => text.extend(input.next_token()),
            c if c == quote => return Ok(text),
            c => text.push(c),
        }
    }
}

/// A regular expression between slashes.
pub(super) fn pattern(input: &mut Input<'_>) -> Parsed<Pattern> {
    space(input)?;
    let from = at(input);
    if !taken(input, sign("/"))? {
        let hint = "write a regular expression between slashes, such as `~ /^face/`";
        return wrong(from..end(input, from), "a regular expression is missing after `~`", hint);
    }
    let mut written = String::new();
    loop {
        match input.next_token() {
            None => {
                let hint =
                    "end it with `/`, or with `/i` to ignore case; a slash in it is written `\\/`";
                return wrong(from..at(input), "the regular expression is never closed", hint);
            }
            Some('/') => break,
            Some('\\') => {
                written.push('\\');
                written.extend(input.next_token());
            }
            Some(c) => written.push(c),
        }
    }
    let flags = name(input)?;
    let span = from..at(input);
    if !matches!(flags, "" | "i") {
        let hint = "the only one is `i`, which ignores case";
        return wrong(span, format!("unknown flag `{flags}` of a regular expression"), hint);
    }
    if written.len() > LONGEST_PATTERN {
        let message = format!("the regular expression is longer than {LONGEST_PATTERN} bytes");
        return wrong(span, message, "use a list of texts instead: `in [\"…\", \"…\"]`");
    }
    let folds = flags == "i";
    let compiled =
        RegexBuilder::new(&written).case_insensitive(folds).size_limit(LARGEST_PATTERN).build();
    match compiled {
        Ok(compiled) => Ok(Pattern { written, folds, compiled }),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("the regular expression is wrong: {why}");
            wrong(
                span,
                message,
                "it is written as for the crate `regex`: without look-around and back references",
            )
        }
    }
}

/// Where the word after `from` ends.
pub(super) fn end(input: &Input<'_>, from: usize) -> usize {
    let rest = rest(input);
    let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
    from + word
}
