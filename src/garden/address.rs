//! Addresses of pages, derived from notes' paths and front matter, and relative links between pages.
//!
//! A page is identified by its file relative to the site's root; [`Routes::shown`] is its form in links.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::names::composed;
use super::{permalink, redirect};
use crate::config::layout::{Kind, Layout, without_ending};
use crate::config::{Config, Jekyll};
use crate::diagnostic::{Diagnostic, Severity};
use crate::guard;
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
    strict: bool,
    /// Whether it is a vault, for which Obsidian allows notes with the same address.
    vault: bool,
    /// Whether a folder's README is its index page if it has no `index.md`, as on repository hosts.
    readme_is_index: bool,
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

/// Each note's page, and problems with it.
pub(super) fn addresses(
    notes: &[&Note],
    files: &BTreeSet<String>,
    routes: &Routes,
) -> (Vec<String>, Vec<Vec<Diagnostic>>) {
    let mut problems = vec![Vec::new(); notes.len()];
    let made = Made::of(notes, files, routes);
    let mut taken: HashMap<String, usize> = HashMap::with_capacity(notes.len());
    let mut pages = Vec::with_capacity(notes.len());
    // Notes that ask for the same page, by the first of them, with the pages that they get instead.
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut free = |page: &str, taken: &HashMap<String, usize>| {
        let mut stem = page.trim_end_matches(".html").to_owned();
        if made.what(page).is_some() {
            // Generated pages may have numbers too.
            stem.push_str("-note");
            let page = format!("{stem}.html");
            if !taken.contains_key(&folded(&page)) && made.what(&page).is_none() {
                return page;
            }
        }
        let count = counts.entry(stem.clone()).or_insert(1);
        loop {
            *count += 1;
            let page = format!("{stem}-{count}.html");
            if !taken.contains_key(&folded(&page)) && made.what(&page).is_none() {
                return page;
            }
        }
    };
    let paths: BTreeSet<&str> = notes.iter().map(|note| &*note.path).collect();
    let first_page = |note: &Note| {
        let is_readme = routes.readme_is_index && note.stem().eq_ignore_ascii_case("readme");
        let is_placed = note.front.permalink.is_some() || note.front.slug.is_some();
        let folder = note.path.rfind('/').map_or("", |end| note.path.cut(..=end));
        let index = format!("{folder}index.md");
        (is_readme && !is_placed && !paths.contains(&*index)).then(|| address(&index))
    };
    for (index, note) in notes.iter().enumerate() {
        let asked = guard::run("finding the address of the note", &note.path, || {
            first_page(note).or_else(|| routes.page(note))
        });
        let asked = asked.unwrap_or_else(|panicked| {
            problems[index].push(Diagnostic::of_panic(&*note.file, &panicked));
            Some(address(&note.path))
        });
        let mut page = asked.unwrap_or_else(|| {
            let written = note.front.permalink.as_deref().unwrap_or_default();
            let message = format!("the permalink `{written}` leaves the site");
            let hint = "write it as `/about` or `/people/ada/`".to_owned();
            problems[index].push(note.at().error(0..0, message).hint(hint));
            address(&note.path)
        });
        if let Some(first) = taken.get(&folded(&page)) {
            claims.entry(*first).or_default().push(index);
            // An address from the file's name is closer to the requested one than a number.
            let own = address(&note.path);
            page = match taken.contains_key(&folded(&own)) || made.what(&own).is_some() {
                true => free(&page, &taken),
                false => own,
            };
        } else if let Some(what) = made.what(&page) {
            let (message, hint);
            if note.front.permalink.is_some() {
                message = format!("the page `{page}` is this note, not {what}");
                hint = "give the note another `permalink` to have both";
            } else {
                let new = free(&page, &taken);
                message = format!("the page `{page}` is {what}; this note's page is `{new}`");
                page = new;
                hint = "rename the file, or give the note a `slug` or a `permalink`";
            }
            let problem = note.at().warning(0..0, message);
            problems[index].push(routes.claimed(problem).hint(hint.to_owned()));
        }
        taken.insert(folded(&page), index);
        pages.push(page);
    }
    for (first, others) in claims {
        let at = others.first().copied().unwrap_or(first);
        let problem = shared(notes, &pages, first, &others);
        problems[at].push(if routes.vault { routes.claimed(problem) } else { problem });
    }
    for (index, problem) in redirect::problems(notes, &taken, &made) {
        problems[index].push(problem);
    }
    (pages, problems)
}

/// A page in lower case, for file systems and hosts that ignore case.
pub(super) fn folded(page: &str) -> String {
    page.to_lowercase()
}

/// Reports that several notes claim the same page: one diagnostic, at the first note that does not get it.
fn shared(notes: &[&Note], pages: &[String], first: usize, others: &[usize]) -> Diagnostic {
    const NAMED: usize = 3;
    let at = others.first().copied().unwrap_or(first);
    let mut message = format!(
        "the page `{}` is already used by {}; this note's page is `{}`",
        pages[first], notes[first].file, pages[at]
    );
    if let [_, more @ ..] = others
        && !more.is_empty()
    {
        let mut named: Vec<&str> =
            more.iter().take(NAMED).map(|index| &*notes[*index].file).collect();
        let left = format!("{} more", more.len().saturating_sub(NAMED));
        if more.len() > NAMED {
            named.push(&left);
        }
        message.push_str(&format!(". The same for {}", named.join(", ")));
    }
    let hint = match notes[at].front.permalink {
        Some(_) => "give each of them a `permalink` of its own",
        None => "rename one of the files, or give one a `slug` of its own",
    };
    notes[at].at().error(0..0, message).hint(hint.to_owned())
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
    fn of(notes: &[&Note], files: &'a BTreeSet<String>, routes: &'a Routes) -> Self {
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
