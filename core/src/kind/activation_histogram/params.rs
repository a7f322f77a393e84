//! What is asked of a distribution, and which fields do not go together.

use serde_json::{Map, Value};

use crate::kind::about::about;
use crate::kind::entry::Fault;
use crate::kind::group::Group;
use crate::kind::scan::Pool;
use crate::kind::target;

/// The most distributions on one plot: each has its own colour and dash.
pub const MOST_CURVES: usize = 6;

about! {
    /// Parameters of the distribution.
    pub struct Params {
        /// Number of buckets of equal width from the smallest to the largest activation.
        pub bins: u32,
        /// The pooling of an activation map to one number.
        pub pool: Pool,
        /// Numbers of standard deviations: the images above the mean by more than each are counted. Requests of earlier
        /// versions may have none, and then the shape of the distribution is not described.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub above: Vec<f64>,
        /// The most images of each bucket that are shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub examples: Option<u32>,
        /// Other units of the layer, whose distributions are on the same plot.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub also: Vec<u32>,
        /// Groups of pictures, or another data set, whose distributions are on the same plot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub beside: Option<Group>,
    }
}

/// The first problem of a block's fields, before defaults are filled in.
pub(super) fn fault(fields: &Map<String, Value>) -> Option<Fault> {
    target::pooling(fields)
        .or_else(|| examples(fields))
        .or_else(|| also(fields))
        .or_else(|| beside(fields))
}

fn examples(fields: &Map<String, Value>) -> Option<Fault> {
    let several = ["also", "beside"].into_iter().find(|name| fields.contains_key(*name))?;
    if !fields.contains_key("examples") {
        return None;
    }
    let message = format!("`examples` are behind bars, but `{several}` draws curves");
    wrong("examples", message, "use a separate block for the images")
}

fn wrong(field: &'static str, message: impl Into<String>, hint: &'static str) -> Option<Fault> {
    Some(Fault { field, message: message.into(), hint })
}

fn also(fields: &Map<String, Value>) -> Option<Fault> {
    let also = fields.get("also")?;
    let own = target::given(fields).into_iter().find(|name| *name != "unit");
    if let Some(own) = own {
        let message = format!("`also` needs a single `unit`, but this block has `{own}`");
        return wrong("also", message, "use a separate block for the direction");
    }
    if fields.contains_key("beside") {
        let message = "`also` and `beside` cannot be combined";
        return wrong("beside", message, "compare either units or pictures");
    }
    let units = also.as_array().map(Vec::as_slice).unwrap_or_default();
    if fields.get("unit").is_some_and(|unit| units.contains(unit)) {
        let hint = "list other units only";
        return wrong("also", "`also` lists the block's own `unit`", hint);
    }
    many("also", units.len())
}

fn beside(fields: &Map<String, Value>) -> Option<Fault> {
    match serde_json::from_value(fields.get("beside")?.clone()).ok()? {
        Group::Labels(items) | Group::Captions(items) => many("beside", items.len()),
        Group::Dataset(_) => None,
        Group::Keys(_) | Group::Images(_) | Group::Words(_) => {
            let message = "`beside` takes `labels`, `captions` or a `dataset`";
            wrong("beside", message, "a few pictures have no distribution; make a data set of them")
        }
    }
}

fn many(field: &'static str, count: usize) -> Option<Fault> {
    let most = MOST_CURVES - 1;
    if count <= most {
        return None;
    }
    let message = format!("`{field}` has {count} items; a plot has room for {most}");
    wrong(field, message, "use several blocks")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_go_together_is_named() {
        let wrong = |value: Value| {
            let Value::Object(fields) = value else { panic!("a mapping") };
            fault(&fields).map(|fault| (fault.field, fault.message))
        };
        assert_eq!(wrong(json!({ "unit": 3, "also": [4, 5], "above": [2.0] })), None);
        assert_eq!(wrong(json!({ "target": "a", "beside": { "dataset": "words" } })), None);
        let own = json!({ "unit": 3, "also": [4, 3] });
        assert_eq!(wrong(own).expect("wrong").1, "`also` lists the block's own `unit`");
        assert_eq!(wrong(json!({ "target": "a", "also": [4] })).expect("wrong").0, "also");
        let both = json!({ "unit": 3, "also": [4], "beside": { "labels": ["a"] } });
        assert_eq!(wrong(both).expect("wrong").0, "beside");
        let many = json!({ "unit": 3, "beside": { "labels": ["a", "b", "c", "d", "e", "f"] } });
        let said = "`beside` has 6 items; a plot has room for 5";
        assert_eq!(wrong(many).expect("wrong").1, said);
        assert_eq!(
            wrong(json!({ "unit": 3, "beside": { "words": ["a"] } })).expect("wrong").0,
            "beside"
        );
    }
}
