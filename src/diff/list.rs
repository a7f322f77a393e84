//! Lists in results, such as the strongest images: what came, went and moved.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

/// A list whose items differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListChange {
    /// Its path in the result, such as `top`.
    pub path: String,
    /// The field by which its items are known.
    pub by: String,
    /// Numbers of items before and after.
    pub length: [usize; 2],
    /// Items that came, with their positions from 0.
    pub came: Vec<Item>,
    /// Items that went, with the positions that they had.
    pub went: Vec<Item>,
    /// Items that are elsewhere.
    pub moved: Vec<Moved>,
}

/// An item and its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is.
    pub item: String,
    /// Its position, from 0.
    pub at: usize,
}

/// An item that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// What it is.
    pub item: String,
    /// Its position before.
    pub from: usize,
    /// Its position after.
    pub to: usize,
}

impl ListChange {
    /// Whether nothing came, went or moved.
    pub fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty() && self.moved.is_empty()
    }

    /// How large the change is: the fraction of items that came or went, or half the fraction that moved.
    pub fn size(&self) -> f64 {
        let longest = self.length[0].max(self.length[1]).max(1) as f64;
        let turned = self.came.len().max(self.went.len()) as f64;
        (turned / longest).max(self.moved.len() as f64 / longest / 2.0).min(1.0)
    }
}

/// The field by which the items of both lists are known: a text or a whole number that no two items of a list share.
pub fn key(before: &[Value], after: &[Value]) -> Option<String> {
    let first = before.first().or(after.first())?.as_object()?;
    let is_key = |name: &&String| {
        [before, after].into_iter().all(|items| {
            let mut seen = BTreeSet::new();
            items.iter().all(|item| name_of(item, name).is_some_and(|text| seen.insert(text)))
        })
    };
    // Names say more than numbers.
    let texts = first.iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name);
    let whole = first.iter().filter(|(_, value)| value.is_u64()).map(|(name, _)| name);
    texts.chain(whole).find(is_key).cloned()
}

fn name_of(item: &Value, field: &str) -> Option<String> {
    match item.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// What came, went and moved, and the positions of the items that are in both lists: before, after.
pub fn compare(
    path: &str,
    by: &str,
    before: &[Value],
    after: &[Value],
) -> (ListChange, Vec<(usize, usize)>) {
    let names = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| name_of(item, by).unwrap_or_default()).collect()
    };
    let (old, new) = (names(before), names(after));
    let places: BTreeMap<&str, usize> =
        old.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let kept: BTreeSet<&str> = new.iter().map(String::as_str).collect();
    let mut change = ListChange {
        path: path.to_owned(),
        by: by.to_owned(),
        length: [old.len(), new.len()],
        came: Vec::new(),
        went: Vec::new(),
        moved: Vec::new(),
    };
    let mut both = Vec::new();
    for (to, name) in new.iter().enumerate() {
        match places.get(name.as_str()) {
            None => change.came.push(Item { item: name.clone(), at: to }),
            Some(from) => {
                both.push((*from, to));
                if *from != to {
                    change.moved.push(Moved { item: name.clone(), from: *from, to });
                }
            }
        }
    }
    let gone = old.iter().enumerate().filter(|(_, name)| !kept.contains(name.as_str()));
    change.went = gone.map(|(at, name)| Item { item: name.clone(), at }).collect();
    (change, both)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items(names: &[&str]) -> Vec<Value> {
        names.iter().map(|name| json!({ "activation": 1.5, "key": name, "rank": 1 })).collect()
    }

    #[test]
    fn items_are_known_by_a_name_that_no_two_share() {
        assert_eq!(key(&items(&["a", "b"]), &items(&["c"])).as_deref(), Some("key"));
        assert_eq!(key(&items(&["a", "a"]), &items(&["c"])), None);
        assert_eq!(key(&[json!(1)], &[json!(2)]), None);
        let units = [json!({ "unit": 3, "weight": 0.5 }), json!({ "unit": 4, "weight": 0.5 })];
        assert_eq!(key(&units, &[]).as_deref(), Some("unit"));
    }

    #[test]
    fn what_came_went_and_moved_mirrors() {
        let (old, new) = (items(&["a", "b", "c"]), items(&["b", "a", "d", "e"]));
        let (change, both) = compare("top", "key", &old, &new);
        let names = |items: &[Item]| items.iter().map(|i| i.item.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&change.came), names(&change.went)),
            (vec!["d".into(), "e".into()], vec!["c".to_owned()])
        );
        assert_eq!((change.moved.len(), both), (2, vec![(1, 0), (0, 1)]));
        let (mirrored, _) = compare("top", "key", &new, &old);
        assert_eq!(
            (names(&mirrored.came), names(&mirrored.went)),
            (names(&change.went), names(&change.came))
        );
        assert_eq!(mirrored.size(), change.size());
    }
}
