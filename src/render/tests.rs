//! Pages of sample views: as they are, with a garden's own templates, and with hostile text.

use std::fs;

use super::sample;
use super::*;
use crate::view::LinkView;
use crate::view::{FigureState, ProblemView};

fn built_in() -> Renderer {
    Renderer::new(None).expect("the built-in theme")
}

/// A folder of templates, with these files.
fn own(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("create");
        fs::write(path, text).expect("write");
    }
    folder
}

/// Every page and figure of the samples.
fn everything(renderer: &Renderer) -> Vec<(String, String)> {
    let mut all = vec![
        ("note".into(), renderer.note(&sample::note())),
        ("bare".into(), renderer.note(&sample::bare_note())),
        ("home".into(), renderer.home(&sample::home())),
        ("bare home".into(), renderer.home(&sample::bare_home())),
    ];
    for (name, figure) in sample::figures(&sample::drawings()) {
        all.push((name.into(), renderer.figure(&figure, &sample::site())));
    }
    let render = |(name, page): (String, Result<String, Diagnostic>)| {
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, page)
    };
    all.into_iter().map(render).collect()
}

#[test]
fn pages_and_figures() {
    for (name, page) in everything(&built_in()) {
        insta::assert_snapshot!(name.replace(' ', "_"), page);
    }
}

#[test]
fn nothing_is_asked_of_another_host() {
    let renderer = built_in();
    let css = renderer.asset("style.css");
    assert!(!css.contains("http") && !css.contains("url(") && !css.contains("@import"));
    for (name, page) in everything(&renderer) {
        // Metadata for search engines and social sites makes readers' browsers request nothing.
        let page =
            page.replace("http://www.w3.org/2000/svg", "").replace("https://example.org/", "");
        assert!(!page.contains("http"), "{name}");
        for address in ["src=\"/", "href=\"/", "src=\"//", "href=\"//"] {
            assert!(!page.contains(address), "{name}: {address}");
        }
    }
}

#[test]
fn only_the_preview_has_a_script_of_its_own() {
    let renderer = built_in();
    for (name, page) in everything(&renderer) {
        assert!(!page.contains("preview.js"), "{name}");
        // One sets the theme before anything is drawn.
        let pages = usize::from(page.contains("<head>"));
        assert_eq!(page.matches("<script data-theme>").count(), pages, "{name}");
        let data = page.matches("<script type=\"application/ld+json\">").count();
        // Where readers can write about a note, another one quotes what is selected.
        let quotes = page.matches("<script defer src=\"review.js\">").count();
        assert!(quotes <= usize::from(name.contains("note")), "{name}");
        assert_eq!(page.matches("<script").count() - data, 2 * pages + quotes, "{name}");
    }
    let mut view = sample::note();
    view.site.preview = true;
    let page = renderer.note(&view).expect("renders");
    assert!(page.contains(r#"<script src="-/preview.js" defer></script>"#));
}

#[test]
fn the_promised_words_are_there() {
    let renderer = built_in();
    let page = renderer.note(&sample::note()).expect("renders");
    for words in [
        r#"<a class="site-title" href="index.html">A garden</a>"#,
        "<title>Notes with TOC — A garden</title>",
        r#"Last updated on <time datetime="2025-04-22">April 22, 2025</time>"#,
        "This line appears after every note.",
        "Notes mentioning this note",
        r##"<a href="#tail">A <em>long</em> tail</a>"##,
    ] {
        assert!(page.contains(words), "{words}");
    }
    let bare = renderer.note(&sample::bare_note()).expect("renders");
    assert!(bare.contains("There are no notes linking to this note."));
    assert!(!bare.contains("Last updated") && !bare.contains("Contents"));
    let home = renderer.home(&sample::home()).expect("renders");
    assert!(home.contains("<title>A garden</title>"));
}

#[test]
fn hostile_text_stays_text() {
    const EVIL: &str = "\"'><script>alert(1)</script>";
    let renderer = built_in();
    let mut note = sample::note();
    note.title = EVIL.into();
    note.head.description = EVIL.into();
    note.head.canonical = Some(EVIL.into());
    note.authors = vec![EVIL.into()];
    note.site.title = EVIL.into();
    note.tags = vec![LinkView { title: EVIL.into(), href: EVIL.into() }];
    note.backlinks[0].title = EVIL.into();
    note.problems = vec![ProblemView {
        severity: "error",
        place: EVIL.into(),
        message: format!("`{EVIL}` and `{EVIL}"),
        hint: Some(EVIL.into()),
    }];
    let mut home = sample::home();
    home.notes[0].title = EVIL.into();
    home.notes[0].excerpt = EVIL.into();
    let mut pages = vec![renderer.note(&note), renderer.home(&home)];
    for (_, mut figure) in sample::figures(&sample::drawings()) {
        figure.id = EVIL.into();
        figure.title = Some(EVIL.into());
        figure.yaml = EVIL.into();
        for fact in &mut figure.provenance {
            fact.value = EVIL.into();
        }
        if let FigureState::Failed { problem } = &mut figure.state {
            problem.message = EVIL.into();
        }
        pages.push(renderer.figure(&figure, &sample::site()));
    }
    for page in pages {
        let page = page.expect("renders");
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
        assert!(!page.contains("=\"\"'"), "an attribute was left");
    }
}

#[test]
fn a_garden_replaces_one_template_or_one_block() {
    let folder = own(&[
        ("partials/card.html", "<li>{{ card.title }} of the garden</li>"),
        (
            "note.html",
            "{% extends \"builtin/note.html\" %}{% block footer %}<p>mine</p>{% endblock %}",
        ),
        ("style.css", "body { color: teal }"),
        ("notes.txt", "not a template {{"),
    ]);
    let renderer = Renderer::new(Some(folder.path())).expect("renderer");
    let home = renderer.home(&sample::home()).expect("renders");
    assert!(home.contains("<li>Notes with TOC of the garden</li>"));
    let note = renderer.note(&sample::note()).expect("renders");
    assert!(note.contains("<p>mine</p>") && note.contains("Notes mentioning this note"));
    assert!(renderer.asset("style.css").starts_with("body { color: teal }"));
}

#[test]
fn the_digest_follows_every_template() {
    let plain = built_in().digest();
    assert_eq!(plain, built_in().digest());
    let empty = own(&[]);
    let missing = empty.path().join("templates");
    for folder in [empty.path(), missing.as_path()] {
        let renderer = Renderer::new(Some(folder)).expect("renderer");
        assert_eq!(renderer.digest(), plain);
    }
    for file in ["style.css", "partials/mine.html"] {
        let folder = own(&[(file, "")]);
        let renderer = Renderer::new(Some(folder.path())).expect("renderer");
        assert_ne!(renderer.digest(), plain, "{file}");
    }
}

/// An error with its file, its line and its hint.
fn told(error: &Diagnostic) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{}:{}: {}{hint}", error.file, error.line, error.message)
}

#[test]
fn mistakes_in_a_gardens_template_name_file_and_line() {
    let broken = [
        ("home.html", "<p>\n{% if notes %}\n<p>"),
        ("home.html", "\n\n{{ site.titel }}"),
        ("home.html", "\n{{ site.titel.long }}"),
        ("home.html", "{% extends \"bas.html\" %}"),
        ("home.html", "\n{{ title|shout }}"),
        ("home.html", "\n{{ count|url }}"),
        ("home.html", "<title>\n{{ title }}"),
        ("partials/card.html", "<li>\n{% for x in card.words %}{% endfor %}"),
    ];
    let errors: Vec<String> = broken
        .iter()
        .map(|(name, text)| {
            let folder = own(&[(name, text)]);
            let rendered = Renderer::new(Some(folder.path()))
                .and_then(|renderer| renderer.home(&sample::home()));
            let error = rendered.expect_err("an error");
            told(&error)
        })
        .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_template_that_is_not_text_is_an_error_of_its_own() {
    let folder = own(&[]);
    fs::write(folder.path().join("note.html"), b"one\n\xff\xfe").expect("write");
    let error = Renderer::new(Some(folder.path())).expect_err("an error");
    assert_eq!(told(&error), "templates/note.html:2: is not UTF-8");
}

#[test]
fn backticks_become_code() {
    for (text, html) in [
        ("no `a` and `b<c`", "no <code>a</code> and <code>b&lt;c</code>"),
        ("`a`", "<code>a</code>"),
        ("one ` alone", "one ` alone"),
        ("`a` and ` alone", "<code>a</code> and ` alone"),
        ("", ""),
    ] {
        assert_eq!(filter::code_spans(text).to_string(), html);
    }
}

/// The home page of a garden with this text as `home.html`.
fn home_of(text: &str) -> Result<String, Diagnostic> {
    let folder = own(&[("home.html", text)]);
    Renderer::new(Some(folder.path()))?.home(&sample::home())
}

#[test]
fn a_template_without_end_is_an_error_at_its_line() {
    let endless = [
        "\n{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "\n{% for a in range(99999) %}\n{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "\n\n{% set x = 'x' * 1000000000 %}{{ x }}",
        "\n{{ 'x' * 99999999999 }}",
        "{% set ns = namespace(x='xx') %}\n{% for a in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}\n{% for a in range(64) %}{% set ns.x = ns.x|replace('x', ns.x) %}{% endfor %}",
        "{% set ns = namespace(x='x\ny') %}\n{% for a in range(64) %}{% set ns.x = ns.x|indent(99999999) %}{% endfor %}",
        "\n{{ range(99999)|join('x' * 99999) }}",
        "\n{{ '%099999999999d'|format(1) }}",
        "\n{% set x %}{% for a in range(99999) %}{{ ('x' * 9999)|safe }}{% endfor %}{% endset %}",
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}\n{{ m(1) }}",
        "\n{% include 'home.html' %}",
    ];
    // The more data a page has, the more steps it may take.
    let steps = thousands(Budget::of(&sample::home()).steps);
    let errors: Vec<String> = endless
        .iter()
        .map(|text| {
            let error = home_of(text).expect_err(text);
            assert!(error.hint.is_some(), "{error}");
            told(&error).replace(&steps, "N")
        })
        .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_page_has_no_more_bytes_than_its_data_may_need() {
    let line = "x".repeat(1000);
    let error = home_of(&format!("\n{{% for a in range(99999) %}}{line}{{% endfor %}}"));
    let error = error.expect_err("too long");
    assert!(error.message.starts_with("the page exceeds the limit of 16,"), "{error}");
    assert_eq!((error.line, error.file.as_str()), (2, "templates/home.html"));
}

#[test]
fn templates_that_are_nested_too_deeply_are_errors() {
    let deep = [
        format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(100_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
        format!("{}{}", "{% if 1 %}".repeat(100_000), "{% endif %}".repeat(100_000)),
        format!("{{{{ 1{} }}}}", " ~ 1".repeat(100_000)),
        format!("{{{{ 1{} }}}}", "|string".repeat(100_000)),
        format!("{{{{ 1{} }}}}", ".a".repeat(100_000)),
        format!("{{{{ {}2 }}}}", "2 ** ".repeat(100_000)),
        format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(100_000)),
        "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}".to_owned(),
        "{% include 'home.html' %}".to_owned(),
        "{% extends 'home.html' %}".to_owned(),
        "{% block a %}{{ self.a() }}{% endblock %}".to_owned(),
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(100_000)),
        format!("{{{{ 1{} }}}}", " and 1".repeat(100_000)),
        format!("{{{{ 1{} }}}}", "[0]".repeat(100_000)),
        format!("{{{{ 1{} }}}}", "()".repeat(100_000)),
        format!("{{{{ 1{} }}}}", " is defined".repeat(100_000)),
        // Texts of the maximum length.
        format!("{{{{ 1{} }}}}", " and 1".repeat(499)),
        format!("{{{{ {}1 }}}}", "-".repeat(999)),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(200)),
        format!("{{{{ 1{} }}}}", "|string".repeat(499)),
    ];
    for text in deep {
        // These render or fail in another way, but do not overflow the stack.
        if let Err(error) = home_of(&text) {
            assert!(error.message.len() < 400, "{error}");
        }
    }
}

#[test]
fn large_gardens_and_notes_are_far_from_the_budget() {
    let fuel = |name: &str, view: &dyn Fn() -> Value, budget: Budget| {
        let mut environment = built_in().environment.clone();
        environment.set_fuel(Some(budget.steps));
        let template = environment.get_template(name).expect("a template");
        let captured = template.render_captured(view()).expect("renders");
        let (used, left) = captured.state().fuel_levels().expect("fuel");
        assert!(used * 3 < left, "{name}: {used} of {}", used + left);
        let bytes = captured.output().len() as u64;
        assert!(bytes * 3 < budget.bytes, "{name}: {bytes} of {}", budget.bytes);
    };
    let mut home = sample::home();
    while home.notes.len() < 10_000 {
        home.notes.extend(sample::home().notes);
    }
    fuel("home.html", &|| Value::from(Serde(&home)), Budget::of(&home));
    let mut note = sample::note();
    note.body_html = "<p>a</p>\n".repeat(1 << 20);
    while note.backlinks.len() < 10_000 {
        note.backlinks.extend(sample::note().backlinks);
    }
    fuel("note.html", &|| Value::from(Serde(&note)), Budget::of(&note));
}
