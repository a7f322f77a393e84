//! All notes together: addresses, links resolved, and who mentions whom.
//!
//! Incremental: a note's resolved links depend on its own links and on every note's names and anchors, not
//! on any note's prose; its backlinks on the links of others. [`Garden::relink`] puts in a note whose names are what
//! they were, and those that aim at it where its anchors are others; anything else is assembled anew.

mod address;
mod crowd;
pub mod dates;
mod embed;
mod graph;
mod names;
mod near;
mod permalink;
mod redirect;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

pub use address::{Routes, address, href, link_anchor};
pub use embed::Embedded;
pub use graph::{Neighbour, layout, local_svg};
pub use names::{Meant, Names};
pub use redirect::redirect;

use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::{Link, Mention, Note};
use address::addresses;
use resolve::{Found, Resolver};

/// What the garden made of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A note, or a place in one; the note itself included.
    Note {
        /// Among the garden's notes.
        index: usize,
        /// A heading's or block's anchor.
        anchor: Option<String>,
    },
    /// A file beside the notes.
    File {
        /// Relative to the notes folder.
        path: String,
        /// A place in it, as its viewer understands it: `page=3`, `t=10`.
        fragment: Option<String>,
    },
    /// Another site.
    External,
    /// Nothing that the garden has.
    Unresolved,
}

/// One mention of a note by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The note that mentions.
    pub from: usize,
    /// The anchor of the place: the link's own, or a figure's.
    pub anchor: String,
    /// The heading, block or figure that is mentioned; none where it is the whole note.
    pub to: Option<String>,
    /// The sentence.
    pub mention: Mention,
}

/// All notes together.
#[derive(Debug, Default)]
pub struct Garden {
    /// Each note's page, relative to the site's root: `people/lady-gaga.html`.
    pub pages: Vec<String>,
    /// How links to these look.
    pub routes: Routes,
    /// For each note, what its links point to, in order.
    pub links: Vec<Vec<Target>>,
    /// For each note, for each of its blocks, what its caption's links point to.
    pub caption_links: Vec<Vec<Vec<Target>>>,
    /// For each note, who mentions it, in the order of the notes and of their text.
    pub incoming: Vec<Vec<Incoming>>,
    /// For each note, what is wrong with its address and its links.
    pub problems: Vec<Vec<Diagnostic>>,
    /// How many of these are about the address.
    addressed: Vec<usize>,
    /// For each note, which notes its links name, whether or not the places in them are there.
    aims: Vec<BTreeSet<usize>>,
    names: Names,
}

/// Puts notes together. `files` are the other files in the notes folder, relative to it.
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
    /// Notes with a link to the note `index`, or to a place that it may have: to be put in again where its headings or
    /// blocks are others than they were.
    pub fn aiming_at(&self, index: usize) -> Vec<usize> {
        let aiming = self.aims.iter().enumerate().filter(|(_, aims)| aims.contains(&index));
        aiming.map(|(from, _)| from).collect()
    }

    /// Puts in the note `index`, of which its path, title and aliases are what they were.
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

    /// The files that notes and captions point to, relative to the notes folder; some more than once.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        (0..self.links.len()).flat_map(|index| self.files_of(index))
    }

    /// The files that a note points to, likewise.
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

    /// Sees what a note's links point to.
    fn resolve(&self, index: usize, notes: &[&Note]) -> Found {
        let page = self.pages[index].as_str();
        let note = notes[index];
        let found = guard::run("resolving the links of the note", &note.path, || {
            Resolver::new(notes, &self.names, index, (page, &self.routes)).all()
        });
        found.unwrap_or_else(|panicked| Found::nothing(note, &panicked))
    }

    /// Which other notes a note mentions, in the order of its text, captions last.
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
