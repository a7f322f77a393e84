//! The logit that a block names: of a `text`, or of one `class` against the other `classes`.

use serde_json::{Map, Value};

use super::entry::Fault;

/// What is wrong with the fields `text`, `classes` and `class` of a block, of which it needs the first or the other two.
/// `what` needs them, and the field `at` is reported if they are missing.
pub(super) fn fault(what: &str, at: &'static str, fields: &Map<String, Value>) -> Option<Fault> {
    let fault = |field, message: String, hint| Some(Fault { field, message, hint });
    match (fields.contains_key("text"), fields.get("classes"), fields.get("class")) {
        (false, None, None) => {
            let hint = "add `text: …`, or `classes: […]` and the `class` that is attributed";
            fault(at, format!("`{what}` needs a text or classes"), hint)
        }
        (true, None, None) => None,
        (true, ..) => {
            let field = if fields.contains_key("classes") { "classes" } else { "class" };
            let message = format!("`text` and `{field}` cannot be combined");
            fault(field, message, "use a separate block for each")
        }
        (false, Some(_), None) => {
            let message = "`classes` need the `class` that is attributed".to_owned();
            fault("classes", message, "add `class: …`, the label of one of them")
        }
        (false, None, Some(_)) => {
            let message = "`class` needs the `classes` that it is one of".to_owned();
            fault("class", message, "add `classes: […]`")
        }
        (false, Some(classes), Some(class)) => {
            let labels = classes.as_array().into_iter().flatten().map(|class| &class["label"]);
            let labels: Vec<&Value> = labels.collect();
            if labels.len() < 2 {
                let message = "one class has no others to be held against".to_owned();
                return fault("classes", message, "add other classes, or use `text`");
            }
            if labels.iter().filter(|label| **label == class).count() != 1 {
                let class = class.as_str().unwrap_or_default();
                let message = format!("`{class}` is not the label of one of the classes");
                return fault("class", message, "write it as in `classes`");
            }
            None
        }
    }
}
