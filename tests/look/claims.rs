//! Claims about figures: what a page says of them, and how it follows when the data change and no note does.

use std::fs;

use headless_chrome::protocol::cdp::Emulation::SetEmulatedMedia;
use serde_json::Value;

use crate::chromium::{browser, open, value, wait};
use crate::common::preview::Preview;
use crate::common::{Garden, block, results};
use crate::tab::go;

/// A garden with a data set of its own, a list of words.
fn garden() -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let names = config.replace("datasets:\n", "datasets:\n  names: { path: names.txt }\n");
    garden.write("neuronotes.yaml", &names);
    garden
}

const FIRST: &str = "coin\nbank\n";
const SECOND: &str = "hand\nface\n";

fn note(expect: &str) -> String {
    let figure = block(&format!(
        "id: strongest\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 3\ntop: 1\ndataset: names\n{expect}"
    ));
    format!(
        "---\ntitle: A claim\n---\nIt reaches `= strongest.top[0].activation | .3f`. It is as strong as [[b]] says. ^strong\n\n{figure}"
    )
}

/// What the figure is made up to reach with these words.
fn reached(garden: &Garden, words: &str) -> f64 {
    garden.write("names.txt", words);
    results::fill(garden);
    garden.built();
    let page = garden.page("a.html");
    let shown = page.split("class=\"value\"").nth(1).and_then(|rest| rest.split('>').nth(1));
    let shown = shown.and_then(|rest| rest.split('<').next()).expect("a value");
    shown.parse().unwrap_or_else(|_| panic!("{shown}"))
}

#[test]
fn when_data_change_and_no_note_does_claims_flip_in_the_open_page() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("b.md", "---\ntitle: Another\n---\nIt rests on [[a#^strong|that]].\n");
    garden.note("a.md", &note(""));
    let (second, first) = (reached(&garden, SECOND), reached(&garden, FIRST));
    assert!((first - second).abs() > 0.01, "the two made-up results are alike: {first}");
    let (sign, middle) = (if first < second { "<" } else { ">" }, f64::midpoint(first, second));
    garden.note(
        "a.md",
        &note(&format!(
            "expect:\n  - {{ that: \"top[0].activation {sign} {middle}\", claim: ^strong, because: of the coins }}\n"
        )),
    );
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}a.html", preview.url));
    let other = open(&browser, &format!("{}b.html", preview.url));
    for tab in [&tab, &other] {
        tab.evaluate("window.sameDocument = true", false).expect("evaluates");
    }
    tab.bring_to_front().expect("a window");
    wait(
        &tab,
        "document.querySelector('.expectations summary')?.textContent === '1 expectation holds'",
    );
    assert_eq!(value(&tab, "document.querySelectorAll('.claim, .claim-fails').length"), 0);
    fs::write(garden.path("names.txt"), SECOND).expect("written");
    wait(
        &tab,
        "document.querySelector('.claim-fails')?.textContent === 'It is as strong as b says.'",
    );
    let mark = "document.querySelector('.claim-fails + .claim-mark')";
    assert_eq!(value(&tab, &format!("{mark}.textContent")), "⚠\u{fe0e} does not hold");
    assert_eq!(value(&tab, &format!("{mark}.getAttribute('href')")), "#strongest");
    let said = value(&tab, &format!("{mark}.title"));
    let said = said.as_str().expect("a tooltip");
    assert!(said.contains(&format!("{middle}")) && said.contains("measured"), "{said}");
    let callout = value(&tab, "document.querySelector('#strongest .claim').textContent");
    let callout = callout.as_str().expect("a callout");
    for part in ["does not hold", "expected", "measured", "because of the coins"] {
        assert!(callout.contains(part), "{part}: {callout}");
    }
    assert_eq!(value(&tab, "window.sameDocument"), true);
    // The note that cites the claim was open, too, and nobody saved either.
    other.bring_to_front().expect("a window");
    wait(
        &other,
        "document.querySelector('article .claim-cites')?.textContent.includes('no longer holds')",
    );
    wait(
        &other,
        "document.querySelector('.backlinks .claim-cites')?.textContent.includes('does not hold')",
    );
    assert_eq!(value(&other, "window.sameDocument"), true);
    // A preview of the link has the sentence with its mark.
    other
        .find_element("article a.internal")
        .expect("a link")
        .move_mouse_over()
        .expect("pointed at");
    wait(&other, "document.querySelector('.preview-box .claim-fails')");
    let drawn = "getComputedStyle(document.querySelector('.preview-box .claim-fails')).textDecorationStyle === 'wavy'";
    wait(&other, drawn);
    fs::write(garden.path("names.txt"), FIRST).expect("written");
    tab.bring_to_front().expect("a window");
    wait(&tab, "!document.querySelector('.claim, .claim-fails')");
    assert_eq!(value(&tab, "window.sameDocument"), true);
}

#[test]
fn the_marks_are_in_the_site_that_is_built_from_frozen_results_and_on_paper() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.write("names.txt", FIRST);
    let fails = "expect:\n  - { that: \"top[0].activation > 1000000\", claim: ^strong }\n";
    let prose = "Also `= strongest.top[0].activation | .1f ? > 1000000` of it.";
    garden.note("a.md", &format!("{}\n{prose}\n", note(fails)));
    garden.note(
        "b.md",
        "---\ntitle: Another\n---\nIt rests on [[a#^strong|that]].\n\n![[a#^strong]]\n",
    );
    results::fill(&garden);
    garden.built();
    let built = garden.output();
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    std::fs::remove_dir_all(garden.path(".neuronotes")).expect("no store");
    let frozen = garden.run(&["build", "--frozen"]);
    assert_eq!(frozen.code(), 0, "{}", frozen.stderr());
    assert!(frozen.stderr().contains("2 expectations: 2 fail"), "{}", frozen.stderr());
    assert_eq!(garden.run(&["build", "--frozen", "--strict"]).code(), 1);
    assert_eq!(garden.output(), built);

    let base = format!("file://{}/", garden.path("output").display());
    let tab = open(&browser, &format!("{base}a.html"));
    let media = |media: &str| {
        let media = SetEmulatedMedia { media: Some(media.into()), features: None };
        tab.call_method(media).expect("a medium");
    };
    // What is seen of each, and how it is drawn.
    let seen = |selector: &str| {
        let script = format!(
            "[...document.querySelectorAll({selector:?})].map(e => [e.checkVisibility() && e.getBoundingClientRect().width > 0, \
             e.textContent.trim().replace(/\\s+/g, ' ')])"
        );
        value(&tab, &script)
    };
    let is = |text: &str| serde_json::json!([[true, text]]);
    let wavy = |selector: &str| {
        value(
            &tab,
            &format!("getComputedStyle(document.querySelector({selector:?})).textDecorationStyle"),
        )
    };
    let sign =
        "getComputedStyle(document.querySelector('.value.fails'), '::after').content.includes('⚠')";
    for medium in ["screen", "print"] {
        media(medium);
        go(&tab, &format!("{base}a.html"));
        assert_eq!(seen(".claim-fails"), is("It is as strong as b says."), "{medium}");
        assert_eq!(seen(".claim-mark"), is("⚠\u{fe0e} does not hold"), "{medium}");
        assert_eq!((wavy(".claim-fails"), wavy(".value.fails")), ("wavy".into(), "wavy".into()));
        assert_eq!(value(&tab, sign), true, "{medium}");
        let callout = seen("#strongest .claim").to_string();
        for part in ["[[true,", "expected", "top[0].activation > 1000000", "measured"] {
            assert!(callout.contains(part), "{medium}: {callout}");
        }
        let cites = "⚠\u{fe0e} cites a claim that no longer holds";
        let backlinks = seen(".backlinks .claim-cites").to_string();
        assert!(backlinks.contains(cites) && !backlinks.contains("false"), "{medium}: {backlinks}");
        go(&tab, &format!("{base}b.html"));
        assert_eq!(
            seen("article p > .claim-cites"),
            is("(cites a claim that no longer holds)"),
            "{medium}"
        );
        assert_eq!(seen(".embed .claim-fails"), is("It is as strong as b says."), "{medium}");
        assert_eq!(seen(".embed .claim-mark"), is("⚠\u{fe0e} does not hold"), "{medium}");
        let backlinks = seen(".backlinks .claim-cites").to_string();
        assert!(backlinks.contains("a claim that does not hold"), "{medium}: {backlinks}");
    }
    // On paper the mark is black, so that a printer without colours prints it.
    assert_eq!(
        value(&tab, "getComputedStyle(document.querySelector('.claim-mark')).color"),
        "rgb(0, 0, 0)"
    );
    // A link's preview has the mark in the published site, too.
    media("");
    tab.bring_to_front().expect("a window");
    tab.find_element("article a.internal").expect("a link").move_mouse_over().expect("pointed at");
    wait(&tab, "document.querySelector('.preview-box .claim-fails + .claim-mark')");
    wait(
        &tab,
        "getComputedStyle(document.querySelector('.preview-box .claim-fails')).textDecorationStyle === 'wavy'",
    );
}

#[test]
fn pages_without_claims_load_nothing_for_them() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("a.md", &note("expect: [\"top[0].activation > -1000000\"]\n"));
    garden.note("b.md", "---\ntitle: Another\n---\nText.\n");
    garden.write("names.txt", FIRST);
    results::fill(&garden);
    garden.built();
    let base = format!("file://{}/", garden.path("output").display());
    let tab = open(&browser, &format!("{base}a.html"));
    let sheets = "[...document.styleSheets].filter(s => s.href?.includes('/claims-')).length";
    assert_eq!(value(&tab, sheets), 1);
    go(&tab, &format!("{base}b.html"));
    assert_eq!(value(&tab, sheets), 0);
    assert_eq!(
        value(&tab, "document.body.textContent.includes('expectation')"),
        Value::Bool(false)
    );
}
