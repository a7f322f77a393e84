//! What a crate must state about its garden, and what the garden does not state.

use jiff::civil::Date;

use crate::config::{self, License};
use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};
use crate::garden::dates;
use crate::workspace::Workspace;

/// What a crate must state about the garden.
pub(super) struct Needed {
    pub(super) description: String,
    pub(super) license: License,
    pub(super) date: Date,
}

/// What the garden states, or what is missing.
pub(super) fn stated(workspace: &Workspace) -> (Option<Needed>, Vec<Diagnostic>) {
    let config = &workspace.config;
    let text = workspace.config_text.as_str();
    let lines = Lines::of(text);
    let at = SourceFile { file: config::FILE, text, lines: &lines };
    let lacks = |field: &str, hint: &str| {
        let message = format!("a crate must state the garden's `{field}`");
        at.error(0..0, message).hint(hint.to_owned())
    };
    let mut problems = Vec::new();
    if config.description.is_none() {
        problems.push(lacks("description", "describe the garden in a sentence: `description: …`"));
    }
    if config.license.is_none() {
        problems.push(lacks("license", "state the terms of use, such as `license: CC-BY-4.0`"));
    }
    if config.authors.is_empty() && !problems.iter().any(|p| p.severity == Severity::Error) {
        let message = "the garden has no `authors`, so the crate has no CITATION.cff";
        let hint = "name them: `authors: [{ name: Ada Lovelace }]`";
        problems.push(at.warning(0..0, message).hint(hint));
    }
    let date = newest(workspace);
    if date.is_none() {
        problems.push(lacks(
            "date",
            "give a note a `date:` in its front matter, or commit the notes to git",
        ));
    }
    let needed = config.description.clone().zip(config.license.clone()).zip(date);
    let needed = needed.map(|((description, license), date)| Needed { description, license, date });
    (needed, problems)
}

/// The day of the last change of any note.
fn newest(workspace: &Workspace) -> Option<Date> {
    let notes = workspace.notes();
    notes.iter().filter_map(|note| dates::of(note, &workspace.git).1).max()
}
