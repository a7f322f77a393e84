//! One note, with all that the garden knows of it, as the view that its template sees.
//!
//! A [`Draft`] is everything that decides a page's bytes, and its key covers it: the note's text, its
//! resolved links, what mentions it, its figures, the templates, and what all pages share. Only where the key
//! changed is the page rendered.

mod contents;
mod figure;
mod sweep;
pub mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::config::Config;
use crate::dates::{self, GitDates};
use crate::diagnostic::{Diagnostic, Severity};
use crate::digest::Digest;
use crate::figure::{Drawing, Image};
use crate::garden::{Garden, Target, href, link_anchor};
use crate::note::{self, Note, Parts, ResolvedLink, ShownValue};
use crate::plan::Plan;
use crate::render::{RenderError, Renderer};
use crate::store::Record;
use crate::view::{
    BacklinkView, CardView, FigureView, HomeView, MentionView, NoteView, ProblemView, SiteView,
};

/// Raised when the same draft gives other bytes for a reason that its key does not cover.
const PAGE_VERSION: u32 = 1;
/// The home page.
pub const HOME: &str = "index.html";

/// Everything that pages are composed from.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// All notes, in the garden's order.
    pub notes: &'a [&'a Note],
    /// The notes together.
    pub garden: &'a Garden,
    /// What they want measured.
    pub plan: &'a Plan,
    /// For each note, for each of its blocks, what came of it.
    pub figures: &'a [Arc<[Settled]>],
    /// For each note, what its values show.
    pub quoted: &'a [value::Quoted],
    /// Pixels across and down of pictures in the notes folder.
    pub sizes: &'a BTreeMap<String, (u32, u32)>,
    /// Commits' dates.
    pub git: &'a GitDates,
    /// The style sheet's path, relative to the site's root.
    pub stylesheet: &'a str,
    /// HTML of the line after every note, as [`footer`] gives it.
    pub footer: Option<String>,
    /// Of all templates in use.
    pub templates: Digest,
    /// Whether this is for the preview.
    pub preview: bool,
}

/// What is to be said of the scans that a result rests on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scanned {
    /// Seconds that they took.
    pub seconds: f64,
    /// Images that could not be read and are not in them, with the reason.
    pub skipped: Vec<(String, String)>,
}

impl Scanned {
    /// Which images were left out, a few of them by name; `None` where all were read.
    pub fn left_out(&self) -> Option<String> {
        const NAMED: usize = 3;
        let mut named: Vec<_> =
            self.skipped.iter().take(NAMED).map(|(key, why)| format!("{key} ({why})")).collect();
        if self.skipped.len() > NAMED {
            named.push(format!("and {} more", self.skipped.len() - NAMED));
        }
        (!named.is_empty()).then(|| named.join("; "))
    }
}

/// What came of a block.
#[derive(Debug, Clone)]
pub enum Settled {
    /// It is measured and drawn.
    Done {
        /// The result.
        record: Arc<Record>,
        /// The drawing.
        drawing: Arc<Drawing>,
        /// The scans of data sets that it rests on; none where it rests on none.
        scanned: Option<Scanned>,
    },
    /// It is being measured, or waits for that.
    Waiting {
        /// For a person.
        status: String,
        /// The block's last drawing.
        stale: Option<Arc<Drawing>>,
    },
    /// It cannot be measured or drawn.
    Failed(Diagnostic),
    /// It is several measurements, and this came of each.
    Sweep(Vec<Self>),
}

impl Settled {
    /// Everything that is drawn.
    pub fn drawings(&self) -> Vec<&Drawing> {
        match self {
            Self::Done { drawing, .. } => vec![drawing],
            Self::Sweep(cells) => cells.iter().flat_map(Self::drawings).collect(),
            Self::Waiting { .. } | Self::Failed(_) => vec![],
        }
    }
}

/// A page that can be rendered.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Relative to the site's root.
    pub path: String,
    /// The page key.
    pub key: Digest,
    note: Option<&'a Note>,
    site: SiteView,
    figures: Vec<FigureView>,
    links: Vec<ResolvedLink>,
    values: &'a [ShownValue],
    view: View,
}

/// What a page key covers. Written in the order of its fields, of which none is a map without order.
#[derive(Debug, Serialize)]
struct Inputs<'a> {
    version: u32,
    program: &'static str,
    templates: Digest,
    note: Option<Digest>,
    links: &'a [ResolvedLink],
    values: &'a [ShownValue],
    figures: &'a [FigureView],
    view: &'a View,
}

#[derive(Debug, Serialize)]
enum View {
    Note(Box<NoteView>),
    Home(Box<HomeView>),
}

/// The file of an image, relative to the site's root.
pub fn image_file(image: &Image) -> String {
    format!("figures/{}.{}", &image.digest.hex()[..20], image.format.extension())
}

/// The line that appears after every note, as HTML.
pub fn footer(config: &Config) -> Option<String> {
    config.footer.as_ref().map(|line| note::render_inline(line, &[], &[]))
}

/// A file of the notes folder, relative to the site's root. Apart from the pages, whose names are made.
pub fn copied_file(path: &str) -> String {
    format!("files/{path}")
}

impl Draft<'_> {
    /// The page's HTML.
    ///
    /// # Errors
    /// Where a template of the garden is at fault.
    pub fn render(&self, renderer: &Renderer) -> Result<String, RenderError> {
        let mut figures = Vec::new();
        for figure in &self.figures {
            figures.push(renderer.figure(figure, &self.site)?);
        }
        let body = self.note.map_or_else(String::new, |note| {
            let headings: Vec<String> = note.headings.iter().map(|h| h.id.clone()).collect();
            let parts = Parts {
                headings: &headings,
                links: &self.links,
                figures: &figures,
                values: self.values,
                skip_title: note.title_in_body,
            };
            note::render(note.markdown(), parts)
        });
        match &self.view {
            View::Note(view) => renderer.note(&NoteView { body_html: body, ..(**view).clone() }),
            View::Home(view) => renderer.home(&HomeView { body_html: body, ..(**view).clone() }),
        }
    }
}

impl<'a> Scene<'a> {
    /// Every page of the site.
    pub fn drafts(&self) -> Vec<Draft<'a>> {
        let mut drafts: Vec<Draft<'a>> = (0..self.notes.len())
            .filter(|index| self.garden.pages[*index] != HOME)
            .map(|index| self.note_draft(index))
            .collect();
        drafts.push(self.home_draft());
        drafts
    }

    /// The page of a note, which is not the home page.
    pub fn note_draft(&self, index: usize) -> Draft<'a> {
        let note = self.notes[index];
        let page = &self.garden.pages[index];
        let (written, changed) = dates::of(note, self.git);
        let view = NoteView {
            site: self.site(page),
            title: note.title.clone(),
            description: self.description(index),
            date: written.map(dates::view),
            updated: changed.filter(|day| Some(*day) != written).map(dates::view),
            tags: note.front.tags.clone(),
            contents: contents::of(note, |text| self.filled(index, text)),
            body_html: String::new(),
            backlinks: self.backlinks(index),
            problems: self.problems(index),
        };
        self.draft(page, Some(index), View::Note(Box::new(view)))
    }

    /// The home page.
    pub fn home_draft(&self) -> Draft<'a> {
        let index = self.garden.pages.iter().position(|page| page == HOME);
        let mut cards: Vec<(usize, CardView)> = (0..self.notes.len())
            .filter(|i| Some(*i) != index)
            .map(|i| (i, self.card(i)))
            .collect();
        let newest = |i: usize| dates::of(self.notes[i], self.git).1;
        cards.sort_by(|(a, first), (b, second)| {
            newest(*b).cmp(&newest(*a)).then_with(|| first.title.cmp(&second.title))
        });
        let view = HomeView {
            site: self.site(HOME),
            title: index.map(|i| self.notes[i].title.clone()),
            body_html: String::new(),
            notes: cards.into_iter().map(|(_, card)| card).collect(),
            backlinks: index.map(|i| self.backlinks(i)).unwrap_or_default(),
            problems: index.map(|i| self.problems(i)).unwrap_or_default(),
        };
        self.draft(HOME, index, View::Home(Box::new(view)))
    }

    fn draft(&self, page: &str, index: Option<usize>, view: View) -> Draft<'a> {
        let note = index.map(|i| self.notes[i]);
        let links = index.map(|i| self.resolved(i)).unwrap_or_default();
        let figures = index.map(|i| self.figure_views(i, page)).unwrap_or_default();
        let values = index.map(|i| &*self.quoted[i].shown).unwrap_or_default();
        let inputs = Inputs {
            version: PAGE_VERSION,
            program: env!("CARGO_PKG_VERSION"),
            templates: self.templates,
            note: note.map(|note| note.digest),
            links: &links,
            values,
            figures: &figures,
            view: &view,
        };
        let key = Digest::of(&serde_json::to_vec(&inputs).expect("views are plain data"));
        Draft {
            path: page.to_owned(),
            key,
            note,
            site: self.site(page),
            figures,
            links,
            values,
            view,
        }
    }

    fn site(&self, page: &str) -> SiteView {
        SiteView {
            title: self.config.title.clone(),
            language: self.config.language.clone(),
            root: "../".repeat(page.matches('/').count()),
            home: href(page, HOME, None),
            stylesheet: href(page, self.stylesheet, None),
            note_footer_html: self.footer.clone(),
            preview: self.preview,
        }
    }

    /// What is wrong with a note outside its blocks. A published page leaves the warnings out.
    fn problems(&self, index: usize) -> Vec<ProblemView> {
        let own = self.notes[index].problems.iter();
        own.chain(&self.garden.problems[index])
            .chain(self.plan.unit_problems(index))
            .chain(&self.quoted[index].problems)
            .filter(|problem| self.preview || problem.severity == Severity::Error)
            .map(Diagnostic::view)
            .collect()
    }

    fn target(&self, page: &str, target: &Target, id: Option<String>) -> ResolvedLink {
        match target {
            Target::Note { index, anchor } => ResolvedLink::Internal {
                href: href(page, &self.garden.pages[*index], anchor.as_deref()),
                id,
            },
            Target::File(path) => ResolvedLink::File {
                href: href(page, &copied_file(path), None),
                size: self.sizes.get(path).copied(),
            },
            Target::External => ResolvedLink::External,
            Target::Unresolved => ResolvedLink::Unresolved,
        }
    }

    fn resolved(&self, index: usize) -> Vec<ResolvedLink> {
        let page = &self.garden.pages[index];
        let targets = self.garden.links[index].iter().enumerate();
        targets.map(|(n, target)| self.target(page, target, Some(link_anchor(n)))).collect()
    }

    fn backlinks(&self, index: usize) -> Vec<BacklinkView> {
        let page = &self.garden.pages[index];
        let mut by_note: BTreeMap<usize, Vec<MentionView>> = BTreeMap::new();
        for incoming in &self.garden.incoming[index] {
            let place = href(page, &self.garden.pages[incoming.from], Some(&incoming.anchor));
            let mention = &incoming.mention;
            let sentence_html = format!(
                "{}<mark>{}</mark>{}",
                note::escape(&self.filled(incoming.from, &mention.before)),
                note::escape(&self.filled(incoming.from, &mention.text)),
                note::escape(&self.filled(incoming.from, &mention.after))
            );
            let mentions = by_note.entry(incoming.from).or_default();
            // One sentence with two links to a note mentions it once for each.
            mentions.push(MentionView { href: place, sentence_html });
        }
        let mut notes: Vec<usize> = by_note.keys().copied().collect();
        let newest = |i: usize| dates::of(self.notes[i], self.git).1;
        notes.sort_by(|a, b| {
            let titles = || self.notes[*a].title.cmp(&self.notes[*b].title);
            newest(*b).cmp(&newest(*a)).then_with(titles)
        });
        notes
            .into_iter()
            .map(|from| BacklinkView {
                title: self.notes[from].title.clone(),
                href: href(page, &self.garden.pages[from], None),
                mentions: by_note.remove(&from).unwrap_or_default(),
            })
            .collect()
    }

    /// Plain text out of the note `index`, its values in their places.
    fn filled(&self, index: usize, text: &str) -> String {
        note::fill(text, |n| self.quoted[index].shown.get(n).map(|value| &*value.text))
    }

    fn description(&self, index: usize) -> String {
        let note = self.notes[index];
        let own = note.front.description.clone();
        own.unwrap_or_else(|| self.filled(index, &note.excerpt))
    }

    fn card(&self, index: usize) -> CardView {
        let note = self.notes[index];
        let drawings = self.figures[index].iter().flat_map(Settled::drawings);
        let picture = drawings.into_iter().find_map(Drawing::first_picture);
        CardView {
            title: note.title.clone(),
            href: href(HOME, &self.garden.pages[index], None),
            date: dates::of(note, self.git).1.map(dates::view),
            excerpt: self.description(index),
            picture: picture.map(|picture| figure::picture_view(HOME, picture)),
            tags: note.front.tags.clone(),
        }
    }
}
