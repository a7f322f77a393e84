//! What is indexed: pages and their entries.

/// A page's contribution to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Address relative to the site's root: `people/lady-gaga.html`.
    pub path: String,
    /// Title shown in results. It is searched only if it is also a field of an entry.
    pub title: String,
    /// Entries in the order of the text.
    pub entries: Vec<Entry>,
}

/// A part of a page that can be found separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its anchor in the page; empty for the beginning of the page.
    pub anchor: String,
    /// Heading shown in results.
    pub heading: Option<String>,
    /// Plain text, searched and shown as an excerpt.
    pub text: String,
    /// Fields, which are searched with a higher weight.
    pub fields: Vec<(Field, String)>,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The page's title or an alias.
    Title,
    /// A heading.
    Heading,
    /// A tag or the name of a unit.
    Tag,
    /// The caption of a figure.
    Caption,
    /// A unique identifier: the number of a unit, or the first digits of a figure's key.
    Name,
}
