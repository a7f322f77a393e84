//! Resolves the links of one note to their targets.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::suggest;
use percent_encoding::percent_decode_str;

use super::names::{Meant, Names, joined};
use super::routes::Routes;
use super::target::Target;
use crate::config::layout::without_ending;
use crate::diagnostic::Diagnostic;
use crate::guard::Panicked;
use crate::note::{Link, LinkKind, Note};

/// The resolved links of a note.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) links: Vec<Target>,
    pub(super) caption_links: Vec<Vec<Target>>,
    /// The notes that are named, even if the linked places do not exist.
    pub(super) aims: BTreeSet<usize>,
    pub(super) problems: Vec<Diagnostic>,
}

impl Found {
    /// The value for a note whose links could not be resolved because of a panic.
    pub(super) fn nothing(note: &Note, panicked: &Panicked) -> Self {
        let none = |links: &[Link]| vec![Target::Unresolved; links.len()];
        Self {
            links: none(&note.links),
            caption_links: note.blocks.iter().map(|block| none(&block.caption_links)).collect(),
            problems: vec![Diagnostic::of_panic(&*note.file, panicked)],
            ..Self::default()
        }
    }
}

/// Resolves the links of one note.
pub(super) struct Resolver<'a> {
    notes: &'a [&'a Note],
    names: &'a Names,
    index: usize,
    /// The note's own page.
    page: &'a str,
    routes: &'a Routes,
    /// Anchors of notes, for hints: of blocks only, or of all places.
    places: HashMap<(usize, bool), suggest::Index>,
    found: Found,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        notes: &'a [&'a Note],
        names: &'a Names,
        index: usize,
        (page, routes): (&'a str, &'a Routes),
    ) -> Self {
        Self { notes, names, index, page, routes, places: HashMap::new(), found: Found::default() }
    }

    /// All links of the note and of its captions.
    pub(super) fn all(mut self) -> Found {
        let note = self.note();
        for link in &note.links {
            let target = self.target(link);
            self.found.links.push(target);
        }
        for block in &note.blocks {
            let targets = block.caption_links.iter().map(|link| self.target(link)).collect();
            self.found.caption_links.push(targets);
        }
        self.found
    }

    fn target(&mut self, link: &Link) -> Target {
        self.link(link).unwrap_or_else(|problem| {
            self.found.problems.push(*problem);
            Target::Unresolved
        })
    }

    fn note(&self) -> &'a Note {
        self.notes[self.index]
    }

    fn link(&mut self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        match link.kind {
            LinkKind::Wiki | LinkKind::Embed => self.wiki(link),
            LinkKind::Markdown | LinkKind::Image => self.markdown(link),
        }
    }

    fn wiki(&mut self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        if link.target.is_empty() {
            return self.place(self.index, link);
        }
        let from = &self.note().path;
        if let Some(found) = self.names.link(&link.target, from) {
            self.others_too(link, &found.map(|index| self.notes[*index].path.as_str()));
            return self.place(found.best, link);
        }
        let decoded = decoded(&link.target);
        let named = |name: &str| self.names.file(name, from);
        match named(&link.target).or_else(|| named(&decoded)) {
            Some(found) => {
                self.others_too(link, &found);
                Ok(file(found.best, link))
            }
            None if joined(from, &link.target).is_none() => Err(self.leaves(link)),
            None => Err(self.unknown(link)),
        }
    }

    /// Reports the other candidates for the name in a link.
    fn others_too(&mut self, link: &Link, found: &Meant<&str>) {
        const NAMED: usize = 3;
        if found.others.is_empty() {
            return;
        }
        let mut others: Vec<String> =
            found.others.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
        let more = found.others.len().saturating_sub(NAMED) + found.more;
        if more > 0 {
            others.push(format!("{more} more"));
        }
        let last = others.pop().unwrap_or_default();
        let others = match others.is_empty() {
            true => last,
            false => format!("{} or {last}", others.join(", ")),
        };
        let message = format!(
            "`{}` is ambiguous: it links to the nearest, `{}`, and could also mean {others}",
            link.target, found.best
        );
        let path = without_ending(found.best);
        let root = if path.contains('/') { "" } else { "/" };
        let hint = match link.kind {
            LinkKind::Wiki | LinkKind::Embed => {
                let bar = if self.in_table(link) { "\\|" } else { "|" };
                format!("write the path: [[{root}{path}{bar}{}]]", link.target)
            }
            LinkKind::Markdown | LinkKind::Image => format!("write the path: `/{}`", found.best),
        };
        let problem = self.routes.claimed(self.warning(link, message)).hint(hint);
        self.found.problems.push(problem);
    }

    /// Whether a link is in a table row, judging by its line.
    fn in_table(&self, link: &Link) -> bool {
        let note = self.note();
        let start = note.lines.start_of(link.span.start);
        note.source.cut(start..).trim_start_matches([' ', '\t']).starts_with('|')
    }

    fn warning(&self, link: &Link, message: String) -> Diagnostic {
        self.note().at().warning(link.span.clone(), message)
    }

    /// Reports that no note has this name.
    fn unknown(&self, link: &Link) -> Box<Diagnostic> {
        let mut near = self.names.near(&link.target, 3);
        near.sort_unstable();
        let hint =
            (!near.is_empty()).then(|| format!("did you mean {}?", suggest::quoted(&near, "or")));
        let message = format!("there is no note `{}`", link.target);
        Box::new(self.warning(link, message).hint(hint))
    }

    /// Resolves a place in the note `index`.
    fn place(&mut self, index: usize, link: &Link) -> Result<Target, Box<Diagnostic>> {
        self.found.aims.insert(index);
        let Some(fragment) = link.fragment.as_deref().filter(|f| !f.is_empty()) else {
            return Ok(Target::Note { index, anchor: None });
        };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        // `[[note#chapter#section]]` names a section by its path; its last part is the section.
        let last = fragment.rsplit('#').next().unwrap_or(&fragment).trim();
        let note = self.notes[index];
        match note.anchor(last).or_else(|| note.anchor(&fragment)) {
            Some(anchor) => Ok(Target::Note { index, anchor: Some(anchor) }),
            // A page's beginning, as HTML has it.
            None if last.eq_ignore_ascii_case("top") => {
                let anchor = (index == self.index).then(|| "top".to_owned());
                Ok(Target::Note { index, anchor })
            }
            None => {
                let named = last.strip_prefix('^');
                let places = self.places.entry((index, named.is_some())).or_insert_with(|| {
                    let known = note.headings.iter().filter(|_| named.is_none());
                    let known = known.map(|h| h.text.as_str());
                    let known = known.chain(note.blocks.iter().map(|b| b.id.as_str()));
                    let known = known.chain(note.anchors.iter().map(|anchor| anchor.id.as_str()));
                    suggest::Index::of(known.chain(note.marks.iter().map(String::as_str)))
                });
                let hint = places.hint(named.unwrap_or(last));
                let message = match named {
                    None => format!("`{}` has no heading or figure `{last}`", note.title),
                    Some(id) => format!("`{}` has no block `^{id}`", note.title),
                };
                Err(Box::new(self.warning(link, message).hint(hint)))
            }
        }
    }

    fn markdown(&mut self, link: &Link) -> Result<Target, Box<Diagnostic>> {
        if is_external(&link.target) {
            return Ok(Target::External);
        }
        if link.target.is_empty() {
            return self.place(self.index, link);
        }
        let path = self.relative(&link.target);
        let here = path.as_ref().and_then(|path| self.names.file_at(path));
        if let Some(path) = here {
            return Ok(file(path, link));
        }
        // By its file, or by its address, as a reader's browser sees it.
        let found = path.as_ref().and_then(|path| self.names.at_path(path)).or_else(|| {
            let page = self.joined(self.page, &link.target)?;
            self.names.at_page(&page)
        });
        if let Some(index) = found {
            return self.place(index, link);
        }
        // By its name, as Obsidian reads these addresses too.
        let (from, name) = (&self.note().path, decoded(&link.target));
        if let Some(found) = self.names.file(&name, from) {
            self.others_too(link, &found);
            return Ok(file(found.best, link));
        }
        if let Some(found) = self.names.link_by_path(&name, from) {
            self.others_too(link, &found.map(|index| self.notes[*index].path.as_str()));
            return self.place(found.best, link);
        }
        let Some(path) = path else { return Err(self.leaves(link)) };
        let hint = self.names.near_path(&path).map(|near| format!("did you mean `{near}`?"));
        let message = format!("the file `{path}` was not found in the notes folder");
        Err(Box::new(self.warning(link, message).hint(hint)))
    }

    /// Reports that a path leaves the notes folder.
    fn leaves(&self, link: &Link) -> Box<Diagnostic> {
        let message = format!("`{}` is outside the notes folder", link.target);
        let hint = "copy the file into the notes folder".to_owned();
        Box::new(self.warning(link, message).hint(hint))
    }

    /// A target relative to this note, as a path in the notes folder; `None` if it leaves the folder.
    fn relative(&self, target: &str) -> Option<String> {
        self.joined(&self.note().path, target)
    }

    /// A target as seen from another path; `None` if it leaves the folder.
    fn joined(&self, from: &str, target: &str) -> Option<String> {
        let target = decoded(target);
        let below = target.strip_prefix(self.routes.base()).filter(|rest| rest.starts_with('/'));
        joined(from, below.unwrap_or(&target))
    }
}

fn decoded(target: &str) -> Cow<'_, str> {
    percent_decode_str(target).decode_utf8_lossy()
}

/// A file, and the place in it that a link names.
fn file(path: &str, link: &Link) -> Target {
    let fragment = link.fragment.as_deref().filter(|fragment| !fragment.is_empty());
    Target::File { path: path.to_owned(), fragment: fragment.map(|f| decoded(f).into_owned()) }
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
