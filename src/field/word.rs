//! One of a few words, `true` and `false` among them.

use neuronotes_core::kind::Kind;
use neuronotes_core::suggest;
use serde_json::{Value as Json, json};

use super::asked::Asked;
use super::family::{Family, Resolved};
use super::reading::Reading;
use super::sources::Sources;
use crate::yaml::{Node, Value};

/// `true` or `false`.
pub(super) struct Flag;

impl Family for Flag {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.value {
            Value::Bool(flag) => flag.into(),
            _ => at.wrong(node, "`true` or `false`"),
        }
    }

    fn takes(&self) -> String {
        "true or false".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "type": "boolean" })
    }
}

/// One of these words.
pub(super) struct Choice {
    pub(super) words: &'static [&'static str],
    /// Whether it is one of the request's parameters, rather than a separate part of the request.
    pub(super) is_parameter: bool,
}

impl Choice {
    fn names(&self) -> String {
        let names: Vec<String> = self.words.iter().map(|word| (*word).to_owned()).collect();
        suggest::quoted(&names, "or")
    }
}

impl Family for Choice {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let text = node.text().unwrap_or_default();
        if self.words.contains(&text.as_str()) {
            return text.into();
        }
        let near = suggest::nearest(&text, self.words, 1);
        let hint = near.first().map(|near| format!("did you mean `{near}`?"));
        at.hinted(node, &self.names(), hint)
    }

    fn resolve(&self, value: Json, _: &mut Asked, _: &mut dyn Sources) -> Resolved {
        Ok(self.is_parameter.then_some(value))
    }

    fn takes(&self) -> String {
        self.names()
    }

    fn schema(&self, _: &Kind) -> Json {
        json!({ "enum": self.words })
    }
}
