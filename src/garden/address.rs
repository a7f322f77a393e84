//! Where pages lie and how they point to each other: notes' paths and front matter in, addresses out.
//!
//! A page is named by its file, relative to the site's root; [`Routes::shown`] is how links name it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::permalink;
use crate::config::{Config, Jekyll};
use crate::diagnostic::Diagnostic;
use crate::layout::{Kind, Layout};
use crate::note::{Note, file_slug};

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

/// Where a garden's pages lie, and how links to them look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// A Jekyll garden's own rules.
    jekyll: Option<Jekyll>,
    /// Whether links end in `.html`.
    html_extension: bool,
    /// Whether a folder's README is its first page where it has no `index.md`, as hosts of repositories show it.
    readme_is_index: bool,
}

impl Default for Routes {
    /// Those of a plain garden.
    fn default() -> Self {
        Self { jekyll: None, html_extension: true, readme_is_index: false }
    }
}

impl Routes {
    /// Those of a garden.
    pub fn of(config: &Config, layout: &Layout) -> Self {
        let jekyll = || config.jekyll.clone().unwrap_or_default();
        Self {
            jekyll: (layout.kind == Kind::Jekyll).then(jekyll),
            html_extension: config.use_html_extension,
            readme_is_index: layout.kind == Kind::Folder,
        }
    }

    /// How a link names a page: as its file, or without its ending, `about` for `about.html` and `a/b/` for
    /// `a/b/index.html`.
    pub fn shown<'a>(&self, page: &'a str) -> &'a str {
        if self.html_extension {
            return page;
        }
        match page.strip_suffix("index.html") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
            _ => page.strip_suffix(".html").unwrap_or(page),
        }
    }

    /// As [`href`], with the page `to` named as links name it.
    pub fn href(&self, from: &str, to: &str, anchor: Option<&str>) -> String {
        let shown = if to.ends_with(".html") { self.shown(to) } else { to };
        link(from, to, shown, anchor)
    }

    /// The file of the site that a file of the notes folder becomes, relative to the site's root. Apart from the pages, whose
    /// names are made; but a Jekyll garden keeps its addresses.
    pub fn file(&self, path: &str) -> String {
        match self.jekyll {
            Some(_) => path.to_owned(),
            None => format!("files/{path}"),
        }
    }

    /// The file of the notes folder that became a file of the site; none where that is made otherwise.
    pub fn copied<'p>(&self, file: &'p str) -> Option<&'p str> {
        match self.jekyll {
            Some(_) => Some(file),
            None => file.strip_prefix("files/"),
        }
    }

    /// The address that Jekyll calls a note's: `/cats`.
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

    /// Where the whole garden is published below its host: a link may begin with it.
    pub fn base(&self) -> &str {
        self.jekyll.as_ref().map_or("", |jekyll| &jekyll.base)
    }

    /// Whether a note is a page beside the notes, of which no note says that it is mentioned.
    pub fn is_aside(&self, note: &Note) -> bool {
        self.jekyll.is_some() && permalink::is_page(note)
    }

    /// The page of a note; `None` where its permalink leaves the site.
    fn page(&self, note: &Note) -> Option<String> {
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

/// Each note's page, and what is wrong with that.
pub(super) fn addresses(notes: &[&Note], routes: &Routes) -> (Vec<String>, Vec<Vec<Diagnostic>>) {
    let mut problems = vec![Vec::new(); notes.len()];
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = Vec::new();
    let paths: BTreeSet<&str> = notes.iter().map(|note| &*note.path).collect();
    let first_page = |note: &Note| {
        let is_readme = routes.readme_is_index && note.stem().eq_ignore_ascii_case("readme");
        let is_placed = note.front.permalink.is_some() || note.front.slug.is_some();
        let folder = note.path.rfind('/').map_or("", |end| &note.path[..=end]);
        let index = format!("{folder}index.md");
        (is_readme && !is_placed && !paths.contains(&*index)).then(|| address(&index))
    };
    for (index, note) in notes.iter().enumerate() {
        let mut page = first_page(note).or_else(|| routes.page(note)).unwrap_or_else(|| {
            let written = note.front.permalink.as_deref().unwrap_or_default();
            let message = format!("the permalink `{written}` leaves the site");
            let hint = "write it as `/about` or `/people/ada/`".to_owned();
            problems[index].push(note.at().error(0..0, message).hint(hint));
            address(&note.path)
        });
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
    (pages, problems)
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
    link(from, to, to, anchor)
}

/// The same with `to` under another name, which differs in its last part at most.
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
        // A first part with a colon would be taken for a scheme, and nothing at all for the page itself.
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
