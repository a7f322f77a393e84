//! All notes together: addresses, links resolved, and who mentions whom.
//!
//! Incremental: a note's resolved links depend on its own links and on every note's names and anchors, not
//! on any note's prose; its backlinks on the links of others. [`Garden::relink`] puts in a note whose names are what
//! they were, and those that aim at it where its anchors are others; anything else is assembled anew.

mod address;
mod permalink;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use percent_encoding::percent_decode_str;

pub use address::{Routes, address, href, link_anchor};

use crate::diagnostic::Diagnostic;
use crate::note::{Link, LinkKind, Mention, Note};
use crate::suggest;
use address::addresses;

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
    /// A file beside the notes, relative to the notes folder.
    File(String),
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
    /// Each page's note.
    addresses: HashMap<String, usize>,
}

/// Puts notes together. `files` are the other files in the notes folder, relative to it.
pub fn assemble(notes: &[&Note], files: &BTreeSet<String>, routes: Routes) -> Garden {
    let mut garden = Garden {
        routes,
        links: vec![Vec::new(); notes.len()],
        caption_links: vec![Vec::new(); notes.len()],
        incoming: vec![Vec::new(); notes.len()],
        aims: vec![BTreeSet::new(); notes.len()],
        names: Names::of(notes),
        ..Garden::default()
    };
    (garden.pages, garden.problems) = addresses(notes, &garden.routes);
    let pages = garden.pages.iter().cloned().enumerate();
    garden.addresses = pages.map(|(index, page)| (page, index)).collect();
    garden.addressed = garden.problems.iter().map(Vec::len).collect();
    for index in 0..notes.len() {
        garden.resolve(index, notes, files);
        for (to, incoming) in garden.outgoing(index, notes[index]) {
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
    pub fn relink(
        &mut self,
        index: usize,
        (before, notes): (&Note, &[&Note]),
        files: &BTreeSet<String>,
    ) {
        let old = self.outgoing(index, before);
        self.problems[index].truncate(self.addressed[index]);
        self.resolve(index, notes, files);
        let new = self.outgoing(index, notes[index]);
        if old == new {
            return;
        }
        let touched: BTreeSet<usize> = old.iter().chain(&new).map(|(to, _)| *to).collect();
        for to in &touched {
            let incoming = &mut self.incoming[*to];
            incoming.retain(|incoming| incoming.from != index);
            let at = incoming.partition_point(|incoming| incoming.from < index);
            let own = new.iter().filter(|(target, _)| target == to).map(|(_, own)| own.clone());
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
            Target::File(path) => Some(path.as_str()),
            _ => None,
        })
    }

    /// The names of the notes.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Sees what a note's links point to.
    fn resolve(&mut self, index: usize, notes: &[&Note], files: &BTreeSet<String>) {
        let aims = RefCell::default();
        let resolver = Resolver {
            notes,
            names: &self.names,
            files,
            page: &self.pages[index],
            addresses: &self.addresses,
            base: self.routes.base(),
            index,
            aims: &aims,
        };
        let problems = &mut self.problems[index];
        let mut target = |link: &Link| match resolver.link(link) {
            Ok(target) => target,
            Err(problem) => {
                problems.push(*problem);
                Target::Unresolved
            }
        };
        let note = notes[index];
        self.links[index] = note.links.iter().map(&mut target).collect();
        let captions = note.blocks.iter();
        self.caption_links[index] =
            captions.map(|block| block.caption_links.iter().map(&mut target).collect()).collect();
        self.aims[index] = aims.into_inner();
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
            Target::Note { index: to, .. } if *to != index => {
                Some((*to, Incoming { from: index, anchor, mention: link.mention.clone() }))
            }
            _ => None,
        };
        in_text.chain(in_captions).filter_map(mention).collect()
    }
}

/// Every name that a wikilink may use, in lower case.
#[derive(Debug, Default)]
pub struct Names {
    notes: HashMap<String, BTreeSet<usize>>,
    /// By file names with spaces for `-` and `_`, where nothing else has that name.
    spaced: HashMap<String, BTreeSet<usize>>,
    /// By path, with its ending and without.
    paths: HashMap<String, usize>,
}

impl Names {
    /// The names of notes.
    pub fn of(notes: &[&Note]) -> Self {
        let mut names: HashMap<String, BTreeSet<usize>> = HashMap::with_capacity(2 * notes.len());
        let mut spaced: HashMap<String, BTreeSet<usize>> = HashMap::new();
        let mut paths = HashMap::with_capacity(2 * notes.len());
        for (index, note) in notes.iter().enumerate() {
            let path = note.path.strip_suffix(".md").unwrap_or(&note.path);
            let path = path.strip_suffix(".markdown").unwrap_or(path);
            paths.entry(path.to_owned()).or_insert(index);
            paths.insert(note.path.clone(), index);
            spaced.entry(fold(&note.stem().replace(['-', '_'], " "))).or_default().insert(index);
            let own = [note.title.as_str(), note.stem(), path, &note.path];
            for name in own.into_iter().chain(note.front.aliases.iter().map(String::as_str)) {
                names.entry(fold(name)).or_default().insert(index);
            }
        }
        Self { notes: names, spaced, paths }
    }

    /// The notes, by their index, that a name may mean.
    pub fn find(&self, name: &str) -> Vec<usize> {
        let name = fold(name);
        let spaced = || self.spaced.get(&fold(&name.replace(['-', '_'], " ")));
        self.notes.get(&name).or_else(spaced).into_iter().flatten().copied().collect()
    }
}

/// Names are the same whatever their case and however many spaces they have.
fn fold(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

struct Resolver<'a> {
    notes: &'a [&'a Note],
    names: &'a Names,
    files: &'a BTreeSet<String>,
    /// The note's own page.
    page: &'a str,
    /// Each page's note.
    addresses: &'a HashMap<String, usize>,
    /// What addresses of the site may begin with.
    base: &'a str,
    index: usize,
    /// Takes in which notes are named.
    aims: &'a RefCell<BTreeSet<usize>>,
}

impl Resolver<'_> {
    fn note(&self) -> &Note {
        self.notes[self.index]
    }

    fn link(&self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        match link.kind {
            LinkKind::Wiki | LinkKind::Embed => self.wiki(link),
            LinkKind::Markdown | LinkKind::Image => self.markdown(link),
        }
    }

    fn wiki(&self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        if link.target.is_empty() {
            return self.place(self.index, link);
        }
        let found = self.names.find(&link.target);
        match found[..] {
            [index] => self.place(index, link),
            [] => match self.file(&link.target).or_else(|| self.file_by_name(&link.target)) {
                Some(file) => Ok(Target::File(file)),
                None => {
                    let names =
                        self.notes.iter().flat_map(|note| [note.title.as_str(), note.stem()]);
                    let near: BTreeSet<String> =
                        suggest::nearest(&link.target, names, 3).into_iter().collect();
                    let near: Vec<String> = near.into_iter().collect();
                    let hint = (!near.is_empty())
                        .then(|| format!("did you mean {}?", suggest::quoted(&near, "or")));
                    let message = format!("no note is called `{}`", link.target);
                    Err(Box::new(self.note().at().warning(link.span.clone(), message).hint(hint)))
                }
            },
            _ => {
                let paths: Vec<String> = found
                    .iter()
                    .map(|i| self.notes[*i].path.trim_end_matches(".md").to_owned())
                    .collect();
                let message =
                    format!("`{}` may mean {}", link.target, suggest::quoted(&paths, "or"));
                let hint = format!("write the path: [[{}|{}]]", paths[0], link.target);
                Err(Box::new(self.note().at().error(link.span.clone(), message).hint(hint)))
            }
        }
    }

    /// A place in the note `index`.
    fn place(&self, index: usize, link: &Link) -> Result<Target, Box<Diagnostic>> {
        self.aims.borrow_mut().insert(index);
        let Some(fragment) = link.fragment.as_deref().filter(|f| !f.is_empty()) else {
            return Ok(Target::Note { index, anchor: None });
        };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        // `[[note#chapter#section]]` names a section by its path; its last part is the section.
        let last = fragment.rsplit('#').next().unwrap_or(&fragment).trim();
        let note = self.notes[index];
        match note.anchor(last.trim_start_matches('^')) {
            Some(anchor) => Ok(Target::Note { index, anchor: Some(anchor) }),
            None => {
                let known = note.headings.iter().map(|h| h.text.as_str());
                let known = known.chain(note.blocks.iter().map(|b| b.id.as_str()));
                let hint = suggest::hint(last, known);
                let message = format!("`{}` has no heading or figure `{last}`", note.title);
                Err(Box::new(self.note().at().warning(link.span.clone(), message).hint(hint)))
            }
        }
    }

    fn markdown(&self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        if is_external(&link.target) {
            return Ok(Target::External);
        }
        if link.target.is_empty() {
            return self.place(self.index, link);
        }
        if let Some(file) = self.file(&link.target) {
            return Ok(Target::File(file));
        }
        let path = self.relative(&link.target);
        if let Some(index) = path.as_ref().and_then(|path| self.names.paths.get(path)) {
            return self.place(*index, link);
        }
        // As a reader's browser sees it.
        let page = self.joined(self.page, &link.target);
        if let Some(index) = page.and_then(|page| address::find(self.addresses, &page)) {
            return self.place(index, link);
        }
        let (message, hint) = match path {
            None => (
                format!("`{}` leaves the notes", link.target),
                Some("copy the file into the notes folder".to_owned()),
            ),
            Some(path) => {
                let notes = self.notes.iter().map(|note| note.path.as_str());
                let known = notes.chain(self.files.iter().map(String::as_str));
                let near = suggest::nearest(&path, known, 1);
                let hint = near.first().map(|near| format!("did you mean `{near}`?"));
                (format!("there is no file `{path}` in the notes"), hint)
            }
        };
        Err(Box::new(self.note().at().warning(link.span.clone(), message).hint(hint)))
    }

    /// The file in the notes folder that `target` means.
    fn file(&self, target: &str) -> Option<String> {
        self.relative(target).filter(|path| self.files.contains(path))
    }

    /// The file whose path from the notes folder, or the end of it, is `target`: the one that lies highest, as in a vault.
    fn file_by_name(&self, target: &str) -> Option<String> {
        let end = format!("/{target}");
        let found = self.files.iter().filter(|path| *path == target || path.ends_with(&end));
        found.min_by_key(|path| path.matches('/').count()).cloned()
    }

    /// A target relative to this note, as a path in the notes folder; `None` where it leaves it.
    fn relative(&self, target: &str) -> Option<String> {
        self.joined(&self.note().path, target)
    }

    /// A target as seen from another path; `None` where it climbs out.
    fn joined(&self, from: &str, target: &str) -> Option<String> {
        let target = percent_decode_str(target).decode_utf8_lossy();
        let below = target.strip_prefix(self.base).filter(|rest| rest.starts_with('/'));
        let target = below.unwrap_or(&target);
        let (base, target) = match target.strip_prefix('/') {
            Some(rest) => ("", rest),
            None => (from.rsplit_once('/').map_or("", |(folder, _)| folder), target),
        };
        let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
}

/// Whether an address has a scheme, or is one of another host.
fn is_external(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    target.starts_with("//")
        || scheme.is_some_and(|s| {
            s.len() > 1
                && s.starts_with(|c: char| c.is_ascii_alphabetic())
                && s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        })
}

#[cfg(test)]
mod tests;
