//! Notes of a Jekyll garden, and how they are read.

use std::collections::BTreeMap;

use super::*;
use crate::config::layout::Layout;
use crate::config::{Config, parse_jekyll};
use crate::garden::dates::GitDates;

const OTHERS: [(&str, &str); 3] = [
    ("_notes/b.md", "---\ntitle: Bees\ndate: 2025-02-03\ntags: [x]\n---\nBuzz.\n"),
    ("_notes/a.md", "---\ntitle: Ants\ndate: 2025-04-22\n---\nDig.\n"),
    ("_notes/c.md", "No date.\n"),
];

/// A folder that looks like a Jekyll garden.
fn layout() -> Layout {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(dir.path().join("_notes")).expect("a folder");
    std::fs::write(dir.path().join("_config.yml"), "").expect("a file");
    Layout::of(dir.path(), &Config::default()).expect("a layout")
}

fn read(body: &str, includes: &[(&str, &str)]) -> Note {
    let (config, _) = parse_jekyll(
        "title: A garden\nurl: https://a.org\nbaseurl: /g\ncollections: {notes: {permalink: /:slug}}\n",
    );
    let includes: BTreeMap<String, String> =
        includes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let source = format!("---\ntitle: Home\npermalink: /\nmood: good\n---\n{body}");
    let note = Note::parse("_pages/index.md", "_pages/index.md", &source);
    let others: Vec<Note> =
        OTHERS.iter().map(|(path, text)| Note::parse(path, path, text)).collect();
    let all: Vec<&Note> = others.iter().chain([&note]).collect();
    let routes = Routes::of(&config, &layout());
    let git = GitDates::default();
    let texts = std::iter::once(note.markdown()).chain(includes.values().map(String::as_str));
    let words = texts.flat_map(words).map(str::to_owned).collect();
    let site = Site::of(&all, words, &config, &routes, &git);
    let note = Arc::new(note);
    let shown = shown(&note, &note, &Engine::new(&includes, &git), (&site, &routes));
    (*shown).clone()
}

fn text(body: &str) -> String {
    let note = read(body, &[]);
    assert_eq!(note.problems, [], "{body}");
    note.markdown().to_owned()
}

#[test]
fn the_templates_list_of_recent_notes_is_one_block_of_html() {
    let list = "<ul>\n  {% assign recent_notes = site.notes | sort: \"last_modified_at_timestamp\" | reverse %}\n  \
                {% for note in recent_notes limit: 5 %}\n    <li>\n      {{ note.last_modified_at | date: \"%Y-%m-%d\" }} — \
                <a class=\"internal-link\" href=\"{{ site.baseurl }}{{ note.url }}\">{{ note.title }}</a>\n    </li>\n  \
                {% endfor %}\n</ul>\n\nAfter.\n";
    insta::assert_snapshot!(text(list));
}

#[test]
fn what_is_not_there_is_nothing_and_the_present_is_the_newest_note() {
    assert_eq!(
        text("{{ page.title }}{{ page.mood }}{{ page.subtitle }}{{ nobody }}|\n"),
        "Homegood|\n"
    );
    assert_eq!(
        text("{{ 'now' | date: '%Y' }} {{ site.time | date: '%-d %B' }}\n"),
        "2025 22 April\n"
    );
    assert_eq!(
        text("{% if page.x %}a{% else %}b{% endif %}{{ site.notes.size }}{{ site.title }}\n"),
        "b3A garden\n"
    );
    assert_eq!(
        text("{{ '/a' | relative_url }} {{ '/a' | absolute_url }}\n"),
        "/a https://a.org/a\n"
    );
    assert_eq!(text("[b]({% link _notes/b.md %}) {{ 'A b' | slugify }}\n"), "[b](/b) a-b\n");
}

#[test]
fn code_and_raw_text_stay_as_they_are() {
    let body = "{{ page.title }}\n\n```\n{{ page.title }} {% nonsense %}\n```\n\n{% raw %}{{ x }} {% include y %}{% endraw %}\n";
    let expected = "Home\n\n```\n{{ page.title }} {% nonsense %}\n```\n\n{{ x }} {% include y %}\n";
    assert_eq!(text(body), expected);
}

#[test]
fn includes_are_read_and_one_that_includes_itself_is_not() {
    let includes = [
        ("a/box.html", "<b>{{ include.text }}</b>"),
        ("loop.html", "{% include again.html %}"),
        ("again.html", "{% include loop.html %}"),
    ];
    let note = read("{% include a/box.html text=\"x\" %}\n", &includes);
    assert_eq!((note.markdown(), note.problems.len()), ("<b>x</b>\n", 0));
    for body in ["{% include loop.html %}\n", "{% include nowhere.html %}\n"] {
        let note = read(body, &includes);
        assert_eq!((note.markdown(), note.problems.len()), (body, 1));
    }
}

#[test]
fn what_cannot_be_evaluated_stays_and_is_said_with_its_name_and_place() {
    let all: Vec<String> = [
        "Text.\n\nA {% nonsense x %} b.\n",
        "{{ page.title | shout }}\n",
        "{% if %}\n",
        "{{ page.title.x }}\n",
        "{% for a in b %}\n",
    ]
    .iter()
    .map(|body| {
        let note = read(body, &[]);
        assert_eq!(note.markdown(), *body);
        let said: Vec<String> = note.problems.iter().map(ToString::to_string).collect();
        said.join("\n")
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn problems_behind_evaluated_text_have_the_lines_of_the_file() {
    let note = read(
        "{% for n in site.notes %}\n- {{ n.title }}\n{% endfor %}\n\n```yaml analysis\nkind: nothing\n```\n",
        &[],
    );
    let said: Vec<String> = note.all_problems().map(ToString::to_string).collect();
    assert!(said[0].starts_with("_pages/index.md:11:7: "), "{said:?}");
}

#[test]
fn only_notes_that_jekyll_would_change_are_special() {
    let special = |body: &str| is_special(&Note::parse("_notes/x.md", "_notes/x.md", body));
    assert!(special("a {{ b }}\n") && special("[a](b){: .c}\n") && special("<ul>\n\n</ul>\n"));
    assert!(!special("a\n\n```\n{{ b }}\n```\n") && !special("<p>a</p>\n\nb\n"));
}

/// The problems of a note whose Liquid cannot be evaluated, in a garden with these includes.
fn said(body: &str, includes: &[(&str, &str)]) -> String {
    let note = read(body, includes);
    assert_eq!(note.markdown(), body, "what cannot be evaluated stays");
    let said: Vec<String> = note.problems.iter().map(ToString::to_string).collect();
    said.join("\n")
}

#[test]
fn liquid_without_end_is_an_error_at_its_tag() {
    let endless = [
        "a\n{% for i in (1..1000000000) %}x{% endfor %}\n",
        "{% for i in (-9223372036854775808..9223372036854775807) %}{% endfor %}\n",
        "{% for i in (1..99999) %}\n{% for j in (1..99999) %}{{ i }}{% endfor %}{% endfor %}\n",
        "\n{% tablerow i in (1..1000000000) cols: 3 %}{{ i }}{% endtablerow %}\n",
        "{% assign a = 'xx' %}\n{% for i in (1..64) %}\n{% assign a = a | append: a %}{% endfor %}\n",
        "{% assign a = 'xx' %}{% for i in (1..64) %}\n{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}\n",
        "{% assign a = 'xx' %}\n{% for i in (1..64) %}{% assign a = a | replace: 'x', a %}{% endfor %}\n",
        "{% assign a = 'x,x' | split: ',' %}\n{% for i in (1..64) %}{% assign a = a | concat: a %}{% endfor %}\n",
        "{% assign a = 'x,x' | split: ',' %}\n{% for i in (1..64) %}{% assign a = a | push: a %}{% endfor %}\n",
        "{% assign a = site.notes %}{% for i in (1..64) %}{% assign a = a | concat: a %}{% endfor %}\n",
        "\n{% for i in (1..99999) %}{{ site.notes | map: 'title' | join: ', ' | upcase }}{% endfor %}\n",
        "\n{% for i in (1..999999) %}{% ifchanged %}{{ i }}{{ site.notes }}{% endifchanged %}{% endfor %}\n",
        "\n{{ 'now' | date: '%99999999999d' }}\n",
        "{% for i in (1..9) %}\n\n```\ncode\n```\n{% for j in (1..9999999) %}{% endfor %}{% endfor %}\n",
    ];
    let all: Vec<String> = endless.iter().map(|body| said(body, &[])).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_fence_in_a_loop_is_as_long_as_it_is() {
    let code = "x".repeat(100_000);
    let body = format!("{{% for i in (1..10000) %}}\n```\n{code}\n```\n{{% endfor %}}\n");
    let said = said(&body, &[]);
    assert!(said.contains("makes a text of more than"), "{said}");
}

#[test]
fn sums_that_cannot_be_made_are_errors() {
    let sums = [
        "{{ 9223372036854775807 | plus: 1 }}\n",
        "{{ -9223372036854775807 | minus: 9 }}\n",
        "{{ 9223372036854775807 | times: 9 }}\n",
        "{{ 1 | divided_by: 0 }}\n",
        "{{ 1 | modulo: 0 }}\n",
        "{% assign a = -9223372036854775807 | minus: 1 %}{{ a | divided_by: -1 }}\n",
        "{% assign a = -9223372036854775807 | minus: 1 %}{{ a | modulo: -1 }}{{ a | abs }}\n",
    ];
    let all: Vec<String> = sums.iter().map(|body| said(body, &[])).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn nothing_in_liquid_panics_or_overflows_the_stack() {
    let many = |text: &str| text.repeat(100_000);
    for body in [
        "{%}\n".to_owned(),
        "{%-%}{%--%}{{}}{{-}}{{--}}\n".to_owned(),
        "{% %}{{ }}{% - %}\n".to_owned(),
        "{{ 'a' | slice: -9223372036854775807, 9223372036854775807 }}\n".to_owned(),
        "{{ 'ß' | slice: 1, 1 }}{{ 'ß' | truncate: 0, 'ßß' }}{{ 'ß' | truncatewords: -1 }}\n"
            .to_owned(),
        "{{ 1.5 | round: 999999999999 }}{{ 1e400 }}{{ 'x' | times: 'y' }}\n".to_owned(),
        "{% for i in (1..3) limit: -1 offset: -9 %}{% endfor %}\n".to_owned(),
        "{% tablerow i in (1..3) cols: 0 %}{{ i }}{% endtablerow %}\n".to_owned(),
        "{% for 1 2 x in y %}{% endfor %}{% include 0 %}{% include file0 %}{% render file0 %}\n"
            .to_owned(),
        "{% cycle %}{% increment %}{% break %}{% continue %}{% else %}{% when 1 %}{% endif %}\n"
            .to_owned(),
        "{% case %}{% case a %}{% endcase %}{% unless %}{% endunless %}{% if a == %}{% endif %}\n"
            .to_owned(),
        "{% capture %}{% endcapture %}{% assign %}{% assign a %}{% assign a = %}{% include %}\n"
            .to_owned(),
        format!("{}\n", many("{% ")),
        format!("{}\n", many("{{ ")),
        format!("{}\n", many("{% if a %}")),
        format!("{{{{ {} }}}}\n", many("a[")),
        format!("{{{{ a{} }}}}\n", many(" | upcase")),
        format!("{{% if a {} %}}{{% endif %}}\n", many("and a ")),
        format!("{{% if a %}}{}{{% endif %}}\n", many("{% elsif a %}")),
        format!("{{% case a %}}{}{{% endcase %}}\n", many("{% when a %}")),
        format!("{} {{{{ a }}}}\n", many(" \n")),
        format!("{{{{ a }}}}{}\n", many("\u{10FFFC}1\u{10FFFD}")),
        format!("{}\n", many("{{ a }}")),
    ] {
        let note = read(&body, &[("a.html", "{% include b.html %}"), ("b.html", &body)]);
        for problem in &note.problems {
            assert!(problem.message.len() < 400, "{problem}");
        }
    }
}

#[test]
fn every_beginning_of_a_note_with_liquid_is_read() {
    let rich = "# A {{ page.title | append: 'é' }}\n\n{%- for n in site.notes limit: 2 reversed -%}\n- [{{ n.title }}]({{ n.url }}){: .x}\n                {% endfor %}\n{% capture c %}ü{% raw %}{{ x }}{% endraw %}{% endcapture %}{{ c }}\n```\n{{ code }}\n```\n                {% if c contains 'ü' and page.mood == \"good\" %}[b]({% link _notes/b.md %}){% elsif c %}{% else %}n{% endif %}\n                {% include a/box.html text=\"é\" %}{% comment %}{{ {% endcomment %}<div>\n\n</div>{% tablerow i in (1..3) cols: 2 %}{{ i }}{% endtablerow %}\n";
    for (end, _) in rich.char_indices() {
        for body in [&rich[..end], &rich[end..]] {
            let note = read(body, &[("a/box.html", body)]);
            assert!(note.problems.iter().all(|problem| problem.message.len() < 400));
        }
    }
    assert_eq!(read(rich, &[("a/box.html", "<b>{{ include.text }}</b>")]).problems, []);
}

#[test]
fn a_list_of_a_large_garden_is_far_from_the_budget() {
    let list = "{% assign recent = site.notes | sort: \"last_modified_at_timestamp\" | reverse %}{% for i in (1..2500) %}                {% for note in recent limit: 4 %}<a href=\"{{ site.baseurl }}{{ note.url }}\">{{ note.title }}</a> {% endfor %}{% endfor %}\n";
    let note = read(list, &[]);
    assert_eq!(note.problems, []);
    assert_eq!(note.markdown().matches("Bees").count(), 2500);
}
