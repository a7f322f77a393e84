//! The registry as a JSON Schema (draft 2020-12) of a block, by which editors complete and check blocks: the kinds in, one JSON
//! value out.
//!
//! It describes each field separately, as the reader checks it. Only the program checks combinations of fields (`unit`
//! or `direction`, but not both) and whether names exist.

use neuronotes_core::kind::{Field, KINDS, Kind, Preset};
use serde_json::{Map, Value as Json, json};

use super::table::family;

/// The version of JSON Schema.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a block, with a definition for each kind.
pub fn schema() -> Json {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let definition = |kind: &&Kind| (kind.name.to_owned(), of_kind(kind));
    json!({
        "$schema": DRAFT,
        "title": "An analysis block of Neuronotes",
        "type": "object",
        "required": ["kind"],
        "properties": { "kind": { "enum": names, "description": "What is measured." } },
        "oneOf": names.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect::<Vec<_>>(),
        "$defs": KINDS.iter().map(definition).collect::<Map<_, _>>(),
    })
}

fn of_kind(kind: &Kind) -> Json {
    let mut properties = Map::new();
    properties.insert("kind".into(), json!({ "const": kind.name, "description": kind.summary }));
    for field in kind.all_fields() {
        properties.insert(field.name.to_owned(), of_field(kind, field));
    }
    let required = kind.all_fields().filter(|field| field.default == Preset::Required);
    let given = |name: &str| json!({ "required": [name] });
    // A sweep can give the field instead.
    let needed = required.map(|field| match kind.sweep {
        true => json!({ "anyOf": [
            given(field.name),
            { "required": ["sweep"], "properties": { "sweep": given(field.name) } },
        ] }),
        false => given(field.name),
    });
    let mut schema = json!({
        "title": kind.name,
        "description": kind.summary,
        "type": "object",
        "required": ["kind"],
        "properties": properties,
        "additionalProperties": false,
    });
    let needed: Vec<Json> = needed.collect();
    if !needed.is_empty() {
        schema["allOf"] = needed.into();
    }
    schema
}

fn of_field(kind: &Kind, field: &Field) -> Json {
    let mut schema = family(field.ty).schema(kind);
    schema["description"] = field.doc.into();
    if let Some(default) = kind.default(field, None) {
        schema["default"] = default;
    }
    schema
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::Type;

    use super::*;

    /// The definition of a kind.
    fn of(kind: &str) -> Json {
        schema()["$defs"][kind].clone()
    }

    #[test]
    fn every_kind_has_a_definition_with_every_field_and_no_other() {
        let schema = schema();
        assert_eq!(schema["$schema"], DRAFT);
        for kind in KINDS {
            let definition = &schema["$defs"][kind.name];
            assert_eq!(definition["properties"]["kind"]["const"], kind.name);
            assert_eq!(definition["additionalProperties"], false);
            let properties = definition["properties"].as_object().expect("properties");
            assert_eq!(properties.len(), kind.all_fields().count() + 1, "{}", kind.name);
            for field in kind.all_fields() {
                let property = &properties[field.name];
                assert_eq!(property["description"], field.doc, "{} {}", kind.name, field.name);
                let default = kind.default(field, None);
                assert_eq!(property.get("default"), default.as_ref(), "{}", field.name);
                if let Type::Integer { min, max } = field.ty {
                    assert_eq!(
                        (&property["minimum"], &property["type"]),
                        (&min.into(), &"integer".into())
                    );
                    assert_eq!(property["maximum"], max);
                }
                if let Type::Choice(words) = field.ty {
                    assert_eq!(property["enum"], json!(words));
                }
            }
        }
    }

    #[test]
    fn a_sweep_has_a_list_for_each_field_that_can_be_swept_over() {
        let vis = of("feature_vis");
        let sweep = &vis["properties"]["sweep"];
        assert_eq!((&sweep["minProperties"], &sweep["maxProperties"]), (&1.into(), &2.into()));
        assert_eq!(sweep["properties"]["steps"]["items"]["maximum"], 65536);
        assert_eq!(sweep["properties"]["recipe"]["items"]["enum"][1], "paper");
        assert_eq!(sweep["properties"].get("caption"), None);
        assert_eq!(of("facet")["properties"].get("sweep"), None);
    }

    #[test]
    fn what_a_kind_needs_is_required() {
        let needed = of("text_rank")["allOf"].clone();
        assert_eq!(needed, json!([{ "required": ["texts"] }, { "required": ["direction"] }]));
    }
}
