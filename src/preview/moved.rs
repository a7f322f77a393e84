//! Renamed notes: finds the new page of a note whose old page is gone.
//!
//! A renamed note appears as one that is gone and one that is new, in one change or two. They are matched if their
//! texts are equal or similar, or if a file of the same name is in another folder.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::note::Note;
use crate::site::Site;

/// Maximum number of removed notes that may come back under another name.
const REMEMBERED: usize = 32;
/// Percent of the lines of two notes that must be equal.
const ALIKE: usize = 50;

/// Pages that are gone, and their new places.
#[derive(Debug, Default)]
pub struct Moved {
    /// Each page that is gone, with the path of its note.
    pages: BTreeMap<String, String>,
    /// Each note that is gone, with its new note.
    notes: BTreeMap<String, String>,
    /// Deleted notes without a new note yet; the latest first.
    gone: VecDeque<Arc<Note>>,
    /// New notes without an old one, as they were when they appeared; the latest first.
    new: VecDeque<Arc<Note>>,
}

/// Pages of notes, by path.
#[derive(Debug)]
pub struct Before(BTreeMap<String, (Arc<Note>, String)>);

impl Before {
    /// The current versions of these notes.
    pub fn of(site: &Site, paths: &BTreeSet<String>) -> Self {
        let known = |path: &String| Some((path.clone(), site.note_and_page(path)?));
        Self(paths.iter().filter_map(known).collect())
    }
}

impl Moved {
    /// Processes a change of these notes; `before` is the state before it.
    pub fn take(&mut self, before: Before, site: &Site, paths: &BTreeSet<String>) {
        let now = Before::of(site, paths).0;
        let mut changed = BTreeSet::new();
        for (path, (note, page)) in &before.0 {
            if now.get(path).is_none_or(|(_, now)| now != page) {
                self.pages.insert(page.clone(), path.clone());
            }
            if !now.contains_key(path) {
                self.gone.push_front(Arc::clone(note));
                self.new.retain(|new| new.path != *path);
                changed.insert(path);
            }
        }
        for (path, (note, page)) in &now {
            self.pages.remove(page);
            self.notes.remove(path);
            self.gone.retain(|gone| gone.path != *path);
            if !before.0.contains_key(path) {
                self.new.push_front(Arc::clone(note));
                changed.insert(path);
            }
        }
        self.gone.truncate(REMEMBERED);
        self.new.truncate(REMEMBERED);
        self.join(&changed);
    }

    /// Matches deleted and new notes, at least one of them from the latest change, the most similar first. Which of
    /// the two is reported first depends on the file system and the editor.
    fn join(&mut self, changed: &BTreeSet<&String>) {
        let mut pairs = Vec::new();
        for gone in &self.gone {
            for new in &self.new {
                if changed.contains(&gone.path) || changed.contains(&new.path) {
                    pairs.push((likeness(gone, new), gone.path.clone(), new.path.clone()));
                }
            }
        }
        pairs.retain(|(likeness, ..)| *likeness >= ALIKE);
        // Among equals, the latest ones come first.
        pairs.sort_by_key(|(likeness, ..)| std::cmp::Reverse(*likeness));
        for (_, gone, new) in pairs {
            let is_left = self.gone.iter().any(|note| note.path == gone)
                && self.new.iter().any(|note| note.path == new);
            if is_left {
                self.gone.retain(|note| note.path != gone);
                self.new.retain(|note| note.path != new);
                self.notes.insert(gone, new);
            }
        }
    }

    /// The new place of a page that is gone: the note's title and page.
    pub fn to(&self, page: &str, site: &Site) -> Option<(String, String)> {
        let mut path = self.pages.get(page)?;
        // A note may be renamed repeatedly, but there are no cycles: an existing note is not among those that are gone.
        for _ in 0..=self.notes.len() {
            if let Some((note, page)) = site.note_and_page(path) {
                return Some((note.title.clone(), page));
            }
            path = self.notes.get(path)?;
        }
        None
    }
}

/// Similarity of two notes in per cent.
fn likeness(old: &Note, new: &Note) -> usize {
    if old.source == new.source {
        return 101;
    }
    let name = |note: &Note| note.path.rsplit('/').next().map(str::to_owned);
    let lines = |note: &Note| -> BTreeSet<String> {
        let lines = note.source.lines().map(str::trim).filter(|line| line.len() > 3);
        lines.map(str::to_owned).collect()
    };
    let (a, b) = (lines(old), lines(new));
    let alike = 200 * a.intersection(&b).count() / (a.len() + b.len()).max(1);
    if name(old) == name(new) { alike.max(ALIKE) } else { alike }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(path: &str, text: &str) -> Note {
        Note::parse(path, &format!("notes/{path}"), text)
    }

    #[test]
    fn notes_are_alike_by_most_of_their_lines_or_by_their_name() {
        let text = "A first line.\n\nA second one.\n\nAnd a third.\n";
        let old = note("a.md", text);
        assert!(likeness(&old, &note("b.md", text)) > 100);
        assert!(likeness(&old, &note("b.md", &text.replace("third", "last"))) >= ALIKE);
        assert!(likeness(&old, &note("b.md", "Something else.\n\nAltogether.\n")) < ALIKE);
        assert!(likeness(&old, &note("deep/a.md", "Something else.\n")) >= ALIKE);
        assert!(likeness(&note("a.md", ""), &note("b.md", "")) > 100);
    }
}
