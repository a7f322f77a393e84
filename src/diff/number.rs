//! Numbers and texts of results: what differs, by how much.

use serde::Serialize;
use serde_json::Value;

/// Most numbers of one figure that are listed; the rest is counted.
pub const MOST: usize = 40;

/// A number that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumberChange {
    /// Its path in the result, such as `top[0].activation`.
    pub path: String,
    /// Its value before; none if there was none.
    pub before: Option<f64>,
    /// Its value after; none if there is none.
    pub after: Option<f64>,
    /// `after` less `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The difference as a fraction of `before`; none if that is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
}

impl NumberChange {
    /// What differs between two numbers.
    pub fn of(path: String, before: Option<f64>, after: Option<f64>) -> Self {
        let difference = before.zip(after).map(|(before, after)| after - before);
        let relative = difference.zip(before).map(|(by, before)| by / before.abs());
        let relative = relative.filter(|relative| relative.is_finite());
        Self { path, before, after, difference, relative }
    }

    /// How large the change is, from 0 to 1, the same in both directions.
    pub fn size(&self) -> f64 {
        match (self.before, self.after) {
            (Some(before), Some(after)) => {
                let largest = before.abs().max(after.abs());
                if largest > 0.0 { ((after - before).abs() / largest).min(1.0) } else { 0.0 }
            }
            _ => 1.0,
        }
    }
}

/// A text that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WordChange {
    /// Its path in the result.
    pub path: String,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// The differing numbers and texts at a path.
pub fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    numbers: &mut Vec<NumberChange>,
    words: &mut Vec<WordChange>,
) {
    if before == after {
        return;
    }
    let is_number =
        |value: Option<&Value>| value.is_none_or(|value| value.is_number() || value.is_null());
    if is_number(before) && is_number(after) {
        let number = |value: Option<&Value>| value.and_then(Value::as_f64);
        numbers.push(NumberChange::of(path.to_owned(), number(before), number(after)));
        return;
    }
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    words.push(WordChange { path: path.to_owned(), before: text(before), after: text(after) });
}
