//! Parses a text, or a part of one: an expression, a test, or the path of a value.

use winnow::combinator::opt;
use winnow::error::{ErrMode, ParserError as _};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Stateful};

use super::expression::{Expression, Test};
use super::parse::{alternatives, tested};
use super::path;
use super::reference::Path;
use super::token::{Depth, Input, Parsed, Wrong, at, rest, wrong};
use crate::diagnostic::fault::Fault;

use neuronotes_core::cut::Cut as _;

/// Maximum length of an expression in bytes.
const LONGEST: usize = 2_000;

/// Parses a whole text as an expression.
///
/// # Errors
/// If it is not one: the place in the text, and a hint.
pub fn condition(text: &str) -> Result<Expression, Fault> {
    let (expression, end) = prefix(text)?;
    finished(text, end)?;
    Ok(expression)
}

/// Parses an expression at the beginning of a text, and says where it ends.
///
/// # Errors
/// If the text does not begin with one.
pub fn prefix(text: &str) -> Result<(Expression, usize), Fault> {
    run(text, 0, alternatives)
}

/// Parses the test that a text contains from byte `from` on, such as `> 3`.
///
/// # Errors
/// If it does not contain one, or something else follows.
pub fn test(text: &str, from: usize) -> Result<Test, Fault> {
    let (found, end) = run(text, from, |input| {
        opt(tested).parse_next(input)?.map_or_else(
            || {
                let start = at(input);
                let end = start + rest(input).trim_end().len();
                wrong(
                    start..end,
                    "a condition is missing after `?`",
                    "such as `? > 3` or `? in 3..5`",
                )
            },
            Ok,
        )
    })?;
    finished(text, end)?;
    Ok(found)
}

/// Parses the path that a text contains from byte `from` on, and says where it ends.
///
/// # Errors
/// If a step is wrong.
pub fn steps(text: &str, from: usize) -> Result<(Path, usize), Fault> {
    run(text, from, path::steps)
}

fn run<'t, T>(
    text: &'t str,
    from: usize,
    mut parser: impl FnMut(&mut Input<'t>) -> Parsed<T>,
) -> Result<(T, usize), Fault> {
    if text.len() > LONGEST {
        let message = format!("the expression is longer than {LONGEST} bytes");
        return Err(Fault::new(0..0, message).hint("split it into several"));
    }
    let mut input = Stateful { input: LocatingSlice::new(text), state: Depth::default() };
    let from = from.min(text.len());
    if text.is_char_boundary(from) {
        input.next_slice(from);
    }
    match parser(&mut input) {
        Ok(found) => Ok((found, at(&input))),
        Err(ErrMode::Cut(Wrong(fault)) | ErrMode::Backtrack(Wrong(fault))) => Err(fault),
        Err(ErrMode::Incomplete(_)) => Err(Wrong::from_input(&input).0),
    }
}

/// Checks that nothing follows an expression.
fn finished(text: &str, end: usize) -> Result<(), Fault> {
    match text.cut(end..).trim().is_empty() {
        true => Ok(()),
        false => Err(unexpected(text, end)),
    }
}

/// The error about what follows an expression that ends there.
pub fn unexpected(text: &str, end: usize) -> Fault {
    let rest = text.cut(end..);
    let from = end + rest.len() - rest.trim_start().len();
    let span = from..text.trim_end().len().max(from);
    let hint = match rest.trim_start() {
        rest if rest.starts_with(['<', '>', '=', '!', '~']) || path::word(rest, 0) == "in" => {
            "comparisons are not chained: join two with `and`, or write `x in 3..5`"
        }
        rest if rest.starts_with("..") => "a range follows `in`: `x in 3..5`",
        _ => "join conditions with `and` or `or`; put a text in quotes",
    };
    let word = path::word(text, from);
    Fault::new(span, format!("unexpected `{word}`")).hint(hint)
}
