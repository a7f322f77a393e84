//! How many items of a list pass a test, and what that says of all of them.

use super::expression::Quantity;
use super::value::{Missing, Value};

/// The items of a list by the outcome of a test.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Those that pass.
    pub(super) passed: Vec<Value>,
    /// Those that do not.
    pub(super) failed: Vec<Value>,
    /// Number of those that are not numbers.
    pub(super) undefined: usize,
    /// Why others are not there.
    pub(super) missing: Vec<Missing>,
}

impl Tally {
    /// Sorts an item by the outcome of its test.
    pub(super) fn add(&mut self, item: Value, outcome: Value) {
        match outcome {
            Value::Flag(true) => self.passed.push(item),
            Value::Missing(why) => self.missing.push(why),
            Value::Undefined => self.undefined += 1,
            _ => self.failed.push(item),
        }
    }

    /// Number of all items.
    pub(super) fn total(&self) -> usize {
        self.passed.len() + self.failed.len() + self.undefined + self.missing.len()
    }

    /// Whether the quantity passes: yes or no only if it does so whatever the items are that are missing or not numbers.
    pub(super) fn verdict(&self, quantity: Quantity) -> Value {
        let least = self.passed.len();
        let most = least + self.undefined + self.missing.len();
        let enough = (least..=most).filter(|n| holds(quantity, *n, self.total())).count();
        match enough {
            0 => Value::Flag(false),
            n if n == most - least + 1 => Value::Flag(true),
            _ if self.undefined > 0 => Value::Undefined,
            _ => self.first_missing(),
        }
    }

    /// The number of those that pass.
    pub(super) fn count(&self) -> Value {
        match (self.undefined, self.missing.is_empty()) {
            (0, true) => Value::Number(self.passed.len() as f64),
            (0, false) => self.first_missing(),
            _ => Value::Number(f64::NAN),
        }
    }

    fn first_missing(&self) -> Value {
        self.missing.first().map_or(Value::Undefined, |why| Value::Missing(why.clone()))
    }
}

fn holds(quantity: Quantity, passed: usize, total: usize) -> bool {
    let part = |percent: bool| match percent {
        true => 100.0 * passed as f64 / total as f64,
        false => passed as f64,
    };
    match quantity {
        Quantity::All => passed == total,
        Quantity::Any => passed > 0,
        Quantity::None => passed == 0,
        Quantity::AtLeast(n, percent) => part(percent) >= n,
        Quantity::AtMost(n, percent) => part(percent) <= n,
        Quantity::Exactly(n, percent) => part(percent) == n,
    }
}
