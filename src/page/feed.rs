//! Files of a site other than pages: the feed, the site map, robots.txt, the graph's data, and social cards.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use serde::Serialize;

use super::generated::GeneratedPage;
use super::path::tag_page;
use super::scene::{HOME, Scene};
use crate::figure::Image;
use crate::garden;

/// The Atom feed.
pub(super) const FEED: &str = "feed.xml";
/// The graph's data.
pub(super) const GRAPH_DATA: &str = "graph-data.js";
/// Most notes in the feed.
const IN_FEED: usize = 30;

/// A file other than a page.
#[derive(Debug, Clone, PartialEq)]
pub enum GeneratedFile {
    /// Its bytes.
    Text(String),
    /// The social card of a picture, yet to be drawn.
    Card(Image, bool),
}

/// The social card of a note, if it has a picture.
pub(super) fn card_path(scene: &Scene<'_>, index: usize) -> Option<String> {
    scene.config.url.as_ref()?;
    Some(card_file(&scene.lead_picture(index)?.image))
}

fn card_file(image: &Image) -> String {
    format!("cards/{}.png", image.digest.hex().cut(..20))
}

#[derive(Serialize)]
struct GraphData<'a> {
    nodes: Vec<(&'a str, String, u16, u16, i64)>,
    links: Vec<usize>,
    tags: Vec<&'a str>,
}

impl Scene<'_> {
    /// Paths of all files other than pages, previews and the search index.
    pub fn generated_files(&self) -> Vec<String> {
        let mut files = vec![GRAPH_DATA.to_owned(), "robots.txt".to_owned()];
        if self.config.url.is_some() {
            files.extend([FEED, "sitemap.xml"].map(str::to_owned));
            let cards = (0..self.notes.len()).filter_map(|index| card_path(self, index));
            files.extend(cards);
            files.sort_unstable();
            files.dedup();
        }
        files
    }

    /// The file at a path.
    pub fn generated_file(&self, path: &str) -> Option<GeneratedFile> {
        let is_published = self.config.url.is_some();
        Some(GeneratedFile::Text(match path {
            GRAPH_DATA => self.graph_data(),
            "robots.txt" => self.robots(),
            FEED if is_published => self.feed(),
            "sitemap.xml" if is_published => self.sitemap(),
            _ => {
                let mut pictures =
                    (0..self.notes.len()).filter_map(|index| self.lead_picture(index));
                let picture = pictures.find(|picture| card_file(&picture.image) == path)?;
                return Some(GeneratedFile::Card(picture.image.clone(), picture.synthetic));
            }
        }))
    }

    /// Digest of everything that decides a file's bytes.
    pub fn generated_key(&self, path: &str, file: &GeneratedFile) -> Digest {
        match file {
            GeneratedFile::Text(text) => Digest::of(text.as_bytes()),
            GeneratedFile::Card(image, _) => self.key(None, &(path, image.digest)),
        }
    }

    fn graph_data(&self) -> String {
        let pairs = self.pairs();
        let places = garden::layout(self.notes.len(), &pairs);
        let tags: Vec<(&String, &str)> =
            self.index().tags.iter().map(|(page, tag)| (page, tag.name.as_str())).collect();
        let tag = |index: usize| {
            let page = tag_page(self.notes[index].tags.first()?);
            let at = tags.binary_search_by(|(known, _)| (*known).cmp(&page)).ok()?;
            i64::try_from(at).ok()
        };
        let nodes = places.iter().enumerate().map(|(index, (x, y))| {
            let page = self.href(HOME, &self.garden.pages[index], None);
            (self.notes[index].title.as_str(), page, *x, *y, tag(index).unwrap_or(-1))
        });
        let data = GraphData {
            nodes: nodes.collect(),
            links: pairs.iter().flat_map(|(a, b)| [*a, *b]).collect(),
            tags: tags.iter().map(|(_, name)| *name).collect(),
        };
        let json = crate::view::legible_json(serde_json::to_string(&data).unwrap_or_default());
        format!("neuronotes.take(\"graph\",{json});\n")
    }

    fn robots(&self) -> String {
        let map = self.config.absolute("sitemap.xml");
        let map = map.map(|map| format!("Sitemap: {map}\n")).unwrap_or_default();
        format!("User-agent: *\nAllow: /\n{map}")
    }

    /// The notes that were changed last. Dates come from front matter or git; notes without a date are left out.
    fn feed(&self) -> String {
        let newest = self.index().newest.iter();
        let dated = newest.filter_map(|note| Some((*note, self.changed(*note)?)));
        let dated: Vec<_> = dated.take(IN_FEED).collect();
        let absolute = |path: &str| xml(&self.config.absolute(path).unwrap_or_default());
        let updated = dated.first().map_or("1970-01-01".to_owned(), |(_, day)| day.to_string());
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
             <title>{}</title>\n<id>{}</id>\n<link href=\"{}\"/>\n<link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n\
             <updated>{updated}T00:00:00Z</updated>\n<author><name>{}</name></author>\n",
            xml(&self.config.language),
            xml(&self.config.title),
            absolute(""),
            absolute(""),
            absolute(FEED),
            xml(&self.config.title),
        );
        for (note, day) in dated {
            let page = absolute(&self.shown_path(&self.garden.pages[note]));
            let written = crate::garden::dates::of(self.notes[note], self.git).0.unwrap_or(day);
            let authors = self.authors(note).into_iter();
            let authors: String = authors
                .map(|author| {
                    let name = xml(&author.spoken());
                    let url = author.url.clone().or_else(|| author.orcid_url());
                    let uri = url.map(|url| format!("<uri>{}</uri>", xml(&url)));
                    format!("<author><name>{name}</name>{}</author>\n", uri.unwrap_or_default())
                })
                .collect();
            let tags = self.notes[note].tags.iter();
            let tags: String =
                tags.map(|tag| format!("<category term=\"{}\"/>\n", xml(tag))).collect();
            let language = self.notes[note].front.lang.as_deref().map(xml);
            let language = language.map(|tag| format!(" xml:lang=\"{tag}\"")).unwrap_or_default();
            out.push_str(&format!(
                "<entry{language}>\n<title>{}</title>\n<id>{page}</id>\n<link href=\"{page}\"/>\n\
                 <published>{written}T00:00:00Z</published>\n<updated>{day}T00:00:00Z</updated>\n{authors}{tags}\
                 <summary>{}</summary>\n</entry>\n",
                xml(&self.notes[note].title),
                xml(&self.description(note)),
            ));
        }
        out + "</feed>\n"
    }

    fn sitemap(&self) -> String {
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
        );
        let notes = self.garden.pages.iter().enumerate();
        let notes = notes.map(|(index, page)| (page.clone(), self.changed(index)));
        let lists = self.generated_pages().into_iter().filter(|(_, page)| {
            !matches!(page, GeneratedPage::NotFound | GeneratedPage::Redirect(_))
        });
        for (page, day) in notes.chain(lists.map(|(page, _)| (page, None))) {
            let address = self.config.absolute(&self.shown_path(&page)).unwrap_or_default();
            let day = day.map(|day| format!("<lastmod>{day}</lastmod>")).unwrap_or_default();
            out.push_str(&format!("<url><loc>{}</loc>{day}</url>\n", xml(&address)));
        }
        out + "</urlset>\n"
    }
}

/// Escapes text for XML, without characters that XML forbids.
fn xml(text: &str) -> String {
    crate::view::legible(crate::note::escape(text))
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn every_character_makes_well_formed_xml() {
        let all: String = (0..=0x1_ffff).filter_map(char::from_u32).collect();
        let text = format!("<a b=\"{0}\">{0}</a>", xml(&all));
        let read = roxmltree::Document::parse(&text).expect("well-formed XML");
        let inner = read.root_element().text().unwrap_or_default();
        assert!(inner.contains('\u{1f600}') && inner.contains('<') && !inner.contains('\u{fffe}'));
    }
}
