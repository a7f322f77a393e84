//! Citation styles by name.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use hayagriva::archive::{ArchivedStyle, locales};
use hayagriva::citationberg::{
    CitationFormat, IndependentStyle, Locale, LocaleCode, Style, StyleCategory,
};

/// A parsed style. Parsing takes as long as many citations, so it is done once.
#[derive(Debug, Clone, PartialEq)]
pub struct CitationStyle(IndependentStyle);

impl CitationStyle {
    pub(super) fn style(&self) -> &IndependentStyle {
        &self.0
    }

    /// Whether its marks name authors, rather than being numbers or notes.
    pub(super) fn names_authors(&self) -> bool {
        self.0.info.category.iter().any(|category| {
            matches!(
                category,
                StyleCategory::CitationFormat {
                    format: CitationFormat::AuthorDate | CitationFormat::Author
                }
            )
        })
    }

    /// The terms of the pages' language.
    pub(super) fn locales(&self) -> &'static [Locale] {
        static LOCALES: OnceLock<Vec<Locale>> = OnceLock::new();
        LOCALES.get_or_init(|| {
            let english = |locale: &Locale| locale.lang == Some(LocaleCode::en_us());
            locales().into_iter().filter(english).collect()
        })
    }
}

/// The style of that name; `None` if it is not in [`styles`].
pub fn style(name: &str) -> Option<CitationStyle> {
    match ArchivedStyle::by_name(name)?.get() {
        Style::Independent(style) => Some(CitationStyle(style)),
        Style::Dependent(_) => None,
    }
}

/// The names of all styles, sorted.
pub fn styles() -> Vec<&'static str> {
    let names = ArchivedStyle::all().iter().flat_map(|style| style.names());
    names.copied().collect::<BTreeSet<_>>().into_iter().collect()
}
