//! What can be wrong with any page: barriers, what moves, what is asked of other hosts, what is too wide or out of reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headless_chrome::Tab;
use headless_chrome::protocol::cdp::Network;
use headless_chrome::protocol::cdp::types::Event;
use serde_json::Value;

use crate::chromium::{browser, open, overflow, resize, value};
use crate::garden::{LONG, Pages, everywhere, garden, pages};
use crate::tab::{awaited, colours, go, read_through, settled, unfold};

/// axe-core's script, where there is one.
pub fn axe() -> Option<String> {
    let named = std::env::var_os("AXE").filter(|path| !path.is_empty());
    if named.is_none() {
        eprintln!(
            "NOT TESTED: whether everybody can use the pages; AXE names no axe.min.js (`cargo xtask test` fetches it)"
        );
    }
    named.map(|path| fs::read_to_string(path).expect("axe-core"))
}

/// What axe-core finds wrong by the rules of WCAG 2.2 AA, and on which pages.
pub fn barriers(tab: &Tab, axe: &str, pages: &Pages) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let look = "axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', \
                'wcag22aa'] }).then(r => [r.passes.length, r.violations.map(v => v.nodes.map(n => \
                `${v.id} (${v.impact}): ${n.html.slice(0, 160)} [${n.target}] ${n.any.map(c => c.message)}`)).flat()])";
    for (page, address) in pages {
        go(tab, address);
        unfold(tab);
        tab.evaluate(axe, false).expect("axe-core");
        for (scheme, width) in [("light", 400), ("light", 1400), ("dark", 1400), ("dark", 400)] {
            colours(tab, scheme);
            resize(tab, width);
            settled(tab);
            let all = awaited(tab, look);
            assert!(all[0].as_u64() > Some(5), "axe-core looked at nothing: {all}");
            for problem in all[1].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let on = format!("{page}, {scheme}, {width} px");
                found.entry(problem.to_owned()).or_default().insert(on);
            }
        }
    }
    found
}

/// What moved by itself while pages were read.
pub fn shifts(tab: &Tab, pages: &Pages) -> String {
    let mut moved = String::new();
    let look = "new Promise(done => { const all = []; const place = r => [r.x, r.y, r.width, r.height].map(Math.round).join(' '); \
                  new PerformanceObserver(list => all.push(...list.getEntries())).observe({ type: 'layout-shift', buffered: true }); \
                  setTimeout(() => done(all.map(s => [s.value, s.sources.map(n => `${(n.node?.outerHTML ?? n.node?.data ?? '').slice(0, 90)} from ${place(n.previousRect)} to ${place(n.currentRect)}`)])), 150); })";
    for (page, address) in pages {
        for width in [400, 1400] {
            // Else the page would begin in the window before, and move into this one.
            resize(tab, width);
            settled(tab);
            go(tab, address);
            read_through(tab);
            let shifts = awaited(tab, look);
            if shifts != Value::Array(vec![]) {
                let _ = writeln!(moved, "{page} at {width} px: {shifts}");
            }
        }
    }
    moved
}

/// What was asked for and what was complained of since the listener was added.
#[derive(Default)]
struct Heard {
    asked: Vec<(String, Option<Network::ResourceType>)>,
    complaints: Vec<String>,
}

fn listen(tab: &Tab) -> Arc<Mutex<Heard>> {
    let heard: Arc<Mutex<Heard>> = Arc::default();
    let into = heard.clone();
    tab.add_event_listener(Arc::new(move |event: &Event| {
        let mut heard = into.lock().expect("no panic");
        match event {
            Event::NetworkRequestWillBeSent(asked) => {
                heard.asked.push((asked.params.request.url.clone(), asked.params.Type.clone()));
            }
            Event::LogEntryAdded(said) => {
                heard.complaints.push(format!("{:?}", said.params.entry.text));
            }
            Event::RuntimeConsoleAPICalled(said) => {
                heard.complaints.push(format!("{:?}", said.params.args))
            }
            Event::RuntimeExceptionThrown(said) => {
                heard.complaints.push(format!("{:?}", said.params.exception_details));
            }
            _ => {}
        }
    }))
    .expect("a listener");
    tab.enable_log().expect("the log");
    tab.enable_runtime().expect("the console");
    let network: Network::Enable = serde_json::from_value(serde_json::json!({})).expect("options");
    tab.call_method(network).expect("requests");
    heard
}

/// Requests to elsewhere, complaints, and pages of more bytes than they may have.
pub fn disturbances(tab: &Tab, pages: &Pages, base: &str, light: Option<&str>) -> String {
    let heard = listen(tab);
    let mut wrong = String::new();
    for (page, address) in pages {
        *heard.lock().expect("no panic") = Heard::default();
        go(tab, address);
        // What a script loads by itself once the page is there.
        std::thread::sleep(Duration::from_millis(150));
        let at_start = heard.lock().expect("no panic").asked.clone();
        assert!(at_start.iter().any(|(url, _)| url == address), "{at_start:?}");
        read_through(tab);
        let heard = heard.lock().expect("no panic");
        for (url, _) in &heard.asked {
            if !["file:", "data:", "blob:", base].iter().any(|own| url.starts_with(own)) {
                let _ = writeln!(wrong, "{page} asks for {url}");
            }
        }
        for complaint in &heard.complaints {
            let _ = writeln!(wrong, "{page}: {complaint}");
        }
        if Some(&**page) == light {
            let bytes = weight(&at_start);
            println!("{page} weighs {bytes} bytes with styles and scripts");
            if bytes >= 60_000 {
                let _ = writeln!(wrong, "{page} weighs {bytes} bytes: {at_start:?}");
            }
        }
    }
    wrong
}

/// Of the document, its styles and its scripts, as they lie on the disk.
fn weight(asked: &[(String, Option<Network::ResourceType>)]) -> u64 {
    use Network::ResourceType::{Document, Script, Stylesheet};
    let counts = |kind: &Option<_>| matches!(kind, Some(Document | Stylesheet | Script));
    let files: BTreeSet<&str> = asked
        .iter()
        .filter(|(_, kind)| counts(kind))
        .filter_map(|(url, _)| url.strip_prefix("file://"))
        .collect();
    assert!(files.len() > 1, "a page without a style: {asked:?}");
    files.into_iter().map(|file| fs::metadata(file).expect("a file").len()).sum()
}

/// Pages that are wider than the window, and what makes them so.
pub fn too_wide(tab: &Tab, pages: &Pages) -> String {
    let mut wide = String::new();
    // What is in a box that scrolls makes no page wider.
    let widest = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 && \
                  getComputedStyle(e.parentElement.closest('.table, .crossed, .matrix, pre') ?? document.body).overflowX === 'visible')\
                  .map(e => e.outerHTML.slice(0, 90)).slice(-3)";
    for (page, address) in pages {
        go(tab, address);
        unfold(tab);
        // A telephone on which letters are twice as large, too.
        for (width, letters) in [(320, 1), (400, 1), (1400, 1), (2560, 1), (390, 2)] {
            resize(tab, width);
            let larger = format!("document.documentElement.style.fontSize = '{letters}00%'");
            tab.evaluate(&larger, false).expect("evaluates");
            let over = overflow(tab);
            if over != 0 {
                let _ = writeln!(wide, "{page} at {width} px: by {over}, {}", value(tab, widest));
            }
        }
    }
    wide
}

/// What the tabulator key does not reach, and where the focus is not seen.
pub fn unreached(tab: &Tab, pages: &Pages) -> String {
    // What no click can reach, such as a link within a closed fold, is none for the keyboard either.
    let all = "(window.wanted = [...document.querySelectorAll('a[href], button, summary, input, select, [tabindex=\"0\"]')]\
               .filter(e => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !e.closest('[inert], [aria-hidden=true]')), \
               window.reached = new Set(), window.unseen = [], window.back = false, \
               addEventListener('focusin', ({ target }) => { \
                 back ||= reached.has(target); reached.add(target); const style = getComputedStyle(target); \
                 if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 1) unseen.push(target); }), \
               wanted.length)";
    let shown = |elements: &str| format!("{elements}.map(e => e.outerHTML.slice(0, 120))");
    let mut wrong = String::new();
    for (page, address) in pages {
        // A key takes its time: pages that are alike but for their width are gone through once.
        let is_listed = ["notes", "tags", "units"].iter().any(|start| page.starts_with(start));
        let widths: &[u32] = if is_listed { &[1400] } else { &[400, 1400] };
        for width in widths.iter().copied() {
            resize(tab, width);
            go(tab, address);
            let count = value(tab, all).as_u64().expect("a number");
            assert!(count > 0, "{page}");
            // A step more than there are elements, some of which, such as boxes that scroll, are not in the list.
            for step in 0..=count + 20 {
                tab.press_key("Tab").expect("a key");
                if step >= count
                    && value(tab, "back || document.activeElement === document.body") == true
                {
                    break;
                }
            }
            for (what, elements) in [
                ("the keyboard does not reach", "wanted.filter(e => !reached.has(e))"),
                ("the focus is not seen on", "unseen"),
            ] {
                let elements = value(tab, &shown(elements));
                if elements != Value::Array(vec![]) {
                    let _ = writeln!(wrong, "{page} at {width} px: {what} {elements}");
                }
            }
        }
    }
    wrong
}

#[test]
fn everybody_can_use_every_page() {
    let Some(browser) = browser() else { return };
    let Some(axe) = axe() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let found = barriers(&open(&browser, "about:blank"), &axe, &pages(&garden, base));
        assert!(found.is_empty(), "{base}: {found:#?}");
    });
}

#[test]
fn nothing_moves_while_a_page_is_read() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let moved = shifts(&open(&browser, "about:blank"), &pages(&garden, base));
        assert!(moved.is_empty(), "{moved}");
    });
}

#[test]
fn a_page_asks_no_other_host_complains_of_nothing_and_is_light() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    everywhere(&garden, |base| {
        let tab = open(&browser, "about:blank");
        let light = base.starts_with("file:").then_some("text.html");
        let wrong = disturbances(&tab, &pages(&garden, base), base, light);
        assert!(wrong.is_empty(), "{wrong}");
    });
}

#[test]
fn no_page_is_wider_than_the_window() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    garden.note("long.md", LONG);
    garden.built();
    everywhere(&garden, |base| {
        let wide = too_wide(&open(&browser, "about:blank"), &pages(&garden, base));
        assert!(wide.is_empty(), "{wide}");
    });
}

#[test]
fn the_keyboard_reaches_everything_and_shows_where_it_is() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    everywhere(&garden, |base| {
        let mut pages = pages(&garden, base);
        if base.starts_with("http") {
            // A key takes its time, and what the preview adds to pages it adds to each.
            pages.retain(|page, _| matches!(page.as_str(), "index.html" | "deep/figures.html"));
        }
        let wrong = unreached(&tab, &pages);
        assert!(wrong.is_empty(), "{wrong}");
    });
}

/// A page with everything that the tests above look for.
const BAD: &str = "<!doctype html><title>Bad</title><style>a.dull { outline: none; color: #ddd; background: #fff }</style>\
    <link rel=stylesheet href=style.css><p id=top style=height:30px></p><p>Text that is pushed down.</p>\
    <div style=width:3000px>wide</div><a class=dull href=a.html>dull</a> <a tabindex=-1 href=b.html>passed over</a>\
    <img src='http://127.0.0.1:9/elsewhere.png'>\
    <script>setTimeout(() => document.querySelector('#top').style.height = '300px', 60); \
    console.error('a complaint')</script>";

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("bad.html"), BAD).expect("a page");
    fs::write(folder.path().join("style.css"), "/* much */".repeat(6000)).expect("a style");
    let address = format!("file://{}", folder.path().join("bad.html").display());
    let pages = Pages::from([("bad.html".to_owned(), address)]);
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    let wrong = disturbances(&tab, &pages, "file:", Some("bad.html"));
    for part in ["127.0.0.1:9", "a complaint", "weighs"] {
        assert!(wrong.contains(part), "{part} in {wrong}");
    }
    assert!(shifts(&tab, &pages).contains("pushed down"));
    assert!(too_wide(&tab, &pages).contains("bad.html at 2560 px"));
    let wrong = unreached(&tab, &pages);
    for part in ["does not reach [\"<a tabindex", "not seen on [\"<a class"] {
        assert!(wrong.contains(part), "{part} in {wrong}");
    }
    if let Some(axe) = axe() {
        let found: Vec<String> = barriers(&tab, &axe, &pages).into_keys().collect();
        for rule in ["color-contrast", "image-alt", "html-has-lang"] {
            assert!(found.iter().any(|problem| problem.starts_with(rule)), "{rule} in {found:#?}");
        }
    }
}
