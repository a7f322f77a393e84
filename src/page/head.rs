//! Metadata of pages: addresses, dates, social cards, and citation data.

use neuronotes_core::cut::Cut as _;

use super::feed;
use super::scene::{HOME, Scene};
use crate::garden::href;
use crate::view::{HeadView, MetaView};

/// Number of characters that search engines show.
const DESCRIPTION: usize = 200;

impl Scene<'_> {
    /// A page's address below the site's root.
    pub(super) fn shown_path(&self, page: &str) -> String {
        let address = href(HOME, self.garden.routes.shown(page), None);
        match address.strip_suffix("index.html") {
            Some(folder) => folder.to_owned(),
            None => address.trim_start_matches("./").to_owned(),
        }
    }

    pub(super) fn note_head(&self, index: usize) -> HeadView {
        let note = self.notes[index];
        let page = &self.garden.pages[index];
        let (written, changed) = self.days(index);
        let authors = self.authors(index);
        let mut meta = Vec::new();
        let mut say = |name: &str, content: String| {
            meta.push(MetaView { name: name.to_owned(), content });
        };
        // Google Scholar takes no title without an author.
        if let Some(day) = written.or(changed).filter(|_| !authors.is_empty()) {
            say("citation_title", note.title.clone());
            for author in &authors {
                say("citation_author", author.name.clone());
                author
                    .orcid_url()
                    .into_iter()
                    .for_each(|orcid| say("citation_author_orcid", orcid));
            }
            say("citation_publication_date", day.strftime("%Y/%m/%d").to_string());
            say("citation_journal_title", self.config.title.clone());
            if let Some(address) = self.config.absolute(&self.shown_path(page)) {
                say("citation_fulltext_html_url", address);
            }
            say("citation_language", self.language(index).to_owned());
        }
        HeadView {
            description: shortened(&self.description(index)),
            canonical: self.config.absolute(&self.shown_path(page)),
            card: feed::card_path(self, index).and_then(|card| self.config.absolute(&card)),
            kind: "article",
            published: written.map(|day| day.to_string()),
            modified: changed.map(|day| day.to_string()),
            meta,
            linked: self.note_data(index, written, changed),
        }
    }

    pub(super) fn home_head(&self, index: Option<usize>) -> HeadView {
        let description = index.map(|index| shortened(&self.description(index)));
        let lead = || self.index().newest.iter().find_map(|note| feed::card_path(self, *note));
        let card = index.and_then(|index| feed::card_path(self, index)).or_else(lead);
        HeadView {
            description: description.unwrap_or_default(),
            canonical: self.config.absolute(""),
            card: card.and_then(|card| self.config.absolute(&card)),
            kind: "website",
            linked: self.site_data(),
            ..HeadView::default()
        }
    }

    pub(super) fn list_head(&self, page: &str, about: &str) -> HeadView {
        HeadView {
            description: about.to_owned(),
            canonical: self.config.absolute(&self.shown_path(page)),
            kind: "website",
            ..HeadView::default()
        }
    }
}

fn shortened(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(DESCRIPTION) else { return text.to_owned() };
    let end = text.cut(..end).rfind(' ').unwrap_or(end);
    format!("{}…", text.cut(..end).trim_end_matches([',', ';', ':', '.']))
}
