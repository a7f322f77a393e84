//! The page of a note, and what all pages share.

use super::backlink::has_claims;
use super::cite;
use super::draft::{Draft, View};
use super::index::Index;
use super::path::tag_page;
use super::scene::{HOME, Scene};
use super::settled::Settled;
use super::{contents, feed, fragment};
use crate::author::Author;
use crate::diagnostic::Severity;
use crate::figure::{Drawing, Picture};
use crate::garden::{self, dates};
use crate::language;
use crate::view::{CardView, LinkView, NoteView, ProblemView, SiteView};

/// Number of a note's tags shown in lists. The lists of a thousand notes with a thousand tags each would otherwise
/// have a million links.
const NAMED_TAGS: usize = 8;

/// The direction of writing of a language: `ltr` or `rtl`.
fn direction(language: &str) -> &'static str {
    if language::is_right_to_left(language) { "rtl" } else { "ltr" }
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
        let backlinks = self.backlinks(index);
        let view = NoteView {
            site: self.note_site(page, index),
            head: self.note_head(index),
            title: note.title.clone(),
            title_html: String::new(),
            draft: note.front.draft,
            date: written.map(dates::view),
            updated: changed.filter(|day| Some(*day) != written).map(dates::view),
            authors: self.authors(index).into_iter().map(Author::spoken).collect(),
            reviews: self.review_views(page, index),
            discuss: self.discuss(index),
            tags: self.tag_links(page, index, usize::MAX),
            units: self.unit_links(page, index),
            contents: contents::of(note, |html| self.filled_html(index, html)),
            figures: body.has_figures(),
            claims: body.has_claims() || has_claims(&backlinks),
            body_html: String::new(),
            references,
            citation: self.self_citation(index),
            backlinks,
            used: self.used_in(index),
            graph_html: self.local_graph(index),
            problems: self.problems(index),
        };
        self.draft(page, Some(body), View::Note(Box::new(view)))
    }

    /// The language of a note: its own, or else the garden's.
    pub(crate) fn language(&self, index: usize) -> &'a str {
        self.notes[index].front.lang.as_deref().unwrap_or(&self.config.language)
    }

    /// The authors of a note: its own, or else the garden's. One of whom the garden says more than the note is the
    /// garden's.
    pub(crate) fn authors(&self, index: usize) -> Vec<&'a Author> {
        let (own, all) = (&self.notes[index].front.authors, &self.config.authors);
        let known = |author: &'a Author| {
            let same = all.iter().find(|known| known.spoken() == author.spoken());
            same.filter(|_| *author == Author::named(&*author.name)).unwrap_or(author)
        };
        if own.is_empty() { all.iter().collect() } else { own.iter().map(known).collect() }
    }

    /// The direction of writing of a note: `ltr` or `rtl`.
    pub(super) fn direction(&self, index: usize) -> &'static str {
        self.notes[index].front.dir.unwrap_or_else(|| direction(self.language(index)))
    }

    /// The same for the page of a note, which may be in another language.
    pub(super) fn note_site(&self, page: &str, index: usize) -> SiteView {
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
            claims: garden::href(page, &self.assets.claims, None),
            boxes: garden::href(page, &self.assets.boxes, None),
            script: garden::href(page, &self.assets.script, None),
            find: garden::href(page, &self.assets.find, None),
            zoom: garden::href(page, &self.assets.zoom, None),
            figure_script: garden::href(page, &self.assets.figure_script, None),
            map: garden::href(page, &self.assets.map, None),
            review: garden::href(page, &self.assets.review, None),
            review_script: garden::href(page, &self.assets.review_script, None),
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
    pub(super) fn problems(&self, index: usize) -> Vec<ProblemView> {
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
    pub(super) fn card(&self, page: &str, index: usize) -> CardView {
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
    pub(crate) fn lead_picture(&self, index: usize) -> Option<&'a Picture> {
        let drawings = self.figures[index].iter().flat_map(Settled::drawings);
        drawings.into_iter().find_map(Drawing::first_picture)
    }

    /// Links to the pages of a note's first tags.
    pub(super) fn tag_links(&self, page: &str, index: usize, most: usize) -> Vec<LinkView> {
        let link = |tag: &String| LinkView {
            title: tag.clone(),
            href: garden::href(page, &tag_page(tag), None),
        };
        self.notes[index].tags.iter().take(most).map(link).collect()
    }
}
