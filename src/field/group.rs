//! Groups of pictures: by labels, captions or keys of the block's data set, or by themselves. A parameter is a [`Group`], with digests
//! for names.

use neuronotes_core::kind::group::{FORMS, Group, MOST_MEMBERS};
use neuronotes_core::kind::{Kind, MOST_PICTURES};
use neuronotes_core::request::Inputs;
use neuronotes_core::suggest;
use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, Wrong};
use super::family::{Family, Resolved};
use super::line::list;
use super::reading::Reading;
use super::sources::Sources;
use super::{file, name, shape};
use crate::yaml::{Entry, Node, Value};

/// What a group looks like.
const MAPPING: &str = "a mapping such as `labels: […]` or `images: […]`";

/// A mapping with one of the [`FORMS`].
pub(super) struct Members;

impl Family for Members {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        let Value::Map(entries) = &node.value else { return at.wrong(node, MAPPING) };
        let mut forms = Vec::new();
        for entry in entries {
            if FORMS.contains(&entry.key.as_str()) {
                forms.push(entry);
                continue;
            }
            let hint = suggest::hint(&entry.key, FORMS);
            let message = format!("a group has no `{}`", entry.key);
            at.problem_at(at.reader.key_span(entry), message, hint);
        }
        match forms.as_slice() {
            [] => {
                if at.is_sound() {
                    let names = FORMS.map(str::to_owned);
                    at.wrong(node, &format!("one of {}", suggest::quoted(&names, "and")));
                }
                Json::Null
            }
            [form] => read_form(form, at),
            [form, second, ..] => {
                let message =
                    format!("a group can have only one of `{}` and `{}`", form.key, second.key);
                at.problem_at(at.reader.key_span(second), message, None);
                Json::Null
            }
        }
    }

    fn resolve(&self, value: Json, asked: &mut Asked, sources: &mut dyn Sources) -> Resolved {
        let malformed = |_| vec![];
        let mut group: Group = serde_json::from_value(value).map_err(malformed)?;
        let pointer = format!("/{}", group.form());
        match &mut group {
            Group::Labels(_) | Group::Captions(_) | Group::Keys(_) => asked.needs_dataset = true,
            Group::Words(_) => {}
            Group::Images(paths) => *paths = file::digests(paths, &pointer, asked, sources)?,
            Group::Dataset(name) => {
                let found = sources.dataset(name);
                let dataset = found.map_err(|problem| vec![Wrong::new(pointer, problem)])?;
                *name = dataset.content().hex();
                if asked.add_dataset(dataset.clone()) {
                    asked.scanned.push(dataset);
                }
            }
        }
        Ok(serde_json::to_value(group).ok())
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        match serde_json::from_value(value.clone()) {
            Ok(group) => line(&group, inputs),
            Err(_) => value.to_string(),
        }
    }

    fn takes(&self) -> String {
        "mapping".into()
    }

    fn schema(&self, _: &Kind) -> Json {
        let one = |form: &str| match form {
            "dataset" => shape::text(),
            form => shape::one_or_many(&shape::text(), most(form)),
        };
        let forms = FORMS.iter().map(|form| ((*form).to_owned(), one(form)));
        json!({
            "type": "object",
            "properties": forms.collect::<Map<_, _>>(),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

/// Maximum number of items of a form.
fn most(form: &str) -> usize {
    if form == "images" { MOST_PICTURES } else { MOST_MEMBERS }
}

fn read_form(entry: &Entry, at: &mut Reading<'_, '_>) -> Json {
    let (form, node) = (entry.key.as_str(), &entry.node);
    let pointer = format!("/{form}");
    let value = match form {
        "dataset" => match at.text(node) {
            Some(name) => {
                at.place(pointer, at.reader.item_span(node));
                name.into()
            }
            None => Json::Null,
        },
        _ => {
            let items = at.one_or_many(node, &format!("a list of {form}"));
            let value = at.items(node, items, &pointer, most(form));
            for item in items.iter().filter(|_| form == "captions") {
                let Some(text) = item.item() else { continue };
                if !text.chars().any(char::is_alphanumeric) {
                    let message = format!("`{text}` has no word that a caption could contain");
                    at.problem(item, message, None);
                }
            }
            value
        }
    };
    json!({ form: value })
}

/// A group in one line.
pub fn line(group: &Group, inputs: &Inputs) -> String {
    match group {
        Group::Labels(labels) => format!("pictures labelled {}", list(labels)),
        Group::Captions(captions) => format!("pictures whose captions name {}", list(captions)),
        Group::Keys(keys) => format!("pictures {}", list(keys)),
        Group::Dataset(digest) => format!("pictures of {}", name::dataset(digest, inputs)),
        Group::Images(digests) => {
            let names = digests.iter().map(|digest| file::picture(digest, inputs));
            format!("pictures {}", list(&names.collect::<Vec<_>>()))
        }
        Group::Words(words) => format!("pictures of the words {}", list(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_shown_by_what_it_is_of() {
        let shown = |value: Json| Members.shown(&value, &Inputs::default());
        assert_eq!(shown(json!({ "labels": ["cat", "dog"] })), "pictures labelled cat · dog");
        assert_eq!(shown(json!({ "words": ["cat"] })), "pictures of the words cat");
        assert_eq!(shown(json!({ "captions": ["a cat"] })), "pictures whose captions name a cat");
    }
}
