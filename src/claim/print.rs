//! Writes an expression as text that parses to it again.

use std::fmt;

use super::expression::{Expression, Operator, Quantity, Test};
use super::reference::{Reference, Step};
use super::token::{is_bare_note, is_name};

/// How tightly an expression holds together, from `or` to a number; less tight ones stand in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Compared,
    Sum,
    Product,
    Sign,
    Single,
}

fn level(expression: &Expression) -> Level {
    match expression {
        Expression::Or(_) => Level::Or,
        Expression::And(_) => Level::And,
        Expression::Not(_) => Level::Not,
        // What follows would belong to the counted list.
        Expression::Compared(..) | Expression::Counted(..) | Expression::Count(..) => {
            Level::Compared
        }
        Expression::Computed(_, Operator::Plus | Operator::Minus, _) => Level::Sum,
        Expression::Computed(..) => Level::Product,
        Expression::Minus(_) => Level::Sign,
        _ => Level::Single,
    }
}

/// An expression where at least this level is expected.
struct At<'e>(&'e Expression, Level);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match level(self.0) < self.1 {
            true => write!(f, "({})", self.0),
            false => write!(f, "{}", self.0),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    all: &[Expression],
    between: &str,
    level: Level,
) -> fmt::Result {
    for (index, one) in all.iter().enumerate() {
        let before = if index > 0 { between } else { "" };
        write!(f, "{before}{}", At(one, level))?;
    }
    Ok(())
}

fn amount(written: f64, percent: bool) -> String {
    format!("{written}{}", if percent { "%" } else { "" })
}

fn tested(f: &mut fmt::Formatter<'_>, of: &Expression, test: Option<&Test>) -> fmt::Result {
    write!(f, "{}", At(of, Level::Sum))?;
    test.map_or(Ok(()), |test| write!(f, " {test}"))
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { written, percent } => f.write_str(&amount(*written, *percent)),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => {
                f.write_str("[")?;
                joined(f, items, ", ", Level::Or)?;
                f.write_str("]")
            }
            Self::Value(reference) => write!(f, "{reference}"),
            Self::Minus(one) => write!(f, "-{}", At(one, Level::Sign)),
            Self::Computed(left, operator, right) => {
                let own = level(self);
                let next = if own == Level::Sum { Level::Product } else { Level::Sign };
                write!(f, "{} {} {}", At(left, own), operator.sign(), At(right, next))
            }
            Self::Count(of, test) => {
                f.write_str("count of ")?;
                tested(f, of, test.as_ref())
            }
            Self::Compared(left, test) => tested(f, left, Some(test)),
            Self::Counted(quantity, of, test) => {
                write!(f, "{quantity} of ")?;
                tested(f, of, test.as_ref())
            }
            Self::Not(one) => write!(f, "not {}", At(one, Level::Not)),
            Self::And(all) => joined(f, all, " and ", Level::Not),
            Self::Or(all) => joined(f, all, " or ", Level::And),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match self {
            Self::Order(order, right) => {
                write!(f, "{} {}", order.sign(), At(right, Level::Sum))
            }
            Self::Between(from, to, negated) => {
                let (from, to) = (At(from, Level::Sum), At(to, Level::Sum));
                write!(f, "{}in {from}..{to}", not(negated))
            }
            Self::Among(list, negated) => {
                write!(f, "{}in {}", not(negated), At(list, Level::Sum))
            }
            Self::Like(pattern, negated) => {
                let (not, folds) = (["", "!"][usize::from(*negated)], pattern.folds);
                write!(f, "{not}~ /{}/{}", pattern.written, if folds { "i" } else { "" })
            }
            Self::Within(by, percent, of) => {
                write!(f, "within {} of {}", amount(*by, *percent), At(of, Level::Sum))
            }
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::None => f.write_str("none"),
            Self::AtLeast(n, percent) => write!(f, "at least {}", amount(*n, *percent)),
            Self::AtMost(n, percent) => write!(f, "at most {}", amount(*n, *percent)),
            Self::Exactly(n, percent) => write!(f, "exactly {}", amount(*n, *percent)),
        }
    }
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.note {
            Some(note) if is_bare_note(note) => write!(f, "{note}#")?,
            Some(note) => write!(f, "{}#", quoted(note))?,
            None if self.is_block => f.write_str("#")?,
            None => {}
        }
        f.write_str(&self.name)?;
        self.steps.iter().try_for_each(|(step, _)| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |at: &Option<i64>| at.map(|at| at.to_string()).unwrap_or_default();
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::At(at) => write!(f, "[{at}]"),
            Self::Slice(from, to) => write!(f, "[{}:{}]", end(from), end(to)),
            Self::Where(pairs) => {
                let value = |value: &str| match is_name(value) {
                    true => value.to_owned(),
                    false if value.contains('"') => format!("'{value}'"),
                    false => format!("\"{value}\""),
                };
                let all: Vec<String> = pairs
                    .iter()
                    .map(|(name, wanted)| format!("{name}={}", value(wanted)))
                    .collect();
                write!(f, "[{}]", all.join(", "))
            }
        }
    }
}
