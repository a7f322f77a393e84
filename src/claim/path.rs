//! Parses the path of a value: `.field`, `[0]`, `[2:]`, `[unit=4]`.

use std::ops::Range;

use winnow::combinator::{opt, repeat, separated};
use winnow::prelude::*;
use winnow::token::{literal, one_of, take_while};

use super::reference::Step;
use super::token::{Input, Parsed, at, name, rest, sign, space, taken, wrong};

use neuronotes_core::cut::Cut as _;

/// Hint for code that is not a value.
pub const PLAIN: &str = "write a value as `= id.field | format`, such as `= vis.activation | .1f`; for plain code, put a space before the `=`";

const HOW: &str = "an index is a whole number such as `[0]` or `[-1]`, a slice such as `[:8]`, or a condition such as `[unit=4]`";

/// All steps that follow.
pub(super) fn steps(input: &mut Input<'_>) -> Parsed<Vec<(Step, Range<usize>)>> {
    repeat(0.., step).parse_next(input)
}

/// The next step. What follows may be something else.
fn step(input: &mut Input<'_>) -> Parsed<(Step, Range<usize>)> {
    space(input)?;
    let from = at(input);
    // Two dots are a range's.
    if rest(input).starts_with("..") {
        return Err(winnow::error::ErrMode::from_input(input));
    }
    if opt(literal("[")).parse_next(input)?.is_some() {
        let step = choice(input, from)?;
        return Ok((step, from..at(input)));
    }
    literal(".").void().parse_next(input)?;
    space(input)?;
    let name_at = at(input);
    let name = name(input)?;
    if name.is_empty() {
        let end = from + rest_of(input, from);
        return wrong(from..end, "a field name is missing after the `.`", PLAIN);
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("`.{name}` is not a field");
        return wrong(from..at(input), message, "write an index in a list as `[0]`");
    }
    Ok((Step::Field(name.to_owned()), name_at..at(input)))
}

/// Length of the text from `from` to its end, without final space.
fn rest_of(input: &Input<'_>, from: usize) -> usize {
    at(input) - from + rest(input).trim_end().len()
}

/// Reads what follows an opening bracket at `from`.
fn choice(input: &mut Input<'_>, from: usize) -> Parsed<Step> {
    let before = input.checkpoint();
    let inner = rest(input).split(']').next().unwrap_or_default();
    let span = from..from + 1 + inner.len() + usize::from(inner.len() < rest(input).len());
    if let Ok(step) = (index_or_slice, sign("]")).map(|(step, ())| step).parse_next(input) {
        return Ok(step);
    }
    input.reset(&before);
    let is_whole = |text: &str| text.trim().replace('−', "-").parse::<i64>().is_ok();
    if inner.len() == rest(input).len() && is_whole(inner) {
        return wrong(span, "the `[` is never closed", HOW);
    }
    let pairs: Vec<(String, String)> = match separated(1.., pair, sign(",")).parse_next(input) {
        Ok(pairs) => pairs,
        Err(winnow::error::ErrMode::Cut(error)) => return Err(winnow::error::ErrMode::Cut(error)),
        Err(_) => return wrong(span, format!("`[{}]` is not an index", inner.trim()), HOW),
    };
    match taken(input, sign("]"))? {
        true => Ok(Step::Where(pairs)),
        false => {
            let end = from + rest_of(input, from);
            wrong(from..end, "the `[` is never closed", HOW)
        }
    }
}

fn whole(input: &mut Input<'_>) -> Parsed<i64> {
    space(input)?;
    let sign = opt(one_of(['-', '−', '+'])).parse_next(input)?;
    let digits = take_while(1.., |c: char| c.is_ascii_digit()).parse_next(input)?;
    let minus = if matches!(sign, Some('-' | '−')) { "-" } else { "" };
    format!("{minus}{digits}").parse().map_err(|_| winnow::error::ErrMode::from_input(input))
}

fn index_or_slice(input: &mut Input<'_>) -> Parsed<Step> {
    let first = opt(whole).parse_next(input)?;
    if taken(input, sign(":"))? {
        return Ok(Step::Slice(first, opt(whole).parse_next(input)?));
    }
    first.map(Step::At).ok_or_else(|| winnow::error::ErrMode::from_input(input))
}

/// A condition on a field of an item.
fn pair(input: &mut Input<'_>) -> Parsed<(String, String)> {
    space(input)?;
    let field = name(input)?.to_owned();
    sign("=").parse_next(input)?;
    space(input)?;
    if field.is_empty() {
        return Err(winnow::error::ErrMode::from_input(input));
    }
    if rest(input).starts_with(['"', '\''])
        && let Some(value) = opt(quoted).parse_next(input)?
    {
        return Ok((field, value));
    }
    let value = take_while(0.., |c| c != ',' && c != ']').parse_next(input)?;
    Ok((field, value.trim().to_owned()))
}

/// A quoted text, in which nothing is escaped.
fn quoted(input: &mut Input<'_>) -> Parsed<String> {
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let inner = take_while(0.., |c| c != quote).parse_next(input)?;
    one_of(quote).parse_next(input)?;
    Ok(inner.to_owned())
}

/// The text from `from` on that could name a value, for messages.
pub(super) fn word(text: &str, from: usize) -> &str {
    let rest = text.cut(from..);
    rest.cut(..rest.find(char::is_whitespace).unwrap_or(rest.len()))
}
