//! The pages that stand alone, such as a quiz, with data in them and in a folder.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::common::repository;

/// Writes the page `NAME.html` with this data into a folder, and returns its address.
pub fn written(folder: &Path, name: &str, data: &impl Serialize) -> String {
    let part = |name: &str| {
        let path = repository().join(format!("src/site/{name}.html"));
        fs::read_to_string(path).expect("a part of the page")
    };
    let data = serde_json::to_string(data).expect("JSON").replace('<', "\\u003c");
    let page = format!("{}{}", part("alone"), part(name)).replacen("{{ data }}", &data, 1);
    let path = folder.join(format!("{name}.html"));
    fs::write(&path, page).expect("a file");
    format!("file://{}", path.display())
}
