//! Combinations of fields that do not go together, and parameters that have no effect beside others.

use serde_json::{Map, Value};

use super::params::{By, Read};
use crate::kind::entry::Fault;
use crate::kind::zero_shot::Truth;

/// The fields of which a block has one.
const CHANGED: [&str; 3] = ["units", "directions", "heads"];

/// The first problem of a block's fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    changed(fields).or_else(|| how(fields)).or_else(|| read(fields)).or_else(|| classes(fields))
}

fn given(fields: &Map<String, Value>, names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| fields.contains_key(*name)).collect()
}

fn wrong(field: &'static str, message: impl Into<String>, hint: &'static str) -> Option<Fault> {
    Some(Fault { field, message: message.into(), hint })
}

fn is(fields: &Map<String, Value>, field: &str, word: &str) -> bool {
    fields.get(field).is_some_and(|value| value == word)
}

/// What is changed.
fn changed(fields: &Map<String, Value>) -> Option<Fault> {
    match given(fields, &CHANGED)[..] {
        [] => {
            let message = "`ablate` needs one of `units`, `directions` and `heads`";
            wrong("layer", message, "`units: [42]` is one channel of the layer, counted from 0")
        }
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` cannot be combined");
            wrong(second, message, "use a separate block for each")
        }
        [_] => None,
    }
}

/// How it is changed.
fn how(fields: &Map<String, Value>) -> Option<Fault> {
    let of = given(fields, &CHANGED).first().copied().unwrap_or_default();
    let shifts = is(fields, "by", By::Shift.word());
    if is(fields, "by", By::ProjectOut.word()) && of != "directions" {
        let message = format!("`by: project_out` is for `directions`, but this block has `{of}`");
        return wrong("by", message, "`by: zero` removes units and heads");
    }
    if shifts && of == "heads" {
        return wrong("by", "heads cannot be shifted", "use `by: zero` or `by: mean`");
    }
    match (shifts, fields.contains_key("sd")) {
        (true, false) => {
            wrong("by", "`by: shift` needs `sd`", "`sd: 2` shifts by two standard deviations")
        }
        (false, true) => {
            wrong("sd", "`sd` is for `by: shift` only", "remove it, or add `by: shift`")
        }
        _ if fields.get("sd").and_then(Value::as_f64) == Some(0.0) => {
            wrong("sd", "a shift by 0 standard deviations changes nothing", "use another number")
        }
        _ => None,
    }
}

/// What is read.
fn read(fields: &Map<String, Value>) -> Option<Fault> {
    let reads = fields.get("read").and_then(Value::as_str).unwrap_or(Read::Accuracy.word());
    let (logit, unit) = (reads == Read::Logit.word(), reads == Read::Unit.word());
    let odd: &[&'static str] = match (logit, unit) {
        (true, _) => &["read_unit"],
        (_, true) => &["classes", "class", "text", "templates", "truncate", "truth"],
        _ => &["text", "read_unit"],
    };
    if let [field, ..] = given(fields, odd)[..] {
        let message = format!("`{field}` has no effect with `read: {reads}`");
        let hint = match field {
            "read_unit" => "add `read: unit`",
            "text" => "add `read: logit`",
            _ => "remove it",
        };
        return wrong(field, message, hint);
    }
    match (logit, unit, &given(fields, &["text", "class"])[..]) {
        (true, _, []) => {
            let message = "`read: logit` needs a `text` or a `class`";
            wrong("read", message, "add `text: …`, or the label of a `class`")
        }
        (true, _, [_, _]) => {
            wrong("class", "`text` and `class` cannot be combined", "use a separate block for each")
        }
        (true, _, ["text"]) => match given(fields, &["classes", "truth"])[..] {
            [field, ..] => {
                let message = format!("`{field}` has no effect with `text`");
                wrong(field, message, "remove it, or read the logit of a `class`")
            }
            [] => None,
        },
        (_, true, _) if !fields.contains_key("read_unit") => {
            let hint = "add `read_unit: { layer: …, unit: … }`";
            wrong("read", "`read: unit` needs `read_unit`", hint)
        }
        _ => None,
    }
}

/// Which classes there are.
fn classes(fields: &Map<String, Value>) -> Option<Fault> {
    let classes = fields.get("classes");
    let untold = is(fields, "truth", Truth::None.word());
    if untold && !is(fields, "read", Read::Logit.word()) {
        let hint = "use `truth: label` or `truth: caption`";
        return wrong("truth", "an accuracy needs the true classes of images", hint);
    }
    if untold && classes.is_none() {
        return wrong("truth", "with `truth: none`, `classes` are required", "list the classes");
    }
    let labels: Vec<&str> =
        classes?.as_array()?.iter().filter_map(|one| one["label"].as_str()).collect();
    if labels.len() < 2 {
        return wrong("classes", "one class has no others to be held against", "add other classes");
    }
    let class = fields.get("class")?.as_str()?;
    (!labels.iter().any(|label| label.to_lowercase() == class.to_lowercase())).then(|| Fault {
        field: "class",
        message: format!("`{class}` is not the label of one of the classes"),
        hint: "write it as in `classes`",
    })
}

/// Removes what has no effect.
pub(super) fn trim(params: &mut Map<String, Value>) {
    let texts = !is(params, "read", Read::Unit.word());
    let truth = texts && !params.contains_key("text");
    for (name, keeps) in [("templates", texts), ("truncate", texts), ("truth", truth)] {
        if !keeps {
            params.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The field and the message of the first problem.
    fn said(fields: Value) -> Option<(&'static str, String)> {
        let Value::Object(fields) = fields else { unreachable!() };
        fault(&fields).map(|fault| (fault.field, fault.message))
    }

    #[track_caller]
    fn at(field: &str, words: &str, fields: Value) {
        let (found, message) = said(fields).expect("a fault");
        assert_eq!(found, field, "{message}");
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn one_thing_is_changed_in_a_way_that_it_can_be() {
        assert_eq!(said(json!({ "units": [3] })), None);
        assert_eq!(said(json!({ "directions": [], "by": "project_out" })), None);
        assert_eq!(said(json!({ "units": [3], "by": "shift", "sd": -2 })), None);
        at("layer", "needs one of", json!({}));
        at("heads", "cannot be combined", json!({ "units": [3], "heads": [1] }));
        at("by", "is for `directions`", json!({ "units": [3], "by": "project_out" }));
        at("by", "cannot be shifted", json!({ "heads": [3], "by": "shift", "sd": 1 }));
        at("by", "needs `sd`", json!({ "units": [3], "by": "shift" }));
        at("sd", "only", json!({ "units": [3], "sd": 2 }));
        at("sd", "changes nothing", json!({ "units": [3], "by": "shift", "sd": 0 }));
    }

    #[test]
    fn what_is_read_needs_its_fields_and_no_others() {
        let with = |more: Value| {
            let mut fields = json!({ "units": [3] });
            for (name, value) in more.as_object().expect("a map") {
                fields[name] = value.clone();
            }
            fields
        };
        let unit = json!({ "layer": "a", "unit": 1 });
        assert_eq!(said(with(json!({ "read": "logit", "text": "cat" }))), None);
        assert_eq!(said(with(json!({ "read": "logit", "class": "cat" }))), None);
        assert_eq!(said(with(json!({ "read": "unit", "read_unit": unit }))), None);
        assert_eq!(said(with(json!({ "class": "cat" }))), None);
        at("text", "no effect", with(json!({ "text": "cat" })));
        at("read_unit", "no effect", with(json!({ "read_unit": unit })));
        at("read", "needs a `text`", with(json!({ "read": "logit" })));
        at("class", "combined", with(json!({ "read": "logit", "text": "a", "class": "b" })));
        at("truth", "no effect", with(json!({ "read": "logit", "text": "a", "truth": "label" })));
        at("read", "needs `read_unit`", with(json!({ "read": "unit" })));
        let templates = json!({ "read": "unit", "read_unit": unit, "templates": ["{}"] });
        at("templates", "no effect", with(templates));
    }

    #[test]
    fn classes_are_several_and_have_the_one_that_is_read() {
        let class = |label: &str| json!({ "label": label, "names": [label] });
        let of = |labels: &[&str], more: Value| {
            let classes: Vec<Value> = labels.iter().map(|label| class(label)).collect();
            let mut fields = json!({ "units": [3], "classes": classes });
            for (name, value) in more.as_object().expect("a map") {
                fields[name] = value.clone();
            }
            fields
        };
        assert_eq!(said(of(&["cat", "dog"], json!({ "class": "Cat" }))), None);
        at("classes", "no others", of(&["cat"], json!({})));
        at("class", "`cow` is not", of(&["cat", "dog"], json!({ "class": "cow" })));
        at("truth", "needs the true classes", of(&["cat", "dog"], json!({ "truth": "none" })));
        let untold = json!({ "units": [3], "read": "logit", "class": "cat", "truth": "none" });
        at("truth", "`classes` are required", untold);
    }

    #[test]
    fn what_has_no_effect_is_no_parameter() {
        let left = |read: &str, text: bool| {
            let mut params = Map::new();
            for (name, value) in [("read", json!(read)), ("templates", json!(["{}"]))] {
                params.insert(name.to_owned(), value);
            }
            params.insert("truncate".to_owned(), false.into());
            params.insert("truth".to_owned(), "label".into());
            if text {
                params.insert("text".to_owned(), "cat".into());
            }
            trim(&mut params);
            params.len()
        };
        assert_eq!((left("accuracy", false), left("logit", true), left("unit", false)), (4, 4, 1));
    }
}
