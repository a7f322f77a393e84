//! Citations: BibTeX and what a page cites in, marks in the text and a list of references out, in a style of the Citation Style
//! Language.
//!
//! Nothing here knows of notes or of the configuration. A fault in the bibliography costs the field or the entry that it is in. What
//! is cited is a function of the bibliography, the style and the page's own citations, so that a page can be made alone.
//!
//! The styles and terms come with hayagriva and are, unlike it, under CC BY-SA 3.0.

mod html;
mod own;
mod read;
mod style;

use std::collections::BTreeMap;

use hayagriva::citationberg::taxonomy::Locator;
use hayagriva::{
    BibliographyDriver, BibliographyItem, BibliographyRequest, CitationItem, CitationRequest,
    CitePurpose, Entry, LocatorPayload, Rendered, SpecificLocator,
};

pub use own::{SelfMeta, self_citation};
pub use read::Fault;
pub use style::{CitationStyle, style, styles};

/// The name of the style where none is asked for: numbers in the order of the text.
pub const DEFAULT_STYLE: &str = "ieee";

/// The works that a garden can cite.
#[derive(Debug, Clone, Default)]
pub struct Bibliography {
    entries: BTreeMap<String, Entry>,
}

/// One work in a group of citations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Of the work.
    pub key: String,
    /// A place in it: `p. 3`, `ch. 2`, or any words.
    pub supplement: Option<String>,
    /// Whether the authors are a part of the sentence, as in "Goh et al. \[1\] found".
    pub narrative: bool,
}

/// What a page shows of its citations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// HTML of each group: `[<a class="cite" href="#ref-goh2021">1</a>]` or the like.
    pub citations: Vec<String>,
    /// In the style's order.
    pub references: Vec<Reference>,
}

/// An item of a list of references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its place in the page is `ref-` and this, as [`anchor`] says.
    pub key: String,
    /// HTML of what a style puts before the item, such as `[1]`.
    pub label: Option<String>,
    /// HTML of the item.
    pub html: String,
}

/// The id of a reference in a page.
pub fn anchor(key: &str) -> String {
    format!("ref-{key}")
}

impl Bibliography {
    /// Reads BibTeX or BibLaTeX. Never fails: what is wrong is left out and said.
    pub fn parse(text: &str) -> (Self, Vec<Fault>) {
        let (entries, faults) = read::entries(text);
        (Self { entries }, faults)
    }

    /// What its works are called, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether there is such a work.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The citations of one page, groups in the order of its text. A key that there is not is passed over.
    pub fn cited<G: AsRef<[Citation]>>(&self, style: &CitationStyle, groups: &[G]) -> Cited {
        let groups: Vec<Vec<Item<'_>>> =
            groups.iter().map(|group| self.items(group.as_ref())).collect();
        let rendered = rendered(style, &groups);
        let mut shown = rendered.citations.iter();
        let citations = groups.iter().map(|group| {
            let keys: Vec<&str> = group.iter().map(|item| item.entry.key()).collect();
            let citation = if group.is_empty() { None } else { shown.next() };
            citation.map(|shown| html::citation(&shown.citation, &keys)).unwrap_or_default()
        });
        let citations = citations.collect();
        let reference = |item: BibliographyItem| Reference {
            label: item.first_field.as_ref().map(html::label),
            html: html::reference(&item.content),
            key: item.key,
        };
        let references = match rendered.bibliography {
            Some(list) => list.items.into_iter().map(reference).collect(),
            // Links need a list, and a few styles have none.
            None => {
                let list = style::style(DEFAULT_STYLE).map(|style| self::rendered(&style, &groups));
                let items = list.and_then(|list| list.bibliography).map(|list| list.items);
                let items = items.unwrap_or_default().into_iter().map(reference);
                items.map(|item| Reference { label: None, ..item }).collect()
            }
        };
        Cited { citations, references }
    }

    fn items(&self, group: &[Citation]) -> Vec<Item<'_>> {
        let item = |citation: &Citation| {
            Some(Item {
                entry: self.entries.get(&citation.key)?,
                place: citation.supplement.as_deref().and_then(place),
                narrative: citation.narrative,
            })
        };
        group.iter().filter_map(item).collect()
    }
}

/// One citation whose work is there.
struct Item<'b> {
    entry: &'b Entry,
    place: Option<(Locator, String)>,
    narrative: bool,
}

/// What the style makes of the groups that have anything in them.
fn rendered(style: &CitationStyle, groups: &[Vec<Item<'_>>]) -> Rendered {
    let (csl, locales) = (style.style(), style.locales());
    let mut driver = BibliographyDriver::new();
    for (index, group) in groups.iter().filter(|group| !group.is_empty()).enumerate() {
        let items = group.iter().map(|item| {
            let place = item.place.as_ref();
            let place = place.map(|(kind, at)| SpecificLocator(*kind, LocatorPayload::Str(at)));
            let purpose = item.narrative.then_some(CitePurpose::Prose);
            CitationItem::new(item.entry, place, None, false, purpose)
        });
        driver.citation(CitationRequest::new(items.collect(), csl, None, locales, Some(index + 1)));
    }
    driver.finish(BibliographyRequest::new(csl, None, locales))
}

/// What a supplement names: `p. 3` is page 3.
fn place(supplement: &str) -> Option<(Locator, String)> {
    const KINDS: &[(&str, Locator)] = &[
        ("p", Locator::Page),
        ("pp", Locator::Page),
        ("page", Locator::Page),
        ("pages", Locator::Page),
        ("ch", Locator::Chapter),
        ("chap", Locator::Chapter),
        ("chapter", Locator::Chapter),
        ("sec", Locator::Section),
        ("section", Locator::Section),
        ("§", Locator::Section),
        ("fig", Locator::Figure),
        ("figure", Locator::Figure),
        ("vol", Locator::Volume),
        ("volume", Locator::Volume),
        ("eq", Locator::Equation),
        ("table", Locator::Table),
    ];
    let supplement = supplement.trim();
    let (word, rest) = supplement.split_once(char::is_whitespace).unwrap_or(("", supplement));
    let word = word.trim_end_matches('.').to_lowercase();
    let kind = KINDS.iter().find(|(name, _)| *name == word);
    match kind {
        Some((_, kind)) if !rest.trim().is_empty() => Some((*kind, rest.trim().to_owned())),
        _ => (!supplement.is_empty()).then(|| (Locator::Custom, supplement.to_owned())),
    }
}

#[cfg(test)]
mod tests;
