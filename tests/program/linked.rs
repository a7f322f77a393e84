//! What a garden's pages say of each other: embeds, backlinks to places, numbered figures, tags, units, previews, search,
//! feeds and redirects; and what they must not say of what is not published.

use crate::common;
use crate::common::Garden;
use crate::common::results::fill;

const VIS: &str = "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\ncaption: What it looks for.\n```\n";

fn built(notes: &[(&str, &str)]) -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}url: https://example.org/garden/\n"));
    for (name, text) in notes {
        garden.note(name, text);
    }
    fill(&garden);
    garden.built();
    garden
}

#[test]
fn a_part_of_a_note_stands_in_another_with_ids_and_addresses_of_its_own() {
    let garden = built(&[
        (
            "deep/source.md",
            &format!(
                "---\ntitle: Source\n---\nOpening.\n\n## Part\n\nSee [[Other]], [[#Part]] and ![p](p.png).[^1]\n\n{VIS}\n\n## Rest\n\nUnseen.\n\n[^1]: Foot.\n"
            ),
        ),
        ("other.md", "Other."),
        (
            "host.md",
            "Before.\n\n![[Source#Part]]\n\n![[Source#vis]]\n\nInline ![[Source]] is a link.\n",
        ),
    ]);
    std::fs::write(garden.path("notes/deep/p.png"), common::results::picture([1, 2, 3]))
        .expect("a picture");
    garden.built();
    let host = garden.page("host.html");
    assert!(host.contains("<h2 id=\"e1-part\">Part"), "{host}");
    assert!(!host.contains("Unseen") && !host.contains("Opening"), "{host}");
    assert!(host.contains("href=\"other.html\" id=\"e1-link-1\""), "{host}");
    assert!(host.contains("href=\"deep/source.html#part\""), "{host}");
    assert!(host.contains("src=\"files/deep/p.png\""), "{host}");
    assert!(
        host.contains("<figure id=\"e1-vis\"") && host.contains("<figure id=\"e2-vis\""),
        "{host}"
    );
    assert!(host.contains("Figure 1 of Source.</a>"), "{host}");
    assert!(host.contains("id=\"e1-footnote-1\""), "{host}");
    assert!(
        host.contains(
            "Inline <a class=\"internal\" href=\"deep/source.html\" id=\"link-3\">Source</a> is a link"
        ),
        "{host}"
    );
    let mut ids: Vec<&str> =
        host.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "every id is there once");
    // A change of the source changes the host.
    garden.note("deep/source.md", "---\ntitle: Source\n---\n## Part\n\nAnother text. ^vis\n");
    garden.note("host.md", "![[Source#Part]]\n");
    garden.built();
    assert!(garden.page("host.html").contains("Another text."));
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn an_embed_of_itself_is_an_error_at_its_place_and_the_page_is_there() {
    let garden = Garden::new();
    garden.note("a.md", "![[b]]\n");
    garden.note("b.md", "Text.\n\n![[a]]\n");
    let run = garden.build();
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert!(said.contains("notes/a.md:1:1") && said.contains("notes/b.md:3:1"), "{said}");
    assert!(said.contains("this embed makes"), "{said}");
    assert!(garden.page("b.html").contains("Text."));
}

#[test]
fn figures_are_numbered_in_links_of_any_note_and_follow_their_order() {
    let two = format!(
        "{VIS}\nAs [[#vis]] and [[#second]] show.\n\n{}",
        VIS.replace("id: vis", "id: second")
    );
    let garden = built(&[("a.md", &two), ("b.md", "See [[a#second]], [[a#second|that]].\n")]);
    let a = garden.page("a.html");
    assert!(
        a.contains(
            ">Figure 1</a> and <a class=\"internal\" href=\"#second\" id=\"link-2\">Figure 2</a>"
        ),
        "{a}"
    );
    let b = garden.page("b.html");
    assert!(b.contains(">Figure 2 of a</a>") && b.contains(">that</a>"), "{b}");
    let first = VIS.replace("id: vis", "id: second");
    garden.note("a.md", &format!("{first}\nAs [[#vis]] and [[#second]] show.\n\n{VIS}"));
    garden.built();
    assert!(garden.page("b.html").contains(">Figure 1 of a</a>"));
}

#[test]
fn sections_and_figures_say_who_mentions_them_with_the_sentence() {
    let garden = built(&[
        ("a.md", &format!("## Part\n\nText.\n\n{VIS}")),
        ("b.md", "---\ntitle: Bee\n---\nFirst. It is [[a#Part]] that counts. And [[a#vis]]!\n"),
    ]);
    let a = garden.page("a.html");
    assert!(a.contains("<p class=\"mentions\">Mentioned in <a class=\"internal\" href=\"b.html#link-1\">Bee</a></p>"), "{a}");
    assert!(a.contains("href=\"b.html#link-2\">Bee</a></p>\n</figcaption>"), "{a}");
    assert!(a.contains("It is <mark>a › Part</mark> that counts.</a> <a class=\"place\" href=\"#part\">Part</a>"), "{a}");
    assert!(a.contains("And <mark>Figure 1</mark>!</a></li>"), "{a}");
}

#[test]
fn tags_units_and_the_graph_have_pages() {
    let garden = built(&[
        (
            "a.md",
            &format!(
                "---\ntags: [Finance, two words]\nunits: [{{layer: image_block_4/0/Add_6, unit: 3, name: coins}}]\n---\nText with #finance and #nested/tag.\n\n{VIS}"
            ),
        ),
        ("b.md", "---\ntags: [finance]\n---\nSee [[a]].\n"),
    ]);
    let tag = garden.page("tags/finance.html");
    assert!(tag.contains("../a.html") && tag.contains("../b.html"), "{tag}");
    let tags = garden.page("tags.html");
    assert!(
        tags.contains("#Finance</a>")
            && tags.contains("2 notes")
            && tags.contains("tags/two-words.html"),
        "{tags}"
    );
    assert!(tags.contains("tags/nested/tag.html"), "{tags}");
    let unit = garden.page("units/emoji/image_block_4-0-add_6/3.html");
    assert!(unit.contains("Unit 3 <span class=\"unit-name\">coins</span>"), "{unit}");
    assert!(unit.contains("href=\"../../../a.html#vis\">Figure 1 of a</a>"), "{unit}");
    assert!(unit.contains("What it looks for."), "{unit}");
    let a = garden.page("a.html");
    assert!(a.contains("<dt>unit</dt><dd><a class=\"internal\" href=\"units/emoji/image_block_4-0-add_6/3.html\">3 (coins)</a>"), "{a}");
    assert!(a.contains("<svg class=\"graph-local\""), "{a}");
    let graph = garden.page("graph-data.js");
    assert!(
        graph.starts_with("neuronotes.take(\"graph\",{\"nodes\":[[\"a\",\"a.html\","),
        "{graph}"
    );
    assert!(graph.contains("\"links\":[0,1]"), "{graph}");
    let graph = garden.page("graph.html");
    assert!(graph.contains("2 notes, 1 linked pair"));
    assert!(graph.contains("<span>Linked from</span> <a href=\"b.html\">b</a>"), "{graph}");
    assert!(graph.contains("<span>Links to</span> <a href=\"a.html\">a</a>"), "{graph}");
}

#[test]
fn a_note_says_its_language_and_goes_its_way() {
    let rtl = "---\ntitle: \u{645}\u{644}\u{627}\u{62d}\u{638}\u{629}\nlang: ar\ndate: 2026-01-01\nauthors: [A]\n---\n\u{641}\u{642}\u{631}\u{629}.\n\n\
               English.\n\n## \u{639}\u{646}\u{648}\u{627}\u{646}\n\n- \u{628}\u{646}\u{62f}\n\n  More.\n\n| a | b |\n|---|---|\n| c | d |\n\n\
               Foot.[^1]\n\n[^1]: \u{62d}.\n";
    let garden = built(&[
        ("a.md", rtl),
        ("mixed.md", "English.\n\n\u{5e4}\u{5e1}\u{5e7}\u{5d4}.\n"),
        ("plain.md", "---\nlang: de_AT\n---\nEin Absatz.\n"),
        ("forced.md", "---\nlang: en\ndir: rtl\n---\nText.\n"),
    ]);
    let a = garden.page("a.html");
    assert!(a.contains("<html lang=\"ar\" dir=\"rtl\">"), "{a}");
    assert!(a.contains("<header class=\"masthead\" id=\"masthead\" lang=\"en\">"), "{a}");
    assert!(a.contains("<meta name=\"citation_language\" content=\"ar\">"), "{a}");
    for part in [
        "<h1 dir=\"auto\">",
        "<p dir=\"auto\">English.</p>",
        "<h2 dir=\"auto\" id=",
        "<ul dir=\"auto\">\n<li>\n<p>",
        "<th dir=\"auto\">a</th>",
        "<td dir=\"auto\">d</td>",
        "<ol dir=\"auto\">\n<li id=\"footnote-1\"><p>",
    ] {
        assert!(a.contains(part), "{part} in {a}");
    }
    let mixed = garden.page("mixed.html");
    assert!(mixed.contains("<html lang=\"en\">"), "{mixed}");
    assert!(mixed.contains("<p dir=\"auto\">English.</p>"), "{mixed}");
    let plain = garden.page("plain.html");
    assert!(
        plain.contains("<html lang=\"de-AT\">") && plain.contains("<p>Ein Absatz.</p>"),
        "{plain}"
    );
    assert!(garden.page("forced.html").contains("<html lang=\"en\" dir=\"rtl\">"));
    let feed = garden.page("feed.xml");
    assert!(feed.contains("<entry xml:lang=\"ar\">"), "{feed}");
}

#[test]
fn previews_and_the_search_index_have_what_pages_say() {
    let garden = built(&[
        (
            "a.md",
            "---\ntitle: Alpha\n---\nThe opening of it.\n\n## Deep part\n\nZebras live [[b|here]].\n",
        ),
        ("b.md", &format!("See [[a#Deep part]].\n\n{VIS}")),
    ]);
    let previews: String = garden
        .output()
        .into_iter()
        .filter(|(path, _)| path.starts_with("previews/"))
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    assert!(
        previews.contains("\"title\":\"Alpha\"") && previews.contains("The opening of it."),
        "{previews}"
    );
    assert!(previews.contains("\"deep-part\":\"<h2>Deep part</h2>"), "{previews}");
    assert!(!previews.contains(" id=") && !previews.contains("class=\\\"fold"), "{previews}");
    assert!(garden.page("a.html").contains("data-previews=\"1\""));
    let terms = garden.page("search/t0.js");
    for term in ["zebras", "opening", "alpha", "looks"] {
        assert!(terms.contains(&format!("{term}\\t")), "{term}: {terms}");
    }
    assert!(
        garden.page("search/e0.js").contains("[\"deep-part\",\"Deep part\",\"Zebras live here.\"]")
    );
}

#[test]
fn feed_map_rules_and_cards_are_absolute_and_old_addresses_lead_on() {
    let garden = built(&[
        (
            "people/a.md",
            &format!(
                "---\ntitle: A & B\ndate: 2025-02-01\nupdated: 2025-03-04\nauthors: [Ada Lovelace]\naliases: [Old Name]\nredirect_from: /was/here/\nanchors: {{gone: Part}}\n---\nText <of> it.\n\n## Part\n\n{VIS}"
            ),
        ),
        ("b.md", "No date. See [[a#gone]].\n"),
    ]);
    let feed = garden.page("feed.xml");
    assert!(
        feed.contains(
            "<title>A &amp; B</title>\n<id>https://example.org/garden/people/a.html</id>"
        ),
        "{feed}"
    );
    assert!(
        feed.contains("<updated>2025-03-04T00:00:00Z</updated>")
            && feed.contains("<published>2025-02-01T00:00:00Z"),
        "{feed}"
    );
    assert!(!feed.contains("b.html"), "what has no date is not dated now: {feed}");
    let map = garden.page("sitemap.xml");
    assert!(
        map.contains(
            "<loc>https://example.org/garden/people/a.html</loc><lastmod>2025-03-04</lastmod>"
        ),
        "{map}"
    );
    assert!(!map.contains("404") && !map.contains("old-name"), "{map}");
    assert!(garden.page("robots.txt").contains("Sitemap: https://example.org/garden/sitemap.xml"));
    let a = garden.page("people/a.html");
    assert!(
        a.contains("<link rel=\"canonical\" href=\"https://example.org/garden/people/a.html\">"),
        "{a}"
    );
    assert!(a.contains("<meta name=\"citation_author\" content=\"Ada Lovelace\">"), "{a}");
    let card = a
        .split("og:image\" content=\"https://example.org/garden/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a card");
    let card = image::open(garden.path(&format!("output/{card}"))).expect("a picture");
    assert_eq!((card.width(), card.height()), (1200, 630));
    assert!(a.contains("<span class=\"block-anchor\" id=\"gone\"></span>Part"), "{a}");
    assert!(garden.page("b.html").contains("href=\"people/a.html#part\""));
    for (old, to) in [("people/old-name.html", "a.html"), ("was/here.html", "../people/a.html")] {
        let old = garden.page(old);
        assert!(old.contains(&format!("location.replace(\"{to}\" + location.hash)")), "{old}");
    }
    let missing = garden.page("404.html");
    assert!(
        missing.contains("href=\"/garden/style-")
            && missing.contains("href=\"/garden/index.html\""),
        "{missing}"
    );
}

#[test]
fn drafts_and_private_notes_leak_nowhere() {
    let secret = |field: &str| {
        format!(
            "---\ntitle: Quetzalcoatl\n{field}\ntags: [xylophone]\naliases: [Huitzilopochtli]\ndate: 2026-01-01\nunits: [{{layer: image_block_4/0/Add_6, unit: 7, name: zanzibar}}]\n---\n\
             Tenochtitlan is #popocatepetl. See [[open]] and ![x](secret.png).\n\n## Chichimeca\n\n{}",
            VIS.replace("unit: 3", "unit: 7").replace("What it looks for", "Cuauhtemoc")
        )
    };
    for field in ["draft: true", "private: true", "published: false", "publish: false"] {
        let garden = Garden::new();
        let config = garden.read("neuronotes.yaml");
        garden.write("neuronotes.yaml", &format!("{config}url: https://example.org/\n"));
        garden.note("open.md", "---\ndate: 2026-01-02\n---\nAn open note.\n");
        garden.note("secret-place/hidden-name.md", &secret(field));
        std::fs::write(
            garden.path("notes/secret-place/secret.png"),
            common::results::picture([9, 9, 9]),
        )
        .expect("a picture");
        garden.built();
        let words = [
            "quetzalcoatl",
            "xylophone",
            "huitzilopochtli",
            "zanzibar",
            "tenochtitlan",
            "popocatepetl",
            "chichimeca",
            "cuauhtemoc",
            "hidden-name",
            "secret",
        ];
        let output = garden.output();
        assert!(output.contains_key("feed.xml") && output.contains_key("search/t0.js"));
        for (path, bytes) in output {
            let text = format!("{path}\n{}", String::from_utf8_lossy(&bytes)).to_lowercase();
            for word in words {
                assert!(!text.contains(word), "{field}: `{word}` is in {path}");
            }
        }
    }
}

#[test]
fn a_backlink_of_an_embed_leads_to_it_and_says_what_it_is() {
    let garden = built(&[
        ("source.md", "Opening.\n\n## Part\n\nShown.\n"),
        ("host.md", "Before.\n\n![[source#Part]]\n\nAfter, and inline ![[source]].\n"),
    ]);
    let (source, host) = (garden.page("source.html"), garden.page("host.html"));
    assert!(source.contains("Embeds <mark>source › Part</mark>"), "{source}");
    for id in ["link-1", "link-2"] {
        assert!(source.contains(&format!("href=\"host.html#{id}\"")), "{source}");
        assert_eq!(host.matches(&format!(" id=\"{id}\"")).count(), 1, "{host}");
    }
}

#[test]
fn lists_feeds_and_descriptions_say_what_the_page_says() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &format!("{config}url: https://example.org/\nbibliography: refs.bib\n"),
    );
    garden.write(
        "refs.bib",
        "@article{goh2021, title={Multimodal Neurons}, author={Goh, Gabriel and Olah, Chris and others}, journal={Distill}, year={2021}}\n\
         @misc{radford2021, title={CLIP}, author={Radford, Alec}, year={2021}}\n",
    );
    garden.note(
        "a.md",
        "---\ndate: 2025-01-02\ntags: [one]\n---\n# T\u{fffe} & \\<x>\n\n\
         *@goh2021* found neurons in CLIP [see @radford2021, p. 3] that answer to $x^2$, \u{fffe}``x`` and ==[[b|words]]==.[^1]\n\n[^1]: Foot.\n",
    );
    garden.note("b.md", "---\ndate: 2025-01-01\n---\n- An *item*\n- Another, as in [[a]]\n");
    garden.note("c.md", "# C\n\n![[b]]\n");
    garden.built();
    let words = "found neurons in CLIP that answer to x², \u{fffd}x and words.";
    let output = garden.output();
    for (path, start) in [
        ("a.html", "<meta name=\"description\" content=\""),
        ("tags/one.html", "<p class=\"card-excerpt\">"),
    ] {
        let html = garden.page(path);
        let said = html.split(start).nth(1).unwrap_or_default();
        let said = said.split(['"', '<']).next().unwrap_or_default();
        assert!(
            said.ends_with(&format!("et al. {words}")) && !said.contains('@'),
            "{path}: {said}"
        );
    }
    assert!(garden.page("b.html").contains("content=\"An item; Another, as in a\""));
    assert!(garden.page("c.html").contains("content=\"An item; Another, as in a\""));
    for (path, bytes) in output.iter().filter(|(path, _)| path.ends_with(".xml")) {
        let text = String::from_utf8_lossy(bytes);
        let read = roxmltree::Document::parse(&text);
        let read = read.unwrap_or_else(|wrong| panic!("{path}: {wrong}\n{text}"));
        if path == "feed.xml" {
            let summary = read.descendants().find(|node| node.has_tag_name("summary"));
            let summary = summary.and_then(|node| node.text()).unwrap_or_default();
            assert!(summary.ends_with(words), "{summary}");
        }
    }
    assert!(output.contains_key("feed.xml") && output.contains_key("sitemap.xml"));
    let found = String::from_utf8_lossy(&output["search/e0.js"]).into_owned();
    assert!(found.contains("et al. found neurons in CLIP that answer to x²"), "{found}");
}

#[test]
fn works_are_cited_and_what_is_not_there_is_said() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}bibliography: refs.bib\n"));
    garden.write("refs.bib", "@article{goh2021, title={Multimodal Neurons}, author={Goh, Gabriel}, journal={Distill}, year={2021}}\n\n@article{broken, title={x\n");
    garden.note("a.md", "As [@goh2021, p. 3] and [@goh2012] say; @nobody does not.\n");
    garden.note("b.md", "![[a]]\n");
    let run = garden.run(&["check"]);
    let said = run.stdout() + &run.stderr();
    assert!(said.contains("refs.bib:3:24"), "{said}");
    assert!(
        said.contains("the bibliography has no work `goh2012`")
            && said.contains("did you mean `goh2021`"),
        "{said}"
    );
    garden.build();
    let a = garden.page("a.html");
    assert!(a.contains("href=\"#ref-goh2021\"") && a.contains("<li id=\"ref-goh2021\">"), "{a}");
    assert!(a.contains("class=\"unknown-work\"") && a.contains("@nobody does not"), "{a}");
    assert!(garden.page("b.html").contains("href=\"a.html#ref-goh2021\""));
}

#[test]
fn a_page_says_its_title_as_it_is_written_and_holds_no_id_twice() {
    let garden = built(&[
        (
            "a.md",
            "# See [[b]] *now* $x$[^1]\n\nText with `= ANY`.\n\n## Footnote 1\n\n## Link 1\n\n## Main\n\n## Graph heading\n\n\
             ## See b now x\n\n<p id=\"main\">m</p>\n\n> ## In a quote\n\n[[#Footnote 1]] A1 ![[b]]\n\n[^1]: Foot.\n",
        ),
        (
            "b.md",
            "---\ntitle: 001999\ntags: [\"🌱\", C, C++, \"C#\", a/b, a-b]\n---\nSee [[a]] and [[001999]].\n",
        ),
    ]);
    garden.built();
    let page = garden.page("a.html");
    let title =
        page.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next()).expect("a title");
    assert!(
        title.contains("<a class=\"internal\" href=\"b.html\" id=\"link-1\">001999</a>")
            || title.contains(">b</a>"),
        "{title}"
    );
    assert!(title.contains("<em>now</em>") && title.contains("<math>"), "{title}");
    assert!(title.contains("href=\"#footnote-1\""), "{title}");
    assert_eq!(page.matches("<em></em>").count(), 0, "{page}");
    assert!(page.contains("href=\"#section-footnote-1\""), "{page}");
    assert!(!page.contains(">In a quote</a>") && page.contains(">In a quote"), "{page}");
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "every id is there once");
    for tag in ["🌱", "c", "c~2b~2b", "c~23", "a/b", "a-b"] {
        assert!(garden.read(&format!("output/tags/{tag}.html")).contains("001999"), "{tag}");
    }
    assert!(garden.page("b.html").contains("href=\"tags/c~23.html\""));
    let warned = garden.run(&["check"]).stderr();
    assert!(warned.contains("the embed of `b` is shown as a link"), "{warned}");
    assert!(warned.contains("the id `main` is left out"), "{warned}");
}

#[test]
fn formulas_use_the_gardens_macros_and_none_of_them_breaks_a_build() {
    let garden = built(&[(
        "a.md",
        "---\ntitle: \"T\\uFFFE\"\ndate: 2026-01-01\n---\n$\\norm{x} \\in \\R$, $\\rank A$ and $\\nope{x}$.\n\n$$x = y \\tag{1.1}$$\n\nU+FFFE: \u{fffe}, &#xfffe;, \u{1}.\n",
    )]);
    let path = garden.path("neuronotes.yaml");
    let config = std::fs::read_to_string(&path).unwrap_or_default();
    let math = "math:\n  macros: { \"\\\\norm\": \"\\\\lVert #1 \\\\rVert\", \"bad name\": x }\n  \
                preamble: macros.tex\n";
    std::fs::write(&path, format!("{config}\n{math}")).expect("a configuration");
    let preamble =
        "\\DeclareMathOperator{\\rank}{rank}\n\\newcommand{\\R}{\\mathbb{R}}\n\\def\\f[#1]{x}\n";
    std::fs::write(garden.path("macros.tex"), preamble).expect("a preamble");
    let said = garden.run(&["check"]).stderr();
    assert!(said.contains("`bad name` is not the name of a command"), "{said}");
    assert!(said.contains("macros.tex:3:1"), "{said}");
    std::fs::write(&path, format!("{config}\n{}", math.replace(", \"bad name\": x", "")))
        .expect("a configuration");
    let run = garden.built();
    assert!(run.stderr().contains("unknown command `\\nope`"), "{}", run.stderr());
    let page = garden.page("a.html");
    assert!(page.contains("<mi>ℝ</mi>") && page.contains(">rank</mo>"), "{page}");
    assert!(page.contains("\\nope{x}</code>") && page.contains("(1.1)"), "{page}");
    assert!(garden.read("output/feed.xml").contains("<title>T\u{fffd}</title>"));
    let barred = |text: &str| text.contains(['\u{fffe}', '\u{1}']);
    assert!(!barred(&page) && !barred(&garden.read("output/feed.xml")), "{page}");
    // Another definition is another page.
    std::fs::write(garden.path("macros.tex"), preamble.replace("mathbb", "mathbf"))
        .expect("a preamble");
    garden.built();
    assert!(garden.page("a.html").contains("<mi>𝐑</mi>"), "{}", garden.page("a.html"));
}

/// Bytes of the pages of a note's tags, and of the list of them.
fn of_tags(count: usize) -> usize {
    let garden = Garden::new();
    let tags: Vec<String> = (0..count).map(|n| format!("tag{n}")).collect();
    garden.note("a.md", &format!("---\ntags: [{}]\n---\n# A\n\nText.\n", tags.join(", ")));
    garden.built();
    let page = garden.page("tags/tag7.html");
    let named = page.matches("class=\"tag\"").count();
    assert!(named == 8 && page.contains(&format!("and {} more", count - 8)), "{page}");
    // The note itself names all.
    assert_eq!(garden.page("a.html").matches("class=\"tag\"").count(), count);
    let pages = std::fs::read_dir(garden.path("output/tags")).expect("pages");
    let size = |entry: std::io::Result<std::fs::DirEntry>| {
        usize::try_from(entry.expect("a page").metadata().expect("a size").len()).expect("small")
    };
    pages.map(size).sum()
}

#[test]
fn what_the_pages_of_tags_repeat_of_a_note_does_not_grow_with_its_tags() {
    let (some, twice) = (of_tags(100), of_tags(200));
    assert!(twice < some * 2 + some / 10, "{some} and {twice} bytes");
}
