//! Reviewing in a browser: the page of all notes by trouble, and remarks on a sentence that a reader selects.

use headless_chrome::Tab;
use headless_chrome::browser::tab::ModifierKey;
use headless_chrome::protocol::cdp::Input::{
    DispatchMouseEvent, DispatchMouseEventTypeOption as Type, MouseButton,
};
use serde_json::Value;

use crate::chromium::{browser, open, value, wait};
use crate::common::{Garden, troubled};
use crate::fault::{axe, barriers, disturbances, shifts, too_wide, unreached};
use crate::garden::{Pages, everywhere};
use crate::tab::{click, go};

/// Pages with reviews, remarks and all kinds of trouble.
fn pages(base: &str) -> Pages {
    let names = ["review.html", "stale.html", "remarks.html"];
    names.map(|name| (name.to_owned(), format!("{base}{name}"))).into()
}

fn garden() -> Garden {
    let garden = troubled::garden();
    // Figures that failed are among what is looked at.
    assert_eq!(garden.build().code(), 1);
    garden
}

#[test]
fn everybody_can_use_the_page_of_troubles() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    everywhere(&garden, |base| {
        let pages = pages(base);
        if let Some(axe) = axe() {
            assert_eq!(barriers(&tab, &axe, &pages), Default::default(), "{base}");
        }
        assert_eq!(too_wide(&tab, &pages), "", "{base}");
        assert_eq!(shifts(&tab, &pages), "", "{base}");
        assert_eq!(unreached(&tab, &pages), "", "{base}");
        assert_eq!(disturbances(&tab, &pages, base, None), "", "{base}");
    });
}

#[test]
fn the_index_of_the_page_of_troubles_leads_to_its_groups() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let tab = open(&browser, &format!("{base}review.html"));
        click(&tab, ".trouble-index a[href='#group-controls']");
        wait(&tab, "location.hash === '#group-controls'");
        // The page may still scroll there.
        go(&tab, &format!("{base}review.html"));
        click(&tab, "#group-controls ~ ul a[href$='#chosen']");
        wait(&tab, "location.pathname.endsWith('/controls.html') && location.hash === '#chosen'");
        // From a note that has changed, to what the page says of it, and back to the note.
        go(&tab, &format!("{base}stale.html"));
        click(&tab, ".reviews a[href$='#group-note-stale']");
        wait(
            &tab,
            "document.querySelector('#group-note-stale')?.textContent.includes('text changed since Ada')",
        );
    });
}

/// The corners of a text in the article, where it begins and where it ends: x and y.
fn ends(tab: &Tab, text: &str) -> [(f64, f64); 2] {
    let found = value(
        tab,
        &format!(
            "(() => {{ const walk = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT); \
             while (walk.nextNode()) {{ const at = walk.currentNode.data.indexOf({text:?}); if (at < 0) continue; \
             walk.currentNode.parentElement.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const range = document.createRange(); range.setStart(walk.currentNode, at); range.setEnd(walk.currentNode, at + {text:?}.length); \
             const all = [...range.getClientRects()], first = all[0], last = all.at(-1); \
             return [first.left + .5, first.top + first.height / 2, last.right - .5, last.top + last.height / 2]; }} }})()"
        ),
    );
    let at = |i: usize| found[i].as_f64().unwrap_or_else(|| panic!("no {text:?}: {found}"));
    [(at(0), at(1)), (at(2), at(3))]
}

/// The left button: pressed, moved while it is down, and released; `count` is 2 for the second of a double click.
fn mouse(tab: &Tab, what: Type, (x, y): (f64, f64), count: u32, down: bool) {
    let event = DispatchMouseEvent {
        Type: what,
        x,
        y,
        modifiers: None,
        timestamp: None,
        button: Some(MouseButton::Left),
        buttons: Some(u32::from(down)),
        click_count: Some(count),
        force: None,
        tangential_pressure: None,
        tilt_x: None,
        tilt_y: None,
        twist: None,
        delta_x: None,
        delta_y: None,
        pointer_Type: None,
    };
    tab.call_method(event).expect("the mouse");
}

fn select(tab: &Tab, text: &str) {
    let [from, to] = ends(tab, text);
    mouse(tab, Type::MouseMoved, from, 0, false);
    mouse(tab, Type::MousePressed, from, 1, true);
    for step in 1..=4 {
        let share = f64::from(step) / 4.0;
        let at = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
        mouse(tab, Type::MouseMoved, at, 0, true);
    }
    mouse(tab, Type::MouseReleased, to, 1, false);
    assert_eq!(value(tab, "getSelection().toString()"), *text);
}

const LINK: &str = "document.querySelector('.discuss-selection a')";

/// Notes which address a link leads to, instead of going there.
fn watched(tab: &Tab) {
    let watch = "window.led = null; addEventListener('click', e => { const link = e.target.closest('a'); \
                 if (link) { window.led = link.href; e.preventDefault(); } })";
    tab.evaluate(watch, false).expect("evaluates");
}

/// A part of the address that was led to.
fn led(tab: &Tab, part: &str) -> String {
    wait(tab, "window.led");
    let part = value(tab, &format!("new URL(window.led).searchParams.get('{part}')"));
    part.as_str().expect("a text").to_owned()
}

const SENTENCE: &str = "It reads otherwise now.";

#[test]
fn a_sentence_selected_by_the_mouse_is_quoted_in_a_remark() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let tab = open(&browser, &format!("{base}stale.html"));
        tab.bring_to_front().expect("the front");
        watched(&tab);
        assert_eq!(value(&tab, LINK), Value::Null);
        select(&tab, SENTENCE);
        wait(&tab, LINK);
        click(&tab, ".discuss-selection a");
        assert_eq!(led(&tab, "title"), "Changed: ");
        let body = led(&tab, "body");
        let lines: Vec<&str> = body.lines().collect();
        assert_eq!(lines[..4], [&*format!("> {SENTENCE}"), "", "---", "notes/stale.md"], "{body}");
        assert!(lines[4].starts_with("as read: ") && lines[4].len() == 25, "{body}");
        // Where the selection ends, the link goes; outside of the note there is none.
        let collapse = "getSelection().collapseToStart()";
        tab.evaluate(collapse, false).expect("evaluates");
        wait(&tab, &format!("!{LINK}"));
        let all = "getSelection().selectAllChildren(document.body)";
        tab.evaluate(all, false).expect("evaluates");
        std::thread::sleep(std::time::Duration::from_millis(400));
        assert_eq!(value(&tab, LINK), Value::Null);
        // The other two remarks have no sentence.
        click(&tab, "[data-discuss]");
        assert!(led(&tab, "body").starts_with("\n\n---\n"));
        tab.evaluate("window.led = null", false).expect("evaluates");
        click(&tab, "#summary .mentions a[href^='https:']");
        assert_eq!(led(&tab, "title"), "Changed, figure summary: ");
        assert!(led(&tab, "body").contains("notes/stale.md#summary"));
    });
}

#[test]
fn a_sentence_selected_by_keys_is_quoted_and_the_link_is_the_next_stop() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let tab = open(&browser, &format!("{base}stale.html"));
        tab.bring_to_front().expect("the front");
        watched(&tab);
        let [from, _] = ends(&tab, SENTENCE);
        // Without a caret in the page, keys can only extend what is selected: here the word of a double click.
        for count in [1, 2] {
            let from = (from.0 + 4.0, from.1);
            mouse(&tab, Type::MousePressed, from, count, true);
            mouse(&tab, Type::MouseReleased, from, count, false);
        }
        assert_eq!(value(&tab, "getSelection().toString()"), "It");
        for _ in "It".len()..SENTENCE.len() {
            tab.press_key_with_modifiers("ArrowRight", Some(&[ModifierKey::Shift])).expect("a key");
        }
        assert_eq!(value(&tab, "getSelection().toString()"), SENTENCE);
        wait(&tab, LINK);
        tab.evaluate("window.before = document.activeElement", false).expect("evaluates");
        tab.press_key("Tab").expect("a key");
        assert_eq!(value(&tab, &format!("document.activeElement === {LINK}")), true);
        tab.press_key("Enter").expect("a key");
        assert!(led(&tab, "body").starts_with(&format!("> {SENTENCE}\n")));
        tab.press_key("Escape").expect("a key");
        assert_eq!(value(&tab, LINK), Value::Null);
        assert_eq!(value(&tab, "document.activeElement === window.before"), true);
    });
}

#[test]
fn a_long_selection_is_shortened_between_two_characters() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let faces = "\u{1f600}".repeat(600);
    garden.note("faces.md", &format!("# Faces\n\na{faces}\n"));
    garden.build();
    let tab = open(&browser, &format!("{}faces.html", crate::garden::published(&garden)));
    let all = "getSelection().selectAllChildren(document.querySelector('article p'))";
    tab.evaluate(all, false).expect("evaluates");
    wait(&tab, LINK);
    let body = value(&tab, &format!("new URL({LINK}.href).searchParams.get('body')"));
    let quote = body.as_str().expect("a text").lines().next().expect("a line").to_owned();
    assert_eq!(quote, format!("> a{}…", "\u{1f600}".repeat(499)));
}
