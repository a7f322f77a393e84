//! What the links of one note point to: the note and every name in; targets, and what is wrong, out.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::{Names, Target};
use crate::diagnostic::Diagnostic;
use crate::note::{Link, LinkKind, Note};
use crate::suggest;

/// What a note's links point to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) links: Vec<Target>,
    pub(super) caption_links: Vec<Vec<Target>>,
    /// Which notes are named, whether or not the places in them are there.
    pub(super) aims: BTreeSet<usize>,
    pub(super) problems: Vec<Diagnostic>,
}

/// Resolves the links of one note.
pub(super) struct Resolver<'a> {
    notes: &'a [&'a Note],
    names: &'a Names,
    index: usize,
    /// The note's own page.
    page: &'a str,
    /// What addresses of the site may begin with.
    base: &'a str,
    found: Found,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        notes: &'a [&'a Note],
        names: &'a Names,
        index: usize,
        (page, base): (&'a str, &'a str),
    ) -> Self {
        Self { notes, names, index, page, base, found: Found::default() }
    }

    /// Every link of the note and of its captions.
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
        let found = self.names.find(&link.target);
        match found[..] {
            [index] => self.place(index, link),
            [] => {
                if let Some(file) = self.file(&link.target) {
                    return Ok(Target::File(file));
                }
                let files = self.names.files_called(&link.target);
                match &files[..] {
                    [file] => Ok(Target::File(file.clone())),
                    [] => Err(self.unknown(link)),
                    files => {
                        let message =
                            format!("`{}` may mean {}", link.target, suggest::quoted(files, "or"));
                        let hint = format!("write the path: [[/{}]]", files[0]);
                        Err(Box::new(self.error(link, message).hint(hint)))
                    }
                }
            }
            _ => {
                let paths: Vec<String> = found
                    .iter()
                    .map(|i| self.notes[*i].path.trim_end_matches(".md").to_owned())
                    .collect();
                let message =
                    format!("`{}` may mean {}", link.target, suggest::quoted(&paths, "or"));
                let hint = format!("write the path: [[{}|{}]]", paths[0], link.target);
                Err(Box::new(self.error(link, message).hint(hint)))
            }
        }
    }

    fn error(&self, link: &Link, message: String) -> Diagnostic {
        self.note().at().error(link.span.clone(), message)
    }

    fn warning(&self, link: &Link, message: String) -> Diagnostic {
        self.note().at().warning(link.span.clone(), message)
    }

    /// That no note has such a name.
    fn unknown(&self, link: &Link) -> Box<Diagnostic> {
        let mut near = self.names.near(&link.target, 3);
        near.sort_unstable();
        let hint =
            (!near.is_empty()).then(|| format!("did you mean {}?", suggest::quoted(&near, "or")));
        let message = format!("no note is called `{}`", link.target);
        Box::new(self.warning(link, message).hint(hint))
    }

    /// A place in the note `index`.
    fn place(&mut self, index: usize, link: &Link) -> Result<Target, Box<Diagnostic>> {
        self.found.aims.insert(index);
        let Some(fragment) = link.fragment.as_deref().filter(|f| !f.is_empty()) else {
            return Ok(Target::Note { index, anchor: None });
        };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy();
        // `[[note#chapter#section]]` names a section by its path; its last part is the section.
        let last = fragment.rsplit('#').next().unwrap_or(&fragment).trim();
        let note = self.notes[index];
        match note.anchor(last) {
            Some(anchor) => Ok(Target::Note { index, anchor: Some(anchor) }),
            None => {
                let named = last.strip_prefix('^');
                let known = note.headings.iter().filter(|_| named.is_none());
                let known = known.map(|h| h.text.as_str());
                let known = known.chain(note.blocks.iter().map(|b| b.id.as_str()));
                let known = known.chain(note.anchors.iter().map(|anchor| anchor.id.as_str()));
                let hint = suggest::hint(named.unwrap_or(last), known);
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
        if let Some(file) = self.file(&link.target) {
            return Ok(Target::File(file));
        }
        let path = self.relative(&link.target);
        // By its file, or by its address, as a reader's browser sees it.
        let found = path.as_ref().and_then(|path| self.names.at_path(path)).or_else(|| {
            let page = self.joined(self.page, &link.target)?;
            self.names.at_page(&page)
        });
        if let Some(index) = found {
            return self.place(index, link);
        }
        let (message, hint) = match path {
            None => (
                format!("`{}` leaves the notes", link.target),
                Some("copy the file into the notes folder".to_owned()),
            ),
            Some(path) => {
                let near = self.names.near_path(&path);
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                (format!("there is no file `{path}` in the notes"), hint)
            }
        };
        Err(Box::new(self.warning(link, message).hint(hint)))
    }

    /// The file in the notes folder that `target` means: relative to the note, or to the folder.
    fn file(&self, target: &str) -> Option<String> {
        let there = |path: &String| self.names.has_file(path);
        self.relative(target).filter(there).or_else(|| {
            let rooted = (!target.starts_with(['/', '.'])).then(|| format!("/{target}"))?;
            self.relative(&rooted).filter(there)
        })
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
