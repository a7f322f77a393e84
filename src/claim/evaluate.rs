//! Evaluates an expression.
//!
//! What is missing is unknown, and only makes a condition unknown if the others do not decide it already. An empty list says
//! nothing: `all`, `none` and `count` of it are unknown. What is not a number fails each test, and the negation of it too.

use super::expression::{Expression, Operator, Order, Pattern, Quantity, Test};
use super::reference::Reference;
use super::truth::Tally;
use super::value::{Missing, Value};
use crate::diagnostic::fault::Fault;

/// Knows values.
pub trait Lookup {
    /// The value that a reference names.
    ///
    /// # Errors
    /// If there can be no such value, whatever is measured.
    fn look_up(&self, reference: &Reference) -> Result<Value, Fault>;
}

/// What an expression comes to.
///
/// # Errors
/// If it can come to nothing, whatever is measured: an unknown name, or a text where a number is expected.
pub fn evaluate(expression: &Expression, lookup: &dyn Lookup) -> Result<Value, Fault> {
    Evaluator { lookup }.value(expression)
}

/// Evaluates expressions with the values of a lookup.
pub(super) struct Evaluator<'l> {
    pub(super) lookup: &'l dyn Lookup,
}

/// A test whose right side is known.
pub(super) enum Ready<'t> {
    Order(Order, Value, &'t Expression),
    Between(Value, Value, bool),
    Among(Value, bool),
    Like(&'t Pattern, bool),
    Within(f64, bool, Value),
    /// The items are conditions themselves.
    Plain,
}

/// An error at the first value that an expression names.
fn at(expression: &Expression, message: String, hint: &str) -> Fault {
    let place = expression.references().first().map_or(0..0, |reference| reference.span());
    Fault::new(place, message).hint(hint)
}

fn mismatch(expression: &Expression, value: &Value, expected: &str) -> Fault {
    let message = format!("`{expression}` is {}, not {expected}", value.noun());
    let hint = match value {
        Value::List(_) => {
            "say `all`, `any`, `none` or `at least 3 of` before it, or choose an item: `[0]`"
        }
        Value::Text(_) => "compare a text with `==`, `in` or `~ /…/`",
        _ => "compare it with something of its kind",
    };
    at(expression, message, hint)
}

impl Evaluator<'_> {
    pub(super) fn value(&self, expression: &Expression) -> Result<Value, Fault> {
        Ok(match expression {
            Expression::Number { written, percent } => {
                Value::Number(if *percent { written / 100.0 } else { *written })
            }
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Flag(flag) => Value::Flag(*flag),
            Expression::List(items) => {
                Value::List(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Expression::Value(reference) => self.lookup.look_up(reference)?,
            Expression::Minus(one) => {
                let zero = Value::Number(-1.0);
                compute(one, &zero, Operator::Times, &self.value(one)?, one)?
            }
            Expression::Computed(left, operator, right) => {
                compute(left, &self.value(left)?, *operator, &self.value(right)?, right)?
            }
            Expression::Count(of, test) => match self.tally(of, test.as_ref(), true)? {
                Ok(tally) => tally.count(),
                Err(missing) => Value::Missing(missing),
            },
            Expression::Counted(quantity, of, test) => {
                self.counted(*quantity, of, test.as_ref())?
            }
            Expression::Compared(left, test) => {
                let value = self.value(left)?;
                passes(left, &value, &self.ready(test)?)?
            }
            Expression::Not(one) => match self.truth(one)? {
                Value::Flag(flag) => Value::Flag(!flag),
                other => other,
            },
            Expression::And(all) => {
                let all = self.truths(all)?;
                decided(all, false)
            }
            Expression::Or(all) => {
                let all = self.truths(all)?;
                decided(all, true)
            }
        })
    }

    /// Whether a condition holds.
    pub(super) fn truth(&self, expression: &Expression) -> Result<Value, Fault> {
        let value = self.value(expression)?;
        match value {
            Value::Flag(_) | Value::Missing(_) | Value::Undefined => Ok(value),
            other => {
                let message = format!("`{expression}` is {}, not a condition", other.noun());
                Err(at(expression, message, "compare it, as in `x > 3` or `all xs in hands`"))
            }
        }
    }

    fn truths(&self, all: &[Expression]) -> Result<Vec<Value>, Fault> {
        all.iter().map(|one| self.truth(one)).collect()
    }

    fn counted(
        &self,
        quantity: Quantity,
        of: &Expression,
        test: Option<&Test>,
    ) -> Result<Value, Fault> {
        Ok(match self.tally(of, test, false)? {
            Ok(tally) => tally.verdict(quantity),
            Err(missing) => Value::Missing(missing),
        })
    }

    /// Tests each item of a list; `any` says that without a test each item counts. Returns why there is no list.
    pub(super) fn tally(
        &self,
        of: &Expression,
        test: Option<&Test>,
        any: bool,
    ) -> Result<Result<Tally, Missing>, Fault> {
        let items = match self.value(of)? {
            Value::List(items) => items,
            Value::Missing(missing) => return Ok(Err(missing)),
            other => {
                let message = format!("`{of}` is {}, not a list", other.noun());
                return Err(at(of, message, "only items of a list are counted"));
            }
        };
        if items.is_empty() {
            return Ok(Err(Missing::Absent(format!(
                "`{of}` is an empty list, of which nothing is said; compare its `length`"
            ))));
        }
        let ready = match test {
            Some(test) => self.ready(test)?,
            None => Ready::Plain,
        };
        let mut tally = Tally::default();
        for item in items {
            let outcome = match (&ready, &item) {
                (_, Value::Missing(_)) => item.clone(),
                (Ready::Plain, _) if any => Value::Flag(true),
                _ => passes(of, &item, &ready)?,
            };
            tally.add(item, outcome);
        }
        Ok(Ok(tally))
    }

    /// A test with the values that it compares with.
    pub(super) fn ready<'t>(&self, test: &'t Test) -> Result<Ready<'t>, Fault> {
        Ok(match test {
            Test::Order(order, right) => Ready::Order(*order, self.value(right)?, right),
            Test::Between(from, to, negated) => {
                let (low, high) = (self.value(from)?, self.value(to)?);
                if let (Value::Number(a), Value::Number(b)) = (&low, &high)
                    && a > b
                {
                    let message = format!("the range `{from}..{to}` is empty");
                    return Err(at(to, message, "write the smaller number first"));
                }
                Ready::Between(low, high, *negated)
            }
            Test::Among(list, negated) => {
                let value = self.value(list)?;
                match &value {
                    Value::List(items) if items.is_empty() => {
                        let message = format!("`{list}` is an empty list");
                        Ready::Among(Value::Missing(Missing::Absent(message)), *negated)
                    }
                    Value::List(_) | Value::Missing(_) => Ready::Among(value, *negated),
                    other => return Err(mismatch(list, other, "a list")),
                }
            }
            Test::Like(pattern, negated) => Ready::Like(pattern, *negated),
            Test::Within(by, percent, of) => Ready::Within(*by, *percent, self.value(of)?),
        })
    }
}

/// What several conditions come to: one that is `wanted` decides.
fn decided(all: Vec<Value>, wanted: bool) -> Value {
    if all.contains(&Value::Flag(wanted)) {
        return Value::Flag(wanted);
    }
    let missing = all.iter().find(|one| matches!(one, Value::Missing(_)));
    let undefined = all.contains(&Value::Undefined).then_some(&Value::Undefined);
    // A condition with a part that fails whatever the others are fails.
    let open = if wanted { missing.or(undefined) } else { undefined.or(missing) };
    open.cloned().unwrap_or(Value::Flag(!wanted))
}

/// Computes with numbers, and with each item of a list.
fn compute(
    left: &Expression,
    a: &Value,
    operator: Operator,
    b: &Value,
    right: &Expression,
) -> Result<Value, Fault> {
    Ok(match (a, b) {
        (Value::Missing(_), _) => a.clone(),
        (_, Value::Missing(_)) => b.clone(),
        (Value::Number(a), Value::Number(b)) => Value::Number(match operator {
            Operator::Plus => a + b,
            Operator::Minus => a - b,
            Operator::Times => a * b,
            Operator::Over if *b == 0.0 => f64::NAN,
            Operator::Over => a / b,
        }),
        (Value::List(_), Value::List(_)) => {
            return Err(mismatch(right, b, "a number"));
        }
        (Value::List(items), _) => Value::List(
            items
                .iter()
                .map(|item| compute(left, item, operator, b, right))
                .collect::<Result<_, _>>()?,
        ),
        (_, Value::List(items)) => Value::List(
            items
                .iter()
                .map(|item| compute(left, a, operator, item, right))
                .collect::<Result<_, _>>()?,
        ),
        (Value::Number(_), other) => return Err(mismatch(right, other, "a number")),
        (other, _) => return Err(mismatch(left, other, "a number")),
    })
}

/// Whether a single value passes a test.
pub(super) fn passes(of: &Expression, value: &Value, test: &Ready<'_>) -> Result<Value, Fault> {
    if let Value::Missing(_) = value {
        return Ok(value.clone());
    }
    match test {
        Ready::Plain => match value {
            Value::Flag(_) | Value::Undefined => Ok(value.clone()),
            other => Err(mismatch(of, other, "a condition")),
        },
        Ready::Order(_, Value::Missing(missing), _) | Ready::Among(Value::Missing(missing), _) => {
            Ok(Value::Missing(missing.clone()))
        }
        Ready::Order(order, right, written) => compared(of, value, *order, right, written),
        Ready::Between(low, high, negated) => {
            let (x, low, high) = match (value, low, high) {
                (_, Value::Missing(why), _) | (_, _, Value::Missing(why)) => {
                    return Ok(Value::Missing(why.clone()));
                }
                (Value::Number(x), Value::Number(low), Value::Number(high)) => (x, low, high),
                (Value::Number(_), Value::Number(_), other) | (Value::Number(_), other, _) => {
                    return Err(mismatch(of, other, "a number"));
                }
                (other, ..) => return Err(mismatch(of, other, "a number")),
            };
            Ok(flag(&[*x, *low, *high], (low <= x && x <= high) != *negated))
        }
        Ready::Among(list, negated) => Ok(among(value, list, *negated)),
        Ready::Like(pattern, negated) => match value {
            Value::Text(text) => Ok(Value::Flag(pattern.compiled.is_match(text) != *negated)),
            other => Err(mismatch(of, other, "a text")),
        },
        Ready::Within(by, percent, wanted) => match (value, wanted) {
            (_, Value::Missing(why)) => Ok(Value::Missing(why.clone())),
            (Value::Number(x), Value::Number(wanted)) => {
                let most = if *percent { by / 100.0 * wanted.abs() } else { *by };
                Ok(flag(&[*x, *wanted], (x - wanted).abs() <= most))
            }
            (Value::Number(_), other) | (other, _) => Err(mismatch(of, other, "a number")),
        },
    }
}

/// A comparison of numbers, which fails if one of them is not a number.
fn flag(numbers: &[f64], holds: bool) -> Value {
    match numbers.iter().any(|number| number.is_nan()) {
        true => Value::Undefined,
        false => Value::Flag(holds),
    }
}

fn compared(
    of: &Expression,
    value: &Value,
    order: Order,
    right: &Value,
    written: &Expression,
) -> Result<Value, Fault> {
    let same = matches!(order, Order::Same | Order::Other);
    match (value, right) {
        (Value::Number(a), Value::Number(b)) => Ok(flag(&[*a, *b], order.holds(*a, *b))),
        (Value::Undefined, _) | (_, Value::Undefined) => Ok(Value::Undefined),
        (Value::Text(_), Value::Text(_)) | (Value::Flag(_), Value::Flag(_)) if same => {
            Ok(Value::Flag(value.is(right) == Some(order == Order::Same)))
        }
        (Value::List(_), _) => Err(mismatch(of, value, "one value")),
        (_, Value::List(_)) => Err(mismatch(written, right, "one value")),
        _ => {
            let (left, other) = (value.noun(), right.noun());
            let message = match left == other {
                true => format!("`{of}` is {left}, which `{}` does not order", order.sign()),
                false => format!("`{of}` is {left} and `{written}` is {other}"),
            };
            Err(at(
                of,
                message,
                "compare things of the same kind, texts with `==`, `in` or `~ /…/`; a list has a `length`",
            ))
        }
    }
}

/// Whether a value is in a list.
fn among(value: &Value, list: &Value, negated: bool) -> Value {
    if matches!(value, Value::Undefined) || matches!(value, Value::Number(x) if x.is_nan()) {
        return Value::Undefined;
    }
    let Value::List(items) = list else { return Value::Undefined };
    if items.iter().any(|item| value.is(item) == Some(true)) {
        return Value::Flag(!negated);
    }
    let missing = items.iter().find(|item| matches!(item, Value::Missing(_)));
    let odd = || items.iter().any(|item| value.is(item).is_none()).then_some(&Value::Undefined);
    missing.or_else(odd).cloned().unwrap_or(Value::Flag(negated))
}
