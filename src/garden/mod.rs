//! All notes together: addresses, links resolved, and who mentions whom.
//!
//! Incremental: a note's resolved links depend on its own links and on every note's names and anchors, not
//! on any note's prose; its backlinks on the links of others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::diagnostic::Diagnostic;
use crate::note::{Link, LinkKind, Mention, Note, file_slug};
use crate::suggest;

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
    /// For each note, what its links point to, in order.
    pub links: Vec<Vec<Target>>,
    /// For each note, for each of its blocks, what its caption's links point to.
    pub caption_links: Vec<Vec<Vec<Target>>>,
    /// For each note, who mentions it, in the order of the notes and of their text.
    pub incoming: Vec<Vec<Incoming>>,
    /// For each note, what is wrong with its links and its address.
    pub problems: Vec<Vec<Diagnostic>>,
}

/// Puts notes together. `files` are the other files in the notes folder, relative to it.
pub fn assemble(notes: &[&Note], files: &BTreeSet<String>) -> Garden {
    let mut garden = Garden {
        problems: vec![Vec::new(); notes.len()],
        incoming: vec![Vec::new(); notes.len()],
        ..Garden::default()
    };
    garden.pages = addresses(notes, &mut garden.problems);
    let names = Names::of(notes);
    for (index, note) in notes.iter().enumerate() {
        let resolver = Resolver { notes, names: &names, files, index };
        let resolve = |link: &Link, problems: &mut Vec<Diagnostic>| match resolver.link(link) {
            Ok(target) => target,
            Err(problem) => {
                problems.push(*problem);
                Target::Unresolved
            }
        };
        let problems = &mut garden.problems[index];
        let links: Vec<Target> = note.links.iter().map(|link| resolve(link, problems)).collect();
        let captions: Vec<Vec<Target>> = note
            .blocks
            .iter()
            .map(|block| block.caption_links.iter().map(|link| resolve(link, problems)).collect())
            .collect();
        for (number, (link, target)) in note.links.iter().zip(&links).enumerate() {
            if let Target::Note { index: to, .. } = target
                && *to != index
            {
                let anchor = link_anchor(number);
                garden.incoming[*to].push(Incoming {
                    from: index,
                    anchor,
                    mention: link.mention.clone(),
                });
            }
        }
        for (block, targets) in note.blocks.iter().zip(&captions) {
            for (link, target) in block.caption_links.iter().zip(targets) {
                if let Target::Note { index: to, .. } = target
                    && *to != index
                {
                    let (anchor, mention) = (block.id.clone(), link.mention.clone());
                    garden.incoming[*to].push(Incoming { from: index, anchor, mention });
                }
            }
        }
        garden.links.push(links);
        garden.caption_links.push(captions);
    }
    garden
}

/// The anchor of a note's n-th link, from 0.
pub fn link_anchor(number: usize) -> String {
    format!("link-{}", number + 1)
}

/// `people/lady-gaga.html` for `People/Lady Gaga.md`; `index.html` for `index.md`.
pub fn address(path: &str) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<String> =
        folder.split('/').filter(|p| !p.is_empty()).map(file_slug).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    parts.push(file_slug(name.strip_suffix(".md").unwrap_or(name)));
    format!("{}.html", parts.join("/"))
}

fn addresses(notes: &[&Note], problems: &mut [Vec<Diagnostic>]) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        let mut page = address(&note.path);
        if let Some(first) = taken.get(&page) {
            let message = format!("the page `{page}` is already that of {}", notes[*first].file);
            problems[index].push(
                note.at().error(0..0, message).hint("rename one of the two files".to_owned()),
            );
            let stem = page.trim_end_matches(".html").to_owned();
            let mut count = 2;
            while taken.contains_key(&page) {
                page = format!("{stem}-{count}.html");
                count += 1;
            }
        }
        taken.insert(page.clone(), index);
        pages.push(page);
    }
    pages
}

/// Every name that a wikilink may use, in lower case.
#[derive(Debug)]
pub struct Names {
    notes: BTreeMap<String, BTreeSet<usize>>,
}

impl Names {
    /// The names of notes.
    pub fn of(notes: &[&Note]) -> Self {
        let mut names: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (index, note) in notes.iter().enumerate() {
            let path = note.path.strip_suffix(".md").unwrap_or(&note.path);
            let own = [note.title.as_str(), note.stem(), path, &note.path];
            for name in own.into_iter().chain(note.front.aliases.iter().map(String::as_str)) {
                names.entry(fold(name)).or_default().insert(index);
            }
        }
        Self { notes: names }
    }

    /// The notes, by their index, that a name may mean.
    pub fn find(&self, name: &str) -> Vec<usize> {
        self.notes.get(&fold(name)).into_iter().flatten().copied().collect()
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
    index: usize,
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
            [] => match self.file(&link.target) {
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
        let note = path.as_ref().and_then(|path| {
            let is =
                |note: &&Note| note.path == *path || note.path.strip_suffix(".md") == Some(path);
            self.notes.iter().position(is)
        });
        if let Some(index) = note {
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

    /// A target relative to this note, as a path in the notes folder; `None` where it leaves it.
    fn relative(&self, target: &str) -> Option<String> {
        let target = percent_decode_str(target).decode_utf8_lossy();
        let (base, target) = match target.strip_prefix('/') {
            Some(rest) => ("", rest),
            None => (self.note().path.rsplit_once('/').map_or("", |(folder, _)| folder), &*target),
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

const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'\\');

/// The address of `to` as seen from the page `from`, both relative to the site's root, percent-encoded.
pub fn href(from: &str, to: &str, anchor: Option<&str>) -> String {
    let same = from == to;
    let mut out = String::new();
    if !(same && anchor.is_some()) {
        let from: Vec<&str> = from.split('/').collect();
        let to: Vec<&str> = to.split('/').collect();
        let folders = |path: &[&str]| path.len() - 1;
        let shared: Range<usize> = 0..folders(&from).min(folders(&to));
        let common = shared.take_while(|i| from[*i] == to[*i]).count();
        out.push_str(&"../".repeat(folders(&from) - common));
        let rest = to[common..].join("/");
        // A first part with a colon would be taken for a scheme.
        if out.is_empty() && rest.split('/').next().is_some_and(|part| part.contains(':')) {
            out.push_str("./");
        }
        out.extend(utf8_percent_encode(&rest, IN_PATH));
    }
    if let Some(anchor) = anchor {
        out.push('#');
        out.extend(utf8_percent_encode(anchor, IN_PATH));
    }
    out
}

#[cfg(test)]
mod tests;
