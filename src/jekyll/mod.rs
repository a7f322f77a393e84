//! What Jekyll does to a note before its Markdown is read: evaluates Liquid and removes kramdown's attribute lists.
//!
//! Fenced code is left alone. What cannot be evaluated stays as written, with a diagnostic. Nothing here reads the
//! disk or the clock.
//!
//! Incremental: the result depends on the note, the includes, and the names, dates and addresses of all notes.

mod budget;
mod engine;
mod fence;
mod filters;
mod html;
mod includes;
mod loops;
mod prepare;
mod site;
mod tags;

use std::sync::Arc;

pub use engine::Engine;
pub use site::Site;

use neuronotes_core::cut::Cut as _;

use crate::garden::Routes;
use crate::note::Note;

/// Whether Jekyll would change a note's text.
pub fn is_special(note: &Note) -> bool {
    let body = note.markdown();
    let marked = ["{{", "{%", "{:", "<"].iter().any(|mark| body.contains(mark));
    let text = || fence::parts(body).into_iter().filter(|part| !part.code).map(|part| part.text);
    marked
        && text().any(|text| {
            ["{{", "{%", "{:"].iter().any(|mark| text.contains(mark)) || html::is_loose(text)
        })
}

/// The names that a text's Liquid uses: if a note does not have one of these, it is empty rather than an error.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split('{').skip(1).filter_map(|part| {
        let part = part.strip_prefix('%').or_else(|| part.is_empty().then_some(part));
        part.map(|part| part.split('}').next().unwrap_or(part))
    });
    // `{{` leaves an empty part before its words.
    let doubled = text.split("{{").skip(1).map(|part| part.split("}}").next().unwrap_or(part));
    inside.chain(doubled).flat_map(|tag| {
        tag.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)))
            .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    })
}

/// The note as Jekyll would read it, or a diagnostic; `before` is the previous result, returned if nothing has
/// changed.
pub fn shown(
    note: &Arc<Note>,
    before: &Arc<Note>,
    engine: &Engine,
    (site, routes): (&Site, &Routes),
) -> Arc<Note> {
    let body = note.markdown();
    let mut problem = None;
    let evaluated = match engine.evaluate(note, site, routes) {
        Ok(text) => text,
        Err(found) => {
            problem = Some(found);
            body.to_owned()
        }
    };
    let read = fence::outside(&evaluated, |text| html::tight(&html::without_lists(text)));
    let text = format!("{}{read}", note.source.cut(..note.body));
    match problem {
        None if *note.source == *text => return Arc::clone(note),
        // An earlier problem may be gone.
        None if *before.source == *text && before.problems.is_empty() => return Arc::clone(before),
        _ => {}
    }
    let mut shown = Note::parse_with(&note.path, &note.file, &text, &note.source, &note.macros);
    shown.problems.extend(problem.map(|found| found.at(note.at(), note.body)));
    Arc::new(shown)
}

#[cfg(test)]
mod tests;
