//! Fields that do not go together, and names that the data set does not have.

use serde_json::{Map, Value};

use super::params::By;
use crate::dataset::Said;
use crate::kind::category;
use crate::kind::class::Class;
use crate::kind::entry::Fault;
use crate::kind::group::{FORMS, Group};
use crate::kind::known::{Known, Misnamed};
use crate::kind::target;
use crate::problem::Problem;
use crate::suggest;

/// Most problems with names that are listed: each of many may have the same mistake.
const MOST: usize = 5;

/// The first problem with a combination of fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let about = target::several(fields)
        .or_else(|| target::without_layer(fields))
        .or_else(|| target::pooling(fields));
    if about.is_some() {
        return about;
    }
    let has = |name: &str| fields.contains_key(name);
    let wrong =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    let is_whole = target::given(fields).is_empty();
    if is_whole && !has("layer") {
        let hint = "give a `layer`, and a `unit` of it or images to choose one by";
        return wrong("kind", "`selectivity` needs a unit, a direction or a `layer`", hint);
    }
    if is_whole && !has("choose") && !has("held_out") {
        let message =
            "without a `unit` the best one is chosen, which needs images that it is not tested on";
        let hint = "add a `unit`, or divide the images: `held_out: 0.5`, or `choose` and `test`";
        return wrong("layer", message, hint);
    }
    if has("also") && !has("unit") {
        let hint = "`unit` is the first of them";
        return wrong("also", "`also` needs a `unit`", hint);
    }
    for (given, other) in [("choose", "held_out"), ("test", "held_out")] {
        if has(given) && has(other) {
            let hint = "either lists images, or divides them by a hash";
            return wrong(
                "held_out",
                &format!("a block can have only one of `{given}` and `{other}`"),
                hint,
            );
        }
    }
    if has("group_by") && !has("held_out") {
        let hint = "it says what stays on one side of `held_out`";
        return wrong("group_by", "`group_by` has no effect without `held_out`", hint);
    }
    for name in ["choose", "test"] {
        let form =
            fields.get(name).and_then(Value::as_object).and_then(|group| group.keys().next());
        if form.is_some_and(|form| !FORMS[..3].contains(&&**form)) {
            let message = format!("`{name}` must be a part of the block's data set");
            return wrong(name, &message, "list `labels`, `captions` or `keys`");
        }
    }
    if has("test") && fields.get("test") == fields.get("choose") {
        return wrong("test", "`choose` and `test` are the same images", APART);
    }
    if fields.get("by").is_some_and(|by| by == By::Word.word())
        && !has("categories")
        && !has("lists")
    {
        let hint = "list words: `categories: [heart, face]`";
        return wrong("by", "`by: word` needs `categories` or `lists`", hint);
    }
    None
}

/// What to do about images that are chosen by and tested on.
pub(super) const APART: &str =
    "no image may be in both: what was chosen by an image is not tested by it";

/// The problem that images are both chosen by and tested on.
pub fn overlap(example: &str) -> Problem {
    Problem::new(format!("the image `{example}` is in both `choose` and `test`")).hint(APART)
}

/// The lists of a block, each with its texts.
fn lists(params: &Map<String, Value>) -> Vec<Class> {
    let lists = params.get("lists").cloned();
    lists.and_then(|lists| serde_json::from_value(lists).ok()).unwrap_or_default()
}

/// Lists that are categories already.
fn twice(params: &Map<String, Value>) -> Vec<Misnamed> {
    let classes = category::of(params).unwrap_or_default();
    let is_known = |list: &Class| classes.iter().any(|class| class.label == list.label);
    let lists = lists(params).into_iter().enumerate().filter(|(_, list)| is_known(list));
    let problem = |list: &Class| {
        let message = format!("the list `{}` has the name of a category", list.label);
        Problem::new(message).hint("rename the one in `categories`, or leave it out")
    };
    lists.map(|(index, list)| Misnamed::item("lists", index, problem(&list))).collect()
}

/// Names of categories that no image has, lists that are categories already, and images that are both chosen by and tested on.
pub(super) fn naming(params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
    let mut problems = twice(params);
    let Some(said) = known.dataset().and_then(|dataset| known.said(&dataset)) else {
        return problems;
    };
    problems.extend(categories(params, &said));
    let group =
        |name: &str| -> Option<Group> { serde_json::from_value(params.get(name)?.clone()).ok() };
    if let (Some(choose), Some(test)) = (group("choose"), group("test"))
        && let Some(problem) = choose.common(&test, &said)
    {
        let message = problem.message.replace("both groups", "both `choose` and `test`");
        problems.push(Misnamed::new("test", Problem::new(message).hint(APART)));
    }
    problems
}

fn categories(params: &Map<String, Value>, said: &Said) -> Vec<Misnamed> {
    let by: By =
        params.get("by").and_then(|by| serde_json::from_value(by.clone()).ok()).unwrap_or_default();
    let classes = category::of(params).unwrap_or_default();
    let lists = lists(params);
    let (known, what) = match by {
        By::Label => (&said.labels, "label"),
        By::Caption | By::Word => (&said.captions, "caption"),
    };
    if known.as_ref().is_some_and(|known| known.is_empty()) && said.images > 0 {
        let problem = Problem::new(format!("no image of the data set has a {what}"));
        let source = match by {
            By::Label => said.no_labels(),
            By::Caption | By::Word => said.no_captions(),
        };
        let problem = problem.hint(format!("{source}, or use `by` for what there is"));
        return vec![Misnamed::new("by", problem)];
    }
    let missing = |name: &String| match by {
        By::Word => Group::Captions(vec![name.clone()]).missing(said).pop().map(|m| m.1),
        _ => known.as_ref().filter(|known| !known.contains_key(name)).map(|known| {
            let message = format!("no image of the data set has the {what} `{name}`");
            Problem::new(message).hint(suggest::hint(name, known.keys()))
        }),
    };
    let mut problems = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        for (at, name) in class.names.iter().enumerate() {
            let pointer = format!("/{index}/names/{at}");
            let problem = missing(name);
            problems.extend(problem.map(|problem| Misnamed {
                field: "categories",
                pointer,
                problem,
            }));
        }
    }
    for (index, list) in lists.iter().enumerate() {
        problems.extend(list.names.iter().filter_map(missing).map(|problem| {
            let message = format!("{}, which is in the list `{}`", problem.message, list.label);
            Misnamed::item("lists", index, Problem { message, ..problem })
        }));
    }
    problems.truncate(MOST);
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(block: Value) -> Option<&'static str> {
        let Value::Object(fields) = block else { unreachable!() };
        fault(&fields).map(|fault| fault.field)
    }

    #[test]
    fn a_unit_is_given_or_chosen_by_images_that_it_is_not_tested_on() {
        let layer = "visual.layer4.0";
        assert_eq!(wrong(json!({})), Some("kind"));
        assert_eq!(wrong(json!({ "layer": layer })), Some("layer"));
        assert_eq!(wrong(json!({ "layer": layer, "unit": 3 })), None);
        assert_eq!(wrong(json!({ "layer": layer, "unit": 3, "also": [4] })), None);
        assert_eq!(wrong(json!({ "layer": layer, "also": [4], "held_out": 0.5 })), Some("also"));
        assert_eq!(wrong(json!({ "layer": layer, "held_out": 0.5 })), None);
        assert_eq!(wrong(json!({ "layer": layer, "test": { "keys": ["a"] } })), Some("layer"));
        let both = json!({ "layer": layer, "held_out": 0.5, "choose": { "keys": ["a"] } });
        assert_eq!(wrong(both), Some("held_out"));
        let of = |choose: Value, test: Value| {
            wrong(json!({ "layer": layer, "choose": choose, "test": test }))
        };
        assert_eq!(of(json!({ "keys": ["a"] }), json!({ "keys": ["b"] })), None);
        assert_eq!(of(json!({ "keys": ["a"] }), json!({ "keys": ["a"] })), Some("test"));
        assert_eq!(of(json!({ "words": ["a"] }), json!({ "keys": ["a"] })), Some("choose"));
        let idle = json!({ "layer": layer, "unit": 3, "group_by": "caption" });
        assert_eq!(wrong(idle), Some("group_by"));
        assert_eq!(wrong(json!({ "layer": layer, "unit": 3, "by": "word" })), Some("by"));
        let listed = json!({ "layer": layer, "unit": 3, "by": "word", "lists": ["hands"] });
        assert_eq!(wrong(listed), None);
        assert_eq!(wrong(json!({ "units": [3] })), Some("units"));
        assert_eq!(wrong(json!({ "layer": layer, "units": [3], "pool": "max" })), Some("pool"));
    }
}
