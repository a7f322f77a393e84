//! How to cite a page of the site, as Distill's articles show it.

use crate::author::Author;

/// The page's own details.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelfMeta {
    /// Key of the entry: `goh2021multimodal`.
    pub key: String,
    /// Plain text.
    pub title: String,
    /// Its authors, in order.
    pub authors: Vec<Author>,
    /// `2021-03-04`, or the year alone.
    pub date: Option<String>,
    /// Address of the page, if known.
    pub url: Option<String>,
    /// The site's title.
    pub site: String,
}

/// An attribution sentence and a BibTeX entry, both plain text.
pub fn self_citation(meta: &SelfMeta) -> (String, String) {
    let year = meta.date.as_deref().and_then(|date| date.get(..4));
    (plain(meta, year), bibtex(meta, year))
}

/// `Goh, et al., "Title", Site, 2021.`
fn plain(meta: &SelfMeta, year: Option<&str>) -> String {
    let names: Vec<&str> = meta.authors.iter().map(|author| author.parts().1).collect();
    let authors = match names[..] {
        [] => None,
        [one] => Some(one.to_owned()),
        [one, two] => Some(format!("{one} & {two}")),
        [first, ..] => Some(format!("{first}, et al.")),
    };
    let title = Some(format!("\"{}\"", meta.title));
    let parts = [authors, title, Some(meta.site.clone()), year.map(str::to_owned)];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    format!("{}.", parts.join(", "))
}

fn bibtex(meta: &SelfMeta, year: Option<&str>) -> String {
    let authors: Vec<String> = meta.authors.iter().map(sorted).collect();
    let month = meta.date.as_deref().and_then(|date| date.get(5..7));
    let month = month.map(|month| month.trim_start_matches('0').to_owned());
    let fields = [
        ("author", Some(authors.join(" and "))),
        ("title", Some(format!("{{{}}}", tex(&meta.title)))),
        ("journal", Some(tex(&meta.site))),
        ("year", year.map(str::to_owned)),
        ("month", month),
        ("url", meta.url.clone().map(|url| url.replace(['{', '}'], ""))),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!("  {name} = {{{value}}}"))
    });
    let fields: Vec<String> = fields.collect();
    let key: String =
        meta.key.chars().filter(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
    format!("@article{{{key},\n{}\n}}\n", fields.join(",\n"))
}

/// `Goh, Gabriel`.
fn sorted(author: &Author) -> String {
    match author.parts() {
        // BibTeX would take the last word for a family name.
        (_, name) if author.is_organization => format!("{{{}}}", tex(name)),
        ("", name) => tex(name),
        (given, family) => tex(&format!("{family}, {given}")),
    }
}

/// Escapes plain text as TeX.
fn tex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' => out.extend(['\\', c]),
            '{' => out.push_str("\\{"),
            '}' => out.push_str("\\}"),
            '\\' => out.push_str("\\textbackslash "),
            '~' => out.push_str("\\textasciitilde "),
            '^' => out.push_str("\\textasciicircum "),
            c => out.push(c),
        }
    }
    out
}
