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
    // A mark that would cross another element is none.
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
    let link = |href: &str| ResolvedLink::Internal { href: href.into(), id: None, label: None };
    let links = [link("a"), link("b"), link("c")];
    let value = |text: &str| ShownValue { text: text.into(), html: text.into(), href: None };
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
