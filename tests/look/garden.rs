//! The gardens that are looked at, and their pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks;
use crate::common::preview::Preview;
use crate::common::{Garden, results};

/// A note with all that prose can have.
const PROSE: &str = "---\ntitle: Everything that prose can have\ntags: [prose, a longer tag]\ndate: 2026-01-02\n\
    units:\n  - { layer: image_block_4/0/Add_6, unit: 3, name: coins }\n---\n\
    A paragraph with *emphasis*, **strength**, `code`, ~~what was struck~~, a footnote[^one], a link to [[Figures]], to \
    [[Figures#Two of them]], to [[figures#vis]], to [[figures#^bounds|what fails]], to [another site](https://example.org/somewhere), and \
    averylongwordthatnobodywouldeverwritebutthatmachinesdowritewhentheynamelayersandtensorsandfiles.\n\n\
    [^one]: The footnote, which links to [[Text]].\n\n\
    ## A list\n\n1. One\n2. Two\n   - deeper\n   - [x] done\n   - [ ] to do\n\n\
    ## Code\n\n```rust\nfn main() { println!(\"a line of code that is a good deal longer than any column of text is on a telephone, or even on a desk\"); }\n```\n\n\
    ## A table\n\n| layer | unit | what it answers to | activation | a column | another column | and one more |\n|---|--:|---|--:|---|---|---|\n\
    | image_block_4/0/Add_6 | 3 | coins | 5.25 | visual.layer4.0.add | something | something else |\n\n\
    ### Deeper\n\n> A quotation.\n>\n> It has two paragraphs.\n\n#### Deeper still\n\nText.\n\n---\n\n\
    ## A picture\n\n![A wide picture](wide.png)\n\n![A small one](small.png)\n";

/// A note with a figure of each kind that can be stored without measuring.
const FIGURES: &str = "---\ntitle: Figures\ntags: [figures]\n---\nSee [[Everything that prose can have]], and `= vis.activation | .1f`. It is *beyond* all bounds. ^bounds\n\n\
    - In a list, `= vis.activation | .1f ? > 1000000` is too small.\n\n\
    ```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\ntitle: A title\n\
    caption: As [[Text]] says.\nexpect:\n  - { that: activation > 1000000, claim: ^bounds, because: there is no such activation }\n  \
    - \"activation > 0\"\n  - { that: start < 100000, because: it is noise }\n```\n\n## Two of them\n\n```yaml analysis\nid: histogram\nkind: activation_histogram\n\
    layer: image_block_4/0/Add_6\nunit: 3\n```\n\n```yaml analysis\nid: examples\nkind: dataset_examples\n\
    layer: image_block_4/0/Add_6\nunit: 3\ntop: 1\n```\n\n## More\n\n```yaml analysis\nid: grid\nkind: feature_vis\n\
    layer: image_block_4/0/Add_6\nsweep: { unit: [1, 2, 3, 4, 5, 6] }\nwidth: page\n```\n\n\
    ```yaml analysis\nid: words\nkind: text_rank\ndirection: { text: a coin }\ntexts: [red, green]\n```\n\n\
    ```yaml analysis\nid: groups\nkind: probe\nlayer: image_block_4/0/Add_6\n```\n\n\
    ```yaml analysis\nid: made-of\nkind: composition\nprobe: groups\n```\n";

/// A note of what does not break by itself.
pub const LONG: &str = "---\ntitle: Atitlewithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\
    tags: [atagwithoutanyspacethatisagooddeallongerthanatelephoneiswide]\nauthors: [Ada Lovelace]\n---\n\
    A [link](https://example.org/an/address/without/any/space/that/is/a/good/deal/longer/than/a/telephone/is/wide), \
    `code_without_any_space_that_is_a_good_deal_longer_than_a_telephone_is_wide`, \
    <kbd>Control+Shift+Alternative+Meta+AKeyWithALongName</kbd> and $a_1+a_2+a_3+a_4+a_5+a_6+a_7+a_8+a_9+b_1+b_2+b_3+b_4+b_5$.\n\n\
    - item\n  - deeper\n    1. anitemwithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\n\
    > [!warning] Atitleofacalloutwithoutanyspacethatisagooddeallongerthanatelephone\n> | one | two | three | four |\n> |---|---|---|---|\n\
    > | aaaaaaaaaaaaaa | bbbbbbbbbbbbbb | cccccccccccccc | dddddddddddddd |\n\n\
    <table><tr><td>raw</td><td>awordwithoutanyspacethatisagooddeal</td><td>longerthanatelephoneiswide</td></tr></table>\n\n\
    <video width=\"900\" controls></video>\n\n<iframe width=\"900\" title=\"A frame\"></iframe>\n\n\
    ## Aheadingwithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\n$$a_1+a_2+a_3+a_4+a_5+a_6+a_7+a_8+a_9+b_1+b_2+b_3+b_4+b_5+b_6+b_7$$\n";

/// A note of text alone, of about a thousand words.
fn text() -> String {
    let words =
        "Words follow words, as they do in a note that somebody wrote, and nothing else is there. ";
    let section = |n: usize| {
        format!("## Section {n}\n\n{}See [[Figures]].\n\n{}\n\n", words.repeat(5), words.repeat(5))
    };
    format!("---\ntitle: Text\n---\n{}", (1..7).map(section).collect::<String>())
}

pub fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("index.md", "# A test garden\n\nIt begins with [[Text]].\n");
    garden.note("prose.md", PROSE);
    garden.note("deep/figures.md", FIGURES);
    garden.note("text.md", &text());
    garden.note("deep/alone.md", "Nobody mentions this.\n");
    for (name, width, height) in [("wide", 1600, 400), ("small", 40, 30)] {
        let path = garden.path(&format!("notes/{name}.png"));
        image::RgbImage::from_pixel(width, height, image::Rgb([90, 60, 200]))
            .save(path)
            .expect("saved");
    }
    assert!(results::fill(&garden) > 0);
    garden.built();
    garden
}

/// The address of a garden's output.
pub fn published(garden: &Garden) -> String {
    format!("file://{}/", garden.path("output").display())
}

/// Looks at a garden as it is published, and as the preview shows it.
pub fn everywhere(garden: &Garden, look: impl Fn(&str)) {
    look(&published(garden));
    let preview = Preview::of(garden);
    look(&preview.url);
}

/// The pages of the preview that are looked at: all kinds of contents, and pages that nobody wrote.
const PREVIEWED: [&str; 6] =
    ["deep/figures.html", "graph.html", "index.html", "notes.html", "prose.html", "text.html"];

/// Pages by their names, with their addresses.
pub type Pages = BTreeMap<String, String>;

/// The addresses of all pages, by their paths in the output, below the folder of the site. Of a preview's, those that
/// differ in what is on them: what it adds to a page it adds to each, and the rest is that of the published site.
pub fn pages(garden: &Garden, base: &str) -> Pages {
    let names = garden.output().into_keys().filter(|name| name.ends_with(".html"));
    let address = |name: String| (name.clone(), format!("{base}{name}"));
    // Shown at whatever address is asked for, it has the paths of a host, and none of a disk.
    let names = names.filter(|name| name != "404.html");
    // Pages of tags and of units are alike: the first of each stands for all.
    let mut alike = BTreeSet::new();
    let names = names.filter(|name| match name.split_once('/') {
        Some((folder @ ("tags" | "units"), _)) => alike.insert(folder.to_owned()),
        _ => true,
    });
    let mut pages: Pages = names.map(address).collect();
    if base.starts_with("http") {
        pages.retain(|page, _| PREVIEWED.contains(&page.as_str()));
        assert_eq!(pages.len(), PREVIEWED.len(), "{pages:?}");
    }
    for page in ["index.html", "text.html", "prose.html", "deep/figures.html"] {
        assert!(pages.contains_key(page), "{pages:?}");
    }
    pages
}

/// A garden for the list of checks, built.
pub fn checked() -> Garden {
    let garden = Garden::new();
    for (name, text) in checks::NOTES {
        garden.note(name, text);
    }
    garden.note("text.md", &checks::text(""));
    results::fill(&garden);
    garden.built();
    garden
}

/// The tests above look at nothing if pages come up empty.
#[test]
fn the_garden_of_these_tests_has_what_they_look_at() {
    let garden = garden();
    let prose = garden.page("prose.html");
    for part in [
        "<table",
        "<pre",
        "footnote",
        "class=\"external\"",
        "type=\"checkbox\"",
        "<blockquote",
        "<img",
    ] {
        assert!(prose.contains(part), "{part}");
    }
    let figures = garden.page("deep/figures.html");
    assert_eq!(figures.matches("<figure ").count(), 7);
    assert!(!figures.contains("problem-error"), "{figures}");
}
