//! Whether a condition holds, and why.

use super::evaluate::{Evaluator, Lookup};
use super::expression::Expression;
use super::value::{Missing, Value};
use crate::diagnostic::fault::Fault;

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// A value is missing, and the others do not decide.
    Unknown,
}

impl Verdict {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Unknown => "unknown",
        }
    }
}

/// A claim was committed before its result was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// The day of the commit, such as `2026-11-24`.
    pub claimed: String,
    /// The day of the measurement.
    pub measured: String,
}

/// The outcome of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Whether it holds.
    pub verdict: Verdict,
    /// What is expected: the condition as written.
    pub expected: String,
    /// What was measured, in a line; empty if nothing was.
    pub measured: String,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// The missing value that makes it unknown.
    pub missing: Option<Missing>,
    /// Why it can have no outcome, whatever is measured.
    pub fault: Option<Fault>,
    /// If it was committed before its result was measured, when.
    pub predicted: Option<Predicted>,
}

/// Judges a condition that is written so.
pub fn judge(expression: &Expression, written: &str, lookup: &dyn Lookup) -> Judgement {
    let evaluator = Evaluator { lookup };
    let mut judgement = Judgement {
        verdict: Verdict::Unknown,
        expected: written.to_owned(),
        measured: String::new(),
        reason: None,
        missing: None,
        fault: None,
        predicted: None,
    };
    match evaluator.truth(expression) {
        Ok(Value::Flag(holds)) => {
            judgement.verdict = if holds { Verdict::Holds } else { Verdict::Fails };
            judgement.measured = evaluator.described(expression);
        }
        Ok(Value::Missing(missing)) => {
            judgement.reason = Some(missing.reason());
            judgement.missing = Some(missing);
        }
        // What is not a number passes no test.
        Ok(_) => {
            judgement.verdict = Verdict::Fails;
            judgement.measured = evaluator.described(expression);
        }
        Err(fault) => {
            judgement.reason = Some(fault.problem.message.clone());
            judgement.fault = Some(fault);
        }
    }
    judgement
}
