//! The values of a kind's result that prose can show, by name.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The values of a result that prose can show.
#[derive(Debug)]
pub struct Values {
    /// All documented values.
    pub named: &'static [Named],
    /// Adds derived values to a stored result. Fails if the result has another form.
    pub of: fn(Value) -> serde_json::Result<Value>,
}

impl Values {
    /// The named values of a stored result as a tree, without anything else, by the names that notes use.
    ///
    /// # Errors
    /// If the result has another form.
    pub fn tree(&self, result: Value) -> serde_json::Result<Value> {
        let paths: Vec<Vec<&str>> = self.named.iter().map(|named| steps(named.path)).collect();
        let mut tree = (self.of)(result)?;
        for (named, steps) in self.named.iter().zip(&paths) {
            if let Some(stored) = named.stored {
                rename(&mut tree, steps, stored);
            }
        }
        keep(&mut tree, &paths.iter().map(Vec::as_slice).collect::<Vec<_>>());
        Ok(tree)
    }
}

impl Values {
    /// The path by which notes name what has this path in stored results.
    pub fn name_of<'p>(&self, stored: &'p str) -> &'p str {
        let is_it = |named: &&Named| named.stored.is_some() && named.stored_path() == stored;
        self.named.iter().find(is_it).map_or(stored, |named| named.path)
    }
}

/// Stands for any index in a list.
const ITEM: &str = "[n]";

/// The steps of a path: names, and [`ITEM`] for an item of a list.
fn steps(path: &'static str) -> Vec<&'static str> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let mut pieces = part.split(ITEM);
        steps.extend(pieces.next());
        steps.extend(pieces.map(|_| ITEM));
    }
    steps
}

/// Moves what is stored as `stored` to the last name of a path.
fn rename(value: &mut Value, path: &[&str], stored: &str) {
    match (value, path) {
        (Value::Array(items), [ITEM, rest @ ..]) => {
            items.iter_mut().for_each(|item| rename(item, rest, stored));
        }
        (Value::Object(map), [name] | [name, ITEM]) => {
            if let Some(value) = map.remove(stored) {
                map.insert((*name).to_owned(), value);
            }
        }
        (Value::Object(map), [name, rest @ ..]) => {
            if let Some(value) = map.get_mut(*name) {
                rename(value, rest, stored);
            }
        }
        _ => {}
    }
}

/// Removes everything that no path refers to.
fn keep(value: &mut Value, paths: &[&[&str]]) {
    match value {
        Value::Object(map) => map.retain(|name, value| {
            let paths = after(paths, name);
            keep(value, &paths);
            !paths.is_empty()
        }),
        Value::Array(items) => {
            let paths = after(paths, ITEM);
            items.iter_mut().for_each(|item| keep(item, &paths));
        }
        _ => {}
    }
}

/// The remaining steps of the paths that begin with `step`.
fn after<'p>(paths: &[&'p [&'p str]], step: &str) -> Vec<&'p [&'p str]> {
    let firsts = paths.iter().filter_map(|path| path.split_first());
    firsts.filter(|(first, _)| **first == step).map(|(_, rest)| rest).collect()
}

/// A documented value.
#[derive(Debug)]
pub struct Named {
    /// Its path after the block's id: `top[n].activation`, where `n` counts from 0. The last name of a count begins with what is
    /// counted: `images_right`.
    pub path: &'static str,
    /// The last name of its path in stored results, where that is another one. Notes may use it too, with a warning: it does not
    /// say what is counted.
    pub stored: Option<&'static str>,
    /// Its unit of measurement; empty for a plain number or text.
    pub unit: &'static str,
    /// Its description.
    pub doc: &'static str,
}

impl Named {
    /// The names in its path, without list indices.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('.').map(|part| part.split('[').next().unwrap_or(part))
    }

    /// Its path in stored results.
    pub fn stored_path(&self) -> String {
        let Some(stored) = self.stored else { return self.path.to_owned() };
        let start = self.path.rfind('.').map_or(0, |dot| dot + 1);
        let (before, last) = self.path.split_at(start);
        let items = last.find('[').map_or("", |bracket| last.split_at(bracket).1);
        format!("{before}{stored}{items}")
    }
}

impl Values {
    /// The name that has replaced `name`, as the next one after the names of `path` in a value of the kind; `None` if it is up to
    /// date, or unknown.
    pub fn renamed(&self, path: &[&str], name: &str) -> Option<&'static str> {
        // The name after those of the path, and whether it is the last one.
        let next = |named: &Named| {
            let mut names = named.names();
            let follows = path.iter().all(|known| names.next() == Some(*known));
            names.next().filter(|_| follows).map(|next| (next, names.next().is_none()))
        };
        let mut found = None;
        for named in self.named {
            match next(named) {
                Some((next, _)) if next == name => return None,
                Some((next, true)) if named.stored == Some(name) => found = Some(next),
                _ => {}
            }
        }
        found
    }

    /// Whether the value with these names is a list.
    pub fn is_list(&self, path: &[&str]) -> bool {
        self.named.iter().any(|named| {
            let steps = steps(named.path);
            let mut rest = steps.iter().copied().peekable();
            let follows = path.iter().all(|name| {
                rest.next_if_eq(&ITEM);
                rest.next() == Some(*name)
            });
            follows && rest.peek() == Some(&ITEM)
        })
    }
}

/// Makes a documented value.
pub(super) const fn named(path: &'static str, unit: &'static str, doc: &'static str) -> Named {
    Named { path, stored: None, unit, doc }
}

/// Makes a documented count whose last name is `stored` in stored results.
pub(super) const fn counted(
    path: &'static str,
    stored: &'static str,
    unit: &'static str,
    doc: &'static str,
) -> Named {
    Named { path, stored: Some(stored), unit, doc }
}

/// Reads a stored result as `T` and adds the values that `derive` computes.
pub(super) fn stored<T: DeserializeOwned + Serialize>(
    result: Value,
    derive: impl FnOnce(T, &mut Value),
) -> serde_json::Result<Value> {
    let outcome: T = serde_json::from_value(result)?;
    // Written again, because JSON may also give a struct's members as a list.
    let mut tree = serde_json::to_value(&outcome)?;
    derive(outcome, &mut tree);
    Ok(tree)
}

/// The values of any result's provenance that prose can show.
pub static PROVENANCE: &[Named] = &[
    named("seconds", "seconds", "The duration of the measurement, without the scans that it uses."),
    named("device", "", "The device that measured it."),
    named("measured", "", "The date of the measurement, such as `2026-11-24`."),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{KINDS, Kind, Role, facet};

    /// Results of a kind that contain every optional value.
    fn samples(kind: &Kind) -> [Value; 4] {
        let of_pictures = json!({ "images": ["a digest"], "probe": "a digest" });
        let of_unit = json!({ "unit": 3 });
        let of_options = json!({
            "control": true, "alike": 4, "maps": true, "by": "relevance", "order": "quantiles", "above": [2.0],
            "also": [7], "beside": {}, "examples": 1,
        });
        [json!({}), of_pictures, of_unit, of_options].map(|params| {
            let Value::Object(params) = params else { unreachable!() };
            (kind.sample)(&params, 0.75).result
        })
    }

    /// Every leaf of a tree, as a documented path.
    fn leaves(tree: &Value, path: &str, out: &mut Vec<String>) {
        match tree {
            Value::Object(map) => {
                for (name, value) in map {
                    let dot = if path.is_empty() { "" } else { "." };
                    leaves(value, &format!("{path}{dot}{name}"), out);
                }
            }
            Value::Array(items) => {
                for item in items {
                    leaves(item, &format!("{path}[n]"), out);
                }
            }
            _ => out.push(path.to_owned()),
        }
    }

    #[test]
    fn every_documented_value_is_in_a_result_and_nothing_else_is() {
        for kind in KINDS {
            let mut found = Vec::new();
            for sample in samples(kind) {
                let tree =
                    kind.values.tree(sample).unwrap_or_else(|e| panic!("{}: {e}", kind.name));
                leaves(&tree, "", &mut found);
            }
            found.sort_unstable();
            found.dedup();
            let mut documented: Vec<&str> = kind.values.named.iter().map(|n| n.path).collect();
            documented.sort_unstable();
            assert_eq!(found, documented, "{}", kind.name);
        }
    }

    #[test]
    fn names_of_provenance_are_no_others() {
        for kind in KINDS {
            for made in PROVENANCE {
                let fields = kind.all_fields().filter(|field| field.role == Role::Compute);
                let mut names = fields
                    .map(|field| field.name)
                    .chain(kind.values.named.iter().filter_map(|named| named.names().next()));
                assert!(names.all(|name| name != made.path), "{} {}", kind.name, made.path);
            }
        }
    }

    /// Units in which nothing is counted.
    const MEASURED: [&str; 3] = ["fraction", "standard deviations", "seconds"];

    #[test]
    fn the_name_of_a_count_says_what_is_counted() {
        for kind in KINDS {
            for named in kind.values.named {
                let names: Vec<&str> = named.names().collect();
                let says = |name: &str| {
                    name.strip_prefix(named.unit)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
                };
                let (last, before) = names.split_last().expect("a name");
                let is_count = !named.unit.is_empty() && !MEASURED.contains(&named.unit);
                // `images.positive` says it before.
                let said = says(last) || before.last().is_some_and(|name| *name == named.unit);
                assert!(!is_count || said, "{}: {} counts {}", kind.name, named.path, named.unit);
                let counts = ["Number of", "The number of", "How many"];
                let counted = counts.iter().any(|start| named.doc.starts_with(start));
                let is_rank = named.path.ends_with(".rank");
                assert!(
                    !counted || is_count || is_rank,
                    "{}: {} counts what?",
                    kind.name,
                    named.path
                );
            }
        }
    }

    #[test]
    fn a_former_name_leads_to_one_value_and_is_no_other_value() {
        for kind in KINDS {
            for named in kind.values.named {
                let Some(stored) = named.stored else { continue };
                let names: Vec<&str> = named.names().collect();
                let (last, before) = names.split_last().expect("a name");
                assert_eq!(
                    kind.values.renamed(before, stored),
                    Some(*last),
                    "{} {}",
                    kind.name,
                    named.path
                );
                assert_eq!(kind.values.renamed(before, last), None, "{} {}", kind.name, named.path);
            }
        }
        let zero_shot = Kind::named("zero_shot").expect("a kind");
        assert_eq!(zero_shot.values.renamed(&["classes"], "of"), Some("images"));
        assert_eq!(
            (zero_shot.values.renamed(&["examples"], "of"), zero_shot.values.renamed(&[], "low")),
            (None, None)
        );
        let histogram = Kind::named("activation_histogram").expect("a kind");
        let paths: Vec<String> = histogram.values.named.iter().map(Named::stored_path).collect();
        for path in ["count", "counts[n]", "shape.positive", "others[n].count", "mean"] {
            assert!(paths.iter().any(|known| known == path), "{path}");
        }
    }

    #[test]
    fn a_result_of_another_form_is_an_error() {
        for kind in KINDS {
            for odd in [json!({}), json!(null), json!([1]), json!({ "count": "many" })] {
                assert!(kind.values.tree(odd).is_err(), "{}", kind.name);
            }
        }
    }

    #[test]
    fn what_was_not_counted_is_no_number() {
        let published = json!({
            "images": [0, 0], "layers": [{ "layer": "visual.layer3.0", "shape": [384, 6, 6] }],
        });
        let tree = facet::KIND.values.tree(published).expect("a tree");
        assert_eq!(tree["layers"][0]["accuracy"], Value::Null);
        assert_eq!(tree["layers"][0]["units"], 384);
    }
}
