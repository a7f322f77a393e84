//! Reads a garden's own templates and style sheets.

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes_core::file;
use walkdir::WalkDir;

use super::source::{ASSETS, LONGEST, Source};
use crate::diagnostic::Diagnostic;

/// Adds every template and style sheet below `folder`.
pub(super) fn read(
    folder: &Path,
    sources: &mut BTreeMap<String, Source>,
) -> Result<(), Diagnostic> {
    let failed = |path: &Path, message: String| {
        Diagnostic::of_file(format!("templates/{}", path.display()), message)
    };
    for entry in WalkDir::new(folder).follow_links(false).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder);
            let path = path.strip_prefix(folder).unwrap_or(path);
            failed(path, format!("cannot be read ({error})"))
        })?;
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
        let Some(name) = parts.map(|parts| parts.join("/")) else {
            continue;
        };
        let is_asset = ASSETS.iter().any(|(_, parts)| parts.contains(&name.as_str()));
        if entry.file_type().is_dir() || !(name.ends_with(".html") || is_asset) {
            continue;
        }
        let bytes = file::read_in(folder, entry.path(), LONGEST).map_err(|error| {
            failed(path, format!("cannot be read ({error})")).hint(file::read_hint(&error))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let lines = &error.as_bytes()[..valid];
            let line = 1 + lines.iter().filter(|byte| **byte == b'\n').count();
            Diagnostic { line, ..failed(path, "is not UTF-8".to_owned()) }
        })?;
        sources.insert(name, Source { text, own: true });
    }
    Ok(())
}
