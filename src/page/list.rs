//! The home page, and pages that list notes, tags and units.

use super::backlink::has_claims;
use super::body::BodyDraft;
use super::draft::{Draft, View};
use super::generated::on_page;
use super::index::Tag;
use super::path::{NOTES, notes_page};
use super::scene::{HOME, Scene};
use crate::garden::href;
use crate::view::{
    GroupView, HomeView, IndexGroupView, IndexItemView, IndexView, ListView, NavView,
};

/// Most notes on the home page, the newest ones.
const ON_HOME: usize = 30;

impl<'a> Scene<'a> {
    /// The home page.
    pub fn home_draft(&self) -> Draft<'a> {
        let index = self.garden.pages.iter().position(|page| page == HOME);
        let newest = &self.index().newest;
        let cards = newest.iter().take(ON_HOME).map(|note| self.card(HOME, *note)).collect();
        let body = index.map(|index| self.body(index, HOME));
        let backlinks = index.map(|i| self.backlinks(i)).unwrap_or_default();
        let view = HomeView {
            site: index.map_or_else(|| self.site(HOME), |index| self.note_site(HOME, index)),
            head: self.home_head(index),
            title: index.map(|i| self.notes[i].title.clone()),
            title_html: String::new(),
            figures: body.as_ref().is_some_and(BodyDraft::has_figures),
            claims: body.as_ref().is_some_and(BodyDraft::has_claims) || has_claims(&backlinks),
            reviews: index.map(|i| self.review_views(HOME, i)).unwrap_or_default(),
            discuss: index.and_then(|i| self.discuss(i)),
            body_html: String::new(),
            references: index.map(|i| self.references(i)).unwrap_or_default(),
            notes: cards,
            count: newest.len(),
            all: (newest.len() > ON_HOME).then(|| href(HOME, NOTES, None)),
            backlinks,
            used: index.map(|i| self.used_in(i)).unwrap_or_default(),
            problems: index.map(|i| self.problems(i)).unwrap_or_default(),
        };
        self.draft(HOME, body, View::Home(Box::new(view)))
    }

    /// A page of the list of all notes.
    pub(super) fn notes_draft(&self, page: &str, number: usize) -> Draft<'a> {
        let newest = &self.index().newest;
        let mut groups: Vec<GroupView> = Vec::new();
        for note in on_page(newest, number) {
            let title = self.changed(*note).map(|day| day.strftime("%B %Y").to_string());
            let title = title.unwrap_or_default();
            let mut card = self.card(page, *note);
            (card.excerpt, card.picture) = (String::new(), None);
            match groups.last_mut().filter(|group| group.title == title) {
                Some(group) => group.notes.push(card),
                None => groups.push(GroupView { title, notes: vec![card] }),
            }
        }
        let pages = (0..newest.len()).step_by(on_page(newest, 0).len().max(1)).enumerate();
        let pages: Vec<NavView> = pages
            .map(|(at, _)| NavView {
                title: (at + 1).to_string(),
                href: href(page, &notes_page(at), None),
                current: at == number,
            })
            .collect();
        let intro = match newest.len() {
            1 => "One note.".to_owned(),
            count => format!("{count} notes, the newest first."),
        };
        let title = "Notes".to_owned();
        let view = ListView {
            site: self.site(page),
            head: self.list_head(page, &intro),
            title,
            intro,
            groups,
            pages: if pages.len() > 1 { pages } else { vec![] },
        };
        self.draft(page, None, View::List(Box::new(view)))
    }

    /// The list of the notes with a tag.
    pub(super) fn tag_draft(&self, page: &str) -> Draft<'a> {
        let tag = self.index().tags.get(page);
        let notes = tag.map_or(&[][..], |tag| &tag.notes);
        let intro = match notes.len() {
            1 => "One note has this tag.".to_owned(),
            count => format!("{count} notes have this tag."),
        };
        let view = ListView {
            site: self.site(page),
            head: self.list_head(page, &intro),
            title: format!("#{}", tag.map_or("", |tag| &tag.name)),
            intro,
            groups: vec![GroupView {
                title: String::new(),
                notes: notes.iter().map(|note| self.card(page, *note)).collect(),
            }],
            pages: vec![],
        };
        self.draft(page, None, View::List(Box::new(view)))
    }

    /// The list of all tags.
    pub(super) fn tags_draft(&self, page: &str) -> Draft<'a> {
        let item = |(path, tag): (&String, &Tag)| IndexItemView {
            title: format!("#{}", tag.name),
            href: href(page, path, None),
            note: String::new(),
            count: tag.notes.len(),
            picture: None,
        };
        let items: Vec<IndexItemView> = self.index().tags.iter().map(item).collect();
        let intro = match items.len() {
            1 => "One tag.".to_owned(),
            count => format!("{count} tags."),
        };
        let view = IndexView {
            site: self.site(page),
            head: self.list_head(page, &intro),
            title: "Tags".to_owned(),
            intro,
            groups: vec![IndexGroupView { title: String::new(), items }],
        };
        self.draft(page, None, View::Index(Box::new(view)))
    }

    /// The list of all units, by model and layer.
    pub(super) fn units_draft(&self, page: &str) -> Draft<'a> {
        let mut groups: Vec<IndexGroupView> = Vec::new();
        let units = &self.index().units;
        let mut sorted: Vec<_> = units.iter().collect();
        sorted.sort_by(|(_, a), (_, b)| {
            (&a.model, &a.layer, a.unit).cmp(&(&b.model, &b.layer, b.unit))
        });
        for (path, unit) in sorted {
            let title = format!("{} · {}", unit.model, unit.layer);
            let picture = self.unit_picture(unit);
            let item = IndexItemView {
                title: unit.title(),
                href: href(page, path, None),
                note: unit.names.join(", "),
                count: unit.notes.len(),
                picture: picture.map(|picture| self.thumbnail_view(picture)),
            };
            match groups.last_mut().filter(|group| group.title == title) {
                Some(group) => group.items.push(item),
                None => groups.push(IndexGroupView { title, items: vec![item] }),
            }
        }
        let intro = match units.len() {
            1 => "One unit that notes mention.".to_owned(),
            count => format!("{count} units that notes mention."),
        };
        let view = IndexView {
            site: self.site(page),
            head: self.list_head(page, &intro),
            title: "Units".to_owned(),
            intro,
            groups,
        };
        self.draft(page, None, View::Index(Box::new(view)))
    }
}
