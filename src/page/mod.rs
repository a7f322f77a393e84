//! Turns notes, with everything that the garden knows about them, into the data for templates: the pages of notes,
//! and the pages that list notes, tags and units.
//!
//! A [`Draft`] is everything that decides a page's bytes, and its key covers it: the note's text, its resolved links,
//! its backlinks, its figures, the templates, and what all pages share. A page is rendered only if its key changed.

mod backlink;
mod body;
mod cite;
mod contents;
mod data;
mod draft;
mod feed;
mod figure;
mod fragment;
mod generated;
mod head;
mod index;
mod list;
mod remote;
mod search;
mod special;
mod sweep;
mod unit;
mod used;
pub mod value;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub use body::BodyDraft;
pub use cite::{Cited, problems as citation_problems};
pub use data::{data_file, data_files};
pub use draft::Draft;
pub use feed::GeneratedFile;
pub use fragment::Shard;
pub use generated::GeneratedPage;
pub use index::Index;
pub use remote::{footer_problems, problems as remote_problems};
pub use used::pictured;

use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::digest::Digest;
use neuronotes_core::number;
use neuronotes_core::store::Record;

use crate::bibliography::library::Works;
use crate::config::{Config, Remote};
use crate::diagnostic::{Diagnostic, Severity};
use crate::figure::Drawing;
use crate::garden::dates::{self, GitDates};
use crate::garden::{self, Garden};
use crate::language;
use crate::note::{self, Note};
use crate::picture::Smaller;
use crate::plan::{NamedUnit, Plan};
use crate::view::{CardView, LinkView, NoteView, ProblemView, SiteView};

/// The home page.
pub const HOME: &str = "index.html";

/// Number of a note's tags shown in lists. The lists of a thousand notes with a thousand tags each would otherwise
/// have a million links.
const NAMED_TAGS: usize = 8;

/// Assets that every page links to, relative to the site's root; their names contain their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assets {
    /// The style sheet of every page.
    pub stylesheet: String,
    /// The style sheet of figures.
    pub figures: String,
    /// The style sheet of pages that list others.
    pub lists: String,
    /// The style sheet of boxes and dialogs.
    pub boxes: String,
    /// The script of every page.
    pub script: String,
    /// The search script.
    pub find: String,
    /// The script that enlarges pictures.
    pub zoom: String,
    /// The script of figures that readers can sort, filter and turn.
    pub figure_script: String,
    /// The script that draws maps of units.
    pub map: String,
    /// The script of the whole graph.
    pub graph: String,
}

/// Everything that pages are made of.
pub struct Scene<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// All notes, in the garden's order.
    pub notes: &'a [&'a Note],
    /// The notes with their resolved links.
    pub garden: &'a Garden,
    /// The measurements that they request.
    pub plan: &'a Plan,
    /// For each note and each of its blocks, the outcome.
    pub figures: &'a [Arc<[Settled]>],
    /// For each note, the replacements of its values.
    pub quoted: &'a [value::Quoted],
    /// Widths and heights of pictures in the notes folder.
    pub sizes: &'a BTreeMap<String, (u32, u32)>,
    /// Smaller copies of pictures, as far as there are any.
    pub smaller: &'a Smaller,
    /// Dates from git.
    pub git: &'a GitDates,
    /// The assets of every page.
    pub assets: &'a Assets,
    /// The bibliography.
    pub works: Option<&'a Works>,
    /// HTML of the line after every note, from [`footer`].
    pub footer: Option<String>,
    /// The digest of all templates in use.
    pub templates: Digest,
    /// Whether this is for the preview.
    pub preview: bool,
    /// Data about all notes, collected on first use.
    pub shared: Shared,
}

/// Data about all notes, collected on first use.
#[derive(Debug, Default)]
pub struct Shared {
    index: OnceLock<Index>,
    /// Whether there are tags and units.
    has: OnceLock<(bool, bool)>,
    /// Units that have a page.
    known: OnceLock<BTreeMap<NamedUnit, used::Known>>,
    /// For each unit, the note and the block of each figure that is about it or names it.
    uses: OnceLock<BTreeMap<NamedUnit, BTreeSet<(usize, usize)>>>,
    /// For each note, its formatted citations.
    cited: OnceLock<Vec<OnceLock<Arc<Cited>>>>,
}

/// Facts about the scans that a result depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scanned {
    /// Seconds that they took.
    pub seconds: f64,
    /// Images that could not be read and are not included, with the reasons.
    pub skipped: Vec<(String, String)>,
    /// What was seen in the data sets; `None` for scans without a ledger.
    pub ledger: Option<Ledger>,
}

impl Scanned {
    /// The images that could not be read, a few of them by name; `None` if all could.
    pub fn unread(&self) -> Option<String> {
        const NAMED: usize = 3;
        let mut named: Vec<_> =
            self.skipped.iter().take(NAMED).map(|(key, why)| format!("{key} ({why})")).collect();
        if self.skipped.len() > NAMED {
            named.push(format!("and {} more", self.skipped.len() - NAMED));
        }
        (!named.is_empty()).then(|| named.join("; "))
    }

    /// What was seen, and how much of it was read; `None` for scans without a ledger.
    pub fn seen(&self) -> Option<String> {
        let ledger = self.ledger.as_ref()?;
        let read = ledger.pictures.saturating_sub(self.skipped.len() as u64);
        let n = number::thousands;
        Some(format!(
            "{} of {} read, in {} entries; {} with a caption, {} with a label",
            n(read),
            n(ledger.pictures),
            n(ledger.entries),
            n(ledger.captions),
            n(ledger.labels)
        ))
    }

    /// Everything that was skipped, and why; `None` if nothing was.
    pub fn left_out(&self) -> Option<String> {
        let ledger = self.ledger.iter().flat_map(Ledger::left_out);
        let all: Vec<String> = self.unread().into_iter().chain(ledger).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// The outcome of a block.
#[derive(Debug, Clone)]
pub enum Settled {
    /// It is measured and drawn.
    Done {
        /// The result.
        record: Arc<Record>,
        /// The drawing.
        drawing: Arc<Drawing>,
        /// The scans of data sets that it depends on, if any.
        scanned: Option<Scanned>,
    },
    /// It is being measured, or waits.
    Waiting {
        /// Progress in words.
        status: String,
        /// The block's last drawing.
        stale: Option<Arc<Drawing>>,
    },
    /// It cannot be measured or drawn.
    Failed(Diagnostic),
    /// It is a sweep, with the outcome of each measurement.
    Sweep(Vec<Self>),
}

impl Settled {
    /// All its drawings.
    pub fn drawings(&self) -> Vec<&Drawing> {
        match self {
            Self::Done { drawing, .. } => vec![drawing],
            Self::Sweep(cells) => cells.iter().flat_map(Self::drawings).collect(),
            Self::Waiting { .. } | Self::Failed(_) => vec![],
        }
    }
}

/// The direction of writing of a language: `ltr` or `rtl`.
fn direction(language: &str) -> &'static str {
    if language::is_right_to_left(language) { "rtl" } else { "ltr" }
}

/// The line that appears after every note, as HTML.
pub fn footer(config: &Config) -> Option<String> {
    let closed = config.remote == Remote::Forbid;
    let parts = || note::Parts { closed, ..note::Parts::default() };
    config.footer.as_ref().map(|line| note::render_inline(line, parts()))
}

impl<'a> Scene<'a> {
    /// Tags, units and the order of the notes.
    pub fn index(&self) -> &Index {
        self.shared.index.get_or_init(|| Index::of(self))
    }

    /// The page of a note.
    pub fn note_draft(&self, index: usize) -> Draft<'a> {
        let page = &self.garden.pages[index];
        if page == HOME {
            return self.home_draft();
        }
        let note = self.notes[index];
        let (written, changed) = dates::of(note, self.git);
        let references = self.references(index);
        let body = self.body(index, page);
        let view = NoteView {
            site: self.note_site(page, index),
            head: self.note_head(index),
            title: note.title.clone(),
            title_html: String::new(),
            draft: note.front.draft,
            date: written.map(dates::view),
            updated: changed.filter(|day| Some(*day) != written).map(dates::view),
            authors: note.front.authors.clone(),
            tags: self.tag_links(page, index, usize::MAX),
            units: self.unit_links(page, index),
            contents: contents::of(note, |html| self.filled_html(index, html)),
            figures: body.has_figures(),
            body_html: String::new(),
            references,
            citation: self.self_citation(index),
            backlinks: self.backlinks(index),
            used: self.used_in(index),
            graph_html: self.local_graph(index),
            problems: self.problems(index),
        };
        self.draft(page, Some(body), draft::View::Note(Box::new(view)))
    }

    /// The language of a note: its own, or else the garden's.
    pub(crate) fn language(&self, index: usize) -> &'a str {
        self.notes[index].front.lang.as_deref().unwrap_or(&self.config.language)
    }

    /// The direction of writing of a note: `ltr` or `rtl`.
    fn direction(&self, index: usize) -> &'static str {
        self.notes[index].front.dir.unwrap_or_else(|| direction(self.language(index)))
    }

    /// The same for the page of a note, which may be in another language.
    fn note_site(&self, page: &str, index: usize) -> SiteView {
        let language = self.language(index).to_owned();
        SiteView { language, direction: self.direction(index), ..self.site(page) }
    }

    /// The data that all pages share, as the page `page` needs it.
    pub(crate) fn site(&self, page: &str) -> SiteView {
        SiteView {
            title: self.config.title.clone(),
            language: self.config.language.clone(),
            direction: direction(&self.config.language),
            own_language: self.config.language.clone(),
            root: "../".repeat(page.matches('/').count()),
            page: page.to_owned(),
            home: self.href(page, HOME, None),
            stylesheet: garden::href(page, &self.assets.stylesheet, None),
            figures: garden::href(page, &self.assets.figures, None),
            lists: garden::href(page, &self.assets.lists, None),
            boxes: garden::href(page, &self.assets.boxes, None),
            script: garden::href(page, &self.assets.script, None),
            find: garden::href(page, &self.assets.find, None),
            zoom: garden::href(page, &self.assets.zoom, None),
            figure_script: garden::href(page, &self.assets.figure_script, None),
            map: garden::href(page, &self.assets.map, None),
            previews: fragment::shards(self.notes.len()),
            nav: self.nav(page),
            feed: self.config.url.is_some().then(|| garden::href(page, feed::FEED, None)),
            note_footer_html: self.footer.clone(),
            preview: self.preview,
        }
    }

    /// The address of a page relative to another.
    pub(crate) fn href(&self, from: &str, to: &str, anchor: Option<&str>) -> String {
        self.garden.routes.href(from, to, anchor)
    }

    /// The problems of a note outside its blocks. Published pages leave out the warnings.
    fn problems(&self, index: usize) -> Vec<ProblemView> {
        let embeds = self.garden.embed_problems(index, self.notes);
        let cited = cite::problems(self.notes[index], self.works);
        let own = self.notes[index].problems.iter();
        own.chain(&self.garden.problems[index])
            .chain(&cited)
            .chain(&embeds)
            .chain(self.plan.unit_problems(index))
            .chain(&self.quoted[index].problems)
            .filter(|problem| self.preview || problem.severity == Severity::Error)
            .map(ProblemView::from)
            .collect()
    }

    /// When a note was last changed, or else when it was written.
    pub(crate) fn changed(&self, index: usize) -> Option<jiff::civil::Date> {
        dates::of(self.notes[index], self.git).1
    }

    /// A note in a list on a page.
    fn card(&self, page: &str, index: usize) -> CardView {
        let note = self.notes[index];
        let picture = self.lead_picture(index);
        CardView {
            title: note.title.clone(),
            href: self.href(page, &self.garden.pages[index], None),
            date: self.changed(index).map(dates::view),
            excerpt: self.description(index),
            picture: picture.map(|picture| self.thumbnail_view(picture)),
            tags: self.tag_links(page, index, NAMED_TAGS),
            more_tags: note.tags.len().saturating_sub(NAMED_TAGS),
        }
    }

    /// The first picture of a note's figures.
    pub(crate) fn lead_picture(&self, index: usize) -> Option<&'a crate::figure::Picture> {
        let drawings = self.figures[index].iter().flat_map(Settled::drawings);
        drawings.into_iter().find_map(Drawing::first_picture)
    }

    /// Links to the pages of a note's first tags.
    fn tag_links(&self, page: &str, index: usize, most: usize) -> Vec<LinkView> {
        let link = |tag: &String| LinkView {
            title: tag.clone(),
            href: garden::href(page, &generated::tag_page(tag), None),
        };
        self.notes[index].tags.iter().take(most).map(link).collect()
    }
}
