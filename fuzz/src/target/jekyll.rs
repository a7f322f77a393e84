//! A page of a Jekyll garden: Liquid, and the note that results.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, OnceLock};

use neuronotes::config::layout::Layout;
use neuronotes::config::{self, Config};
use neuronotes::garden::Routes;
use neuronotes::garden::dates::GitDates;
use neuronotes::jekyll::{self, Engine, Site};
use neuronotes::note::Note;

use super::text;

pub const WORDS: &[&str] = &[
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{%- ",
    "-%}",
    "{%}",
    "{{}}",
    "{% assign x = ",
    "{% capture x %}",
    "{% endcapture %}",
    "{% for i in (1..9) %}",
    "{% for note in site.notes %}",
    "{% endfor %}",
    "{% if page.x %}",
    "{% elsif ",
    "{% else %}",
    "{% endif %}",
    "{% unless x %}",
    "{% case x %}",
    "{% when 1 %}",
    "{% endcase %}",
    "{% raw %}",
    "{% endraw %}",
    "{% comment %}",
    "{% endcomment %}",
    "{% include a.html %}",
    "{% include file0 %}",
    "{% render 'a' %}",
    "{% cycle 'a', 'b' %}",
    "{% increment x %}",
    "{% tablerow i in (1..3) cols:2 %}",
    "{% endtablerow %}",
    "{% break %}",
    "{% link _notes/a.md %}",
    "page.title",
    "site.notes",
    "note.url",
    "forloop.index",
    " | append: x",
    " | split: ''",
    " | date: '%Y'",
    " | slice: -1, 99",
    " | times: 9223372036854775807",
    " | divided_by: 0",
    " | modulo: 0",
    " | truncate: -1",
    " | replace: '', 'aa'",
    " | sort: 'date'",
    " | where: 'a', 'b'",
    " | map: 'title'",
    " | join: x",
    " | reverse",
    " | slugify",
    " | relative_url",
    " | plus: 1",
    " | round: 99",
    " | at_least: x",
    "limit: 2",
    "offset: -1",
    "reversed",
    "nil",
    "(1..9999)",
    "{: .class}",
    "{:toc}",
    "* TOC",
    "[[a]]",
    "<ul>\n<li>",
    "```\n",
    "\u{10FFFC}0\u{10FFFD}",
    "末",
    "\n",
    "'",
    "\"",
];

/// The site that a page is evaluated with.
struct Jekyll {
    others: Vec<Note>,
    config: Config,
    routes: Routes,
    engine: Engine,
    git: GitDates,
}

fn garden() -> &'static Jekyll {
    static JEKYLL: OnceLock<Jekyll> = OnceLock::new();
    JEKYLL.get_or_init(|| {
        let (config, _) = config::parse_jekyll(
            "title: A garden\nurl: https://a.org\nbaseurl: /g\ncollections: {notes: {permalink: /:slug}}\n",
        );
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(dir.path().join("_notes")).expect("a folder");
        std::fs::write(dir.path().join("_config.yml"), "").expect("a file");
        let layout = Layout::of(dir.path(), &Config::default()).expect("a layout");
        let includes: BTreeMap<String, String> = [
            ("a.html", "<b>{{ include.x }}</b>{% include b/c.html %}"),
            ("b/c.html", "{% for note in site.notes %}{{ note.title }}{% endfor %}"),
            ("loop.html", "{% include loop.html %}"),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
        let git = GitDates::default();
        Jekyll {
            others: vec![
                Note::parse("_notes/a.md", "_notes/a.md", "---\ntitle: Ants\ndate: 2025-04-22\n---\nDig.\n"),
                Note::parse("_notes/b.md", "_notes/b.md", "---\ntitle: Bees\ntags: [x]\n---\nBuzz.\n"),
            ],
            routes: Routes::of(&config, &layout),
            engine: Engine::new(&includes, &git),
            config,
            git,
        }
    })
}

pub fn liquid(input: &[u8]) {
    let body = text(input);
    let source = format!("---\ntitle: Home\npermalink: /\nmood: good\n---\n{body}");
    let garden = garden();
    let note = Note::parse("_pages/index.md", "_pages/index.md", &source);
    let all: Vec<&Note> = garden.others.iter().chain([&note]).collect();
    let words = jekyll::words(note.markdown()).map(str::to_owned).collect();
    let site = Site::of(&all, words, &garden.config, &garden.routes, &garden.git);
    let is_special = jekyll::is_special(&note);
    let note = Arc::new(note);
    // A panic of the library becomes an error of this page; one in our code is reported nevertheless.
    let shown = || jekyll::shown(&note, &note, &garden.engine, (&site, &garden.routes));
    let Ok(shown) = panic::catch_unwind(AssertUnwindSafe(shown)) else { return };
    assert!(
        is_special || shown.source == note.source,
        "a note without Liquid was changed: {:?}",
        shown.source
    );
    for problem in shown.all_problems() {
        let lines = source.split('\n').count();
        assert!(
            problem.line >= 1 && problem.line <= lines,
            "{problem:?} is on no line of the file"
        );
    }
    // A second evaluation gives the same result.
    let again = jekyll::shown(&note, &shown, &garden.engine, (&site, &garden.routes));
    assert_eq!(again.source, shown.source);
}
