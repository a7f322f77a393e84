//! Whole pages as their templates see them, and what all of them share.

use serde::Serialize;

use super::{BacklinkView, CardView, ContentsView, DateView, ProblemView};

/// What every page shares.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SiteView {
    /// The garden's title.
    pub title: String,
    /// The page's language, as a BCP 47 tag for the `lang` attribute.
    pub language: String,
    /// Which way it is written: `ltr` or `rtl`.
    pub direction: &'static str,
    /// The language of the text around the page's own.
    pub own_language: String,
    /// From the page to the site's root: empty, or `../` as often as needed.
    pub root: String,
    /// The page's own path, relative to the site's root.
    pub page: String,
    /// The address of the home page.
    pub home: String,
    /// The address of the style sheet of all pages.
    pub stylesheet: String,
    /// The address of the style sheet for figures.
    pub figures: String,
    /// The address of the style sheet for lists.
    pub lists: String,
    /// The address of the style sheet for what scripts open.
    pub boxes: String,
    /// The address of the script of all pages.
    pub script: String,
    /// The address of the script that searches.
    pub find: String,
    /// The address of the script that enlarges pictures.
    pub zoom: String,
    /// How many files of previews there are.
    pub previews: usize,
    /// Pages that list others.
    pub nav: Vec<NavView>,
    /// The address of the Atom feed, if there is one.
    pub feed: Option<String>,
    /// The configured line that ends every note.
    pub note_footer_html: Option<String>,
    /// Whether the preview shows the page; published pages have nothing of it.
    pub preview: bool,
}

/// A link to a page that lists others.
#[derive(Debug, Clone, Serialize)]
pub struct NavView {
    /// What it lists.
    pub title: String,
    /// The address of the page.
    pub href: String,
    /// Whether it is this page.
    pub current: bool,
}

/// What a page says of itself to machines.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HeadView {
    /// The first sentences; may be empty.
    pub description: String,
    /// The page's absolute address, where the site's is known.
    pub canonical: Option<String>,
    /// The absolute address of its social card.
    pub card: Option<String>,
    /// `article` or `website`.
    pub kind: &'static str,
    /// `2025-04-22`
    pub published: Option<String>,
    /// `2025-04-22`
    pub modified: Option<String>,
    /// Further `<meta name content>`.
    pub meta: Vec<MetaView>,
}

/// A `<meta>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetaView {
    /// `citation_title`.
    pub name: String,
    /// Plain text.
    pub content: String,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// Plain text.
    pub title: String,
    /// Relative to the page.
    pub href: String,
}

/// A note's page, for `note.html`.
#[derive(Debug, Clone, Serialize)]
pub struct NoteView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// The note's title.
    pub title: String,
    /// The title as HTML, with its links and formulas.
    pub title_html: String,
    /// Whether it is a draft, which only the preview shows.
    pub draft: bool,
    /// When it was written.
    pub date: Option<DateView>,
    /// When it was last changed, where that is another day.
    pub updated: Option<DateView>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// In the note's order, each with its page.
    pub tags: Vec<LinkView>,
    /// Units that the note is about, each with its page.
    pub units: Vec<LinkView>,
    /// From the note's headings; empty where there are fewer than two.
    pub contents: Vec<ContentsView>,
    /// Whether there are figures in it.
    pub figures: bool,
    /// The note, its figures in place.
    pub body_html: String,
    /// Works that the note cites, as list items.
    pub references: Vec<String>,
    /// How to cite the note itself.
    pub citation: Option<SelfCitationView>,
    /// Notes that mention this one.
    pub backlinks: Vec<BacklinkView>,
    /// The note among its neighbours, as SVG; none where it has none.
    pub graph_html: Option<String>,
    /// What is wrong with the note outside its blocks.
    pub problems: Vec<ProblemView>,
}

/// How a note is cited.
#[derive(Debug, Clone, Serialize)]
pub struct SelfCitationView {
    /// As a reference list has it.
    pub text: String,
    /// For a BibTeX file.
    pub bibtex: String,
}

/// The home page, for `home.html`.
#[derive(Debug, Clone, Serialize)]
pub struct HomeView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// Out of `index.md`, where there is one.
    pub title: Option<String>,
    /// The heading of the page, as it is written.
    pub title_html: String,
    /// Whether there are figures in it.
    pub figures: bool,
    /// Out of `index.md`, where there is one.
    pub body_html: String,
    /// Works that `index.md` cites, as list items.
    pub references: Vec<String>,
    /// The newest first.
    pub notes: Vec<CardView>,
    /// How many there are.
    pub count: usize,
    /// The address of the list of all notes, if `notes` are not all.
    pub all: Option<String>,
    /// Notes whose text links to `index.md`.
    pub backlinks: Vec<BacklinkView>,
    /// What is wrong with `index.md` outside its blocks.
    pub problems: Vec<ProblemView>,
}

/// A list of notes, for `list.html`: all of them, or those with a tag.
#[derive(Debug, Clone, Serialize)]
pub struct ListView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// What it lists.
    pub title: String,
    /// A line below the title; may be empty.
    pub intro: String,
    /// The groups of notes.
    pub groups: Vec<GroupView>,
    /// Other pages of the same list; empty where it has one.
    pub pages: Vec<NavView>,
}

/// Notes under one heading.
#[derive(Debug, Clone, Serialize)]
pub struct GroupView {
    /// May be empty.
    pub title: String,
    /// The notes.
    pub notes: Vec<CardView>,
}

/// A list of other things than notes, for `index.html`: tags, or units.
#[derive(Debug, Clone, Serialize)]
pub struct IndexView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// What it lists.
    pub title: String,
    /// A line below the title.
    pub intro: String,
    /// The groups of entries.
    pub groups: Vec<IndexGroupView>,
}

/// Things under one heading.
#[derive(Debug, Clone, Serialize)]
pub struct IndexGroupView {
    /// May be empty.
    pub title: String,
    /// The entries.
    pub items: Vec<IndexItemView>,
}

/// One thing of a list.
#[derive(Debug, Clone, Serialize)]
pub struct IndexItemView {
    /// What it is called.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// What it is besides; may be empty.
    pub note: String,
    /// How many notes speak of it.
    pub count: usize,
    /// A picture of it.
    pub picture: Option<super::ThumbnailView>,
}

/// The page of a unit, for `unit.html`.
#[derive(Debug, Clone, Serialize)]
pub struct UnitView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// `Unit 1330`.
    pub title: String,
    /// What notes call it, each once.
    pub names: Vec<String>,
    /// The model's name.
    pub model: String,
    /// The layer as a reader expects it.
    pub layer: String,
    /// What was measured.
    pub figures: Vec<UnitFigureView>,
    /// Notes that speak of it.
    pub notes: Vec<CardView>,
    /// The unit before it in the same layer that has a page.
    pub previous: Option<LinkView>,
    /// The unit after it.
    pub next: Option<LinkView>,
}

/// A figure on a unit's page.
#[derive(Debug, Clone, Serialize)]
pub struct UnitFigureView {
    /// The figure.
    pub html: String,
    /// `Figure 2 of Faces`, with its place.
    pub source: LinkView,
}

/// The whole graph, for `graph.html`.
#[derive(Debug, Clone, Serialize)]
pub struct GraphView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// The address of the script that draws it.
    pub script: String,
    /// The address of its data.
    pub data: String,
    /// How many notes there are.
    pub notes: usize,
    /// How many pairs of notes are linked.
    pub links: usize,
    /// The most linked notes.
    pub most: Vec<LinkedView>,
}

/// A note and those that it is linked with.
#[derive(Debug, Clone, Serialize)]
pub struct LinkedView {
    /// The note.
    pub note: LinkView,
    /// Those that it links to, and those that link to it.
    pub ways: Vec<WayView>,
}

/// Notes that lie one way from a note.
#[derive(Debug, Clone, Serialize)]
pub struct WayView {
    /// `Links to` or `Linked from`.
    pub title: &'static str,
    /// The first of them.
    pub notes: Vec<LinkView>,
    /// How many there are besides.
    pub more: usize,
}

/// What is shown where there is no page, for `404.html`.
#[derive(Debug, Clone, Serialize)]
pub struct NotFoundView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// The note that the page was of, which has another address now; only in the preview.
    pub moved: Option<LinkView>,
    /// The newest notes.
    pub notes: Vec<CardView>,
}

/// A page that was elsewhere before, for `redirect.html`.
#[derive(Debug, Clone, Serialize)]
pub struct RedirectView {
    /// What every page shares.
    pub site: SiteView,
    /// For machines.
    pub head: HeadView,
    /// Where it is now.
    pub to: LinkView,
}
