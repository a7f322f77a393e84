//! A BibTeX bibliography: citations and references.

use std::sync::OnceLock;

use neuronotes::bibliography::{Bibliography, Citation, CitationStyle, anchor, style};
use neuronotes::tex;

use super::text;
use crate::check;

pub const WORDS: &[&str] = &[
    "@article{",
    "@book{",
    "@inproceedings{",
    "@string{",
    "@comment{",
    "@preamble{",
    "@misc(",
    "@xdata{",
    "author = {",
    "title = {",
    "year = ",
    "date = {",
    "journal = ",
    "crossref = {",
    "xdata = {",
    "ids = {",
    "pages = {",
    "month = jan",
    "doi = {",
    "url = {",
    "eprint = {",
    "archiveprefix = {arXiv}",
    "editor = {",
    "volume = {",
    "langid = {",
    "edition = {",
    "}",
    "{",
    "},\n",
    "\"",
    " # ",
    ",",
    "=",
    "%",
    "\\\"{o}",
    "\\ss",
    "\\textbf{",
    "\\'",
    "\\url{",
    "\\verb|",
    "\\char\"",
    "$",
    "\\frac{",
    "\\$",
    "~",
    "--",
    "``",
    "''",
    " and ",
    " and others",
    "{\\relax ",
    "given=A, family=B",
    "2020-01-31",
    "2020/2021",
    "/..",
    "1999~",
    "-0001",
    "99999999999",
    "13",
    "\u{0}",
    "\u{1}",
    "\u{202e}",
    "末",
    "é",
    "e\u{301}",
    "İ",
    "a",
    "b",
    "\n",
    ")",
];

fn styles() -> &'static [CitationStyle] {
    static STYLES: OnceLock<Vec<CitationStyle>> = OnceLock::new();
    STYLES.get_or_init(|| ["ieee", "apa"].iter().filter_map(|name| style(name)).collect())
}

pub fn bibtex(input: &[u8]) {
    let text = text(input);
    let (works, faults) = Bibliography::parse(&text);
    for fault in &faults {
        check::place(&text, &fault.span, fault);
        assert!(!fault.problem.message.is_empty());
    }
    let keys: Vec<&str> = works.keys().take(6).collect();
    let cite = |key: &&str| Citation { key: (*key).to_owned(), ..Citation::default() };
    let groups: Vec<Vec<Citation>> = keys
        .iter()
        .flat_map(|key| {
            let placed = Citation { supplement: Some("p. 3".to_owned()), ..cite(key) };
            [vec![cite(key)], vec![Citation { narrative: true, ..placed }]]
        })
        .collect();
    for style in styles() {
        let cited = works.cited(style, &groups, &tex::plain);
        assert_eq!((cited.citations.len(), cited.spoken.len()), (groups.len(), groups.len()));
        assert_eq!(cited.references.len(), keys.len(), "{keys:?}");
        for shown in
            cited.citations.iter().chain(cited.references.iter().map(|reference| &reference.html))
        {
            balanced(shown);
        }
        for reference in &cited.references {
            assert!(!anchor(&reference.key).contains(char::is_whitespace), "{reference:?}");
        }
    }
}

/// Checks that a text of HTML closes what it opens, properly nested.
fn balanced(html: &str) {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{html}"),
            None if matches!(&*name, "br" | "wbr" | "img" | "hr") => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?} is open in {html}");
}
