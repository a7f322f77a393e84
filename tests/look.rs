//! How a site looks and behaves in headless Chromium: every page that a build puts out, whatever it is of, opened from the
//! file system, and the same pages in the preview, where patches come in between.
//!
//! `AXE` names axe-core's script (`cargo xtask test` fetches it); without it accessibility is not tested, and that is said.

#[path = "common/checks.rs"]
mod checks;
#[path = "common/browser.rs"]
mod chromium;
mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checks::Site;
use chromium::{browser, open, overflow, resize, value, wait};
use common::preview::Preview;
use common::{Garden, results};
use headless_chrome::Tab;
use headless_chrome::browser::tab::point::Point;
use headless_chrome::protocol::cdp::Emulation::{
    MediaFeature, SetEmulatedMedia, SetScriptExecutionDisabled,
};
use headless_chrome::protocol::cdp::Network;
use headless_chrome::protocol::cdp::types::Event;
use proxy::{Proxy, Way};
use serde_json::Value;

/// A note with all that prose can have.
const PROSE: &str = "---\ntitle: Everything that prose can have\ntags: [prose, a longer tag]\ndate: 2026-01-02\n\
    units:\n  - { layer: image_block_4/0/Add_6, unit: 3, name: coins }\n---\n\
    A paragraph with *emphasis*, **strength**, `code`, ~~what was struck~~, a footnote[^one], a link to [[Figures]], to \
    [[Figures#Two of them]], to [[figures#vis]], to [another site](https://example.org/somewhere), and \
    averylongwordthatnobodywouldeverwritebutthatmachinesdowritewhentheynamelayersandtensorsandfiles.\n\n\
    [^one]: The footnote, which links to [[Text]].\n\n\
    ## A list\n\n1. One\n2. Two\n   - deeper\n   - [x] done\n   - [ ] to do\n\n\
    ## Code\n\n```rust\nfn main() { println!(\"a line of code that is a good deal longer than any column of text is on a telephone, or even on a desk\"); }\n```\n\n\
    ## A table\n\n| layer | unit | what it answers to | activation | a column | another column | and one more |\n|---|--:|---|--:|---|---|---|\n\
    | image_block_4/0/Add_6 | 3 | coins | 5.25 | visual.layer4.0.add | something | something else |\n\n\
    ### Deeper\n\n> A quotation.\n>\n> It has two paragraphs.\n\n#### Deeper still\n\nText.\n\n---\n\n\
    ## A picture\n\n![A wide picture](wide.png)\n\n![A small one](small.png)\n";

/// A note with a figure of each kind that can be stored without measuring.
const FIGURES: &str = "---\ntitle: Figures\ntags: [figures]\n---\nSee [[Everything that prose can have]], and `= vis.activation | .1f`.\n\n\
    ```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\ntitle: A title\n\
    caption: As [[Text]] says.\n```\n\n## Two of them\n\n```yaml analysis\nid: histogram\nkind: activation_histogram\n\
    layer: image_block_4/0/Add_6\nunit: 3\n```\n\n```yaml analysis\nid: examples\nkind: dataset_examples\n\
    layer: image_block_4/0/Add_6\nunit: 3\ntop: 1\n```\n\n## More\n\n```yaml analysis\nid: grid\nkind: feature_vis\n\
    layer: image_block_4/0/Add_6\nsweep: { unit: [1, 2, 3, 4, 5, 6] }\nwidth: page\n```\n\n\
    ```yaml analysis\nid: words\nkind: text_rank\ndirection: { text: a coin }\ntexts: [red, green]\n```\n\n\
    ```yaml analysis\nid: groups\nkind: probe\nlayer: image_block_4/0/Add_6\n```\n\n\
    ```yaml analysis\nid: made-of\nkind: composition\nprobe: groups\n```\n";

/// A note of what does not break by itself.
const LONG: &str = "---\ntitle: Atitlewithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\
    tags: [atagwithoutanyspacethatisagooddeallongerthanatelephoneiswide]\nauthors: [Ada Lovelace]\n---\n\
    A [link](https://example.org/an/address/without/any/space/that/is/a/good/deal/longer/than/a/telephone/is/wide), \
    `code_without_any_space_that_is_a_good_deal_longer_than_a_telephone_is_wide`, \
    <kbd>Control+Shift+Alternative+Meta+AKeyWithALongName</kbd> and $a_1+a_2+a_3+a_4+a_5+a_6+a_7+a_8+a_9+b_1+b_2+b_3+b_4+b_5$.\n\n\
    - item\n  - deeper\n    1. anitemwithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\n\
    > [!warning] Atitleofacalloutwithoutanyspacethatisagooddeallongerthanatelephone\n> | one | two | three | four |\n> |---|---|---|---|\n\
    > | aaaaaaaaaaaaaa | bbbbbbbbbbbbbb | cccccccccccccc | dddddddddddddd |\n\n\
    <table><tr><td>raw</td><td>awordwithoutanyspacethatisagooddeal</td><td>longerthanatelephoneiswide</td></tr></table>\n\n\
    <video width=\"900\" controls></video>\n\n<iframe width=\"900\" title=\"A frame\"></iframe>\n\n\
    ## Aheadingwithoutanyspacethatisagooddeallongerthanatelephoneiswide\n\n$$a_1+a_2+a_3+a_4+a_5+a_6+a_7+a_8+a_9+b_1+b_2+b_3+b_4+b_5+b_6+b_7$$\n";

/// A note of text alone, of about a thousand words.
fn text() -> String {
    let words =
        "Words follow words, as they do in a note that somebody wrote, and nothing else is there. ";
    let section = |n: usize| {
        format!("## Section {n}\n\n{}See [[Figures]].\n\n{}\n\n", words.repeat(5), words.repeat(5))
    };
    format!("---\ntitle: Text\n---\n{}", (1..7).map(section).collect::<String>())
}

fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("index.md", "# A test garden\n\nIt begins with [[Text]].\n");
    garden.note("prose.md", PROSE);
    garden.note("deep/figures.md", FIGURES);
    garden.note("text.md", &text());
    garden.note("deep/alone.md", "Nobody mentions this.\n");
    for (name, width, height) in [("wide", 1600, 400), ("small", 40, 30)] {
        let path = garden.path(&format!("notes/{name}.png"));
        image::RgbImage::from_pixel(width, height, image::Rgb([90, 60, 200]))
            .save(path)
            .expect("saved");
    }
    assert!(results::fill(&garden) > 0);
    garden.built();
    garden
}

/// The address of a garden's output.
fn published(garden: &Garden) -> String {
    format!("file://{}/", garden.path("output").display())
}

/// Looks at a garden as it is published, and as the preview shows it.
fn everywhere(garden: &Garden, look: impl Fn(&str)) {
    look(&published(garden));
    let preview = Preview::of(garden);
    look(&preview.url);
}

/// The addresses of all pages, by their paths in the output, below the folder of the site. Of a preview's, those that
/// differ in what is on them: what it adds to a page it adds to each, and the rest is that of the published site.
fn pages(garden: &Garden, base: &str) -> Pages {
    let names = garden.output().into_keys().filter(|name| name.ends_with(".html"));
    let address = |name: String| (name.clone(), format!("{base}{name}"));
    // Shown at whatever address is asked for, it has the paths of a host, and none of a disk.
    let names = names.filter(|name| name != "404.html");
    // Pages of tags and of units are alike: the first of each stands for all.
    let mut alike = std::collections::BTreeSet::new();
    let names = names.filter(|name| match name.split_once('/') {
        Some((folder @ ("tags" | "units"), _)) => alike.insert(folder.to_owned()),
        _ => true,
    });
    let mut pages: Pages = names.map(address).collect();
    if base.starts_with("http") {
        pages.retain(|page, _| PREVIEWED.contains(&page.as_str()));
        assert_eq!(pages.len(), PREVIEWED.len(), "{pages:?}");
    }
    for page in ["index.html", "text.html", "prose.html", "deep/figures.html"] {
        assert!(pages.contains_key(page), "{pages:?}");
    }
    pages
}

fn go(tab: &Tab, address: &str) {
    tab.navigate_to(address).expect("an address").wait_until_navigated().expect("a page");
}

fn colours(tab: &Tab, scheme: &str) {
    let feature = MediaFeature { name: "prefers-color-scheme".into(), value: scheme.into() };
    let media = SetEmulatedMedia { media: None, features: Some(vec![feature]) };
    tab.call_method(media).expect("a scheme of colours");
}

/// What this JavaScript promises, as JSON.
fn awaited(tab: &Tab, promise: &str) -> Value {
    let script = format!("({promise}).then(value => JSON.stringify(value))");
    let result = tab.evaluate(&script, true).expect("evaluates").value;
    serde_json::from_str(result.as_ref().and_then(Value::as_str).unwrap_or_default()).expect("JSON")
}

/// Scrolls to the end, a window at a time, and waits until the pictures are there.
fn read_through(tab: &Tab) {
    awaited(
        tab,
        "(async () => { \
           const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 30))); \
           for (let at = 0; at < document.documentElement.scrollHeight; at += innerHeight / 2) { \
             scrollTo({ top: at, behavior: 'instant' }); await frame(); } \
           await Promise.all([...document.images].filter(i => i.checkVisibility()).map(i => i.decode().catch(() => {}))); \
           await frame(); return true; })()",
    );
}

/// The pages of the preview that are looked at: all kinds of contents, and pages that nobody wrote.
const PREVIEWED: [&str; 6] =
    ["deep/figures.html", "graph.html", "index.html", "notes.html", "prose.html", "text.html"];

/// Pages by their names, with their addresses.
type Pages = BTreeMap<String, String>;

/// axe-core's script, where there is one.
fn axe() -> Option<String> {
    let named = std::env::var_os("AXE").filter(|path| !path.is_empty());
    if named.is_none() {
        eprintln!(
            "NOT TESTED: whether everybody can use the pages; AXE names no axe.min.js (`cargo xtask test` fetches it)"
        );
    }
    named.map(|path| fs::read_to_string(path).expect("axe-core"))
}

/// What is folded away is not looked at.
fn unfold(tab: &Tab) {
    let all = "for (const fold of document.querySelectorAll('details')) fold.open = true";
    tab.evaluate(all, false).expect("evaluates");
}

/// Waits until what a change of the window or of its colours sets in motion has come to rest.
fn settled(tab: &Tab) {
    awaited(
        tab,
        "(async () => { \
           const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0))); \
           await frame(); await Promise.race([Promise.all(document.getAnimations().map(a => a.finished.catch(() => {}))), \
             new Promise(done => setTimeout(done, 500))]); \
           await frame(); return true; })()",
    );
}

/// What axe-core finds wrong by the rules of WCAG 2.2 AA, and on which pages.
fn barriers(tab: &Tab, axe: &str, pages: &Pages) -> BTreeMap<String, BTreeSet<String>> {
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
fn shifts(tab: &Tab, pages: &Pages) -> String {
    let mut moved = String::new();
    let look = "new Promise(done => { const all = []; \
                  new PerformanceObserver(list => all.push(...list.getEntries())).observe({ type: 'layout-shift', buffered: true }); \
                  setTimeout(() => done(all.map(s => [s.value, s.sources.map(n => (n.node?.outerHTML ?? n.node?.data ?? '').slice(0, 90))])), 150); })";
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
fn disturbances(tab: &Tab, pages: &Pages, base: &str, light: Option<&str>) -> String {
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
fn too_wide(tab: &Tab, pages: &Pages) -> String {
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
fn unreached(tab: &Tab, pages: &Pages) -> String {
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

/// Clicks what is seen of an element. The browser's client would wait for a script to scroll to it, and none runs here.
fn click(tab: &Tab, selector: &str) {
    let seen =
        format!("[...document.querySelectorAll({selector:?})].find(e => e.checkVisibility())");
    wait(tab, &seen);
    let middle = format!(
        "(e => {{ e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const box = e.getClientRects()[0]; \
         return [box.x + box.width / 2, box.y + box.height / 2]; }})({seen})"
    );
    let middle = value(tab, &middle);
    let at = |axis: usize| middle[axis].as_f64().unwrap_or_else(|| panic!("{selector}: {middle}"));
    tab.click_point(Point { x: at(0), y: at(1) }).expect("a click");
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

#[test]
fn without_scripts_contents_folds_and_links_work() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.call_method(SetScriptExecutionDisabled { value: true }).expect("no scripts");
    everywhere(&garden, |base| {
        let pages = pages(&garden, base);
        let click = |selector: &str| click(&tab, selector);
        let top = "document.querySelector('#two-of-them').getBoundingClientRect().top";
        resize(&tab, 1400);
        go(&tab, &pages["deep/figures.html"]);
        click(".contents-side a[href='#two-of-them']");
        wait(&tab, &format!("location.hash === '#two-of-them' && Math.abs({top}) < 200"));
        resize(&tab, 400);
        go(&tab, &pages["deep/figures.html"]);
        click(".contents-fold summary");
        click(".contents-fold a[href='#two-of-them']");
        wait(&tab, &format!("location.hash === '#two-of-them' && Math.abs({top}) < 200"));
        click("#vis .provenance summary");
        wait(&tab, "document.querySelector('#vis .provenance pre').checkVisibility()");
        click("#vis .caption a.internal");
        wait(&tab, "location.pathname.endsWith('/text.html')");
        click(".masthead .site-title");
        wait(&tab, "location.pathname.endsWith('/index.html')");
        for (page, address) in &pages {
            go(&tab, address);
            // What only a script can do is not offered.
            let idle = "[...document.querySelectorAll('button')].filter(b => b.checkVisibility()).map(b => b.outerHTML)";
            assert_eq!(value(&tab, idle), Value::Array(vec![]), "{page}");
        }
    });
}

/// What a reader may be looking for, and what is to be found first.
#[test]
fn the_search_has_what_was_meant_first() {
    let Some(browser) = browser() else { return };
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}bibliography: refs.bib\n"));
    garden.write("refs.bib", "@article{olah2017feature, title={Feature Visualization}, author={Olah, Chris}, journal={Distill}, year={2017}}\n");
    let block = |unit: u32, more: &str| {
        format!(
            "```yaml analysis\nid: u{unit}\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {unit}\n{more}```\n\n"
        )
    };
    let many: String =
        (0..3).map(|n| format!("## Unit 71 again {n}\n\nUnit 71, unit 71.\n\n")).collect();
    let units = "units:\n  - { layer: image_block_4/0/Add_6, unit: 71, name: lamps }\n";
    garden.note(
        "lamps.md",
        &format!("---\ntitle: Lamps\n{units}tags: [light, \"C++\"]\n---\nUnit 71 answers to lamps.\n\n{many}{}{}", block(7, ""), block(71, "caption: A chandelier.\n")),
    );
    garden.note("organise.md", "---\ntags: [lighting]\n---\nA grey harbour, organised at the centre, as @olah2017feature says.\n");
    garden.note("words.md", "---\ntitle: Words in pictures\n---\nA marmalade sandwich.\n\n```yaml analysis\nid: ranked\nkind: text_rank\ndirection: { text: a coin }\ntexts: [red, green]\n```\n");
    garden.note("two.md", "A marmalade jar.\n");
    assert!(results::fill(&garden) > 0);
    garden.built();
    let lamps = garden.page("lamps.html");
    let key = lamps.split("id=\"u71\"").nth(1).and_then(|rest| rest.split("data-key=\"").nth(1));
    let key = &key.expect("a figure")[..64];
    let tab = open(&browser, &format!("file://{}", garden.path("output/words.html").display()));
    click(&tab, "button[data-search]");
    wait(&tab, "document.querySelector('.find-dialog')?.open");
    let ask = |question: &str| {
        let question = serde_json::Value::from(question);
        let put = format!(
            "(i => {{ i.value = {question}; i.dispatchEvent(new Event('input', {{ bubbles: true }})) }})(document.querySelector('.find-dialog input'))"
        );
        tab.evaluate(&put, false).expect("evaluates");
    };
    let unit = |unit: u32| format!("units/emoji/image_block_4-0-add_6/{unit}.html");
    for (question, first) in [
        ("71", unit(71).as_str()),
        ("unit 7", &unit(7)),
        ("unit 71", &unit(71)),
        (&key[..8], "lamps.html#u71"),
        (&key[..20], "lamps.html#u71"),
        (key, "lamps.html#u71"),
        ("#light", "tags/light.html"),
        ("#lightin", "tags/lighting.html"),
        ("chandeleir", "lamps.html#u71"),
        ("hcandelier", "lamps.html#u71"),
        ("harbor", "organise.html"),
        ("gray", "organise.html"),
        ("organized", "organise.html"),
        ("center", "organise.html"),
        ("Olah 2017", "organise.html#ref-olah2017feature"),
        ("olah2017feature", "organise.html#ref-olah2017feature"),
        ("green", "words.html#ranked"),
        ("marmalade sandwich zebra", "words.html"),
        ("marmalade jar", "two.html"),
    ] {
        ask(question);
        let found = format!(
            "document.querySelector('#find-list [role=option]')?.getAttribute('href') === {first:?}"
        );
        wait(&tab, &found);
    }
    ask("#C++");
    wait(&tab, "document.querySelector('#find-list [role=option]')?.innerText.startsWith('#C++')");
    // A number that is slightly another is another, and what is nowhere is not found.
    for question in ["9071", "xylophone"] {
        ask(question);
        wait(&tab, "document.querySelector('.find-says').textContent.startsWith('Nothing found')");
    }
    ask("marmalade sandwich zebra");
    wait(&tab, "document.querySelector('#find-list').innerText.includes('Missing: “zebra”')");
    ask("chandeleir");
    wait(
        &tab,
        "document.querySelector('.find-says').textContent.includes('results for “chandelier”')",
    );
    // Home and End move the cursor, and the choice stays.
    ask("marmalade");
    wait(&tab, "document.querySelectorAll('#find-list [role=option]').length === 2");
    tab.evaluate("document.querySelector('.find-dialog input').focus()", false).expect("evaluates");
    tab.press_key("ArrowDown").expect("a key");
    for (key, at) in [("Home", 0), ("End", 9)] {
        tab.press_key(key).expect("a key");
        wait(
            &tab,
            &format!("document.querySelector('.find-dialog input').selectionStart === {at}"),
        );
        wait(
            &tab,
            "document.querySelectorAll('#find-list [role=option]')[1].getAttribute('aria-selected') === 'true'",
        );
    }
}

#[test]
fn light_and_dark_are_the_readers_choice_and_paper_is_white() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    let pages = pages(&garden, &published(&garden));
    let paper = "getComputedStyle(document.body).backgroundColor";
    let (light, dark) = ("rgb(253, 253, 251)", "rgb(21, 22, 27)");
    let shows = |colour: &str| wait(&tab, &format!("{paper} === {colour:?}"));
    colours(&tab, "dark");
    go(&tab, &pages["text.html"]);
    shows(dark);
    click(&tab, "button[data-theme-choice]");
    shows(light);
    wait(
        &tab,
        "document.querySelector('button[data-theme-choice]').getAttribute('aria-label') === 'Theme: light'",
    );
    // It is there before the first style on every page, and what the system has does not matter.
    go(&tab, &pages["deep/figures.html"]);
    shows(light);
    let first = "[...document.head.children].findIndex(e => e.textContent.includes('neuronotes-theme')) < \
                 [...document.head.children].findIndex(e => e.rel === 'stylesheet')";
    assert_eq!(value(&tab, first), true);
    colours(&tab, "light");
    click(&tab, "button[data-theme-choice]");
    shows(dark);
    let print = SetEmulatedMedia { media: Some("print".into()), features: None };
    tab.call_method(print).expect("paper");
    shows("rgb(255, 255, 255)");
    wait(&tab, "getComputedStyle(document.body).color === 'rgb(0, 0, 0)'");
    let screen = SetEmulatedMedia { media: Some(String::new()), features: None };
    tab.call_method(screen).expect("a screen");
    click(&tab, "button[data-theme-choice]");
    shows(light);
    assert_eq!(value(&tab, "document.documentElement.dataset.theme ?? null"), Value::Null);
    // Without scripts it is as the system has it.
    tab.call_method(SetScriptExecutionDisabled { value: true }).expect("no scripts");
    colours(&tab, "dark");
    go(&tab, &pages["text.html"]);
    shows(dark);
}

#[test]
fn on_paper_and_in_the_systems_colours_bars_and_tables_are_whole() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    let pages = pages(&garden, &published(&garden));
    resize(&tab, 700);
    let media = |media: &str, forced: &str| {
        let feature = MediaFeature { name: "forced-colors".into(), value: forced.into() };
        let media = SetEmulatedMedia { media: Some(media.into()), features: Some(vec![feature]) };
        tab.call_method(media).expect("a medium");
    };
    let cut = "[...document.querySelectorAll('.table, pre, .matrix')].filter(e => e.checkVisibility() && \
               (getComputedStyle(e).overflowX !== 'visible' || e.getBoundingClientRect().left + e.scrollWidth > innerWidth)).map(e => e.outerHTML.slice(0, 80))";
    let bars = "[...document.querySelectorAll('.bars .track i.bar')].map(e => getComputedStyle(e))";
    for page in ["prose.html", "deep/figures.html"] {
        go(&tab, &pages[page]);
        unfold(&tab);
        media("print", "none");
        assert_eq!(value(&tab, cut), Value::Array(vec![]), "{page}");
        media("", "none");
    }
    media("print", "none");
    let exact = format!("{bars}.length > 0 && {bars}.every(s => s.printColorAdjust === 'exact')");
    assert_eq!(value(&tab, &exact), true);
    // Nothing that may not be parted takes a page's title away from its text.
    assert_eq!(value(&tab, "getComputedStyle(document.querySelector('.note')).display"), "block");
    media("", "active");
    let seen = format!(
        "{bars}.every(s => (s.backgroundColor !== getComputedStyle(document.body).backgroundColor || s.borderTopWidth !== '0px') \
         && s.forcedColorAdjust === 'none')"
    );
    assert_eq!(value(&tab, &seen), true);
}

/// Classes that share a unit, each with two units.
#[test]
fn a_graph_of_units_is_turned_filtered_and_walked_through_by_the_keyboard() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    tab.bring_to_front().expect("the front");
    everywhere(&garden, |base| {
        resize(&tab, 1400);
        go(&tab, &pages(&garden, base)["deep/figures.html"]);
        let graph = "document.querySelector('#made-of [data-bipartite]')";
        let shown = format!(
            "[...{graph}.querySelectorAll('path')].filter(e => e.checkVisibility()).map(e => e.dataset.value).sort().join()"
        );
        let active = "document.activeElement.textContent.trim()";
        wait(&tab, &format!("{graph}.querySelector('[data-choice=class]')"));
        let all = value(&tab, &shown);
        assert_eq!(all.as_str().map(|all| all.split(',').count()), Some(4), "{all}");
        let choose = |name: &str, chosen: &str| {
            let act = format!(
                "(e => {{ e.value = {chosen:?}; e.dispatchEvent(new Event('input', {{ bubbles: true }})); return true; }})\
                 ({graph}.querySelector('[data-choice={name}]'))"
            );
            value(&tab, &act);
        };
        // The class of two units, of which one is of both classes.
        choose("class", "1");
        assert_eq!(value(&tab, &shown), "2.5,−0.2");
        choose("class", "");
        choose("least", "1");
        assert_eq!(value(&tab, &shown).as_str().map(|all| all.contains('−')), Some(false));
        choose("least", "0");
        assert_eq!(value(&tab, &shown), all);
        // From a class to its strongest unit and back to the strongest class of that.
        let name = "barn spider";
        let class = format!(
            "[...{graph}.querySelectorAll('.bipartite-classes li')].find(e => e.textContent.includes({name:?}))"
        );
        value(&tab, &format!("({class}.focus(), true)"));
        tab.press_key("ArrowLeft").expect("a key");
        assert_eq!(value(&tab, active), "unit 9");
        tab.press_key("ArrowRight").expect("a key");
        assert_eq!(value(&tab, active), name);
        tab.press_key("ArrowUp").expect("a key");
        assert_eq!(value(&tab, active), "piggy bank");
        let side = |name: &str| {
            format!("{graph}.querySelector('.bipartite-{name}').getBoundingClientRect()")
        };
        let (units, classes) = (side("units"), side("classes"));
        for way in [
            format!("{units}.right <= {classes}.left"),
            format!("{units}.bottom <= {classes}.top"),
            format!("{units}.left >= {classes}.right"),
            format!("{units}.top >= {classes}.bottom"),
        ] {
            assert_eq!(value(&tab, &way), true, "{way}");
            value(&tab, &format!("({graph}.querySelector('[data-turns]').click(), true)"));
        }
    });
}

/// Puts fingers down, moves them and lifts them.
fn drag(tab: &Tab, from: &[(f64, f64)], to: &[(f64, f64)]) {
    use headless_chrome::protocol::cdp::Input::{
        DispatchTouchEvent, DispatchTouchEventTypeOption as Type, TouchPoint,
    };
    let send = |r#type: Type, points: Vec<(f64, f64)>| {
        let point = |(id, (x, y)): (usize, (f64, f64))| TouchPoint {
            x,
            y,
            radius_x: None,
            radius_y: None,
            rotation_angle: None,
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            id: Some(id as f64),
        };
        let touch_points = points.into_iter().enumerate().map(point).collect();
        let event =
            DispatchTouchEvent { Type: r#type, touch_points, modifiers: None, timestamp: None };
        tab.call_method(event).expect("a touch");
    };
    send(Type::TouchStart, from.to_vec());
    for step in 1..=8 {
        let share = f64::from(step) / 8.0;
        let between = |(a, b): (&(f64, f64), &(f64, f64))| {
            (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
        };
        send(Type::TouchMove, from.iter().zip(to).map(between).collect());
        std::thread::sleep(Duration::from_millis(16));
    }
    send(Type::TouchEnd, vec![]);
}

fn telephone(tab: &Tab) {
    use headless_chrome::protocol::cdp::Emulation::SetTouchEmulationEnabled;
    resize(tab, 390);
    let fingers = SetTouchEmulationEnabled { enabled: true, max_touch_points: Some(5) };
    tab.call_method(fingers).expect("fingers");
}

#[test]
fn a_picture_is_turned_by_a_finger_and_closed_by_going_back() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    telephone(&tab);
    go(&tab, &pages(&garden, &published(&garden))["deep/figures.html"]);
    let links = "document.querySelectorAll('article a.zoom')";
    tab.evaluate(&format!("({links}[1].focus(), {links}[1].click())"), false).expect("a click");
    let at = |number: u32| {
        wait(
            &tab,
            &format!(
                "document.querySelector('.zoom-dialog')?.open && document.querySelector('.zoom-caption p:last-child')?.textContent.startsWith('{number} of ')"
            ),
        );
    };
    let closed = || {
        wait(
            &tab,
            &format!(
                "!document.querySelector('.zoom-dialog').open && document.activeElement === {links}[1] && location.pathname.endsWith('deep/figures.html')"
            ),
        )
    };
    at(2);
    drag(&tab, &[(300.0, 300.0)], &[(80.0, 310.0)]);
    at(3);
    drag(&tab, &[(80.0, 300.0)], &[(300.0, 310.0)]);
    at(2);
    tab.press_key("ArrowRight").expect("a key");
    at(3);
    tab.evaluate("history.back()", false).expect("evaluates");
    closed();
    // What was closed by a key leaves nothing behind in the history.
    let length = value(&tab, "history.length");
    tab.evaluate(&format!("{links}[1].click()"), false).expect("a click");
    at(2);
    tab.press_key("Escape").expect("a key");
    closed();
    wait(&tab, "history.state?.zoom === undefined");
    assert_eq!(value(&tab, "history.length"), length);
}

#[test]
fn one_finger_scrolls_past_the_graph_and_two_move_it() {
    let Some(browser) = browser() else { return };
    let garden = garden();
    let tab = open(&browser, "about:blank");
    telephone(&tab);
    go(&tab, &pages(&garden, &published(&garden))["graph.html"]);
    wait(&tab, "document.querySelector('.graph canvas')?.width > 100");
    std::thread::sleep(Duration::from_millis(300));
    let drawn = "document.querySelector('.graph canvas').toDataURL()";
    tab.evaluate(&format!("window.before = {drawn}"), false).expect("evaluates");
    let box_ = value(
        &tab,
        "(b => [b.x + b.width / 2, b.y])(document.querySelector('.graph canvas').getBoundingClientRect())",
    );
    let (x, y) = (box_[0].as_f64().expect("a place"), box_[1].as_f64().expect("a place"));
    drag(&tab, &[(x, y + 250.0)], &[(x, y + 50.0)]);
    wait(&tab, "scrollY > 100");
    assert_eq!(value(&tab, &format!("{drawn} === before")), true, "the graph moved");
    tab.evaluate("scrollTo({ top: 0, behavior: 'instant' })", false).expect("evaluates");
    wait(&tab, "scrollY === 0");
    drag(
        &tab,
        &[(x - 40.0, y + 150.0), (x + 40.0, y + 150.0)],
        &[(x - 120.0, y + 100.0), (x + 130.0, y + 260.0)],
    );
    wait(&tab, &format!("{drawn} !== before"));
    assert_eq!(value(&tab, "[scrollY, visualViewport.scale]"), serde_json::json!([0, 1]));
    // The list says who links to whom.
    wait(&tab, "document.querySelector('.linked').innerText.includes('Linked from')");
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

/// A garden for the list of checks, built.
fn checked() -> Garden {
    let garden = Garden::new();
    for (name, text) in checks::NOTES {
        garden.note(name, text);
    }
    garden.note("text.md", &checks::text(""));
    results::fill(&garden);
    garden.built();
    garden
}

#[test]
fn every_check_of_the_list_holds_on_the_published_site() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let tab = open(&browser, "about:blank");
    checks::all(&tab, &Site { base: published(&garden), change: None });
}

/// Changes every page that the checks look at, and waits until the open one has heard of it.
fn change(garden: &Garden, tab: &Tab) {
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let round = ROUND.fetch_add(1, Ordering::Relaxed);
    let before = value(tab, "Number(document.documentElement.dataset.patched)");
    let (_, figures) = checks::NOTES[1];
    let (title, more) = (format!("A plain text {round}"), format!("Patch {round} has come.\n\n"));
    let above = format!("\n---\n{more}- A list\n- of two\n\nAs");
    let figures =
        figures.replace("\n---\nAs", &above).replace("[[A plain text]]", &format!("[[{title}]]"));
    // A title is part of every page that links to the note or lists it.
    garden.note("text.md", &checks::text(&more).replace("A plain text", &title));
    garden.note("deep/figures.md", &figures);
    wait(
        tab,
        &format!(
            "document.documentElement.dataset.patched > {before} && !document.querySelector('article .unresolved') && \
             document.querySelector('main').textContent.includes(document.querySelector('article') ? 'Patch {round} has come' : {title:?})"
        ),
    );
}

#[test]
fn every_check_of_the_list_holds_on_the_preview_with_patches_in_between() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let tab = open(&browser, "about:blank");
    let patch = |tab: &Tab| change(&garden, tab);
    checks::all(&tab, &Site { base: preview.url.clone(), change: Some(&patch) });
}

/// What a browser makes of a preview that it reaches in some way: the checks, and a page that comes to be while its address is open.
fn through(browser: &headless_chrome::Browser, garden: &Garden, base: &str) {
    let tab = open(browser, "about:blank");
    let patch = |tab: &Tab| change(garden, tab);
    checks::all(&tab, &Site { base: base.to_owned(), change: Some(&patch) });
    go(&tab, &format!("{base}deep/later.html"));
    wait(&tab, "document.querySelector('h1')?.textContent === 'Page not found'");
    wait(
        &tab,
        "getComputedStyle(document.querySelector('.masthead')).display !== 'inline' && document.documentElement.dataset.patched",
    );
    garden.note("deep/later.md", "It has come.\n");
    wait(&tab, "document.querySelector('article')?.textContent.includes('It has come')");
    garden.remove("notes/deep/later.md");
    wait(
        &tab,
        "document.querySelector('#preview-says')?.textContent.includes('no longer part of the garden')",
    );
    let inside = format!(
        "[...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)\
                          .filter(a => a.startsWith('http://localhost') && !a.startsWith({base:?}))"
    );
    assert_eq!(value(&tab, &inside), Value::Array(vec![]), "addresses that lead out of {base}");
}

#[test]
fn through_a_forwarded_port_everything_works() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    through(&browser, &garden, &Proxy::to(&preview.url, Way::Port).url);
}

#[test]
fn below_a_path_of_a_proxy_everything_works_whether_it_is_taken_off_or_not() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let proxy = Proxy::to(&preview.url, Way::Stripped("/user/x/proxy/4321/"));
    through(&browser, &garden, &proxy.url);
    drop(preview);
    let path = "/user/x/proxy/absolute/4321/";
    let preview = Preview::by(garden.command(&["serve", "--port", "0", "--base", path]));
    let proxy = Proxy::to(&preview.url, Way::Whole(path));
    let tab = open(&browser, &proxy.url);
    wait(&tab, "document.documentElement.dataset.patched && document.querySelector('h1')");
    garden.note("index.md", "# Changed behind a proxy\n");
    wait(&tab, "document.querySelector('h1').textContent === 'Changed behind a proxy'");
    // Without the last slash the links of the page would lead elsewhere.
    go(&tab, preview.url.trim_end_matches('/'));
    wait(&tab, &format!("location.pathname === {path:?}"));
}

/// Answers to every request with this page, at a port of its own.
fn elsewhere(html: String) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 4096];
            let read = std::io::Read::read(&mut stream, &mut head).unwrap_or(0);
            let own = "neuronotes.take(\"graph\", \"of this page itself\")";
            let is_script = String::from_utf8_lossy(&head[..read]).starts_with("GET /own.js");
            let (kind, body) =
                if is_script { ("text/javascript", own) } else { ("text/html", &*html) };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    port
}

#[test]
fn a_foreign_page_reads_nothing_of_the_preview_and_can_lead_to_it() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    garden.note("secret.md", "---\ntitle: Secret\ndraft: true\n---\nA draft.\n");
    let preview = Preview::of(&garden);
    let site = &preview.url;
    let page = format!(
        "<!doctype html><title>Elsewhere</title><script>window.taken = []; window.told = []; \
         window.neuronotes = {{ take: (name, data) => taken.push([name, data]) }}; \
         const done = name => told.push(name);</script>\
         {}<script src=\"/own.js\" onload=\"done('own')\"></script>\
         <img src=\"{site}-/partial/x\" onerror=\"done('picture')\"><iframe src=\"{site}\" onload=\"done('frame')\"></iframe>\
         <script>fetch('{site}search/meta.js').then(() => done('read'), () => done('fetch')); \
         fetch('{site}-/retry', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }}).then(() => done('sent'), () => done('post')); \
         new EventSource('{site}-/events').onerror = () => done('events');</script>\
         <a id=\"link\" href=\"{site}text.html\">a link</a>",
        ["graph-data.js", "search/meta.js", "search/t0.js", "search/e0.js", "previews/0.js"]
            .map(|path| format!("<script src=\"{site}{path}\" onload=\"done('script')\" onerror=\"done('refused')\"></script>"))
            .concat()
    );
    let port = elsewhere(page);
    // Of another site, and of this one with another port.
    for host in ["127.0.0.1", "localhost", "elsewhere.localhost"] {
        let tab = open(&browser, &format!("http://{host}:{port}/"));
        let count = |what: &str| format!("told.filter(name => name === {what:?}).length");
        wait(
            &tab,
            &format!(
                "{} === 5 && {} && {} && {}",
                count("refused"),
                count("fetch"),
                count("events"),
                count("post")
            ),
        );
        wait(&tab, &format!("{} && {}", count("own"), count("frame")));
        assert_eq!(
            value(&tab, "taken"),
            serde_json::json!([["graph", "of this page itself"]]),
            "{host}"
        );
        for what in ["script", "read", "sent"] {
            assert_eq!(value(&tab, &count(what)), 0, "{what} from {host}");
        }
        assert_eq!(value(&tab, "window.frames[0].length"), 0);
        click(&tab, "#link");
        wait(&tab, "location.pathname === '/text.html' && document.querySelector('h1')");
    }
    // What is refused there is there for the preview's own page.
    let tab = open(&browser, site);
    assert_eq!(awaited(&tab, "fetch('search/meta.js').then(answer => answer.status)"), 200);
}

#[test]
fn what_the_preview_says_itself_stands_at_the_top_and_leads_to_where_a_note_went() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}deep/figures.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    let top = "document.querySelector('article').getBoundingClientRect().top";
    let before = value(&tab, top);
    fs::rename(garden.path("notes/deep/figures.md"), garden.path("notes/drawings.md"))
        .expect("renamed");
    let bar = "document.querySelector('#preview-says')";
    wait(&tab, &format!("{bar}?.querySelector('a')?.textContent === 'Figures of it'"));
    let looks = format!(
        "(b => [Math.round(b.top), b.width === document.documentElement.clientWidth, getComputedStyle({bar}).position, \
          getComputedStyle({bar}).backgroundColor !== 'rgba(0, 0, 0, 0)'])({bar}.getBoundingClientRect())"
    );
    assert_eq!(value(&tab, &looks), serde_json::json!([0, true, "fixed", true]));
    assert_eq!(value(&tab, top), before, "nothing is moved");
    click(&tab, "#preview-says a");
    wait(
        &tab,
        "location.pathname === '/drawings.html' && document.documentElement.dataset.patched",
    );
    assert_eq!(value(&tab, &format!("{bar} === null")), true);
    go(&tab, &format!("{}deep/figures.html", preview.url));
    wait(&tab, "document.querySelector('main a.internal')?.textContent === 'Figures of it'");
    go(&tab, &format!("{}drawings.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched");
    drop(preview);
    wait(&tab, &format!("{bar}?.textContent.includes('has stopped')"));
}

#[test]
fn what_is_put_above_leaves_all_below_as_it_is() {
    let Some(browser) = browser() else { return };
    let garden = Garden::new();
    let note = |above: &str, between: &str, end: &str| {
        format!(
            "# A note\n\n{above}A paragraph of some words.\n\n<details><summary>One</summary>\n\nFolded.\n\n</details>\n\n\
             {between}Another paragraph, [linked](https://example.org/).\n\n- a list\n- of things\n\n\
             ```yaml analysis\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 3\n```\n\n\
             > [!info]- A callout\n> With a text.\n\n{end}\n"
        )
    };
    garden.note("a.md", &note("", "", "The end."));
    results::fill(&garden);
    let preview = Preview::of(&garden);
    let tab = open(&browser, &format!("{}a.html", preview.url));
    wait(&tab, "document.documentElement.dataset.patched && window.neuronotes");
    tab.evaluate(
        "window.kept = [...document.querySelectorAll('article > *, article details, article a, article svg')]; \
         for (const fold of document.querySelectorAll('article details')) fold.open = true; \
         window.focused = document.querySelector('article a.external'); focused.focus(); \
         window.open_ = [...document.querySelectorAll('article details')];",
        false,
    )
    .expect("evaluates");
    let all = "[kept.filter(e => !e.isConnected).map(e => e.outerHTML), open_.every(e => e.open), document.activeElement === focused]";
    let same = serde_json::json!([[], true, true]);
    for (round, (above, between, end)) in [
        ("A new paragraph.\n\n", "", "The end."),
        ("A new paragraph.\n\n1. a numbered\n2. list\n\n", "", "The end."),
        ("", "", "The end."),
        ("<details><summary>Zero</summary>\n\nAnother fold.\n\n</details>\n\n", "- a list between\n\n", "The end."),
        ("- [ ] to do\n\n", "## A heading\n\nText.\n\n", "The end, and at once something else."),
        ("```yaml analysis\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 300\n```\n\n", "", "The end, and at once something else."),
    ]
    .into_iter()
    .enumerate()
    {
        garden.note("a.md", &note(above, between, &format!("{end} {round}")));
        wait(&tab, &format!("document.querySelector('article').textContent.includes('{end} {round}')"));
        assert_eq!(value(&tab, all), same, "round {round}");
        let zero = "[...document.querySelectorAll('article > details')].filter(e => e.open && /Zero/.test(e.textContent)).length";
        assert_eq!(value(&tab, zero), 0, "a new fold is closed");
        let twice = "(ids => ids.filter((id, at) => ids.indexOf(id) !== at))([...document.querySelectorAll('[id]')].map(e => e.id))";
        assert_eq!(value(&tab, twice), Value::Array(vec![]), "round {round}");
    }
}

/// Pages by chance, each turned into the next. Says where one is not what it is to be, how many nodes of others were kept,
/// and whether what a script has put there stays.
const CHANGES: &str = r#"
    const parse = html => new DOMParser().parseFromString(`<!doctype html><html lang="en"><head><title>t</title></head><body>${html}</body></html>`, 'text/html');
    let seed = 11;
    const chance = n => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >> 8) % n; };
    const words = 'coin bank note vault silver piggy'.split(' ');
    const word = () => words[chance(6)];
    function some(depth) {
      let html = '';
      for (let n = chance(6); n > 0; n--) {
        const kind = chance(10);
        if (kind < 2) html += '\n';
        else if (kind < 3) html += `<!--${word()}-->`;
        else if (kind < 5) html += `${word()} `;
        else if (kind < 6) html += `<svg><g data-x="${chance(3)}"></g></svg>`;
        else if (kind < 7) html += `<p>${word()} ${word()}</p>`;
        else {
          const tag = ['div', 'details', 'b', 'figure', 'section'][chance(5)];
          const id = chance(3) ? '' : ` id="i${chance(5)}"`;
          const key = chance(5) ? '' : ` data-key="k${chance(3)}"`;
          html += `<${tag}${id}${key}>${depth ? some(depth - 1) : word()}</${tag}>`;
        }
      }
      return html;
    }
    const wrong = [];
    for (let n = 0; n < 2000 && !wrong.length; n++) {
      const html = some(3);
      neuronotesMorph(parse(html));
      if (!document.body.isEqualNode(parse(html).body)) wrong.push(html);
    }
    const long = (add, change) => '<main>' + Array.from({ length: 3000 }, (_, i) => `<p>Paragraph ${i} of ${change} words</p>`).join('\n') + add + '</main>';
    neuronotesMorph(parse(long('', 'some')));
    const all = [...document.querySelectorAll('p')];
    document.querySelector('main').prepend(document.createElement('aside'));
    neuronotesMorph(parse(long('', 'some').replace('<main>', '<main><p>One more</p>')));
    neuronotesMorph(parse(long('<p>Last</p>', 'other')));
    const kept = all.filter(p => p.isConnected).length;
    const stays = document.querySelector('main > aside:first-child') !== null;
    const sections = ['a', 'b', 'c'].map(id => `<section id="${id}"><p>${id} ${id}</p></section>`);
    neuronotesMorph(parse(sections.join('')));
    const places = ['a', 'b', 'c'].map(id => document.getElementById(id));
    neuronotesMorph(parse([sections[2], sections[0], sections[1]].join('')));
    const moved = places.map(section => section.isConnected && [...document.body.children].indexOf(section));
    "#;

#[test]
fn any_page_becomes_any_other_and_keeps_what_both_have() {
    let Some(browser) = browser() else { return };
    let tab = open(&browser, "data:text/html,<!doctype html><title>t</title><p>Some text.");
    tab.evaluate(include_str!("../src/preview/morph.js"), false).expect("evaluates");
    tab.evaluate(CHANGES, false).expect("evaluates");
    assert_eq!(value(&tab, "wrong"), Value::Array(vec![]));
    assert_eq!(value(&tab, "kept"), 3000, "paragraphs of a long page of which each is another");
    assert_eq!(value(&tab, "stays"), true, "what a script has put there");
    assert_eq!(value(&tab, "moved"), serde_json::json!([1, 2, 0]), "sections in another order");
}

/// The tests above look at nothing if pages come up empty.
#[test]
fn the_garden_of_these_tests_has_what_they_look_at() {
    let garden = garden();
    let prose = garden.page("prose.html");
    for part in [
        "<table",
        "<pre",
        "footnote",
        "class=\"external\"",
        "type=\"checkbox\"",
        "<blockquote",
        "<img",
    ] {
        assert!(prose.contains(part), "{part}");
    }
    let figures = garden.page("deep/figures.html");
    assert_eq!(figures.matches("<figure ").count(), 7);
    assert!(!figures.contains("problem-error"), "{figures}");
}
