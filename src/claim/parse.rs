//! Parses an expression, with the position and a hint where it is wrong.
//!
//! From the loosest to the tightest: `or`; `and`; `not`; a quantity and a test; `+ -`; `* /`; a sign; a number, text, list, value,
//! count, or an expression in parentheses.

use winnow::combinator::{alt, opt, separated};
use winnow::error::{ErrMode, ParserError as _};
use winnow::prelude::*;
use winnow::token::{literal, one_of};

use super::expression::{Expression, Operator, Order, Quantity, Test};
use super::path;
use super::reference::Reference;
use super::token::{
    Input, Parsed, amount, at, bare_note, name, number, pattern, rest, sign, space, taken, text,
    word, words, wrong,
};

/// Maximum depth of nesting.
const DEEPEST: usize = 40;

/// Words that are no values.
const RESERVED: [&str; 7] = ["and", "or", "not", "in", "of", "within", "else"];

const EXAMPLE: &str =
    "write a condition such as `top[0].activation > 5` or `all top[:8].label in hands`";

/// Runs a parser one level deeper.
fn nested<'t, T>(input: &mut Input<'t>, parser: fn(&mut Input<'t>) -> Parsed<T>) -> Parsed<T> {
    if input.state.0 >= DEEPEST {
        let here = at(input);
        let message = format!("the expression is nested more than {DEEPEST} levels deep");
        return wrong(here..here + rest(input).len(), message, "split it into several");
    }
    input.state.0 += 1;
    let parsed = parser(input);
    input.state.0 -= 1;
    parsed
}

/// One of several, or all of them.
fn joined(mut all: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match all.len() {
        1 => all.remove(0),
        _ => join(all),
    }
}

pub(super) fn alternatives(input: &mut Input<'_>) -> Parsed<Expression> {
    let all = separated(1.., conditions, word("or")).parse_next(input)?;
    Ok(joined(all, Expression::Or))
}

fn conditions(input: &mut Input<'_>) -> Parsed<Expression> {
    let all = separated(1.., negation, word("and")).parse_next(input)?;
    Ok(joined(all, Expression::And))
}

fn negation(input: &mut Input<'_>) -> Parsed<Expression> {
    match taken(input, word("not"))? {
        true => Ok(Expression::Not(Box::new(nested(input, negation)?))),
        false => comparison(input),
    }
}

fn comparison(input: &mut Input<'_>) -> Parsed<Expression> {
    if let Some(quantity) = opt(quantity).parse_next(input)? {
        let (of, test) = (sum, opt(tested)).parse_next(input)?;
        return Ok(Expression::Counted(quantity, Box::new(of), test));
    }
    let left = sum(input)?;
    match opt(tested).parse_next(input)? {
        Some(test) => Ok(Expression::Compared(Box::new(left), test)),
        None => Ok(left),
    }
}

/// Makes a quantity of a number, which may be a share.
type Make = fn(f64, bool) -> Quantity;

/// `all`, `none of`, `at least 8 of`.
fn quantity(input: &mut Input<'_>) -> Parsed<Quantity> {
    let before = input.checkpoint();
    let many = alt((
        words(&["at", "least"]).value(Quantity::AtLeast as Make),
        words(&["at", "most"]).value(Quantity::AtMost as Make),
        word("exactly").value(Quantity::Exactly as Make),
    ));
    if let Some(make) = opt(many).parse_next(input)? {
        space(input)?;
        let from = at(input);
        if let Some((n, percent)) = opt(amount).parse_next(input)? {
            let span = from..at(input);
            if !percent && n.fract() != 0.0 || percent && n > 100.0 {
                let hint = "write a whole number, or a share such as `80%`";
                return wrong(span, format!("`{n}` is not a number of items"), hint);
            }
            if !taken(input, word("of"))? {
                let hint = "write `at least 8 of LIST in …`";
                return wrong(span, "`of` is missing after the number", hint);
            }
            return Ok(make(n, percent));
        }
    }
    input.reset(&before);
    let found = alt((
        word("all").value(Quantity::All),
        word("any").value(Quantity::Any),
        word("none").value(Quantity::None),
    ))
    .parse_next(input)?;
    if taken(input, word("of"))? {
        return Ok(found);
    }
    // A value may have the same name: `all.length`, `none > 3`.
    space(input)?;
    let begins = |c: char| c.is_alphabetic() || matches!(c, '(' | '"' | '\'' | '#');
    let next = rest(input);
    let is_operator = ["and", "or", "in", "within", "not"].contains(&path::word(next, 0));
    if !next.starts_with(begins) || is_operator {
        input.reset(&before);
        return Err(ErrMode::from_input(input));
    }
    Ok(found)
}

/// What is asked of a value: `> 3`, `in 3..5`, `~ /re/`.
pub(super) fn tested(input: &mut Input<'_>) -> Parsed<Test> {
    space(input)?;
    let from = at(input);
    let order = alt((
        sign("<=").value(Order::AtMost),
        sign("≤").value(Order::AtMost),
        sign("<").value(Order::Less),
        sign(">=").value(Order::AtLeast),
        sign("≥").value(Order::AtLeast),
        sign(">").value(Order::More),
        sign("==").value(Order::Same),
        sign("!=").value(Order::Other),
        sign("≠").value(Order::Other),
    ));
    if let Some(order) = opt(order).parse_next(input)? {
        return Ok(Test::Order(order, Box::new(sum(input)?)));
    }
    if taken(input, sign("!~"))? {
        return Ok(Test::Like(pattern(input)?, true));
    }
    if taken(input, sign("~"))? {
        return Ok(Test::Like(pattern(input)?, false));
    }
    if taken(input, sign("="))? {
        return wrong(from..at(input), "`=` is not a comparison", "write `==`");
    }
    if taken(input, words(&["within"]))? {
        space(input)?;
        let from = at(input);
        let Some((by, percent)) = opt(amount).parse_next(input)? else {
            return wrong(
                from..from,
                "a number is missing after `within`",
                "such as `within 5% of 3.2`",
            );
        };
        if !taken(input, word("of"))? {
            return wrong(
                from..at(input),
                "`of` is missing after the number",
                "such as `within 5% of 3.2`",
            );
        }
        return Ok(Test::Within(by, percent, Box::new(sum(input)?)));
    }
    let negated = taken(input, words(&["not", "in"]))?;
    if !negated {
        word("in").parse_next(input)?;
    }
    let first = Box::new(sum(input)?);
    Ok(match taken(input, sign(".."))? {
        true => Test::Between(first, Box::new(sum(input)?), negated),
        false => Test::Among(first, negated),
    })
}

fn computed(left: Expression, operator: Operator, right: Expression) -> Expression {
    Expression::Computed(Box::new(left), operator, Box::new(right))
}

fn sum(input: &mut Input<'_>) -> Parsed<Expression> {
    let mut left = product(input)?;
    let signs = || {
        alt((
            sign("+").value(Operator::Plus),
            sign("-").value(Operator::Minus),
            sign("−").value(Operator::Minus),
        ))
    };
    while let Some(operator) = opt(signs()).parse_next(input)? {
        left = computed(left, operator, product(input)?);
    }
    Ok(left)
}

fn product(input: &mut Input<'_>) -> Parsed<Expression> {
    let mut left = signed(input)?;
    let signs = || {
        alt((
            sign("*").value(Operator::Times),
            sign("×").value(Operator::Times),
            sign("/").value(Operator::Over),
        ))
    };
    while let Some(operator) = opt(signs()).parse_next(input)? {
        left = computed(left, operator, signed(input)?);
    }
    Ok(left)
}

fn signed(input: &mut Input<'_>) -> Parsed<Expression> {
    match taken(input, alt((sign("-"), sign("−"))))? {
        true => Ok(Expression::Minus(Box::new(nested(input, signed)?))),
        false => single(input),
    }
}

fn single(input: &mut Input<'_>) -> Parsed<Expression> {
    space(input)?;
    let from = at(input);
    let next = rest(input).chars().next();
    match next {
        None => wrong(from..from, "the expression ends where a value is expected", EXAMPLE),
        Some('(') => {
            literal("(").parse_next(input)?;
            let inner = nested(input, alternatives)?;
            closed(input, from, "(", ")")?;
            Ok(inner)
        }
        Some('[') => {
            literal("[").parse_next(input)?;
            let items = match taken(input, sign("]"))? {
                true => return Ok(Expression::List(Vec::new())),
                false => nested(input, |input| {
                    separated(1.., alternatives, sign(",")).parse_next(input)
                })?,
            };
            closed(input, from, "[", "]")?;
            Ok(Expression::List(items))
        }
        Some('"' | '\'') => {
            let text = text(input)?;
            match opt(literal("#")).parse_next(input)? {
                Some(_) => value(input, from, Some(text), true),
                None => Ok(Expression::Text(text)),
            }
        }
        Some('0'..='9') => {
            let before = input.checkpoint();
            // A note may be named `2024-06`.
            if let Some(note) = opt(bare_note).parse_next(input)? {
                return value(input, from, Some(note.to_owned()), true);
            }
            input.reset(&before);
            let (written, percent) = (number, opt(one_of('%'))).parse_next(input)?;
            Ok(Expression::Number { written, percent: percent.is_some() })
        }
        Some('#') => {
            literal("#").parse_next(input)?;
            value(input, from, None, true)
        }
        Some(c) if c.is_alphabetic() => named(input, from),
        Some(_) => {
            let word = path::word(rest(input), 0);
            wrong(from..from + word.len(), format!("unexpected `{word}`"), EXAMPLE)
        }
    }
}

/// Reads the sign that closes what was opened at `from`.
fn closed(input: &mut Input<'_>, from: usize, open: &str, close: &'static str) -> Parsed<()> {
    match taken(input, sign(close))? {
        true => Ok(()),
        false => {
            let end = at(input) + rest(input).trim_end().len();
            wrong(
                from..end,
                format!("the `{open}` is never closed"),
                &format!("close it with `{close}`"),
            )
        }
    }
}

/// What begins with a letter: a count, a flag or a value.
fn named(input: &mut Input<'_>, from: usize) -> Parsed<Expression> {
    let before = input.checkpoint();
    if taken(input, words(&["count", "of"]))? {
        return nested(input, |input| {
            let (of, test) = (sum, opt(tested)).parse_next(input)?;
            Ok(Expression::Count(Box::new(of), test))
        });
    }
    if let Some(note) = opt(bare_note).parse_next(input)? {
        return value(input, from, Some(note.to_owned()), true);
    }
    input.reset(&before);
    let word = name(input)?;
    let span = from..at(input);
    match word {
        "true" => return Ok(Expression::Flag(true)),
        "false" => return Ok(Expression::Flag(false)),
        _ if RESERVED.contains(&word) => {
            return wrong(span, format!("a value is expected before `{word}`"), EXAMPLE);
        }
        _ => {}
    }
    input.reset(&before);
    value(input, from, None, false)
}

/// A name and its path, after the note and `#`.
fn value(
    input: &mut Input<'_>,
    from: usize,
    note: Option<String>,
    is_block: bool,
) -> Parsed<Expression> {
    space(input)?;
    let name_at = at(input);
    let name = name(input)?.to_owned();
    if !name.starts_with(char::is_alphabetic) {
        let hint = "write the id of a figure after `#`, such as `Note#vis.activation`";
        return wrong(from..at(input).max(from + 1), "there is no figure's id here", hint);
    }
    let start = if is_block { from } else { name_at };
    let place = start..at(input);
    let steps = path::steps(input)?;
    Ok(Expression::Value(Reference { note, is_block, name, steps, place }))
}
