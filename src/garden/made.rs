//! Files of the site that a note's page could collide with.

use std::collections::{BTreeSet, HashSet};

use super::routes::Routes;
use crate::note::{Note, file_slug};

/// A page in lower case, for file systems and hosts that ignore case.
pub(super) fn folded(page: &str) -> String {
    page.to_lowercase()
}

/// Files of the site other than notes' pages that a note's page could collide with.
pub(super) struct Made<'a> {
    files: &'a BTreeSet<String>,
    routes: &'a Routes,
    /// The last path components of tags' pages.
    tags: HashSet<String>,
    notes: usize,
}

impl<'a> Made<'a> {
    pub(super) fn of(notes: &[&Note], files: &'a BTreeSet<String>, routes: &'a Routes) -> Self {
        let part = |part: &str| file_slug(&part.to_lowercase());
        let tags = notes.iter().flat_map(|note| &note.tags);
        let tags = tags.map(|tag| tag.split('/').map(part).collect::<Vec<_>>().join("-"));
        Self { files, routes, tags: tags.collect(), notes: notes.len() }
    }

    /// A description of the site's file at this path.
    pub(super) fn what(&self, page: &str) -> Option<&'static str> {
        let folded = folded(page);
        let stem = folded.strip_suffix(".html")?;
        let numbered = |text: &str| text.parse::<usize>().is_ok();
        let what = match stem {
            "notes" => "the list of all notes",
            "tags" if !self.tags.is_empty() => "the list of all tags",
            "units" => "the list of all units",
            "graph" => "the graph",
            "404" => "the page for missing addresses",
            stem => match stem.split_once('/') {
                None => {
                    let number = stem.strip_prefix("notes-")?.parse::<usize>().ok()?;
                    // Every page of the list has some hundreds of notes.
                    (2..=self.notes / 100).contains(&number).then_some("a list of notes")?
                }
                Some(("tags", tag)) => {
                    // The pages of tags with similar spellings differ by a number.
                    let bare = tag.rsplit_once('-').filter(|(_, end)| numbered(end));
                    let is_tag = |tag: &str| self.tags.contains(tag);
                    let is_one = is_tag(tag) || bare.is_some_and(|(bare, _)| is_tag(bare));
                    is_one.then_some("the list of the notes with a tag")?
                }
                Some(("units", unit)) => {
                    let mut parts = unit.split('/');
                    let is_unit =
                        parts.clone().count() == 3 && parts.next_back().is_some_and(numbered);
                    is_unit.then_some("the page of a unit")?
                }
                Some(_) => {
                    let copied = self.routes.copied(page);
                    copied
                        .filter(|file| self.files.contains(*file))
                        .map(|_| "a file of the garden")?
                }
            },
        };
        Some(what)
    }
}
