//! Conditions of `expect:`: what is read is written, read again and judged.

use neuronotes::claim::{Lookup, Missing, Reference, Value, Verdict, condition, judge};
use neuronotes::diagnostic::fault::Fault;

use super::text;
use crate::check;

pub const WORDS: &[&str] = &[
    "top[0].deviations",
    "top[:8].label",
    "[-1]",
    "[2:]",
    "[unit=4, key=\"a, b\"]",
    ".length",
    "hands",
    "none-here",
    "nan",
    "later",
    "control.top[0].key",
    "#vis.unit",
    "notes/a.b-c#vis.unit",
    "\"Piggy bank\"#vis.unit",
    " > ",
    " <= ",
    " == ",
    " != ",
    " in 3..5",
    " not in ",
    " in [\"a\", \"b\"]",
    " ~ /^face$/i",
    " !~ /\\//",
    " within 5% of ",
    " within 0.2 of ",
    "all ",
    "any ",
    "none of ",
    "at least 8 of ",
    "at most 20% of ",
    "exactly 3 of ",
    "count of ",
    "not ",
    " and ",
    " or ",
    "(",
    ")",
    "[",
    "]",
    ", ",
    " + ",
    " - ",
    " * ",
    " / ",
    "-",
    "−",
    "≥",
    "2.5e-3",
    "1e308",
    "5%",
    "true",
    "'text'",
    "\"",
    "\\",
    "é",
    "末",
    "\n",
    "\u{0}",
];

/// Knows a value for any name: which one it is depends on the name alone.
struct Known;

impl Lookup for Known {
    fn look_up(&self, reference: &Reference) -> Result<Value, Fault> {
        let name = reference.to_string();
        if reference.name == "nan" {
            return Ok(Value::Number(f64::NAN));
        }
        if reference.name == "later" {
            let (key, status) = ("k".to_owned(), "queued".to_owned());
            return Ok(Value::Missing(Missing::Waiting { key, status }));
        }
        let number = |n: usize| Value::Number(n as f64 - 3.0);
        Ok(match name.len() % 7 {
            0 => Value::Text(name),
            1 => Value::List((0..5).map(number).collect()),
            2 => Value::List(vec![Value::Text("Hand".to_owned()), Value::Text(name)]),
            3 => Value::Flag(name.len() % 2 == 1),
            4 => Value::Missing(Missing::Absent("there is none".to_owned())),
            5 => return Err(Fault::new(reference.span(), "no such value")),
            n => number(n),
        })
    }
}

pub fn claim(input: &[u8]) {
    let text = text(input);
    let expression = match condition(&text) {
        Ok(expression) => expression,
        Err(fault) => {
            check::place(&text, &fault.span, &fault);
            assert!(!fault.problem.message.is_empty(), "{fault:?} says nothing");
            return;
        }
    };
    for reference in expression.references() {
        check::place(&text, &reference.span(), reference);
    }
    let written = expression.to_string();
    match condition(&written) {
        Ok(read) => {
            assert_eq!(read, expression, "{text:?} is written as {written:?}");
            assert_eq!(read.to_string(), written, "{text:?}");
        }
        // Writing adds spaces and parentheses; both the length and the depth have a limit.
        Err(fault) => {
            let limits = ["longer than", "nested"];
            let is_limit = limits.iter().any(|limit| fault.problem.message.contains(limit));
            assert!(is_limit, "{text:?} is written as {written:?}, which is wrong: {fault:?}");
        }
    }
    let judgement = judge(&expression, &text, &Known);
    if let Some(fault) = &judgement.fault {
        check::place(&text, &fault.span, fault);
    }
    let unknown = judgement.verdict == Verdict::Unknown;
    assert_eq!(unknown, judgement.reason.is_some(), "{text:?}: {judgement:?}");
    // Where a condition stands does not change what it says.
    let again = judge(&expression, &written, &Known);
    assert_eq!((again.verdict, &again.measured), (judgement.verdict, &judgement.measured));
}
