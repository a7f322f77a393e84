//! Paths in a result, such as `found[3].auc`, and patterns of them, such as `found[n].auc`.

use serde_json::Value;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A field of an object.
    Name(String),
    /// An item of a list.
    Item(usize),
}

/// The path as text.
pub(super) fn text(path: &[Step]) -> String {
    written(path, |item| item.to_string())
}

/// The path without the places of items: `found[n].auc`.
pub(super) fn pattern(path: &[Step]) -> String {
    written(path, |_| "n".to_owned())
}

fn written(path: &[Step], item: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Name(name) if out.is_empty() => out.push_str(name),
            Step::Name(name) => out.push_str(&format!(".{name}")),
            Step::Item(at) => out.push_str(&format!("[{}]", item(*at))),
        }
    }
    out
}

/// The steps of a pattern; `None` stands for any item.
fn steps(pattern: &str) -> Vec<Option<Step>> {
    let mut steps = Vec::new();
    for part in pattern.split('.') {
        let mut pieces = part.split('[');
        let name = pieces.next().unwrap_or_default();
        steps.push(Some(Step::Name(name.to_owned())));
        steps.extend(pieces.map(|piece| piece.trim_end_matches(']').parse().ok().map(Step::Item)));
    }
    steps
}

/// The items that a pattern's `[n]` stand for in a path, if it is one of that pattern.
pub(super) fn matched(pattern: &str, path: &[Step]) -> Option<Vec<usize>> {
    let steps = steps(pattern);
    let mut items = Vec::new();
    let fits = steps.len() == path.len()
        && steps.iter().zip(path).all(|pair| match pair {
            (Some(step), found) => step == found,
            (None, Step::Item(at)) => {
                items.push(*at);
                true
            }
            (None, Step::Name(_)) => false,
        });
    fits.then_some(items)
}

/// The number at a pattern with its `[n]` replaced by `items`, in order.
pub(super) fn number(tree: &Value, pattern: &str, items: &[usize]) -> Option<f64> {
    let mut items = items.iter();
    let mut at = tree;
    for step in steps(pattern) {
        at = match step {
            Some(Step::Name(name)) => at.get(name)?,
            Some(Step::Item(item)) => at.get(item)?,
            None => at.get(*items.next()?)?,
        };
    }
    at.as_f64()
}
