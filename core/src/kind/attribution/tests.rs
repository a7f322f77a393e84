//! Which fields go together.

use super::*;

fn wrong(fields: Value) -> Option<(&'static str, String)> {
    let Value::Object(fields) = fields else { panic!("a map") };
    fault(&fields).map(|fault| (fault.field, fault.message))
}

#[test]
fn a_block_has_one_picture_and_one_thing_that_is_attributed() {
    let classes = |labels: &[&str]| -> Value {
        labels.iter().map(|label| json!({ "label": label, "names": [label] })).collect()
    };
    let two = || classes(&["cat", "dog"]);
    for (fields, expected) in [
        (json!({ "word": "a", "text": "b" }), None),
        (json!({ "sample": "a", "classes": two(), "class": "cat" }), None),
        (json!({ "text": "b" }), Some(("kind", "needs a picture"))),
        (json!({ "word": " ", "text": "b" }), Some(("word", "`word` is empty"))),
        (json!({ "image": "a", "word": "b", "text": "c" }), Some(("word", "`image` and `word`"))),
        (json!({ "word": "a" }), Some(("kind", "needs a text or classes"))),
        (json!({ "word": "a", "text": "b", "class": "c" }), Some(("class", "`text` and `class`"))),
        (json!({ "word": "a", "classes": two() }), Some(("classes", "need the `class`"))),
        (json!({ "word": "a", "class": "cat" }), Some(("class", "needs the `classes`"))),
        (
            json!({ "word": "a", "classes": two(), "class": "cow" }),
            Some(("class", "`cow` is not the label")),
        ),
        (
            json!({ "word": "a", "classes": classes(&["cat"]), "class": "cat" }),
            Some(("classes", "no others")),
        ),
        (
            json!({ "word": "a", "text": "b", "method": "exact", "nodes": 9 }),
            Some(("nodes", "`method: integrated_gradients` only")),
        ),
        (json!({ "word": "a", "text": "b", "baseline": "blank" }), None),
    ] {
        let found = wrong(fields.clone());
        match (&found, expected) {
            (None, None) => {}
            (Some((field, message)), Some((at, part))) => {
                assert!(*field == at && message.contains(part), "{fields} {found:?}");
            }
            _ => panic!("{fields} {found:?}"),
        }
    }
}
