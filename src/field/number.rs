//! Numbers within bounds.

use neuronotes_core::kind::Kind;
use serde_json::{Value as Json, json};

use super::family::Family;
use super::reading::Reading;
use crate::yaml::{Node, Value};

/// A whole number.
pub(super) struct Integer {
    pub(super) min: i64,
    pub(super) max: i64,
}

impl Family for Integer {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.value {
            Value::Integer(n) if (self.min..=self.max).contains(&n) => n.into(),
            _ => wrong(node, &format!("a whole number from {} to {}", self.min, self.max), at),
        }
    }

    fn takes(&self) -> String {
        format!("whole number, {} to {}", self.min, self.max)
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "type": "integer", "minimum": self.min, "maximum": self.max })
    }
}

/// A random seed: a whole number from 0. The default is the configuration's.
pub(super) struct Seed;

impl Family for Seed {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.value {
            Value::Integer(n) if n >= 0 => n.into(),
            _ => wrong(node, "a whole number from 0", at),
        }
    }

    fn takes(&self) -> String {
        "whole number from 0".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "type": "integer", "minimum": 0 })
    }
}

/// A number.
pub(super) struct Number {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Family for Number {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match number(node) {
            Some(number) if (self.min..=self.max).contains(&number) => number.into(),
            _ => wrong(node, &format!("a number from {} to {}", self.min, self.max), at),
        }
    }

    fn takes(&self) -> String {
        format!("number, {} to {}", self.min, self.max)
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "type": "number", "minimum": self.min, "maximum": self.max })
    }
}

/// A number in either form.
pub(super) fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(n) => Some(n as f64),
        Value::Number(x) => Some(x),
        _ => None,
    }
}

/// Reports a value that is not the expected number. If it is written as `5.0`, `1e3` or `"5"`, the hint is the whole
/// number.
pub(super) fn wrong(node: &Node, expected: &str, at: &mut Reading<'_, '_>) -> Json {
    let meant = match &node.value {
        Value::Number(x) if x.fract() == 0.0 && (0.0..=9e15).contains(x) => Some(*x as i64),
        Value::Text(text) if is_digits(text) => text.parse().ok(),
        _ => None,
    };
    let hint = meant.map(|n| format!("write `{}: {n}`", at.field));
    at.hinted(node, expected, hint)
}

pub(super) fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
