//! Random notes: any sequence of pieces of markup, closed or not, is read and rendered without a panic, and each id
//! occurs once.

#[path = "../../../fuzz/src/ids.rs"]
mod ids;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use ids::ids;

/// Pieces of everything that a note can contain, and of other text.
const PIECES: &[&str] = &[
    "# See <a href=\"b.html\">b",
    "# *Big* [[b]] idea[^1]",
    "## Footnote 1",
    "## Link 1",
    "## Cite 1",
    "## Main",
    "## same",
    "## same",
    "> ## In a quote",
    "###### Graph heading",
    "Setext\n===",
    "## <a id=\"same\"></a>x",
    "text",
    "a word ",
    "[[b]]",
    "[[b|",
    "[[#same]]",
    "![[b]]",
    "![[b.png|30]]",
    "[x](y \"t\")",
    "![alt [[b]]](c.png)",
    "[x]: y",
    "[x]",
    "<https://a.org>",
    "*",
    "**bold**",
    "_",
    "~~gone~~",
    "==mark==",
    "==",
    "%%",
    "%% hid %%",
    "\n%%\nhid\n\n- item\n%%\n",
    "#tag",
    "#C++",
    "`",
    "``",
    "`= vis.unit`",
    "`= ANY`",
    "`= Note#x.y | .1f`",
    "```",
    "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: a\nunit: 1\ncaption: \"$x$ ^[n]\"\n```",
    "```yaml analysis\nid: main\n",
    "~~~",
    "    code",
    "<div id=\"box\">",
    "</div>",
    "<a name=x id=x>",
    "<p id='box'>",
    "<!-- c",
    "-->",
    "<b",
    "<script>",
    "<span id=footnote-1>",
    "[^1]",
    "[^1]: Foot ^[in] [[b]].",
    "[^2]: x[^1]",
    "Used^[an inline note].",
    "^[open",
    "a^[b ==c]==",
    "]",
    "[",
    "(",
    ")",
    " ^name",
    "\n\n^name\n\n",
    "- item",
    "- [ ] to do",
    "- [x] done",
    "- [/] half",
    "- [-] no",
    "1. one",
    "  - nested",
    "> quote",
    "> > deeper",
    "> [!info]+ Dosage  \n> body",
    "> [!note]- *T* ^[n]",
    "> [!x]",
    "Term\n: what",
    "| a | b |\n|---|---|\n| [[b\\|c]] | `= x.y` |",
    "|---|",
    "---",
    "***",
    "$x^2$",
    "$5-$10",
    "$",
    "$$",
    "$$\n\\begin{align} a &= b \\label{eq:a}\\\\ c \\end{align}\n$$",
    "$\\eqref{eq:a}$",
    "$\\nope$",
    "$\\frac{$",
    "$\\newcommand{\\R}{\\mathbb{R}}$",
    "$\\def\\a{\\a}\\a$",
    "[@goh2021, p. 3]",
    "@goh2021",
    "[@a; ",
    "\\",
    "\\%%",
    "\\^[",
    "&amp;",
    "&#1;",
    "&#xfffe;",
    "\u{fffe}",
    "\u{1}",
    "\u{0}",
    "\u{fdd0}0\u{fdd1}",
    "é",
    "末",
    "🐖",
    "e\u{301}",
    "\u{202e}",
    "\r\n",
    "\t",
];

fn source() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    let between = prop::sample::select(&["", " ", "\n", "\n\n", "\n> ", "\n  "][..]);
    let front = prop::sample::select(
        &[
            "",
            "---\ntitle: T\n---\n",
            "---\ntitle: 007\nanchors: {box: same, old: x}\n---\n",
            "---\n",
        ][..],
    );
    (front, prop::collection::vec((piece, between), 0..24)).prop_map(|(front, parts)| {
        parts.into_iter().fold(front.to_owned(), |out, (a, b)| out + a + b)
    })
}

/// A note as a page shows it, its blocks as figures.
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
    let headings = shown(note);
    let parts = Parts {
        headings: &headings,
        links: &links,
        figures: &figures,
        values: &values,
        formulas: &note.formulas,
        html_ids: Some(&note.html_ids),
        skip_title: note.title_in_body,
        prefix,
        ..Parts::default()
    };
    let body = body(note.markdown(), parts);
    body.title.unwrap_or_default() + &body.html
}

/// The same texts each time, so that only a change makes this fail; `PROPTEST_CASES=100000` tries that many others.
fn config() -> ProptestConfig {
    let others = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => others,
        None => ProptestConfig { cases: 1500, rng_seed: RngSeed::Fixed(15), ..others },
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn any_text_is_a_note_and_every_id_is_there_once(source in source()) {
        let note = note(&source);
        let parts = [page(&note, ""), page(&note, "e1-")];
        let mut known = BTreeSet::new();
        let mut all: Vec<String> = parts.iter().flat_map(|part| ids(part)).collect();
        all.extend(slug::OF_PAGES.map(str::to_owned));
        for id in all {
            prop_assert!(known.insert(id.clone()), "{id} twice in {source:?}\n{parts:?}");
        }
        for problem in note.all_problems() {
            prop_assert!(note.source.get(problem.span.clone()).is_some(), "{problem:?} of {source:?}");
        }
        for heading in &note.headings {
            prop_assert!(note.part(Some(&heading.id)).is_some_and(|part| note.markdown().get(part).is_some()));
        }
    }
}

/// A note is read after every key press, wherever that leaves its markup open.
#[test]
fn every_beginning_and_every_end_of_a_rich_note_is_a_note() {
    for joint in ["\n", " "] {
        let rich = format!("---\ntitle: T\ntags: [a, b]\n---\n{}\n", PIECES.join(joint));
        for (at, _) in rich.char_indices() {
            for text in [&rich[..at], &rich[at..]] {
                let note = note(text);
                page(&note, "");
                for problem in note.all_problems() {
                    assert!(
                        note.source.get(problem.span.clone()).is_some(),
                        "{problem:?} of {text:?}"
                    );
                }
            }
        }
    }
}

/// Texts that once ended the program.
#[test]
fn a_heading_whose_html_is_left_open_is_one() {
    for text in
        ["# See <a href=\"b.html\">b", "## <a href='b'>b [[c]]", "# <a name=x>", "# a</a>", "# <b"]
    {
        for end in ["", "\n", "\n\ntext\n", "\n# next <a href=\"c\">\n"] {
            let note = note(&format!("{text}{end}"));
            assert_eq!(
                ids(&page(&note, "")).len(),
                ids(&page(&note, "")).iter().collect::<BTreeSet<_>>().len()
            );
            assert!(!note.headings.is_empty(), "{text:?}");
        }
    }
}
