//! Two results as JSON in, with the rule of their kind; where they differ, and whether that is within the rule, out.

use std::collections::BTreeMap;

use neuronotes_core::kind::{COUNTS, Noise};
use serde::Serialize;
use serde_json::Value;

use super::path::{self, Step};

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where it is in the result, such as `top[3].activation`; or the name of an output.
    pub path: String,
    /// The stored value.
    pub before: Value,
    /// The value now.
    pub now: Value,
    /// The difference divided by the largest number of the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
    /// Whether it is within the result's own noise.
    pub within: bool,
}

/// Where two results differ. Values that are not compared are left out.
pub(super) fn differences(before: &Value, now: &Value, noise: &Noise) -> Vec<Difference> {
    let mut largest = BTreeMap::new();
    measure(before, &mut Vec::new(), &mut largest);
    measure(now, &mut Vec::new(), &mut largest);
    let mut walk = Walk { noise, largest, trees: (before, now), found: Vec::new() };
    walk.values(before, now, &mut Vec::new(), false);
    walk.found
}

/// Finds the largest absolute number of each name.
fn measure(value: &Value, at: &mut Vec<Step>, largest: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                at.push(Step::Name(name.clone()));
                measure(value, at, largest);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Item(index));
                measure(item, at, largest);
                at.pop();
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default().abs();
            let known = largest.entry(path::pattern(at)).or_insert(0.0);
            *known = known.max(number);
        }
        _ => {}
    }
}

struct Walk<'a> {
    noise: &'a Noise,
    largest: BTreeMap<String, f64>,
    trees: (&'a Value, &'a Value),
    found: Vec<Difference>,
}

impl Walk<'_> {
    /// `moved`: the items of a list around it have only changed places.
    fn values(&mut self, before: &Value, now: &Value, at: &mut Vec<Step>, moved: bool) {
        if before == now || self.is_aside(at) {
            return;
        }
        match (before, now) {
            (Value::Object(old), Value::Object(new)) => {
                for (name, value) in old {
                    at.push(Step::Name(name.clone()));
                    self.values(value, new.get(name).unwrap_or(&Value::Null), at, moved);
                    at.pop();
                }
                for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                    at.push(Step::Name(name.clone()));
                    self.values(&Value::Null, value, at, moved);
                    at.pop();
                }
            }
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                let moved = moved || have_moved(old, new);
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    at.push(Step::Item(index));
                    self.values(old, new, at, moved);
                    at.pop();
                }
            }
            (Value::Number(old), Value::Number(new)) if old.is_f64() || new.is_f64() => {
                let (old, new) =
                    (old.as_f64().unwrap_or(f64::NAN), new.as_f64().unwrap_or(f64::NAN));
                let relative = self.relative(old, new, at);
                let within = self.in_interval(at, old, new) || relative <= self.noise.relative;
                self.add(at, before, now, Some(relative), within);
            }
            (Value::Number(old), Value::Number(new)) => {
                let (old, new) =
                    (old.as_f64().unwrap_or(f64::NAN), new.as_f64().unwrap_or(f64::NAN));
                let relative = self.relative(old, new, at);
                let is_count =
                    self.noise.counts.iter().any(|count| path::matched(count, at).is_some());
                let within = moved || (is_count && relative <= COUNTS);
                self.add(at, before, now, Some(relative), within);
            }
            _ => self.add(at, before, now, None, moved && !before.is_null() && !now.is_null()),
        }
    }

    fn relative(&self, old: f64, new: f64, at: &[Step]) -> f64 {
        let largest = self.largest.get(&path::pattern(at)).copied().unwrap_or_default();
        (old - new).abs() / largest.max(f64::MIN_POSITIVE)
    }

    /// Whether it says only how a fit went, or is a bound of an interval.
    fn is_aside(&self, at: &[Step]) -> bool {
        let Noise { aside, intervals, .. } = self.noise;
        let bounds = intervals.iter().flat_map(|(_, low, high)| [low, high]);
        aside.iter().chain(bounds).any(|pattern| path::matched(pattern, at).is_some())
    }

    /// Whether each of two numbers is in the interval of the other.
    fn in_interval(&self, at: &[Step], old: f64, new: f64) -> bool {
        self.noise.intervals.iter().any(|(value, low, high)| {
            let Some(items) = path::matched(value, at) else { return false };
            let holds = |tree: &Value, number: f64| {
                let bound = |pattern: &str| path::number(tree, pattern, &items);
                bound(low).zip(bound(high)).is_some_and(|(l, h)| l <= number && number <= h)
            };
            holds(self.trees.0, new) && holds(self.trees.1, old)
        })
    }

    fn add(
        &mut self,
        at: &[Step],
        before: &Value,
        now: &Value,
        relative: Option<f64>,
        within: bool,
    ) {
        let (path, before, now) = (path::text(at), before.clone(), now.clone());
        self.found.push(Difference { path, before, now, relative, within });
    }
}

/// Whether the items of two lists are the same but for their numbers with a fraction, in another order.
fn have_moved(old: &[Value], new: &[Value]) -> bool {
    let all = |items: &[Value]| items.iter().map(identity).collect::<Option<Vec<String>>>();
    let (Some(mut old), Some(mut new)) = (all(old), all(new)) else { return false };
    if old == new {
        return false;
    }
    old.sort_unstable();
    new.sort_unstable();
    old == new
}

/// An item of a list without its numbers with a fraction; `None` for one that is a plain value.
fn identity(item: &Value) -> Option<String> {
    fn without(value: &Value) -> Value {
        match value {
            Value::Number(number) if number.is_f64() => Value::Null,
            Value::Array(items) => items.iter().map(without).collect(),
            Value::Object(map) => {
                map.iter().map(|(name, value)| (name.clone(), without(value))).collect()
            }
            other => other.clone(),
        }
    }
    (item.is_object() || item.is_array()).then(|| without(item).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(before: &Value, now: &Value, noise: &Noise) -> Vec<(String, bool)> {
        let all = differences(before, now, noise);
        all.into_iter().map(|found| (found.path, found.within)).collect()
    }

    #[test]
    fn numbers_differ_within_a_part_of_the_largest_of_their_name() {
        let tree =
            |second: f64| json!({ "top": [{ "activation": 8.0 }, { "activation": second }] });
        let check = |second| found(&tree(0.001), &tree(second), &Noise::ACTIVATIONS);
        let path = || "top[1].activation".to_owned();
        assert_eq!(check(0.001), []);
        assert_eq!(check(0.008), [(path(), true)], "of 8, not of 0.001");
        assert_eq!(check(0.01), [(path(), false)]);
        let all = differences(&tree(0.0), &tree(0.004), &Noise::ACTIVATIONS);
        assert_eq!(all[0].relative, Some(0.0005));
    }

    #[test]
    fn a_number_that_is_missing_or_none_is_never_within() {
        let noise = &Noise::ACTIVATIONS;
        let one = json!({ "x": 1.5, "list": [1.5, 2.5] });
        for (now, path) in [
            (json!({ "list": [1.5, 2.5] }), "x"),
            (json!({ "x": null, "list": [1.5, 2.5] }), "x"),
            (json!({ "x": 1.5, "list": [1.5] }), "list"),
            (json!({ "x": "1.5", "list": [1.5, 2.5] }), "x"),
        ] {
            assert_eq!(found(&one, &now, noise), [(path.to_owned(), false)], "{now}");
            assert_eq!(found(&now, &one, noise), [(path.to_owned(), false)], "{now}");
        }
    }

    #[test]
    fn names_and_whole_numbers_make_another_result_unless_items_change_places() {
        let noise = &Noise::ACTIVATIONS;
        let item = |unit: u32, x: f64| json!({ "unit": unit, "x": x });
        let list = |items: [Value; 2]| json!({ "top": items });
        let before = list([item(3, 2.0), item(4, 1.9999)]);
        let swapped = list([item(4, 2.0), item(3, 1.9999)]);
        assert!(found(&before, &swapped, noise).iter().all(|(_, within)| *within));
        // Their numbers do not agree.
        let far = list([item(4, 2.5), item(3, 1.9999)]);
        let all = found(&before, &far, noise);
        assert!(all.contains(&("top[0].x".to_owned(), false)), "{all:?}");
        let other = list([item(3, 2.0), item(5, 1.9999)]);
        assert_eq!(found(&before, &other, noise), [("top[1].unit".to_owned(), false)]);
        // Plain numbers have no names by which they could have moved.
        let counts = |a: u32, b: u32| json!({ "counts": [a, b] });
        assert!(found(&counts(1, 2), &counts(2, 1), noise).iter().all(|(_, within)| !within));
    }

    #[test]
    fn counts_intervals_and_what_is_set_aside() {
        let noise = Noise {
            intervals: &[("found[n].auc", "found[n].low", "found[n].high")],
            counts: &["right[n]"],
            aside: &["gap"],
            ..Noise::ACTIVATIONS
        };
        let tree = |auc: f64, low: f64, right: u32, gap: f64| json!({ "found": [{ "auc": auc, "low": low, "high": 0.9 }], "right": [right, 500], "gap": gap });
        let before = tree(0.8, 0.7, 100, 1e-9);
        assert_eq!(found(&before, &tree(0.8, 0.6, 100, 1e-5), &noise), []);
        let auc = "found[0].auc".to_owned();
        assert_eq!(found(&before, &tree(0.75, 0.7, 100, 1e-9), &noise), [(auc.clone(), true)]);
        assert_eq!(found(&before, &tree(0.65, 0.6, 100, 1e-9), &noise), [(auc, false)]);
        let right = "right[0]".to_owned();
        assert_eq!(found(&before, &tree(0.8, 0.7, 105, 1e-9), &noise), [(right.clone(), true)]);
        assert_eq!(found(&before, &tree(0.8, 0.7, 106, 1e-9), &noise), [(right, false)]);
    }
}
