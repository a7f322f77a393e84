//! Links between pages: relative addresses, in the form that the garden uses.
//!
//! A page is identified by its file relative to the site's root; [`Routes::shown`] is its form in links.

use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::names::composed;
use super::permalink;
use crate::config::layout::{Kind, Layout, without_ending};
use crate::config::{Config, Jekyll};
use crate::diagnostic::{Diagnostic, Severity};
use crate::note::{Note, file_slug};

/// The anchor of a note's n-th link, from 0.
pub fn link_anchor(number: usize) -> String {
    format!("link-{}", number + 1)
}

/// The index of the link that has this anchor.
pub fn link_number(anchor: &str) -> Option<usize> {
    anchor.strip_prefix("link-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// `people/lady-gaga.html` for `People/Lady Gaga.md`; `index.html` for `index.md`.
pub fn address(path: &str) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<String> =
        folder.split('/').filter(|p| !p.is_empty()).map(file_slug).collect();
    let name = path.rsplit('/').next().unwrap_or(path);
    parts.push(file_slug(without_ending(name)));
    format!("{}.html", parts.join("/"))
}

/// The rules for pages' addresses and links to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// Rules of a Jekyll garden.
    jekyll: Option<Jekyll>,
    /// Whether links end in `.html`.
    html_extension: bool,
    /// Whether a name or address that several notes share is an error.
    pub(super) strict: bool,
    /// Whether it is a vault, for which Obsidian allows notes with the same address.
    pub(super) vault: bool,
    /// Whether a folder's README is its index page if it has no `index.md`, as on repository hosts.
    pub(super) readme_is_index: bool,
}

impl Default for Routes {
    /// The rules of a plain garden.
    fn default() -> Self {
        Self {
            jekyll: None,
            html_extension: true,
            strict: false,
            vault: false,
            readme_is_index: false,
        }
    }
}

impl Routes {
    /// The rules of a garden.
    pub fn of(config: &Config, layout: &Layout) -> Self {
        let jekyll = || config.jekyll.clone().unwrap_or_default();
        Self {
            jekyll: (layout.kind == Kind::Jekyll).then(jekyll),
            html_extension: config.use_html_extension,
            strict: config.strict_links,
            vault: layout.kind == Kind::Vault,
            readme_is_index: layout.kind == Kind::Folder,
        }
    }

    /// A page in the form used in links: its file, or the file without extension: `about` for `about.html`, and
    /// `a/b/` for `a/b/index.html`.
    pub fn shown<'a>(&self, page: &'a str) -> &'a str {
        if self.html_extension {
            return page;
        }
        match page.strip_suffix("index.html") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
            _ => page.strip_suffix(".html").unwrap_or(page),
        }
    }

    /// Like [`href`], with the page `to` in the form used in links.
    pub fn href(&self, from: &str, to: &str, anchor: Option<&str>) -> String {
        let shown = if to.ends_with(".html") { self.shown(to) } else { to };
        link(from, to, shown, anchor)
    }

    /// The file of the site for a file of the notes folder, relative to the site's root. It is in a separate folder
    /// from pages, except in a Jekyll garden, which keeps its addresses.
    pub fn file(&self, path: &str) -> String {
        let path = composed(path);
        match self.jekyll {
            Some(_) => path,
            None => format!("files/{path}"),
        }
    }

    /// The file of the notes folder that became a file of the site, with its letters composed; `None` if that file is
    /// generated.
    pub fn copied<'p>(&self, file: &'p str) -> Option<&'p str> {
        match self.jekyll {
            Some(_) => Some(file),
            None => file.strip_prefix("files/"),
        }
    }

    /// The address of a note in Jekyll: `/cats`.
    pub fn url(&self, note: &Note) -> String {
        match &self.jekyll {
            Some(jekyll) => {
                permalink::url(note, jekyll.notes.as_deref(), jekyll.permalink.as_deref())
            }
            None => {
                format!("/{}", self.shown(&self.page(note).unwrap_or_else(|| address(&note.path))))
            }
        }
    }

    /// The path below which the whole garden is published; links may begin with it.
    pub fn base(&self) -> &str {
        self.jekyll.as_ref().map_or("", |jekyll| &jekyll.base)
    }

    /// A problem about a name that several notes share: an error in gardens with strict links, otherwise a warning.
    pub(super) fn claimed(&self, problem: Diagnostic) -> Diagnostic {
        let severity = if self.strict { Severity::Error } else { Severity::Warning };
        Diagnostic { severity, ..problem }
    }

    /// Whether a note is a standalone page, without backlinks.
    pub fn is_aside(&self, note: &Note) -> bool {
        self.jekyll.is_some() && permalink::is_page(note)
    }

    /// The page of a note; `None` if its permalink leaves the site.
    pub(super) fn page(&self, note: &Note) -> Option<String> {
        match (&self.jekyll, &note.front) {
            (Some(_), _) => permalink::file(&self.url(note)),
            (None, front) if front.permalink.is_some() => {
                let pattern = front.permalink.as_deref().unwrap_or_default();
                permalink::file(&permalink::fill(pattern, note))
            }
            (None, front) => {
                let path = address(&note.path);
                let folder =
                    path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                Some(match &front.slug {
                    Some(slug) => format!("{folder}{}.html", file_slug(slug)),
                    None => path,
                })
            }
        }
    }
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

/// The relative address from the page `from` to `to`, percent-encoded; both are relative to the site's root.
pub fn href(from: &str, to: &str, anchor: Option<&str>) -> String {
    link(from, to, to, anchor)
}

/// The same with another name for `to`, which differs in its last component at most.
fn link(from: &str, to: &str, shown: &str, anchor: Option<&str>) -> String {
    let same = from == to;
    let mut out = String::new();
    if !(same && anchor.is_some()) {
        let from: Vec<&str> = from.split('/').collect();
        let to: Vec<&str> = shown.split('/').collect();
        let folders = |path: &[&str]| path.len() - 1;
        let shared: Range<usize> = 0..folders(&from).min(folders(&to));
        let common = shared.take_while(|i| from[*i] == to[*i]).count();
        out.push_str(&"../".repeat(folders(&from) - common));
        let rest = to[common..].join("/");
        // A colon in the first part would be read as a scheme, and an empty address as the page itself.
        let first = rest.split('/').next().unwrap_or_default();
        if out.is_empty() && (rest.is_empty() || first.contains(':')) {
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
