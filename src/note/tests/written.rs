//! Scalars that YAML reads as something else, in every field that expects a text: they must be read as the same text.

use neuronotes_core::kind::{KINDS, Kind, Type};
use serde_json::{Value as Json, json};

use super::*;
use crate::author::Author;

/// Texts that YAML reads as flags, numbers or dates, as people write them.
const WRITTEN: [&str; 26] = [
    "yes",
    "no",
    "Yes",
    "on",
    "off",
    "y",
    "n",
    "true",
    "False",
    "007",
    "1.10",
    "stop",
    "0x10",
    "0o17",
    "0b11",
    "1e3",
    "2024-01-01",
    ".5",
    "1_000",
    "+5",
    "-0",
    "5.0",
    "12:30:45",
    ".inf",
    ".nan",
    "99999999999999999999",
];
/// YAML's words for null, which are ordinary texts in a list.
const NOTHING: [&str; 3] = ["null", "Null", "~"];

/// The field of a block that has this YAML as its value.
fn field(kind: &Kind, name: &str, yaml: &str) -> Json {
    let note = note(&format!("```yaml analysis\nkind: {}\n{name}: {yaml}\n```\n", kind.name));
    let block = &note.blocks[0];
    let field = block.fields.get(name);
    let problems: Vec<_> = block.problems.iter().map(ToString::to_string).collect();
    field.unwrap_or_else(|| panic!("{name}: {yaml}\n{problems:#?}")).value.clone()
}

#[test]
fn every_field_of_a_block_that_takes_texts_takes_them_as_they_are_written() {
    let mut items: Vec<&str> = WRITTEN.to_vec();
    items.extend(NOTHING);
    let list = format!("[{}]", items.join(", "));
    let lines: String = items.iter().map(|item| format!("\n  - {item} # a comment")).collect();
    for kind in KINDS {
        for it in kind.all_fields().filter(|field| field.ty != Type::Id) {
            let several = |expected: Json| {
                assert_eq!(field(kind, it.name, &list), expected, "{} {}", kind.name, it.name);
                assert_eq!(field(kind, it.name, &lines), expected, "{} {}", kind.name, it.name);
            };
            // Each type is named, so that a new one is thought of here.
            match it.ty {
                Type::Integer { .. }
                | Type::Number { .. }
                | Type::Numbers { .. }
                | Type::Seed
                | Type::Flag
                | Type::Unit
                | Type::Units
                | Type::Channels
                | Type::Heads { .. }
                | Type::UnitAt => {}
                // Our own words, none of which YAML reads as something else.
                Type::Choice(_) | Type::Precision => {}
                // An id has its own syntax.
                Type::Id => {}
                // Fields of their own.
                Type::Sweep | Type::Expect => {}
                Type::Text
                | Type::Prompt
                | Type::Model
                | Type::Dataset
                | Type::Layer
                | Type::Picture
                | Type::Content
                | Type::Weights
                | Type::Block(_) => {
                    for text in WRITTEN {
                        assert_eq!(
                            field(kind, it.name, text),
                            json!(text),
                            "{} {}",
                            kind.name,
                            it.name
                        );
                    }
                }
                Type::Texts => {
                    several(json!(items));
                    assert_eq!(field(kind, it.name, "007"), json!("007"));
                }
                Type::Pictures | Type::LabelFiles | Type::Lists | Type::Blocks(_) => {
                    several(json!(items));
                }
                Type::Layers => several(json!(items)),
                Type::Templates => {
                    let templates = "\n  - a {} 007\n  - no {}\n  - 1.10 {} # x";
                    let expected = json!(["a {} 007", "no {}", "1.10 {}"]);
                    assert_eq!(field(kind, it.name, templates), expected);
                }
                Type::Classes | Type::Categories => {
                    several(
                        items
                            .iter()
                            .map(|item| json!({ "label": item, "names": [item] }))
                            .collect(),
                    );
                    let class = |item: &str| json!({ "label": item, "names": [item] });
                    let entries = WRITTEN.map(|item| format!("{item}: {item}"));
                    let mapping = format!("{{{}}}", entries.join(", "));
                    let expected: Json = WRITTEN.map(class).to_vec().into();
                    assert_eq!(
                        field(kind, it.name, &mapping),
                        expected,
                        "{} {}",
                        kind.name,
                        it.name
                    );
                }
                Type::Target => {
                    for text in WRITTEN {
                        let expected = json!([{ "weight": 1.0, "of": { "target": text } }]);
                        assert_eq!(field(kind, it.name, text), expected, "{}", kind.name);
                    }
                }
                Type::Directions => {
                    let expected = json!([[{ "weight": 1.0, "of": { "words": items } }]]);
                    assert_eq!(field(kind, it.name, &format!("[{{words: {list}}}]")), expected);
                    assert_eq!(field(kind, it.name, &format!("{{words: {list}}}")), expected);
                }
                Type::Group => {
                    for form in ["labels", "words"] {
                        let expected = json!({ form: items });
                        assert_eq!(field(kind, it.name, &format!("{{{form}: {list}}}")), expected);
                    }
                    for text in WRITTEN {
                        let expected = json!({ "dataset": text });
                        assert_eq!(field(kind, it.name, &format!("{{dataset: {text}}}")), expected);
                    }
                }
                Type::Direction => {
                    for text in &items {
                        let expected = json!([{ "weight": 1.0, "of": { "text": text } }]);
                        assert_eq!(field(kind, it.name, &format!("{{text: {text}}}")), expected);
                        let expected = json!([{ "weight": 1.0, "of": { "images": [text] } }]);
                        assert_eq!(
                            field(kind, it.name, &format!("{{images: [{text}]}}")),
                            expected
                        );
                    }
                    let expected = json!([{ "weight": 1.0, "of": { "words": items } }]);
                    assert_eq!(field(kind, it.name, &format!("{{words: {list}}}")), expected);
                }
            }
        }
    }
}

#[test]
fn front_matter_has_its_texts_as_they_are_written() {
    for text in WRITTEN {
        let note = note(&format!(
            "---\ntitle: {text}\ndescription: {text}\npermalink: {text}\nslug: {text}\nimage: {text}\n\
             author: {text}\nredirect_from: {text}\nanchors: {{ {text}: {text} }}\n\
             units: [{{ layer: {text}, unit: 1, name: {text}, model: {text} }}]\n---\n"
        ));
        assert_eq!(places(&note), Vec::<String>::new(), "{text}");
        assert_eq!(note.title, text);
        let front = &note.front;
        for found in [&front.title, &front.description, &front.permalink, &front.slug, &front.image]
        {
            assert_eq!(found.as_deref(), Some(text));
        }
        assert_eq!(
            (&*front.authors, &*front.redirect_from),
            (&[Author::named(text)][..], &[text.to_owned()][..])
        );
        assert_eq!(front.anchors.get(text).map(String::as_str), Some(text));
        let unit = &front.units[0];
        assert_eq!((&*unit.layer, &*unit.name, unit.model.as_deref()), (text, text, Some(text)));
    }
    let items: Vec<&str> = WRITTEN.iter().chain(&NOTHING).copied().collect();
    let list = items.join(", ");
    let note = note(&format!("---\ntags: [{list}]\naliases: [{list}]\nauthors: [{list}]\n---\n"));
    assert_eq!(note.front.aliases, items);
    assert_eq!(note.front.tags, items);
    let authors: Vec<&str> = note.front.authors.iter().map(|author| &*author.name).collect();
    assert_eq!(authors, items);
    // A field that is null is absent, and empty items are skipped.
    let note = self::note(
        "---\ntitle: ~\ndescription: null\ntags:\n  - a\n  -\n  - b\naliases:\n  -\n  - x\n---\n",
    );
    assert_eq!((&note.front.title, &note.front.description), (&None, &None));
    assert_eq!((note.front.tags.len(), &*note.front.aliases), (2, &["x".to_owned()][..]));
}
