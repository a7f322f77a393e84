//! Numbers within bounds.

use neuronotes_core::kind::Kind;
use neuronotes_core::request::Inputs;
use serde_json::{Value as Json, json};

use super::family::Family;
use super::line::list;
use super::reading::Reading;
use super::shape;
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

/// Numbers, each once; one stands for a list of it.
pub(super) struct Numbers {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) most: usize,
}

impl Family for Numbers {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let bounds = format!("from {} to {}", self.min, self.max);
        let items = at.one_or_many(node, &format!("a list of numbers {bounds}"));
        if items.len() > self.most {
            return at.too_many(node, items.len(), self.most);
        }
        let mut numbers: Vec<f64> = Vec::new();
        for item in items {
            match number(item).filter(|number| (self.min..=self.max).contains(number)) {
                Some(number) if numbers.contains(&number) => {
                    let message = format!("`{}` lists {number} more than once", at.field);
                    at.problem(item, message, None);
                }
                Some(number) => numbers.push(number),
                None => {
                    at.wrong(item, &format!("a list of numbers {bounds}"));
                }
            }
        }
        if numbers.is_empty() && at.is_sound() {
            let hint = "list at least one".to_owned();
            at.problem(node, format!("`{}` is an empty list", at.field), Some(hint));
        }
        numbers.sort_by(f64::total_cmp);
        numbers.into()
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        let numbers: Vec<f64> = serde_json::from_value(value.clone()).unwrap_or_default();
        list(&numbers.iter().map(f64::to_string).collect::<Vec<_>>())
    }

    fn quoted(&self, value: &Json, _: &Inputs) -> Json {
        value.clone()
    }

    fn takes(&self) -> String {
        format!("list of numbers, {} to {}", self.min, self.max)
    }

    fn schema(&self, _: &Kind) -> Json {
        let one = json!({ "type": "number", "minimum": self.min, "maximum": self.max });
        shape::one_or_many(&one, self.most)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Note;

    /// The value of the field `above` with this YAML, or what is wrong with it.
    fn above(yaml: &str) -> Result<Json, String> {
        let block = format!("```yaml analysis\nkind: activation_histogram\nabove: {yaml}\n```\n");
        let note = Note::parse("a.md", "notes/a.md", &block);
        let block = &note.blocks[0];
        let field = block.fields.get("above").map(|field| field.value.clone());
        let wrong = |problem: &crate::diagnostic::Diagnostic| problem.message.contains("above");
        let problem = block.problems.iter().find(|problem| wrong(problem));
        field.ok_or_else(|| problem.map(|it| it.message.clone()).unwrap_or_default())
    }

    #[test]
    fn numbers_are_sorted_and_each_is_within_bounds_and_there_once() {
        assert_eq!(above("[5, 2, 3.5]"), Ok(json!([2.0, 3.5, 5.0])));
        assert_eq!(above("3"), Ok(json!([3.0])));
        let wrong = |yaml: &str| above(yaml).expect_err("a problem");
        assert_eq!(wrong("[2, 2.0]"), "`above` lists 2 more than once");
        assert_eq!(wrong("[]"), "`above` is an empty list");
        assert!(wrong("[2, many]").starts_with("`above` must be a list of numbers from"));
        assert!(wrong("[1e6]").starts_with("`above` must be a list of numbers from"));
        assert!(wrong("[1, 2, 3, 4, 5, 6, 7, 8, 9]").contains("9 items; at most 8"));
    }
}
