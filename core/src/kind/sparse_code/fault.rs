//! Fields of a `sparse_code` that do not go together, and lists that are too long: a block's fields in; the first problem out.

use serde_json::{Map, Value};

use super::params::{MOST_ITEMS, Method, Objective, Sign};
use crate::kind::entry::Fault;
use crate::kind::known::{Known, Misnamed};
use crate::problem::Problem;

/// The first problem with a combination of fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    let given = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| fields.contains_key(*name)).collect()
    };
    let fault =
        |field, message: &str, hint| Some(Fault { field, message: message.to_owned(), hint });
    let coded = given(&["texts", "images", "words", "use"]);
    match coded[..] {
        [] => {
            return fault(
                "texts",
                "there is nothing to code",
                "give `texts`, `images`, `words` or `use`",
            );
        }
        [_] => {}
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` cannot be combined");
            return fault(second, &message, "use a separate block for each");
        }
    }
    let (units, words) = (fields.contains_key("layer"), fields.contains_key("vocabulary"));
    match (units, words) {
        (false, false) => {
            let hint = "give `layer` for a sum of its units, or `vocabulary` for a sum of words";
            return fault("layer", "there is nothing to make a sum of", hint);
        }
        (true, true) => {
            let message =
                "a sum is of units of a `layer` or of words of a `vocabulary`, not of both";
            return fault("vocabulary", message, "use a separate block for each");
        }
        _ => {}
    }
    let count = |name: &str| fields.get(name).and_then(Value::as_array).map(Vec::len);
    let items = coded.first().and_then(|name| count(name).map(|count| (*name, count)));
    if let Some((field, items)) = items.filter(|(_, items)| *items > MOST_ITEMS) {
        return fault(field, &too_many(field, items), SEVERAL);
    }
    let is = |name: &str, word: &str| fields.get(name).is_some_and(|value| value == word);
    let contrast = units && !is("objective", Objective::Rebuild.word());
    let centred = fields.get("center").is_none_or(|center| center == true);
    let single = coded.first() != Some(&"use") && items.is_some_and(|(_, items)| items == 1);
    let pursuit = is("method", Method::Pursuit.word());
    match () {
        () if words && is("objective", Objective::Contrast.word()) => fault(
            "objective",
            "a contrast is made of units, not of words",
            "use `layer` instead of `vocabulary`",
        ),
        () if words && fields.contains_key("drop") => {
            fault("drop", "`drop` lists units, and this sum is of words", "remove it")
        }
        () if words && centred && count("vocabulary") == Some(1) => {
            let message = "with a single word, nothing is left after the words' mean is subtracted";
            fault("vocabulary", message, "list more words, or write `center: false`")
        }
        () if single && contrast => {
            let message = "a contrast needs at least two texts or pictures";
            fault(coded[0], message, "add others to contrast it with, or use `objective: rebuild`")
        }
        () if single && units && centred => {
            let message =
                "with a single text or picture, nothing is left after the mean is subtracted";
            fault("center", message, "write `center: false`, or add more")
        }
        () if contrast && !centred => fault(
            "center",
            "a contrast always subtracts the mean",
            "remove `center`, or use `objective: rebuild`",
        ),
        () if fields.contains_key("terms") && fields.contains_key("penalty") => {
            fault("penalty", "`terms` and `penalty` cannot be combined", "remove one of them")
        }
        () if pursuit && fields.contains_key("penalty") => {
            fault("penalty", "a pursuit has no penalty", "use `terms`, or `method: lasso`")
        }
        () if pursuit && is("sign", Sign::Positive.word()) => {
            fault("sign", "a pursuit has coefficients of both signs", "use `method: lasso`")
        }
        () if fields.contains_key("seed") && !fields.contains_key("random") => {
            fault("seed", "`seed` needs `random`", "nothing else of a sum is random; remove it")
        }
        () if !fields.contains_key("texts") && fields.contains_key("templates") => fault(
            "templates",
            "`templates` are for `texts`, and this is about pictures",
            "remove it",
        ),
        () if fields.contains_key("dataset") && (units || fields.contains_key("texts")) => {
            let hint = "only the mean of pictures that become sums of words is that of a data set";
            fault("dataset", "this reads no data set", hint)
        }
        () => None,
    }
}

/// What to do about too many items.
const SEVERAL: &str = "use several blocks";

fn too_many(field: &str, items: usize) -> String {
    format!("`{field}` has {items} items; at most {MOST_ITEMS} are allowed")
}

/// The problem that a list of words, or the pictures of figures, are too many: how many they are is known only now.
pub(super) fn naming(params: &Map<String, Value>, _: &mut dyn Known) -> Vec<Misnamed> {
    let long = ["texts", "images", "words", "use"].into_iter().filter_map(|field| {
        let items = params.get(field)?.as_array()?.len();
        let problem = Problem::new(too_many(field, items)).hint(SEVERAL);
        (items > MOST_ITEMS).then(|| Misnamed::new(field, problem))
    });
    long.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The field at fault, if any.
    fn found(fields: Value) -> Option<&'static str> {
        let Value::Object(fields) = fields else { return None };
        fault(&fields).map(|fault| fault.field)
    }

    #[test]
    fn a_sum_is_of_one_thing_and_made_of_one_thing() {
        assert_eq!(found(json!({})), Some("texts"));
        assert_eq!(found(json!({ "texts": ["a", "b"] })), Some("layer"));
        assert_eq!(found(json!({ "texts": ["a", "b"], "layer": "x" })), None);
        assert_eq!(found(json!({ "texts": ["a"], "vocabulary": ["b", "c"] })), None);
        assert_eq!(found(json!({ "texts": ["a"], "vocabulary": ["b"] })), Some("vocabulary"));
        assert_eq!(found(json!({ "texts": ["a"], "words": ["b"], "layer": "x" })), Some("words"));
        let both = json!({ "words": "names", "layer": "x", "vocabulary": "names" });
        assert_eq!(found(both), Some("vocabulary"));
    }

    #[test]
    fn fields_that_would_have_no_effect_are_faults() {
        let of = |more: Value| {
            let mut fields = json!({ "texts": ["a", "b"], "layer": "x" });
            let (Some(all), Value::Object(more)) = (fields.as_object_mut(), more) else {
                return None;
            };
            all.extend(more);
            found(fields)
        };
        assert_eq!(of(json!({ "terms": 3, "penalty": 0.1 })), Some("penalty"));
        assert_eq!(of(json!({ "method": "pursuit", "penalty": 0.1 })), Some("penalty"));
        assert_eq!(of(json!({ "method": "pursuit", "sign": "positive" })), Some("sign"));
        assert_eq!(of(json!({ "center": false })), Some("center"));
        assert_eq!(of(json!({ "center": false, "objective": "rebuild" })), None);
        assert_eq!(of(json!({ "dataset": "emoji" })), Some("dataset"));
        assert_eq!(of(json!({ "seed": 1 })), Some("seed"));
        assert_eq!(of(json!({ "seed": 1, "random": 5 })), None);
        assert_eq!(of(json!({ "texts": ["a"] })), Some("texts"));
        assert_eq!(of(json!({ "texts": ["a"], "objective": "rebuild" })), Some("center"));
        let many: Vec<String> = (0..=MOST_ITEMS).map(|n| n.to_string()).collect();
        assert_eq!(of(json!({ "texts": many })), Some("texts"));
        let words = |more: &str, value: Value| {
            found(json!({ "images": ["a.png"], "vocabulary": ["b", "c"], more: value }))
        };
        assert_eq!(words("drop", json!([1])), Some("drop"));
        assert_eq!(words("objective", json!("contrast")), Some("objective"));
        assert_eq!(words("templates", json!(["{}"])), Some("templates"));
        assert_eq!(words("dataset", json!("emoji")), None);
    }
}
