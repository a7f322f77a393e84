//! Conditions on measured values. They are read as claims (`src/claim/`), and are no parameter.

use neuronotes_core::kind::Kind;
use serde_json::{Value as Json, json};

use super::asked::Asked;
use super::family::{Family, Resolved};
use super::reading::Reading;
use super::sources::Sources;
use crate::yaml::Node;

/// A list of conditions.
pub(super) struct Expect;

impl Family for Expect {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        at.wrong(node, "in the block itself")
    }

    fn resolve(&self, _: Json, _: &mut Asked, _: &mut dyn Sources) -> Resolved {
        Ok(None)
    }

    fn takes(&self) -> String {
        "list of conditions".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let text = |about: &str| json!({ "type": "string", "description": about });
        let mut that = text("The condition, such as `at least 8 of top[:8].label in hands`.");
        that["minLength"] = 1.into();
        let mut claim = text("The sentence that rests on it, by its name: `^eight`.");
        claim["pattern"] = "^\\^[\\p{L}\\p{N}_-]+$".into();
        let full = json!({
            "type": "object",
            "required": ["that"],
            "properties": {
                "that": that,
                "claim": claim,
                "because": text("Why it is expected, or what else is to be known of it."),
                "else": {
                    "enum": ["warn", "error"],
                    "description": "What it is if it does not hold. By default a warning; `warn`: a note, which `--strict` does not count; `error`: an error.",
                },
            },
            "additionalProperties": false,
        });
        let one = json!({ "anyOf": [that, full] });
        json!({ "anyOf": [that, full, { "type": "array", "items": one, "maxItems": 200 }] })
    }
}
