//! Lists of the garden, by their names: each with its texts, so that a request is about these and not about a name.

use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::{Kind, MOST_CLASSES};
use neuronotes_core::request::Inputs;
use serde_json::{Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::{list, plain, texts};
use super::reading::Reading;
use super::shape;
use super::sources::Sources;
use crate::yaml::Node;

/// Names of lists; one may stand without a list.
pub(super) struct Lists;

impl Family for Lists {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let items = at.one_or_many(node, "the name of a list, or several");
        at.items(node, items, "", MOST_CLASSES)
    }

    fn resolve(&self, value: Json, _: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let (mut classes, mut problems) = (Vec::new(), Vec::new());
        for (index, name) in texts(&value).into_iter().enumerate() {
            match sources.list(&name) {
                Ok(names) => classes.push(json!({ "label": name, "names": names })),
                Err(problem) => problems.push(Wrong::new(format!("/{index}"), problem)),
            }
        }
        match problems.is_empty() {
            true => Ok(Some(classes.into())),
            false => Err(problems),
        }
    }

    fn shown(&self, value: &Json, _: &Inputs) -> String {
        let one = |class: &Class| format!("{} ({})", class.label, list(&class.names));
        match serde_json::from_value::<Vec<Class>>(value.clone()) {
            Ok(lists) => list(&lists.iter().map(one).collect::<Vec<_>>()),
            Err(_) => plain(value),
        }
    }

    fn takes(&self) -> String {
        "name of a list of the garden, or several".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        shape::one_or_many(&shape::text(), MOST_CLASSES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_with_its_texts() {
        let value = json!([{ "label": "hands", "names": ["fist", "palm"] }]);
        assert_eq!(Lists.shown(&value, &Inputs::default()), "hands (fist · palm)");
    }
}
