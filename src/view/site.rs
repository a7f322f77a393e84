//! The data for the templates of whole pages, and what all pages share.

use serde::Serialize;

use super::part::{
    BacklinkView, CardView, ContentsView, DateView, LinkView, ProblemView, ThumbnailView, UsedView,
};
use super::reviewed::{DiscussView, ReviewView};

/// What every page shares.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SiteView {
    /// The garden's title.
    pub title: String,
    /// The page's language, as a BCP 47 tag for the `lang` attribute.
    pub language: String,
    /// Direction of the page: `ltr` or `rtl`.
    pub direction: &'static str,
    /// The language of the text around the page's own.
    pub own_language: String,
    /// Path from the page to the site's root: empty, or `../` repeated.
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
    /// The address of the style sheet for claims.
    pub claims: String,
    /// The address of the style sheet for boxes and dialogs.
    pub boxes: String,
    /// The address of the script of all pages.
    pub script: String,
    /// The address of the script that searches.
    pub find: String,
    /// The address of the script that enlarges pictures.
    pub zoom: String,
    /// The address of the script of figures that readers can sort, filter and turn.
    pub figure_script: String,
    /// The address of the script that draws maps of units.
    pub map: String,
    /// The address of the style sheet for reviews.
    pub review: String,
    /// The address of the script by which readers write about a sentence.
    pub review_script: String,
    /// Number of files of previews.
    pub previews: usize,
    /// Links to the pages that list others.
    pub nav: Vec<NavView>,
    /// The address of the Atom feed, if there is one.
    pub feed: Option<String>,
    /// The configured line after every note.
    pub note_footer_html: Option<String>,
    /// Whether this is the preview.
    pub preview: bool,
}

/// A link to a page that lists others.
#[derive(Debug, Clone, Serialize)]
pub struct NavView {
    /// Its title.
    pub title: String,
    /// The address of the page.
    pub href: String,
    /// Whether it is the current page.
    pub current: bool,
}

/// A page's metadata.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HeadView {
    /// The description; may be empty.
    pub description: String,
    /// The absolute address of the page, if the site's is configured.
    pub canonical: Option<String>,
    /// The absolute address of its social card.
    pub card: Option<String>,
    /// `article` or `website`.
    pub kind: &'static str,
    /// `2025-04-22`
    pub published: Option<String>,
    /// `2025-04-22`
    pub modified: Option<String>,
    /// Further `<meta name content>` elements.
    pub meta: Vec<MetaView>,
    /// Linked data: JSON in which no tag begins.
    pub linked: Option<String>,
}

/// A `<meta>` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetaView {
    /// `citation_title`.
    pub name: String,
    /// Plain text.
    pub content: String,
}

/// A note's page, for `note.html`.
#[derive(Debug, Clone, Serialize)]
pub struct NoteView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// The note's title.
    pub title: String,
    /// The title as HTML, with its links and formulas.
    pub title_html: String,
    /// Whether it is a draft, which only the preview shows.
    pub draft: bool,
    /// Date of creation.
    pub date: Option<DateView>,
    /// Date of the last change, if it differs.
    pub updated: Option<DateView>,
    /// Authors.
    pub authors: Vec<String>,
    /// Its reviews, the newest first.
    pub reviews: Vec<ReviewView>,
    /// The address for a remark on it, if the garden has one.
    pub discuss: Option<DiscussView>,
    /// Tags in the note's order, with their pages.
    pub tags: Vec<LinkView>,
    /// Units that the note is about, with their pages.
    pub units: Vec<LinkView>,
    /// Table of contents; empty if there are fewer than two headings.
    pub contents: Vec<ContentsView>,
    /// Whether it contains figures.
    pub figures: bool,
    /// Whether it says what became of claims.
    pub claims: bool,
    /// The note with its figures.
    pub body_html: String,
    /// References as list items.
    pub references: Vec<String>,
    /// How to cite the note itself.
    pub citation: Option<SelfCitationView>,
    /// Backlinks.
    pub backlinks: Vec<BacklinkView>,
    /// Where its units are used in other notes.
    pub used: Vec<UsedView>,
    /// The note's local graph as SVG; `None` if it has no neighbours.
    pub graph_html: Option<String>,
    /// Problems with the note outside its blocks.
    pub problems: Vec<ProblemView>,
}

/// How a note is cited.
#[derive(Debug, Clone, Serialize)]
pub struct SelfCitationView {
    /// In the form of a reference list.
    pub text: String,
    /// As a BibTeX entry.
    pub bibtex: String,
}

/// The home page, for `home.html`.
#[derive(Debug, Clone, Serialize)]
pub struct HomeView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Title of `index.md`, if there is one.
    pub title: Option<String>,
    /// The page's heading, as written.
    pub title_html: String,
    /// Whether it contains figures.
    pub figures: bool,
    /// Whether it says what became of claims.
    pub claims: bool,
    /// The reviews of `index.md`, the newest first.
    pub reviews: Vec<ReviewView>,
    /// The address for a remark on it, if the garden has one.
    pub discuss: Option<DiscussView>,
    /// HTML of `index.md`, if there is one.
    pub body_html: String,
    /// References of `index.md` as list items.
    pub references: Vec<String>,
    /// The newest notes first.
    pub notes: Vec<CardView>,
    /// Number of notes.
    pub count: usize,
    /// The address of the list of all notes, if `notes` are not all.
    pub all: Option<String>,
    /// Backlinks of `index.md`.
    pub backlinks: Vec<BacklinkView>,
    /// Where the units of `index.md` are used in other notes.
    pub used: Vec<UsedView>,
    /// Problems with `index.md` outside its blocks.
    pub problems: Vec<ProblemView>,
}

/// A list of notes, for `list.html`: all of them, or those with a tag.
#[derive(Debug, Clone, Serialize)]
pub struct ListView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Title of the list.
    pub title: String,
    /// A line below the title; may be empty.
    pub intro: String,
    /// The groups of notes.
    pub groups: Vec<GroupView>,
    /// Other pages of the same list; empty if there is only one.
    pub pages: Vec<NavView>,
}

/// Notes with a common heading.
#[derive(Debug, Clone, Serialize)]
pub struct GroupView {
    /// The heading; may be empty.
    pub title: String,
    /// The notes.
    pub notes: Vec<CardView>,
}

/// A list of tags or units, for `index.html`.
#[derive(Debug, Clone, Serialize)]
pub struct IndexView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Title of the list.
    pub title: String,
    /// A line below the title.
    pub intro: String,
    /// The groups of entries.
    pub groups: Vec<IndexGroupView>,
}

/// Items with a common heading.
#[derive(Debug, Clone, Serialize)]
pub struct IndexGroupView {
    /// The heading; may be empty.
    pub title: String,
    /// The entries.
    pub items: Vec<IndexItemView>,
}

/// An item of a list.
#[derive(Debug, Clone, Serialize)]
pub struct IndexItemView {
    /// Its name.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// Further text; may be empty.
    pub note: String,
    /// Number of notes that mention it.
    pub count: usize,
    /// A picture of it.
    pub picture: Option<ThumbnailView>,
}

/// The page of a unit, for `unit.html`.
#[derive(Debug, Clone, Serialize)]
pub struct UnitView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// `Unit 1330`, or `Feature 5` of a dictionary.
    pub title: String,
    /// Whether it is a feature of a dictionary, whose name `layer` then is.
    pub is_feature: bool,
    /// Its names in notes, each once.
    pub names: Vec<String>,
    /// The model's name.
    pub model: String,
    /// The layer's or the dictionary's name for readers.
    pub layer: String,
    /// Whether it says what became of claims.
    pub claims: bool,
    /// Its figures.
    pub figures: Vec<UnitFigureView>,
    /// Notes that mention it.
    pub notes: Vec<CardView>,
    /// The previous unit of the layer that has a page.
    pub previous: Option<LinkView>,
    /// The next unit of the layer that has a page.
    pub next: Option<LinkView>,
}

/// A figure on a unit's page.
#[derive(Debug, Clone, Serialize)]
pub struct UnitFigureView {
    /// The figure.
    pub html: String,
    /// Link to its place, `Figure 2 of Faces`.
    pub source: LinkView,
}

/// The whole graph, for `graph.html`.
#[derive(Debug, Clone, Serialize)]
pub struct GraphView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// The address of the script that draws it.
    pub script: String,
    /// The address of its data.
    pub data: String,
    /// Number of notes.
    pub notes: usize,
    /// Number of linked pairs of notes.
    pub links: usize,
    /// The most linked notes.
    pub most: Vec<LinkedView>,
}

/// A note and its neighbours.
#[derive(Debug, Clone, Serialize)]
pub struct LinkedView {
    /// The note.
    pub note: LinkView,
    /// Its neighbours by direction.
    pub ways: Vec<WayView>,
}

/// Neighbours of a note in one direction.
#[derive(Debug, Clone, Serialize)]
pub struct WayView {
    /// `Links to` or `Linked from`.
    pub title: &'static str,
    /// The first of them.
    pub notes: Vec<LinkView>,
    /// Number of further ones.
    pub more: usize,
}

/// The page for missing addresses, for `404.html`.
#[derive(Debug, Clone, Serialize)]
pub struct NotFoundView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Link to the note that has moved from this address; only in the preview.
    pub moved: Option<LinkView>,
    /// The newest notes.
    pub notes: Vec<CardView>,
}

/// A redirect, for `redirect.html`.
#[derive(Debug, Clone, Serialize)]
pub struct RedirectView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Link to the new address.
    pub to: LinkView,
}
