//! What notes have beyond CommonMark: marks, tags, names of blocks, callouts, citations, mathematics, embeds.

use super::*;

fn html(source: &str) -> String {
    render(source, Parts::default())
}

#[test]
fn marks_comments_and_tags_are_found_in_text_only() {
    assert_eq!(html("a ==b *c* d== e"), "<p>a <mark>b <em>c</em> d</mark> e</p>\n");
    assert_eq!(html("`==a==` a == b == c\n"), "<p><code>==a==</code> a == b == c</p>\n");
    assert_eq!(html("open ==mark"), "<p>open ==mark</p>\n");
    // A mark cannot cross another element.
    assert_eq!(html("==a *b== c*"), "<p>==a <em>b== c</em></p>\n");
    assert_eq!(html("a %%b [[c]]%% d"), "<p>a  d</p>\n");
    assert_eq!(html("5 %% of it"), "<p>5 %% of it</p>\n");
    assert_eq!(html("a\n\n%%\nnot *this*\n\n- nor this\n\nend %%\n\nb"), "<p>a</p>\n<p>b</p>\n");
    let found = note(
        "#finance, x#no, \\#no, `#no`, #2026, #ff0044 and #a/b. #Finance\n\n%% [[hidden]] #hidden %%\n",
    );
    assert_eq!(found.tags, ["finance", "a/b"]);
    assert_eq!(found.links.len(), 0);
    let tags = |tag: &str| format!("tags/{tag}.html");
    let parts = Parts { tags: Some(&tags), ..Parts::default() };
    assert_eq!(render("#a", parts), "<p><a class=\"tag\" href=\"tags/a.html\">a</a></p>\n");
}

#[test]
fn blocks_have_names() {
    let source = "First.\n\nSecond one. ^two\n\n- item ^in-list\n- other\n\n> quote\n\n^quoted\n\n## H\n\nLast ^no_name\n";
    let found = note(source);
    let named: Vec<(&str, &str)> = found
        .anchors
        .iter()
        .map(|a| (a.id.as_str(), found.source[a.span.clone()].trim()))
        .collect();
    assert_eq!(
        named,
        [("two", "Second one. ^two"), ("in-list", "item ^in-list"), ("quoted", "> quote")]
    );
    assert_eq!(found.anchor("^two").as_deref(), Some("^two"));
    assert_eq!(found.anchor("^three"), None);
    let part = found.part(Some("^two")).expect("a part");
    let shown = render(source, Parts { part: Some(part), prefix: "e-", ..Parts::default() });
    assert_eq!(
        shown.trim(),
        "<p><span class=\"block-anchor\" id=\"e-^two\"></span>Second one.</p>"
    );
    assert!(html(source).contains("Last ^no_name"), "only letters, digits and hyphens are a name");
}

#[test]
fn a_part_of_a_note_keeps_the_numbers_of_what_stands_in_it() {
    let source = "[[A]] `= x.y`\n\n## One\n\n[[B]] `= z.w`[^1]\n\n### Below\n\ntext\n\n## Two\n\n[[C]]\n\n[^1]: Foot.\n";
    let found = note(source);
    let link = |href: &str| ResolvedLink::Internal {
        href: href.into(),
        id: None,
        label: None,
        fails: false,
    };
    let links = [link("a"), link("b"), link("c")];
    let value =
        |text: &str| ShownValue { text: text.into(), html: text.into(), href: None, fails: false };
    let values = [value("1"), value("2")];
    let part = found.part(Some("one")).expect("a section");
    let headings = shown(&found);
    let parts = Parts {
        headings: &headings,
        links: &links,
        values: &values,
        part: Some(part),
        prefix: "e1-",
        ..Parts::default()
    };
    insta::assert_snapshot!(render(source, parts));
}

#[test]
fn callouts_are_boxes_or_folds_with_a_title() {
    let source = "> [!note]\n> Text.\n\n> [!warning]- Take *care*\n> Folded.\n>\n> > [!tip]+ Inner\n> > Open.\n\n> [!unheard-of] Only a title\n\n> [!not a callout\n\n> [x]: y\n";
    insta::assert_snapshot!(html(source));
}

#[test]
fn keys_are_found_behind_signs_and_not_in_addresses() {
    let source = "*@a* and **[see @b, p. 3]**, -@c \"@d\" me@e.org, https://f.org/@g, \\@h, _@i_ x_@j `@k` @{l m} [x](@n).\n";
    let keys: Vec<String> = note(source)
        .citations
        .iter()
        .flat_map(|citation| citation.keys.iter().map(|cited| cited.key.clone()))
        .collect();
    assert_eq!(keys, ["a", "b", "c", "d", "i", "l m"]);
    // Each bracket is looked at once.
    assert_eq!(note(&"[@a; ".repeat(20_000)).citations.len(), 20_000);
}

#[test]
fn works_are_cited_in_brackets_or_in_the_sentence() {
    let source = "As @goh2021 say [@goh2021, p. 3; @olah2017], not a@b.org, [@x](y) or `[@z]`. \\@no (@yes.)\n";
    let found = note(source);
    let cited: Vec<(Vec<&str>, bool)> = found
        .citations
        .iter()
        .map(|c| (c.keys.iter().map(|k| k.key.as_str()).collect(), c.bare))
        .collect();
    assert_eq!(
        cited,
        [(vec!["goh2021"], true), (vec!["goh2021", "olah2017"], false), (vec!["yes"], true)]
    );
    let group = &found.citations[1];
    assert_eq!(group.keys[0].supplement.as_deref(), Some("p. 3"));
    assert_eq!(&found.source[group.keys[1].span.clone()], "@olah2017");
    assert_eq!(&found.source[group.span.clone()], "[@goh2021, p. 3; @olah2017]");
    let marks: Vec<String> = ["G", "[1, 2]", "Y"].map(str::to_owned).into();
    let shown = render(source, Parts { citations: &marks, ..Parts::default() });
    assert!(shown.starts_with("<p>As G say [1, 2], not"), "{shown}");
}

#[test]
fn mathematics_is_an_element_and_its_mistakes_have_their_place() {
    let found = note(
        "Costs $5 or $6, and $x^2$.\n\n$$\\frac{a}{b}$$\n\nAnd $\\nope$ is wrong.\n\n# A $y_1$ title `code`\n",
    );
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    assert!(
        found.problems[0].to_string().starts_with("notes/people/lady-gaga.md:5:"),
        "{:?}",
        found.problems
    );
    let shown = html(found.markdown());
    assert!(shown.contains("Costs $5 or $6, and <math"), "{shown}");
    assert!(shown.contains("<span class=\"math-display\" tabindex=\"0\"><math"), "{shown}");
    let heading = &found.headings[0];
    assert_eq!(heading.text, "A y_1 title code");
    assert!(
        heading.html.starts_with("A <math") && heading.html.ends_with("title <code>code</code>")
    );
}

#[test]
fn pictures_have_a_size_where_one_is_asked_for() {
    let file = |href: &str, size| ResolvedLink::File { href: href.into(), size, variants: vec![] };
    let links = [
        file("a.png", Some((600, 300))),
        file("b.png", Some((600, 300))),
        file("c.mp3", None),
        file("d.pdf", None),
        ResolvedLink::External,
        file("e.png", Some((60, 30))),
    ];
    let source = "![[a.png|300]]\n\n![words|20x10](b.png)\n\n![[c.mp3]]\n\n![[d.pdf|the paper]]\n\n[![in a link](e.png)](https://x.org)\n";
    insta::assert_snapshot!(render(source, Parts { links: &links, ..Parts::default() }));
}

#[test]
fn smaller_copies_of_a_picture_are_offered_by_their_widths() {
    let variants = vec![(480, "a-480.jpg".to_owned()), (960, "a-960.jpg".to_owned())];
    let links = [ResolvedLink::File { href: "a.jpg".into(), size: Some((2000, 1000)), variants }];
    let shown = render("![A](a.jpg)", Parts { links: &links, ..Parts::default() });
    assert!(shown.contains("srcset=\"a-480.jpg 480w, a-960.jpg 960w, a.jpg 2000w\""), "{shown}");
    assert!(shown.contains("width=\"2000\" height=\"1000\""), "{shown}");
}

#[test]
fn an_embed_stands_by_itself_or_is_a_link() {
    let embeds = ["<div class=\"embed\">x</div>\n".to_owned()];
    let links = [ResolvedLink::Embed { number: 0 }];
    let alone =
        render("a\n\n![[B]]\n\nb", Parts { links: &links, embeds: &embeds, ..Parts::default() });
    assert_eq!(alone, "<p>a</p>\n<div class=\"embed\">x</div>\n<p>b</p>\n");
}

#[test]
fn a_comment_over_several_blocks_takes_with_it_what_it_opens_and_no_more() {
    assert_eq!(
        html("%%\nhid\n\n- item\n%%\n\nEnd **bold**\n"),
        "<p>End <strong>bold</strong></p>\n"
    );
    assert_eq!(
        html("- a\n\n  %%\n  hid\n\n  hid %%\n- b\n"),
        "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>\n"
    );
    assert_eq!(html("%%\nhid\n\n> quote\n>\n> hid %% seen\n\nEnd\n"), "<p>seen</p>\n<p>End</p>\n");
    assert_eq!(html("%%\nhid\n\n- a %%\n- b\n\nEnd\n"), "<p>b</p>\n<p>End</p>\n");
    assert_eq!(html("%% hid %%\n\nEnd\n"), "<p>End</p>\n");
    let open = note("Text.\n\n%% begins\n\nand [[never]] ends\n");
    assert_eq!(open.links.len(), 0);
    let said = places(&open);
    assert!(said[0].contains(":3:1: the comment is never closed"), "{said:?}");
    assert!(places(&note("%%\nhid\n\n- item\n%%\n")).is_empty());
}

#[test]
fn prices_are_text_and_formulas_stay_formulas() {
    for text in [
        "It is $5-$10 each.",
        "Either ($5) or ($6).",
        "Pay $1,$2 or $3.",
        "From US$5–US$6, or $1/$2/$3/$4/$5.",
        "`x$1` costs $5-$10",
    ] {
        assert!(!html(text).contains("<math"), "{text}: {}", html(text));
    }
    let mixed = html("It is $5-$10, *and* `$1` for $x^2$-many [a$1](b$2 \"$3\").");
    assert_eq!(mixed.matches("<math").count(), 1, "{mixed}");
    assert!(
        mixed.starts_with("<p>It is $5-$10, <em>and</em> <code>$1</code> for <math"),
        "{mixed}"
    );
    assert!(mixed.contains("href=\"b$2\" title=\"$3\">a$1</a>"), "{mixed}");
    assert!(html("the $n$th and $k$-means").matches("<math").count() == 2);
}

#[test]
fn a_footnote_may_stand_where_it_is_cited() {
    let source =
        "Used^[an *inline* [[note]], see [this]].[^1] More^[two].\n\n[^1]: Below^[within].\n";
    let shown = html(source);
    assert!(shown.starts_with("<p>Used<sup class=\"footnote\"><a href=\"#footnote-1\""), "{shown}");
    assert!(shown.contains("an <em>inline</em>") && shown.contains("see [this]"), "{shown}");
    assert_eq!(shown.matches("<li id=\"footnote-").count(), 4, "{shown}");
    let found = note(source);
    assert_eq!(found.excerpt, "Used. More.");
    assert_eq!(found.links[0].mention.before, "an inline ");
    assert!(found.texts[0].contains("an inline note"), "{:?}", found.texts);
    assert_eq!(
        html("2^[x](y) \\^[a] a^[b"),
        "<p>2^<a class=\"external\" rel=\"noopener\" href=\"y\">x</a> ^[a] a^[b</p>\n"
    );
}

#[test]
fn tasks_have_more_states_than_two() {
    let shown = html("- [/] half *done*\n- [-] no\n- [x] yes\n- [1] a reference\n\n[/] no task\n");
    assert!(
        shown.contains("data-task=\"/\" aria-label=\"in progress\"> half <em>done</em>"),
        "{shown}"
    );
    assert!(shown.contains("data-task=\"-\" aria-label=\"cancelled\"> no"), "{shown}");
    assert!(shown.contains("[1] a reference") && shown.contains("<p>[/] no task</p>"), "{shown}");
}

#[test]
fn a_callouts_title_ends_with_its_line() {
    for source in ["> [!info]+ Dosage  \n> body\n", "> [!info]+ Dosage\\\n> body\n"] {
        let shown = html(source);
        assert!(shown.contains("Dosage</summary>\n<p>body</p>"), "{shown}");
    }
}

#[test]
fn the_title_is_taken_out_of_the_body_with_all_that_is_in_it() {
    let shown = |source: &str| {
        let found = note(source);
        let link = ResolvedLink::Internal {
            href: "b.html".into(),
            id: Some("link-1".into()),
            label: None,
            fails: false,
        };
        let links = vec![link; found.links.len()];
        let headings = self::shown(&found);
        let parts = Parts {
            headings: &headings,
            links: &links,
            formulas: &found.formulas,
            skip_title: found.title_in_body,
            ..Parts::default()
        };
        body(found.markdown(), parts)
    };
    let body = shown("# See [[b]] *now* $x$[^1]\n\nText.\n\n[^1]: Foot.\n");
    let title = body.title.expect("a title");
    assert!(
        title.starts_with(
            "<span class=\"block-anchor\" id=\"see-b-now-x\"></span>See <a class=\"internal\""
        ),
        "{title}"
    );
    assert!(
        title.contains("<em>now</em>")
            && title.contains("<math")
            && title.contains("href=\"#footnote-1\""),
        "{title}"
    );
    assert!(body.html.starts_with("<p>Text.</p>\n<section class=\"footnotes\""), "{}", body.html);
    assert_eq!(shown("# *Big* idea\n").html, "");
    assert_eq!(note("> # Quoted\n").title, "lady gaga");
}

#[test]
fn ids_of_raw_html_are_kept_once_and_headings_make_way() {
    let source = "<div id=\"box\">x</div>\n\n<p id='box'>y</p>\n\n<b id=footnote-1>z</b>\n\n## Box\n\nA. ^n\n\nB. ^n\n";
    let found = note(source);
    assert_eq!(found.headings[0].id, "box-1");
    let said = places(&found);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said.iter().any(|said| said.contains(":3:4: the id `box` is left out")), "{said:?}");
    assert!(
        said.iter()
            .any(|said| said.contains("the name `^n` is already used by the block on line 9")),
        "{said:?}"
    );
    let shown = render(
        source,
        Parts { html_ids: Some(&found.html_ids), prefix: "e1-", ..Parts::default() },
    );
    assert!(
        shown.contains("<div id=\"e1-box\">") && shown.contains("<p >y") && shown.contains("<b >z"),
        "{shown}"
    );
    assert_eq!(shown.matches("id=\"e1-^n\"").count(), 1, "{shown}");
    let main = note("```yaml analysis\nid: main\nkind: feature_vis\nlayer: a\nunit: 1\n```\n");
    assert!(
        places(&main)[0].contains("the id `main` is reserved for pages"),
        "{:?}",
        places(&main)
    );
}

#[test]
fn how_long_a_note_takes_grows_as_its_length_does() {
    // Counts the bytes that are examined: sentences are found once, however many links they contain.
    let links = |count: usize| note(&"[[index]] ".repeat(count));
    let found = links(20_000);
    assert_eq!(found.links.len(), 20_000);
    assert!(found.links.iter().all(|link| link.mention.before.len() < 800));
    let work = |count: usize| {
        let before = sentence::work();
        links(count);
        sentence::work() - before
    };
    let (one, four) = (work(500), work(2000));
    assert!(four <= 4 * one + 100, "{one} and {four}");
}

#[test]
fn what_is_wrong_with_a_formula_has_a_place_between_characters() {
    for text in [
        "$\\text{a\u{0}}$",
        "$é#$",
        "> $$\n> a#ü\n> €#\n> $$",
        "|a|\n|-|\n|$\u{fffd}#\u{fffd}$|",
        "$\\b\u{fffd}\u{0}\u{fffd}$ é",
        "$x_\u{1d54f}#$",
    ] {
        let note = note(text);
        for problem in &note.problems {
            assert!(text.get(problem.span.clone()).is_some(), "{text:?}: {problem:?}");
        }
        assert!(!note.problems.is_empty(), "{text:?}");
    }
}
