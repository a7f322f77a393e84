//! Whole notes, and what is found in them.

use super::*;

fn note(source: &str) -> Note {
    Note::parse("people/lady-gaga.md", "notes/people/lady-gaga.md", source)
}

fn shown(note: &Note) -> Vec<HeadingShown> {
    let heading = |heading: &Heading| HeadingShown { id: heading.id.clone(), ..Default::default() };
    note.headings.iter().map(heading).collect()
}

fn places(note: &Note) -> Vec<String> {
    note.all_problems().map(ToString::to_string).collect()
}

#[test]
fn a_whole_note() {
    let note = note(
        "---\ntitle: Piggy bank\ntags: [finance, composition]\ndate: 2026-03-01\naliases: Spardose\n\
         units: [{layer: image_block_4/5/Add_6, unit: 1330, name: finance}]\n---\n\
         Unit 1330 fires for coins. Compare [[Absent concepts#San Francisco]], please. Next.\n\n\
         ## What it *sees*\n\n```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/5/Add_6\n\
         unit: 1330\ncaption: What it looks for.\n```\n\n- a list with ![an image](coin.png \"Coin\")\n",
    );
    assert_eq!(places(&note), Vec::<String>::new());
    assert_eq!(note.title, "Piggy bank");
    assert_eq!(note.front.tags, ["finance", "composition"]);
    assert_eq!(note.front.units[0].name, "finance");
    assert_eq!(note.headings[0].id, "what-it-sees");
    let link = &note.links[0];
    assert_eq!(
        (link.target.as_str(), link.fragment.as_deref()),
        ("Absent concepts", Some("San Francisco"))
    );
    assert_eq!(&note.source[link.span.clone()], "[[Absent concepts#San Francisco]]");
    assert_eq!(link.mention.before, "Compare ");
    assert_eq!(link.mention.text, "Absent concepts › San Francisco");
    assert_eq!(link.mention.after, ", please.");
    assert_eq!(note.links[1].kind, LinkKind::Image);
    let block = &note.blocks[0];
    assert_eq!(block.id, "vis");
    let unit = block.fields.get("unit").expect("a unit");
    assert_eq!((&unit.value, &note.source[unit.span.clone()]), (&serde_json::json!(1330), "1330"));
    assert_eq!(block.presentation()["caption"], "What it looks for.");
    assert_eq!(note.anchor("vis").as_deref(), Some("vis"));
    assert_eq!(note.anchor("What it sees").as_deref(), Some("what-it-sees"));
}

#[test]
fn titles_come_from_the_front_matter_then_the_first_heading_then_the_file() {
    let heading = note("# A heading\n\nText.");
    assert_eq!((heading.title.as_str(), heading.title_in_body), ("A heading", true));
    let both = note("---\ntitle: Front\n---\n# A heading\n");
    assert_eq!((both.title.as_str(), both.title_in_body), ("Front", false));
    assert_eq!(note("Only text.").title, "lady gaga");
    // A title is one line, however it is written.
    assert_eq!(note("---\ntitle: |\n  Two\n  lines\n---\n").title, "Two lines");
    assert_eq!(note("---\ntitle: ''\n---\n").title, "lady gaga");
    let formula = note("Of $$a\nb$$ here\n===\n");
    assert!(!formula.title.contains('\n') && formula.title_in_body, "{:?}", formula.title);
    assert!(!note("Text first.\n\n# A heading\n").title_in_body);
}

#[test]
fn every_mistake_in_a_block_has_its_place_and_a_hint() {
    let block = |yaml: &str| places(&note(&format!("Text.\n\n```yaml analysis\n{yaml}\n```\n")));
    let all: Vec<String> = [
        "kind: feature_viz\nlayer: a\nunit: 1",
        "layer: a\nunit: 1",
        "kind: feature_vis\nlayer: a\nunit: 1\ncaptoin: x",
        "kind: feature_vis\nlayer: a",
        "kind: feature_vis\nlayer: a\nunit: -4 # negative",
        "kind: feature_vis\nlayer: a\nunit: 1\nsize: 5000",
        "kind: feature_vis\nlayer: a\nunit: 1\nobjective: chanel",
        "kind: feature_vis\nlayer: a\nunit: 1\nid: a b",
        "kind: feature_vis\n  layer: a",
        "kind: feature_vis\nlayer: a\nunit: 1\ncaption: as `a: b` \"says\"",
        "- kind",
        "kind: dataset_examples\nlayer: a\nunit: 1\ntop: many\norder: up",
        "kind: feature_vis\nlayer: a\nunit: 1\ndataset: emoji",
    ]
    .iter()
    .flat_map(|yaml| block(yaml))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn every_mistake_in_front_matter_has_its_place_and_a_hint() {
    let all: Vec<String> = [
        "---\ntitle: a: b\n---\n",
        "---\ntitel: A\n---\n",
        "---\ntitle: [[A]]\n---\n",
        "---\ndate: yesterday\n---\n",
        "---\ndraft: maybe\n---\n",
        "---\ntitle: A\n",
        "---\nunits: [{layer: x, unit: 1, nmae: y}]\n---\n",
        "---\n- a\n---\n",
    ]
    .iter()
    .flat_map(|source| places(&note(source)))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_faulty_block_keeps_its_line_in_a_list_and_with_windows_line_ends() {
    let listed =
        "1. text\n\n   ```yaml analysis\n   kind: feature_vis\n   layer: a\n   unit: x\n   ```\n";
    assert!(
        places(&note(listed))[0].starts_with("notes/people/lady-gaga.md:6:10"),
        "{:?}",
        places(&note(listed))
    );
    let windows =
        "a\r\n\r\n```yaml analysis\r\nkind: feature_vis\r\nlayer: a\r\nunit: x\r\n```\r\n";
    assert!(
        places(&note(windows))[0].starts_with("notes/people/lady-gaga.md:6:7"),
        "{:?}",
        places(&note(windows))
    );
}

#[test]
fn ids_are_given_once_and_never_collide() {
    let block =
        |id: &str| format!("```yaml analysis\nkind: feature_vis\nlayer: a\nunit: 1\n{id}```\n\n");
    let source = ["id: a\n", "", "id: a\n", "id: figure-2\n"].map(block).concat() + "# A\n";
    let note = note(&source);
    let ids: Vec<_> = note.blocks.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, ["a", "figure-2x", "figure-3", "figure-2"]);
    assert_eq!(note.headings[0].id, "a-1");
    assert_eq!(places(&note).len(), 1);
    assert!(
        places(&note)[0].contains("already used by the block on line 5"),
        "{:?}",
        places(&note)
    );
}

#[test]
fn a_block_of_an_unknown_kind_keeps_its_id() {
    let note = note("```yaml analysis\nkind: nothing\nid: vis\n```\n");
    assert_eq!(note.anchor("vis").as_deref(), Some("vis"));
}

#[test]
fn an_unclosed_block_is_an_error_at_its_fence() {
    let note = note("Text.\n\n```yaml analysis\nkind: feature_vis\nlayer: a\nunit: 1\n");
    assert_eq!(places(&note).len(), 1);
    assert!(
        places(&note)[0].contains(":3:1: the analysis block is never closed"),
        "{:?}",
        places(&note)
    );
}

#[test]
fn nothing_inside_code_or_yaml_is_a_link() {
    let note = note("`[[a]]`\n\n```\n[[b]]\n```\n\n    [[c]]\n\n<!-- [[d]] -->\n\n[[e]]\n");
    assert_eq!(note.links.len(), 1);
    assert_eq!(note.links[0].target, "e");
}

#[test]
fn a_wikilink_in_a_table_may_have_a_label() {
    let note = note("| a |\n|---|\n| see [[Coin#Slot\\|the slot]] |\n");
    let link = &note.links[0];
    assert_eq!((link.target.as_str(), link.fragment.as_deref()), ("Coin", Some("Slot")));
    assert_eq!(link.mention.text, "the slot");
}

#[test]
fn sentences_end_where_unicode_says_and_long_ones_are_cut() {
    let mention = |source: &str| note(source).links[0].mention.clone();
    let simple = mention("First one. See *the* [[Coin]] there! Last.");
    assert_eq!(
        (simple.before.as_str(), simple.text.as_str(), simple.after.as_str()),
        ("See the ", "Coin", " there!")
    );
    assert_eq!(mention("- [[Coin]]\n- other").before, "");
    assert_eq!(mention("| a [[Coin]] b | c |\n|---|---|\n").after, " b");
    let long = mention(&format!("{}[[Coin]]{}.", "word ".repeat(100), " more".repeat(100)));
    assert!(long.before.starts_with("… word") && long.before.len() < 200, "{}", long.before);
    assert!(long.after.ends_with('…') && long.after.len() < 200, "{}", long.after);
}

#[test]
fn html_has_links_figures_footnotes_and_tables_in_place() {
    let source = "# Title\n\nSee [[Coin|the coin]], [[Nowhere]], [x](https://x.org/?a=1&b=2), <a@b.org>, [[Coin#Parts]] \
                  and ![a *coin*](coin.png).[^2] Again.[^1] And.[^2]\n\n## What & *why*\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n\
                  ```yaml analysis\nkind: x\n```\n\n- [x] done\n- [ ] to do\n\n~~gone~~ `<b>`\n\n[^1]: One.\n[^2]: Two [[Coin]].\n\n\
                  ```rust\nfn main() {}\n```\n";
    let note = note(source);
    let internal = |href: &str| ResolvedLink::Internal {
        href: href.into(),
        id: Some("to-coin".into()),
        label: None,
        fails: false,
    };
    let links = [
        internal("coin.html"),
        ResolvedLink::Unresolved,
        ResolvedLink::External,
        ResolvedLink::External,
        internal("coin.html#parts"),
        ResolvedLink::File { href: "coin.png".into(), size: Some((96, 64)), variants: vec![] },
        internal("coin.html"),
    ];
    assert_eq!(note.links.len(), links.len());
    let headings = shown(&note);
    let figures = ["<figure>1</figure>".to_owned()];
    let parts = Parts {
        headings: &headings,
        links: &links,
        figures: &figures,
        skip_title: note.title_in_body,
        ..Parts::default()
    };
    insta::assert_snapshot!(render(note.markdown(), parts));
}

#[test]
fn values_are_found_wherever_prose_stands_and_shown_in_their_places() {
    let source = "# Title\n\nUnit `= vis.unit` of `= Other note#v.layer`, not `=>`. See [[B]] at `= a.b`.\n\n\
                  ## Up to `= vis.activation | .1f`\n\n\
                  | a | b |\n|---|---|\n| `= t.c \\| .2f` | x |\n\n\
                  [label `= l.m`](https://a.org) and ![alt `= i.j`](coin.png) and a note.[^n]\n\n\
                  ```\n`= in.code`\n```\n\n\
                  ```yaml analysis\nid: vis\nkind: feature_vis\nlayer: a\nunit: 1\n\
                  caption: It has `= vis.unit`, as [[B]] says.\n```\n\n\
                  ` = shown.as | code `\n\n[^n]: Below `= f.g`.\n";
    let note = note(source);
    assert_eq!(places(&note), Vec::<String>::new());
    let asked: Vec<&str> = note.values.iter().map(|value| &*value.text).collect();
    let expected = [
        "vis.unit",
        "Other note#v.layer",
        "a.b",
        "vis.activation | .1f",
        "t.c | .2f",
        "l.m",
        "i.j",
        "f.g",
        "vis.unit",
    ];
    assert_eq!(asked, expected);
    assert_eq!(note.blocks[0].caption_values, 8..9);
    let blocks: Vec<_> = note.quoted_blocks().take(2).collect();
    assert_eq!(blocks, [(None, "vis"), (Some("Other note"), "v")]);
    for value in &note.values[..8] {
        let written = &note.source[value.span.clone()];
        assert!(written.starts_with('`') && written.ends_with('`'), "{written}");
    }
    assert_eq!(&note.source[note.values[0].place(&(4..8))], "unit");
    assert_eq!(note.headings[1].id, "up-to-visactivation--1f");
    let shown = |n: usize| ["0", "1", "2", "3"].get(n).copied();
    assert_eq!(fill(&note.headings[1].shown, shown), "Up to 3");
    let before = &note.links[0].mention.before;
    assert_eq!(fill(before, shown), "See ");
    assert_eq!(fill(&note.links[0].mention.after, shown), " at 2.");
    assert_eq!(fill(&note.excerpt, shown), "Unit 0 of 1, not =>. See B at 2.");
    let caption = &note.blocks[0].caption_links[0].mention;
    assert_eq!(fill(&caption.before, |n| (n == 8).then_some("7")), "It has 7, as ");

    let values: Vec<ShownValue> = (0..9)
        .map(|n| ShownValue {
            text: format!("<{n}>"),
            html: format!("<data>{n}</data>"),
            href: Some("#vis".into()),
            fails: false,
        })
        .collect();
    let headings = self::shown(&note);
    let parts =
        Parts { headings: &headings, values: &values, skip_title: true, ..Parts::default() };
    insta::assert_snapshot!(render(note.markdown(), parts));
    let caption = note.blocks[0].fields.text("caption").expect("a caption");
    let html = render_inline(caption, Parts { values: &values[8..], ..Parts::default() });
    assert!(html.starts_with("It has <a class=\"quoted\" href=\"#vis\"><data>8</data></a>, as"));
    // Where values are unknown, such as in the configured footer, they stay code.
    assert_eq!(render_inline("`= a.b`", Parts::default()), "<code>= a.b</code>");
}

#[test]
fn a_title_shows_no_value() {
    let vis = "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: a\nunit: 1\n```\n";
    let titled = note(&format!("# Unit `= vis.unit`\n\n{vis}"));
    assert_eq!(titled.title, "Unit vis.unit");
    let said = places(&titled);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(":1:8: a title cannot contain a value (hint: give"), "{said:?}");
    assert!(places(&note(&format!("---\ntitle: A\n---\n# Unit `= vis.unit`\n\n{vis}"))).is_empty());
    // Code that names no figure is ordinary code.
    assert!(places(&note("# The operator `= ANY`\n")).is_empty());
}

#[test]
fn the_excerpt_is_the_first_paragraph() {
    assert_eq!(note("# T\n\n> Quote.\n\nText with `code`.\n").excerpt, "Quote.");
    for (source, words) in [
        ("![a *dog*](dog.png)\n\nWords.\n", "Words."),
        ("![[dog.png|300]] and words.\n", "and words."),
        ("#tag #other\n\nWords #tag.\n", "Words #tag."),
        ("- One, *two*\n- Three `x`\n\n## Next\n\nMore.\n", "One, two; Three x"),
        ("There are two:\n\n1. One.\n\n2. Two.\n\nThen.\n", "There are two: One. Two."),
        (
            "> [!note] Title\n> Body with [[other note|a link]] and ==marks==.\n",
            "Body with a link and marks.",
        ),
        ("So $x^2 \\le \\alpha$ holds.[^1]\n\n[^1]: Not this.\n", "So x² ≤ α holds."),
        ("[^1]: Not this.\n\nOne<br>two\nthree%%hidden%%.\n", "One two three."),
        ("| a |\n|---|\n| b |\n\n```\ncode\n```\n\nWords ^id\n", "Words"),
        ("![[other]]\n\n$$y = 2$$\n\nWords.\n", "y = 2"),
    ] {
        assert_eq!(note(source).excerpt, words, "{source}");
    }
    let cited = note("@goh2021 found neurons in CLIP [@radford2021] that answer.\n").excerpt;
    let spoken = |n: usize| ["Goh et al.", ""].get(n).map(|text| (*text).into());
    assert_eq!(fill_citations(&cited, spoken), "Goh et al. found neurons in CLIP that answer.");
    let heading = &note("## On @goh2021 and [@a] here\n").headings[0];
    assert_eq!(heading.text, "On @goh2021 and here");
    let long = note(&"word ".repeat(100)).excerpt;
    assert!(long.ends_with("word…") && long.chars().count() <= 221);
}

mod cited;
mod extended;
mod random;
mod written;
