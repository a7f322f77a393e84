//! One note: Markdown, front matter, values in prose.

use neuronotes::note::{
    Format, Heading, HeadingShown, Note, Parts, ResolvedLink, ShownValue, body, fill,
    fill_citations,
};

use super::text;
use crate::check;

pub const WORDS: &[&str] = &[
    "# ",
    "## ",
    "> ",
    "> [!note]- ",
    "- ",
    "- [ ] ",
    "1. ",
    "```\n",
    "~~~",
    "```yaml analysis\n",
    "    ",
    "\n\n",
    "\r\n",
    "\t",
    "[[",
    "]]",
    "![[",
    "|",
    "](",
    "![",
    "[^1]",
    "[^1]: ",
    "^[",
    "]",
    "^name",
    "%%",
    "==",
    "~~",
    "**",
    "*",
    "_",
    "`",
    "`= vis.unit`",
    "$",
    "$$",
    "\\",
    "\\begin{align}",
    "\\end{align}",
    "\\label{eq:a}",
    "\\frac{",
    "\\def\\a{",
    "[@",
    "@goh",
    "#tag",
    "<a name=\"x\">",
    "<div id='x'>",
    "</div>",
    "<a href=\"b.html\">",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<style>",
    "<textarea>",
    "<svg>",
    "<![CDATA[",
    "<?",
    "&amp;",
    "&#1;",
    "&#xfffe;",
    "| a |\n|---|\n",
    "---\n",
    "***",
    "===\n",
    ": ",
    "\u{0}",
    "\u{1}",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{fdd0}0\u{fdd1}",
    "\u{fdd2}0\u{fdd3}",
    "\u{fffe}",
    "\u{feff}",
    "é",
    "末",
    "🐖",
    "e\u{301}",
    "İ",
    "ß",
    "http://a.org",
    "id: vis\n",
    "kind: feature_vis\n",
    "caption: ",
    "title: ",
    "javascript:",
];

pub const FRONT_WORDS: &[&str] = &[
    "---\n",
    "...\n",
    "title: ",
    "tags: [",
    "aliases: ",
    "date: ",
    "2024-02-30",
    "updated: ",
    "units: [{layer: ",
    "unit: ",
    "name: ",
    "}]",
    "anchors: {",
    "unlisted: true\n",
    "draft: yes\n",
    "description: ",
    "permalink: /",
    "language: ",
    "redirect_from: ",
    "citation",
    "007",
    "1.10",
    "off",
    "~",
    "null",
    "0x10",
    "1e3",
    ".5",
    "1_000",
    "!!str ",
    "&a ",
    "*a",
    "<<: *a",
    "|\n  ",
    ">-\n  ",
    "\"",
    "'",
    "\\u0000",
    "\\x1b",
    "# ",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "末",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "- ",
    "? ",
    "%YAML 1.1\n",
];

pub const VALUE_WORDS: &[&str] = &[
    "`= ",
    "`",
    "vis",
    ".unit",
    ".activation",
    "[0]",
    "[-1]",
    "[unit=4, recipe=draft]",
    "[text=\"a, b] c\"]",
    " | ",
    ".1f",
    "+,.2f",
    ".0%",
    "d",
    ".17e",
    "Note#",
    "#",
    "\\|",
    "−",
    "9999999999999999999999",
    "\u{fdd0}0\u{fdd1}",
    "\u{fdd2}1\u{fdd3}",
    "\u{fdd0}",
    "\u{fdd1}",
    "\n",
    "| a |\n|---|\n| ",
    "末",
    "e\u{301}",
    "nan",
    "inf",
    "1e308",
    "-0",
];

fn parsed(source: &str) -> Note {
    let note = Note::parse("people/lady-gaga.md", "notes/people/lady-gaga.md", source);
    assert_eq!(&*note.source, source);
    check::problems(&note.source, note.all_problems());
    for span in note
        .headings
        .iter()
        .map(|heading| &heading.span)
        .chain(note.links.iter().map(|link| &link.span))
        .chain(note.blocks.iter().map(|block| &block.span))
        .chain(note.anchors.iter().map(|anchor| &anchor.span))
        .chain(note.values.iter().map(|value| &value.span))
        .chain(note.blocks.iter().flat_map(|block| &block.claims).map(|claim| &claim.span))
    {
        check::place(&note.source, span, &"a part of the note");
    }
    for value in &note.values {
        let places = match &value.asked {
            Ok(_) => value.references().map(|reference| reference.span()).collect(),
            Err(fault) => vec![fault.span.clone()],
        };
        for place in places {
            check::place(&value.text, &place, value);
            check::place(&note.source, &value.place(&place), value);
        }
    }
    assert!(!note.title.contains('\n'), "a title of several lines: {:?}", note.title);
    note
}

/// A note as a page shows it, with its blocks as figures.
fn page(note: &Note, prefix: &str) -> String {
    let figures: Vec<String> = note
        .blocks
        .iter()
        .map(|block| format!("<figure id=\"{prefix}{}\"></figure>", block.id))
        .collect();
    let link = |at: usize| ResolvedLink::Internal {
        href: "b.html".into(),
        id: Some(format!("link-{}", at + 1)),
        label: None,
        fails: false,
    };
    let links: Vec<_> = (0..note.links.len()).map(link).collect();
    let values: Vec<_> = (0..note.values.len())
        .map(|_| ShownValue {
            text: "1".into(),
            html: "<data>1</data>".into(),
            href: None,
            fails: false,
        })
        .collect();
    let heading = |heading: &Heading| HeadingShown { id: heading.id.clone(), ..Default::default() };
    let headings: Vec<_> = note.headings.iter().map(heading).collect();
    let citations =
        vec!["[<a class=\"cite\" href=\"#ref-a\">1</a>]".to_owned(); note.citations.len()];
    let parts = Parts {
        headings: &headings,
        links: &links,
        figures: &figures,
        values: &values,
        formulas: &note.formulas,
        citations: &citations,
        html_ids: Some(&note.html_ids),
        skip_title: note.title_in_body,
        prefix,
        ..Parts::default()
    };
    let body = body(note.markdown(), parts);
    body.title.unwrap_or_default() + &body.html
}

/// Ids that every page has.
const OF_PAGES: &[&str] =
    &["main", "backlinks-heading", "references-heading", "graph-heading", "citation-heading"];

pub fn note(input: &[u8]) {
    let note = parsed(&text(input));
    let parts = [page(&note, ""), page(&note, "e1-")];
    check::page(&note.source, &[&parts[0], &parts[1]], OF_PAGES);
    for heading in &note.headings {
        let part = note.part(Some(&heading.id)).and_then(|part| note.markdown().get(part));
        assert!(part.is_some(), "{heading:?} has no section");
        assert!(note.anchor(&heading.id).is_some(), "{heading:?} is not found by its id");
    }
    for block in &note.blocks {
        assert!(!block.id.is_empty(), "a block without an id");
    }
}

pub fn front(input: &[u8]) {
    let source = format!("---\n{}\n---\nText.\n", text(input));
    let note = parsed(&source);
    let front = &note.front;
    assert!(front.title.as_ref().is_none_or(|title| !title.trim().is_empty()), "{front:?}");
    let again = Note::parse(&note.path, &note.file, &source);
    assert_eq!(again.title, note.title);
}

pub fn values(input: &[u8]) {
    let text = text(input);
    let note = parsed(&format!("Its value is `= {text}` here, and {text}.\n"));
    let shown = |at: usize| ["12.3", "a"].get(at).copied();
    for plain in note.texts.iter().chain([&note.excerpt]) {
        let filled = fill_citations(&fill(plain, shown), |_| None);
        assert!(
            !filled.contains(['\u{FDD0}', '\u{FDD1}', '\u{FDD2}', '\u{FDD3}']),
            "a mark is left in {filled:?}"
        );
    }
    let filled = fill(&text, shown);
    assert!(!filled.contains(['\u{FDD0}', '\u{FDD1}']), "a mark is left in {filled:?}");
    let (format, number) = text.split_once(' ').unwrap_or((&text, "1"));
    if let Some(format) = Format::read(format) {
        let number: f64 = number.trim().parse().unwrap_or(0.5);
        let shown = format.number(number);
        assert!(!shown.is_empty() && shown.len() < 1000 && !shown.contains('-'), "{shown:?}");
        assert!(!format.whole(number as i128).is_empty());
    }
}
