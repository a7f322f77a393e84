//! Pages other than notes' pages.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::path::{GRAPH, NOT_FOUND, NOTES, REVIEW, TAGS, UNITS, notes_page, unit_page};
use super::scene::{HOME, Scene};
use crate::garden;
use crate::plan::{NamedUnit, Wanted};
use crate::view::{LinkView, NavView};

/// Most notes on one page of the list.
const ON_A_PAGE: usize = 500;

/// A page other than a note's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneratedPage {
    /// The home page of a garden without an `index.md`.
    Home,
    /// A page of the list of all notes, from 0.
    Notes(usize),
    /// The list of all tags.
    Tags,
    /// The list of the notes with a tag.
    Tag,
    /// The list of all units.
    Units,
    /// A unit.
    Unit,
    /// The graph.
    Graph,
    /// All notes by trouble.
    Review,
    /// The page for missing addresses.
    NotFound,
    /// A redirect from an old address to a note's page.
    Redirect(usize),
}

impl<'a> Scene<'a> {
    /// All pages other than notes' pages, by path. A note's page takes precedence over one of these.
    pub fn generated_pages(&self) -> BTreeMap<String, GeneratedPage> {
        let index = self.index();
        let mut generated = BTreeMap::new();
        for (note, old) in self.redirects() {
            generated.entry(old).or_insert(GeneratedPage::Redirect(note));
        }
        generated.insert(HOME.to_owned(), GeneratedPage::Home);
        for number in 0..index.newest.len().div_ceil(ON_A_PAGE).max(1) {
            generated.insert(notes_page(number), GeneratedPage::Notes(number));
        }
        if !index.tags.is_empty() {
            generated.insert(TAGS.to_owned(), GeneratedPage::Tags);
        }
        if !index.units.is_empty() {
            generated.insert(UNITS.to_owned(), GeneratedPage::Units);
        }
        generated.insert(GRAPH.to_owned(), GeneratedPage::Graph);
        // In the preview, also of a garden that is not reviewed.
        if self.preview || self.is_reviewed() {
            generated.insert(self.review_page().to_owned(), GeneratedPage::Review);
        }
        generated.insert(NOT_FOUND.to_owned(), GeneratedPage::NotFound);
        generated.extend(index.tags.keys().map(|path| (path.clone(), GeneratedPage::Tag)));
        generated.extend(index.units.keys().map(|path| (path.clone(), GeneratedPage::Unit)));
        for page in &self.garden.pages {
            generated.remove(page);
        }
        generated
    }

    /// The page at a path.
    pub fn generated_draft(&self, path: &str, page: &GeneratedPage) -> Draft<'a> {
        match page {
            GeneratedPage::Home => self.home_draft(),
            GeneratedPage::Notes(number) => self.notes_draft(path, *number),
            GeneratedPage::Tags => self.tags_draft(path),
            GeneratedPage::Tag => self.tag_draft(path),
            GeneratedPage::Units => self.units_draft(path),
            GeneratedPage::Unit => self.unit_draft(path),
            GeneratedPage::Graph => self.graph_draft(path),
            GeneratedPage::Review => self.review_draft(path),
            GeneratedPage::NotFound => self.not_found_draft(path),
            GeneratedPage::Redirect(note) => self.redirect_draft(path, *note),
        }
    }

    /// Links to the pages that list others.
    pub(super) fn nav(&self, page: &str) -> Vec<NavView> {
        let reviewed = self.is_reviewed();
        let (tags, units) = *self.shared.has.get_or_init(|| self.has_tags_and_units());
        let all = [
            ("Notes", NOTES, true),
            ("Tags", TAGS, tags),
            ("Units", UNITS, units),
            ("Graph", GRAPH, true),
            ("Review", if reviewed { self.review_page() } else { "" }, reviewed),
        ];
        let link = |(title, path, _): (&str, &str, bool)| NavView {
            title: title.to_owned(),
            href: garden::href(page, path, None),
            current: page == path,
        };
        all.into_iter().filter(|(_, _, there)| *there).map(link).collect()
    }

    /// The path of the page of all notes by trouble: [`REVIEW`], or the first free one with a number if a note, an old address of a
    /// note or a file has that.
    pub(super) fn review_page(&self) -> &str {
        self.shared.review.get_or_init(|| {
            let stem = REVIEW.trim_end_matches(".html");
            let like = |path: &str| {
                path.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem))
            };
            let garden = self.garden;
            let old = self.redirects().into_iter().map(|(_, path)| path);
            let files = garden.files().map(|file| garden.routes.file(file));
            let all = garden.pages.iter().cloned().chain(old).chain(files);
            let taken: BTreeSet<String> =
                all.filter(|path| like(path)).map(|path| path.to_lowercase()).collect();
            let numbered = (2..).map(|number| format!("{stem}-{number}.html"));
            let mut paths = std::iter::once(REVIEW.to_owned()).chain(numbered);
            paths.find(|path| !taken.contains(path)).unwrap_or_else(|| REVIEW.to_owned())
        })
    }

    fn has_tags_and_units(&self) -> (bool, bool) {
        let tags = self.notes.iter().any(|note| !note.tags.is_empty());
        let units = (0..self.notes.len()).any(|note| {
            let measured = self.plan.wanted(note).iter().flat_map(Wanted::measurements);
            !self.plan.named(note).is_empty() || measured.into_iter().any(|m| m.named().is_some())
        });
        (tags, units)
    }

    /// The pages of the units that a note is about.
    pub(super) fn unit_links(&self, page: &str, note: usize) -> Vec<LinkView> {
        let named = self.plan.named(note).iter();
        named
            .map(|named| LinkView {
                title: format!("{} {} · {}", named.unit.1.noun(), named.unit.2, named.name),
                href: self.unit_href(page, &named.unit, &named.model, &named.layer),
            })
            .collect()
    }

    /// The page of a unit. The index of all units is not used, so that one note's page can be made without it.
    pub(super) fn unit_href(
        &self,
        page: &str,
        unit: &NamedUnit,
        model: &str,
        layer: &str,
    ) -> String {
        garden::href(page, &unit_page(model, layer, unit.2), None)
    }
}

/// The notes on a page of the list.
pub(super) fn on_page(newest: &[usize], number: usize) -> &[usize] {
    newest.chunks(ON_A_PAGE).nth(number).unwrap_or_default()
}
