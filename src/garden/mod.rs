//! All notes together: their addresses, resolved links and backlinks.
//!
//! Incremental: a note's resolved links depend on its own links and on every note's names and anchors, not on any
//! prose; its backlinks depend on the links of others. [`Garden::relink`] updates one note whose names have not
//! changed, and the notes that link to it if its anchors have changed; for any other change everything is assembled
//! again.

mod address;
pub mod commits;
mod crowd;
pub mod dates;
mod embed;
mod graph;
mod made;
mod names;
mod near;
mod permalink;
mod redirect;
mod resolve;
mod routes;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

pub use graph::{Neighbour, layout, local_svg};
pub use names::{Meant, Names};
pub use redirect::redirect;
pub use routes::{Routes, address, href, link_anchor, link_number};
pub use target::Target;

use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::{Link, Mention, Note};
use address::addresses;
use resolve::{Found, Resolver};

/// A mention of a note by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Index of the mentioning note.
    pub from: usize,
    /// Anchor of the mention: the link's own, or a figure's.
    pub anchor: String,
    /// The heading, block or figure that is mentioned; `None` for the whole note.
    pub to: Option<String>,
    /// The sentence that contains the link.
    pub mention: Mention,
}

/// All notes with their resolved links.
#[derive(Debug, Default)]
pub struct Garden {
    /// Each note's page, relative to the site's root: `people/lady-gaga.html`.
    pub pages: Vec<String>,
    /// The form of links to pages.
    pub routes: Routes,
    /// For each note, the targets of its links, in order.
    pub links: Vec<Vec<Target>>,
    /// For each note and each of its blocks, the targets of its caption's links.
    pub caption_links: Vec<Vec<Vec<Target>>>,
    /// For each note, its mentions, in the order of the notes and their text.
    pub incoming: Vec<Vec<Incoming>>,
    /// For each note, problems with its address and its links.
    pub problems: Vec<Vec<Diagnostic>>,
    /// How many of these problems are about the address.
    addressed: Vec<usize>,
    /// For each note, the notes that its links name, even if the linked places do not exist.
    aims: Vec<BTreeSet<usize>>,
    names: Names,
}

/// Assembles the notes. `files` are the other files in the notes folder, relative to it.
pub fn assemble(notes: &[&Note], files: &BTreeSet<String>, routes: Routes) -> Garden {
    let (pages, problems) = addresses(notes, files, &routes);
    let names = Names::of(notes).with(files, &pages);
    let mut garden = Garden {
        routes,
        incoming: vec![Vec::new(); notes.len()],
        addressed: problems.iter().map(Vec::len).collect(),
        pages,
        problems,
        names,
        ..Garden::default()
    };
    let found: Vec<Found> =
        (0..notes.len()).into_par_iter().map(|index| garden.resolve(index, notes)).collect();
    for (index, found) in found.into_iter().enumerate() {
        garden.links.push(found.links);
        garden.caption_links.push(found.caption_links);
        garden.aims.push(found.aims);
        garden.problems[index].extend(found.problems);
    }
    for (index, note) in notes.iter().enumerate() {
        for (to, incoming) in garden.outgoing(index, note) {
            garden.incoming[to].push(incoming);
        }
    }
    garden
}

impl Garden {
    /// The notes with a link to the note `index` or to a place that it could have. They must be relinked if its
    /// headings or blocks change.
    pub fn aiming_at(&self, index: usize) -> Vec<usize> {
        let aiming = self.aims.iter().enumerate().filter(|(_, aims)| aims.contains(&index));
        aiming.map(|(from, _)| from).collect()
    }

    /// Updates the note `index`, whose path, title and aliases have not changed.
    pub fn relink(&mut self, index: usize, before: &Note, notes: &[&Note]) {
        let old = self.outgoing(index, before);
        let found = self.resolve(index, notes);
        self.problems[index].truncate(self.addressed[index]);
        self.problems[index].extend(found.problems);
        self.links[index] = found.links;
        self.caption_links[index] = found.caption_links;
        self.aims[index] = found.aims;
        let new = self.outgoing(index, notes[index]);
        if old == new {
            return;
        }
        // Each note's own mentions together: a note may mention thousands.
        let mut own: BTreeMap<usize, Vec<Incoming>> = BTreeMap::new();
        for (to, _) in old {
            own.entry(to).or_default();
        }
        for (to, incoming) in new {
            own.entry(to).or_default().push(incoming);
        }
        for (to, own) in own {
            let incoming = &mut self.incoming[to];
            incoming.retain(|incoming| incoming.from != index);
            let at = incoming.partition_point(|incoming| incoming.from < index);
            incoming.splice(at..at, own);
        }
    }

    /// The files that notes and captions link to, relative to the notes folder, possibly repeated.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        (0..self.links.len()).flat_map(|index| self.files_of(index))
    }

    /// The files that a note links to, possibly repeated.
    pub fn files_of(&self, index: usize) -> impl Iterator<Item = &str> {
        let captions = self.caption_links[index].iter().flatten();
        self.links[index].iter().chain(captions).filter_map(|target| match target {
            Target::File { path, .. } => Some(path.as_str()),
            _ => None,
        })
    }

    /// The names of the notes.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Resolves a note's links.
    fn resolve(&self, index: usize, notes: &[&Note]) -> Found {
        let page = self.pages[index].as_str();
        let note = notes[index];
        let found = guard::run("resolving the links of the note", &note.path, || {
            Resolver::new(notes, &self.names, index, (page, &self.routes)).all()
        });
        found.unwrap_or_else(|panicked| Found::nothing(note, &panicked))
    }

    /// The other notes that a note mentions, in the order of its text, captions last.
    fn outgoing(&self, index: usize, note: &Note) -> Vec<(usize, Incoming)> {
        if self.routes.is_aside(note) {
            return Vec::new();
        }
        let links = note.links.iter().zip(&self.links[index]).enumerate();
        let in_text = links.map(|(number, (link, target))| (link, target, link_anchor(number)));
        let captions = note.blocks.iter().zip(&self.caption_links[index]);
        let in_captions = captions.flat_map(|(block, targets)| {
            let links = block.caption_links.iter().zip(targets);
            links.map(|(link, target)| (link, target, block.id.clone()))
        });
        let mention = |(link, target, anchor): (&Link, &Target, String)| match target {
            Target::Note { index: to, anchor: at } if *to != index => {
                let mention = link.mention.clone();
                Some((*to, Incoming { from: index, anchor, to: at.clone(), mention }))
            }
            _ => None,
        };
        in_text.chain(in_captions).filter_map(mention).collect()
    }
}

#[cfg(test)]
mod tests;
