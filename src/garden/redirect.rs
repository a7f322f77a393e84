//! Redirects from old addresses in front matter to the notes' pages, and problems with them.

use std::collections::HashMap;

use neuronotes_core::cut::Cut as _;

use super::made::{Made, folded};
use crate::diagnostic::Diagnostic;
use crate::note::Note;

/// The page of an old address, relative to the site's root; `None` if it is outside the site.
pub fn redirect(written: &str) -> Option<String> {
    let path = written.split(['?', '#']).next().unwrap_or("").trim_matches('/');
    // What stands there is written below the output folder, and nowhere else.
    if path.is_empty() || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    let named = path.ends_with(".html") || path.ends_with(".htm");
    Some(if named { path.to_owned() } else { format!("{path}.html") })
}

/// Problems with old addresses: each note with its problem.
pub(super) fn problems(
    notes: &[&Note],
    taken: &HashMap<String, usize>,
    made: &Made<'_>,
) -> Vec<(usize, Diagnostic)> {
    let mut problems = Vec::new();
    let mut old: HashMap<String, usize> = HashMap::new();
    for (index, note) in notes.iter().enumerate() {
        for written in &note.front.redirect_from {
            let why = match redirect(written) {
                None if written.trim() == "/" => Some("is the home page".to_owned()),
                None => Some("is not a page of the site".to_owned()),
                Some(page) => {
                    let is_page = || taken.get(&folded(&page)).filter(|other| **other != index);
                    let page_of =
                        is_page().map(|other| format!("is the page of {}", notes[*other].file));
                    let claimed = old.get(&page).filter(|other| **other != index);
                    let claimed =
                        claimed.map(|other| format!("already redirects to {}", notes[*other].file));
                    let what = page_of
                        .or_else(|| made.what(&page).map(|what| format!("is {what}")))
                        .or(claimed);
                    old.entry(page).or_insert(index);
                    what
                }
            };
            if let Some(why) = why {
                let message = format!("`{written}` {why}, so it cannot redirect here");
                let span = note.source.cut(..note.body).find(written.as_str());
                let span = span.map_or(0..0, |at| at..at + written.len());
                let hint = "remove it from `redirect_from`".to_owned();
                problems.push((index, note.at().warning(span, message).hint(hint)));
            }
        }
    }
    problems
}
