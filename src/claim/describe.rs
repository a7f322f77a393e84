//! Says in a line what was measured for a condition.

use super::evaluate::Evaluator;
use super::expression::{Expression, Quantity, Test};
use super::value::{Value, number};

/// Number of items that are named.
const NAMED: usize = 8;

impl Evaluator<'_> {
    /// What was measured for a condition; empty if it names no value.
    pub(super) fn described(&self, expression: &Expression) -> String {
        match expression {
            Expression::And(all) => {
                let open = |one: &&Expression| self.truth(one).ok() != Some(Value::Flag(true));
                let some: Vec<&Expression> = all.iter().filter(open).collect();
                let shown: Vec<&Expression> =
                    if some.is_empty() { all.iter().collect() } else { some };
                self.joined(shown)
            }
            Expression::Or(all) => self.joined(all.iter().collect()),
            Expression::Not(one) => self.described(one),
            Expression::Compared(left, test) => {
                let mut parts = vec![self.valued(left, Some(test))];
                parts.extend(compared_with(test).into_iter().map(|right| self.valued(right, None)));
                parts.retain(|part| !part.is_empty());
                parts.join("; ")
            }
            Expression::Counted(quantity, of, test) => {
                let Ok(Ok(tally)) = self.tally(of, test.as_ref(), false) else {
                    return self.valued(of, None);
                };
                let mut said = format!("{} of {}", tally.passed.len(), tally.total());
                let mut beside = Vec::new();
                let passing =
                    matches!(quantity, Quantity::None | Quantity::Any | Quantity::AtMost(..));
                let (label, items) = match passing {
                    true => ("", &tally.passed),
                    false => ("not ", &tally.failed),
                };
                if !items.is_empty() {
                    beside.push(format!("{label}{}", named(items)));
                }
                if tally.undefined > 0 {
                    beside.push(format!("{} not a number", tally.undefined));
                }
                if !tally.missing.is_empty() {
                    beside.push(format!("{} missing", tally.missing.len()));
                }
                if !beside.is_empty() {
                    said.push_str(&format!(": {}", beside.join("; ")));
                }
                said
            }
            other => self.valued(other, None),
        }
    }

    fn joined(&self, all: Vec<&Expression>) -> String {
        let mut parts: Vec<String> = all.into_iter().map(|one| self.described(one)).collect();
        parts.retain(|part| !part.is_empty());
        parts.join("; ")
    }

    /// `x is 4.2`; empty for an expression that names no value.
    fn valued(&self, expression: &Expression, test: Option<&Test>) -> String {
        if expression.references().is_empty() {
            return String::new();
        }
        match self.value(expression) {
            Ok(Value::Number(value)) => {
                format!("{expression} is {}", self.digits(value, test))
            }
            Ok(value) => format!("{expression} is {}", value.shown()),
            Err(fault) => fault.problem.message,
        }
    }

    /// A number with as many digits as show on which side of a bound it is.
    fn digits(&self, value: f64, test: Option<&Test>) -> String {
        let short = number(value);
        let bounds: Vec<&Expression> = match test {
            Some(Test::Order(_, right)) => vec![right],
            Some(Test::Between(from, to, _)) => vec![from, to],
            _ => return if value.is_nan() { "not a number".to_owned() } else { short },
        };
        let alike = |bound: &Expression| match self.value(bound) {
            Ok(Value::Number(bound)) => bound != value && number(bound) == short,
            _ => false,
        };
        match bounds.into_iter().any(alike) {
            true => value.to_string(),
            false => Value::Number(value).shown(),
        }
    }
}

/// What a value is compared with, if that was measured too.
fn compared_with(test: &Test) -> Vec<&Expression> {
    let all = match test {
        Test::Order(_, right) | Test::Within(_, _, right) => vec![&**right],
        Test::Between(from, to, _) => vec![&**from, &**to],
        Test::Among(..) | Test::Like(..) => vec![],
    };
    all.into_iter().filter(|one| !matches!(one, Expression::Number { .. })).collect()
}

/// Some items by name.
fn named(items: &[Value]) -> String {
    let mut all: Vec<String> = items.iter().take(NAMED).map(Value::shown).collect();
    if items.len() > NAMED {
        all.push(format!("and {} more", items.len() - NAMED));
    }
    all.join(", ")
}
