//! What Hugging Face's `datasets` says of a file's columns: the names of classes.

use serde_json::Value;

/// Most bytes of the metadata.
const LONGEST: usize = 64 << 20;

/// The names of the classes of a column, from the metadata under `huggingface`; `None` if the column has no such.
pub fn classes(metadata: &str, column: &str) -> Option<Vec<String>> {
    if metadata.len() > LONGEST {
        return None;
    }
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let mut feature = metadata.get("info")?.get("features")?.get(column)?;
    // A list of classes: as `Sequence` or `List`, or written as a list.
    if let Some(inner) = feature.get("feature").or_else(|| feature.get(0)) {
        feature = inner;
    }
    if feature.get("_type")?.as_str()? != "ClassLabel" {
        return None;
    }
    let names = feature.get("names")?.as_array()?;
    Some(names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_classes_are_found_in_lists_too() {
        let metadata = r#"{"info": {"features": {
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
            "old": {"num_classes": 1, "names": ["hen"], "id": null, "_type": "ClassLabel"},
            "tags": {"feature": {"names": ["a"], "_type": "ClassLabel"}, "_type": "Sequence"},
            "listed": [{"names": ["b"], "_type": "ClassLabel"}],
            "n": {"dtype": "int64", "_type": "Value"}}}}"#;
        assert_eq!(classes(metadata, "label").expect("classes"), ["cat", "dog"]);
        assert_eq!(classes(metadata, "old").expect("classes"), ["hen"]);
        assert_eq!(classes(metadata, "tags").expect("classes"), ["a"]);
        assert_eq!(classes(metadata, "listed").expect("classes"), ["b"]);
        assert_eq!(classes(metadata, "n"), None);
        for other in ["", "{", "[]", r#"{"info": {"features": {"label": 3}}}"#] {
            assert_eq!(classes(other, "label"), None, "{other}");
        }
    }
}
