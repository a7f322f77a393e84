//! Combinations of fields that do not go together, with each other or with the model, and parameters that have no effect
//! beside others.

use serde_json::{Map, Value};

use super::params::{By, Order};
use crate::kind::entry::Fault;
use crate::kind::{logit, target};
use crate::model::{Architecture, Place, Positions, Stage};

/// The fields that only a list by relevance has.
const OF_RELEVANCE: [&str; 6] = ["text", "classes", "class", "templates", "truncate", "candidates"];

/// The first problem of a block's fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    target::pooling(fields).or_else(|| folding(fields)).or_else(|| relevance(fields))
}

fn is(fields: &Map<String, Value>, field: &str, word: &str) -> bool {
    fields.get(field).is_some_and(|value| value == word)
}

fn folding(fields: &Map<String, Value>) -> Option<Fault> {
    let folds = fields.contains_key("alike") && is(fields, "order", Order::Quantiles.word());
    folds.then(|| Fault {
        field: "alike",
        message: "`alike` folds a ranking, but `order: quantiles` has one image for each quantile"
            .to_owned(),
        hint: "remove `alike`, or use another `order`",
    })
}

fn relevance(fields: &Map<String, Value>) -> Option<Fault> {
    if !is(fields, "by", By::Relevance.word()) {
        let odd = OF_RELEVANCE.into_iter().find(|name| fields.contains_key(*name))?;
        return Some(Fault {
            field: odd,
            message: format!("`{odd}` is for `by: relevance` only"),
            hint: "remove it, or add `by: relevance`",
        });
    }
    if is(fields, "order", Order::NearestZero.word()) {
        return Some(Fault {
            field: "order",
            message: "`order: nearest_zero` is for activations, not for `by: relevance`".to_owned(),
            hint: "use `strongest`, `weakest` or `quantiles`",
        });
    }
    logit::fault("by: relevance", "by", fields)
}

/// The first problem of parameters with the model.
pub(super) fn misfit(params: &Map<String, Value>, model: &Architecture) -> Option<Fault> {
    let place = Place::of(params)?;
    let layer = model.layer(place.layer()).ok()?;
    let shown = layer.name.shown();
    if params.get("maps") == Some(&Value::Bool(true)) && layer.positions == Positions::One {
        return Some(Fault {
            field: "maps",
            message: format!("`{shown}` has no positions, so that there is no map to show"),
            hint: "remove `maps`, or use a layer of the network below the pooling",
        });
    }
    if !is(params, "by", By::Relevance.word()) {
        return None;
    }
    if model.text.is_none() {
        return Some(Fault {
            field: "by",
            message: "`by: relevance` needs a text tower, which the model does not have".to_owned(),
            hint: "use a CLIP with both towers, or order images by activation",
        });
    }
    (layer.stage == Stage::Embedding).then(|| Fault {
        field: "by",
        message: "at the embedding the logit is the activation along the text itself".to_owned(),
        hint: "use `direction: { text: … }` for that, or give a `layer` below the embedding",
    })
}

/// Removes parameters that have no effect, so that the key of a block is that of one without them.
pub(super) fn trim(params: &mut Map<String, Value>) {
    if params.get("maps") == Some(&Value::Bool(false)) {
        params.remove("maps");
    }
    if !is(params, "by", By::Relevance.word()) {
        params.remove("by");
        for name in OF_RELEVANCE {
            params.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let wrong = |value: Value| fault(&map(value)).map(|fault| (fault.field, fault.message));
        assert_eq!(wrong(json!({ "unit": 3, "order": "quantiles", "maps": true })), None);
        assert_eq!(wrong(json!({ "unit": 3, "by": "relevance", "text": "cat" })), None);
        let (field, _) = wrong(json!({ "alike": 4, "order": "quantiles" })).expect("wrong");
        assert_eq!(field, "alike");
        let (field, said) = wrong(json!({ "text": "cat" })).expect("wrong");
        assert_eq!((field, &*said), ("text", "`text` is for `by: relevance` only"));
        let (field, said) = wrong(json!({ "by": "relevance" })).expect("wrong");
        assert_eq!((field, &*said), ("by", "`by: relevance` needs a text or classes"));
        let both = json!({ "by": "relevance", "text": "cat", "class": "cat" });
        assert_eq!(wrong(both).expect("wrong").0, "class");
        let zero = json!({ "by": "relevance", "text": "cat", "order": "nearest_zero" });
        assert_eq!(wrong(zero).expect("wrong").0, "order");
    }

    #[test]
    fn a_request_without_the_new_fields_is_what_it_was() {
        let mut params = map(json!({
            "layer": "a", "unit": 3, "top": 9, "order": "strongest", "pool": "mean", "maps": false,
            "by": "activation", "templates": ["{}"], "truncate": false, "candidates": 2000,
        }));
        trim(&mut params);
        let old =
            json!({ "layer": "a", "unit": 3, "top": 9, "order": "strongest", "pool": "mean" });
        assert_eq!(Value::Object(params), old);
        let all = json!({ "by": "relevance", "text": "cat", "candidates": 9, "maps": true });
        let mut params = map(all.clone());
        trim(&mut params);
        assert_eq!(Value::Object(params), all);
    }
}
