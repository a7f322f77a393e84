//! Warns about configured weights and data that are missing, before a block uses them.

use std::path::Path;

use neuronotes_core::lettering::{BUILT_IN, Face};

use crate::config::{self, Config, Place};
use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};

/// A warning for each configured model, data set and dictionary whose file is missing, and for a default model whose
/// weights have not been fetched; `text` is the configuration's text.
pub fn absent(config: &Config, text: &str) -> Vec<Diagnostic> {
    let lines = Lines::of(text);
    let at = SourceFile { file: config::FILE, text, lines: &lines };
    let mut problems = Vec::new();
    let mut wrong = Vec::new();
    let mut missing =
        |name: &str, span: std::ops::Range<usize>, what: &str, path: &Path, hint: String| {
            if !path.exists() {
                let message = format!("the {what} `{name}` was not found: {}", path.display());
                problems.push(at.warning(span, message).hint(hint));
            }
        };
    let bring = |what: &str| {
        format!(
            "add the file, correct its path, or use the {what} `emoji`, which comes with the program and needs no path"
        )
    };
    for (name, weights) in &config.models {
        if let Place::File(source) = &weights.place {
            missing(name, weights.span.clone(), "model", &source.path, bring("model"));
        }
    }
    for (name, source) in &config.datasets {
        // Files that match a pattern are looked up when a block needs them.
        for path in source.paths.iter().filter(|path| !path.contains(['*', '?', '[', '{'])) {
            let path = source.root.join(path);
            missing(name, source.span.clone(), "data set", &path, bring("data set"));
        }
        for (written, span) in source.draw.iter().flat_map(|draw| &draw.fonts) {
            let path = source.root.join(written);
            if written == BUILT_IN {
                continue;
            }
            if !path.exists() {
                let hint = "add the font's file, or correct its path".to_owned();
                missing(written, span.clone(), "font", &path, hint);
            } else if let Err(why) = Face::open(written, &path) {
                wrong.push((span.clone(), format!("the font `{written}` cannot be used: {why}")));
            }
        }
    }
    for (name, dictionary) in &config.dictionaries {
        let hint = "bring the file, or correct its path".to_owned();
        missing(name, dictionary.span.clone(), "dictionary", &dictionary.source.path, hint);
    }
    if let Some(name) = &config.defaults.model
        && let Some(weights) = config.model(name)
        && let Place::Known(known) = &weights.place
        && let Ok(path) = known.path()
    {
        let hint = format!("`neuronotes model fetch {}` fetches its weights", known.name);
        missing(name, weights.span.clone(), "default model", &path, hint);
    }
    problems.extend(wrong.into_iter().map(|(span, message)| at.warning(span, message)));
    problems.iter_mut().for_each(|problem| problem.severity = Severity::Warning);
    problems
}
