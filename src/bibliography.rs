//! Citations: turns BibTeX and a page's citations into marks in the text and a list of references, in a style of the
//! Citation Style Language.
//!
//! It knows neither notes nor the configuration. An error in the bibliography affects only its field or entry. The
//! result depends only on the bibliography, the style and the page's own citations, so a page can be built alone.
//!
//! The styles and terms come with hayagriva and, unlike hayagriva itself, are under CC BY-SA 3.0.

mod bibtex;
mod entry;
mod html;
mod inherit;
mod latex;
pub mod library;
mod locator;
mod look;
mod own;
mod read;
mod strings;
mod style;
mod work;

use std::collections::BTreeMap;

use hayagriva::citationberg::taxonomy::Locator;
use hayagriva::{
    BibliographyDriver, BibliographyItem, BibliographyRequest, CitationItem, CitationRequest,
    CitePurpose, Entry, LocatorPayload, Rendered, SpecificLocator,
};

use html::Linked;

pub use html::{MathFn, anchor};
pub use own::{SelfMeta, self_citation};
pub use style::{CitationStyle, style, styles};

use crate::diagnostic::fault::Fault;

/// The default style: numbers in the order of the text.
pub const DEFAULT_STYLE: &str = "ieee";

/// The works that a garden can cite.
#[derive(Debug, Clone, Default)]
pub struct Bibliography {
    entries: BTreeMap<String, Entry>,
    /// Alternative keys of works.
    aliases: BTreeMap<String, String>,
}

/// A citation of one work in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Citation {
    /// The work's key.
    pub key: String,
    /// Words before the citation: `see`.
    pub prefix: Option<String>,
    /// A place in the work: `p. 3`, `ch. 2`, or any words.
    pub supplement: Option<String>,
    /// Whether the authors are part of the sentence, as in "Goh et al. \[1\] found".
    pub narrative: bool,
    /// Whether the authors are omitted because the sentence names them.
    pub authorless: bool,
}

/// A page's citations and references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// HTML of each group, such as `[<a class="cite" href="#ref-goh2021">1</a>]`.
    pub citations: Vec<String>,
    /// Plain text of each group, for places without a list of references: authors and years, no numbers.
    pub spoken: Vec<String>,
    /// The references in the style's order.
    pub references: Vec<Reference>,
}

/// An item of a list of references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The work's key; [`anchor`] makes the id in the page from it.
    pub key: String,
    /// HTML of the label that a style puts before the item, such as `[1]`.
    pub label: Option<String>,
    /// HTML of the item.
    pub html: String,
}

impl Bibliography {
    /// Reads BibTeX or BibLaTeX. Never fails: what cannot be read is left out and reported.
    pub fn parse(text: &str) -> (Self, Vec<Fault>) {
        let read = read::read(text);
        (Self { entries: read.entries, aliases: read.aliases }, read.faults)
    }

    /// The keys of its works, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether it has a work with this key.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key).or_else(|| self.entries.get(self.aliases.get(key)?))
    }

    /// Formats the citations of one page; groups are in the order of its text, and unknown keys are skipped. `math`
    /// returns the HTML of a formula.
    pub fn cited<G: AsRef<[Citation]>>(
        &self,
        style: &CitationStyle,
        groups: &[G],
        math: MathFn<'_>,
    ) -> Cited {
        let groups: Vec<Vec<Item<'_>>> =
            groups.iter().map(|group| self.items(style, group.as_ref())).collect();
        let rendered = rendered(style, &groups);
        let spoken = spoken(style, &groups, &rendered);
        let mut shown = rendered.citations.iter();
        let citations = groups.iter().map(|group| {
            let works: Vec<Linked<'_>> = group.iter().map(Item::linked).collect();
            let citation = if group.is_empty() { None } else { shown.next() };
            citation.map(|shown| html::citation(&shown.citation, &works, math)).unwrap_or_default()
        });
        let citations = citations.collect();
        let reference = |item: BibliographyItem| Reference {
            label: item.first_field.as_ref().map(|field| html::label(field, math)),
            html: html::reference(&item.content, math),
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
        Cited { citations, spoken, references }
    }

    fn items<'i>(&'i self, style: &CitationStyle, group: &'i [Citation]) -> Vec<Item<'i>> {
        let item = |citation: &'i Citation| {
            let entry = self.entry(&citation.key)?;
            let supplement = citation.supplement.as_deref().filter(|text| !text.trim().is_empty());
            // A number never names an author, and beside a year alone the processor shows no place.
            let year_only = citation.authorless && !citation.narrative && style.names_authors();
            Some(Item {
                entry,
                prefix: citation.prefix.as_deref(),
                suffix: supplement.filter(|_| year_only).map(locator::written),
                place: supplement.filter(|_| !year_only).and_then(locator::place),
                purpose: match (citation.narrative, year_only) {
                    (true, _) => Some(CitePurpose::Prose),
                    (false, true) => Some(CitePurpose::Year),
                    (false, false) => None,
                },
            })
        };
        group.iter().filter_map(item).collect()
    }
}

/// A citation of a known work.
struct Item<'b> {
    entry: &'b Entry,
    prefix: Option<&'b str>,
    suffix: Option<String>,
    place: Option<(Locator, String)>,
    purpose: Option<CitePurpose>,
}

impl<'b> Item<'b> {
    /// The citation with the authors alone.
    fn author(&self) -> Item<'b> {
        let purpose = Some(CitePurpose::Author);
        Item { entry: self.entry, prefix: None, suffix: None, place: None, purpose }
    }

    fn linked(&self) -> Linked<'_> {
        Linked {
            key: self.entry.key(),
            prefix: self.prefix,
            suffix: self.suffix.as_deref(),
            is_year: self.purpose == Some(CitePurpose::Year),
        }
    }
}

/// The style's output for the groups that are not empty.
fn rendered(style: &CitationStyle, groups: &[Vec<Item<'_>>]) -> Rendered {
    let (csl, locales) = (style.style(), style.locales());
    let mut driver = BibliographyDriver::new();
    for (index, group) in groups.iter().filter(|group| !group.is_empty()).enumerate() {
        let items = group.iter().map(|item| {
            let place = item.place.as_ref();
            let place = place.map(|(kind, at)| SpecificLocator(*kind, LocatorPayload::Str(at)));
            CitationItem::new(item.entry, place, None, false, item.purpose)
        });
        driver.citation(CitationRequest::new(items.collect(), csl, None, locales, Some(index + 1)));
    }
    driver.finish(BibliographyRequest::new(csl, None, locales))
}

/// The plain text of each group.
fn spoken(style: &CitationStyle, groups: &[Vec<Item<'_>>], rendered: &Rendered) -> Vec<String> {
    if style.names_authors() {
        let mut shown = rendered.citations.iter();
        let words = groups.iter().map(|group| {
            let works: Vec<Linked<'_>> = group.iter().map(Item::linked).collect();
            let citation = if group.is_empty() { None } else { shown.next() };
            citation.map(|shown| html::plain(&shown.citation, &works)).unwrap_or_default()
        });
        return words.collect();
    }
    // A number, or a note at the page's foot, says nothing elsewhere; names that are part of the sentence do.
    let named = groups.iter().map(|group| {
        let first = group.iter().find(|item| item.purpose == Some(CitePurpose::Prose));
        first.map(Item::author).into_iter().collect()
    });
    let named: Vec<Vec<Item<'_>>> = named.collect();
    if named.iter().all(Vec::is_empty) {
        return vec![String::new(); groups.len()];
    }
    let names = self::rendered(style, &named);
    let mut names = names.citations.iter();
    let words = named.iter().map(|group| {
        let citation = if group.is_empty() { None } else { names.next() };
        citation.map(|shown| html::plain(&shown.citation, &[])).unwrap_or_default()
    });
    words.collect()
}

#[cfg(test)]
mod tests;
